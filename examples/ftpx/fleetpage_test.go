package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
)

// TestFleetPage: the page of a worker shows jobs by target, class and state, what is paused and
// why, and what is dead and why.
func TestFleetPage(t *testing.T) {
	at := "127.0.0.1:" + clitest.ClosedPort(t)
	r := startFleet(t, "--metrics", at)
	r.try("submit", "--wait", "out:a.csv", "acme:in/a.csv").Want(t, 0)
	r.try("submit", "--wait", "out:<b>none</b>", "acme:none")
	r.try("pause", "--reason", "<script>alert(1)</script> they move", "acme").Want(t, 0)
	r.try("submit", "--class", "urgent", "out:a.csv", "acme:in/b.csv").Want(t, 0)
	page := fetchPage(t, "http://"+at+"/", 200)
	for _, want := range []string{"<h1>w1</h1>", "1 done, 1 dead", "acme is paused. 1 job is dead.", "&lt;script&gt;alert(1)&lt;/script&gt; they move",
		"<td>urgent</td><td>1</td><td>0</td><td>0</td><td>0</td>", "upload out:&lt;b&gt;none&lt;/b&gt; to acme:none", "no such file", " of 2</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	for _, bad := range []string{"<script", "<b>", "style=", "onclick"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is on the page", bad)
		}
	}
	if style := fetchPage(t, "http://"+at+"/static/style.css", 200); !strings.Contains(style, "table") {
		t.Error(style)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example.com"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a page from elsewhere may read this one: %s", res.Status)
	}
}

// TestFleetPageTexts: every text that comes from outside is text on the page, and files are named
// only where this machine alone can ask.
func TestFleetPageTexts(t *testing.T) {
	const evil = "\"><img src=x onerror=alert(1)>\x1b[2J"
	pages, err := parseFleetPage()
	if err != nil {
		t.Fatal(err)
	}
	p := fleetPage{Worker: evil, Jobs: []deadRow{{ID: "x", What: evil, Why: evil}}}
	p.ofFleet(&fleet.Status{Server: evil, Targets: map[string]*fleet.TargetStatus{evil: {
		Pause: &fleet.Pause{By: evil, Reason: evil}, Down: &fleet.Down{Reason: evil, Until: time.Now().Add(time.Minute)},
		Classes: map[fleet.Class]*fleet.ClassStatus{fleet.Urgent: {Dead: 3}, fleet.Normal: {}, fleet.Bulk: {}}}}}, time.Now())
	for _, names := range []bool{false, true} {
		p.Names = names
		out := httptest.NewRecorder()
		if err := pages.Execute(out, &p); err != nil {
			t.Fatal(err)
		}
		page := out.Body.String()
		if strings.Contains(page, "<img") || !strings.Contains(page, "&lt;img") {
			t.Errorf("a text is markup:\n%s", page)
		}
		if strings.Contains(page, "<td>x</td>") != names {
			t.Errorf("files are named, or not: %t wanted", names)
		}
	}
}

func fetchPage(t *testing.T, url string, code int) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != code {
		t.Fatalf("%s: %s %s, %v", url, res.Status, b, err)
	}
	return string(b)
}
