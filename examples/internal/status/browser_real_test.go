//go:build linux && realserver

package status

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// chromium runs the browser without a window to its end and returns what it prints.
func chromium(t *testing.T, args ...string) (out, log string) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv(realtest.RequireEnv) == "1" {
			t.Fatalf("%v (%s=1 says that it must be there; .ci/run installs it)", err, realtest.RequireEnv)
		}
		t.Skipf("%v (.ci/run installs it)", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
		"--user-data-dir=" + t.TempDir()}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, &stderr)
	}
	return stdout.String(), stderr.String()
}

// held is a source that stops halfway until it is let go, or the call is over.
type held struct {
	*bytes.Reader
	half int64
	free <-chan struct{}
}

func (h *held) ReadAt(p []byte, off int64) (int, error) {
	if off >= h.half && off < h.Size()-128<<10 { // its ends are read first, to give it a name
		<-h.free
	}
	return h.Reader.ReadAt(p, off)
}

// A browser opens the page while a job loses connections, and while a file is under way
// whose name is markup. Nothing of it is run, nothing breaks the page's policy, and the
// script brings the page up to date. With FTPX_SCREENSHOTS=FOLDER the pictures stay.
func TestBrowserReal(t *testing.T) {
	const name = `<img src=x onerror=document.title='pwned'>`
	s, err := New("mirror nightly")
	if err != nil {
		t.Fatal(err)
	}
	srv := ftpxtest.NewServer(t, ftpx.SFTP)
	o := srv.Options()
	o.Hooks = s.Hooks()
	c, err := ftpx.Open(t.Context(), srv.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	defer s.Watch(c)()
	// A second client, whose host is in such a state as takes an hour to come about.
	s.live.operation(t.Context(), ftpx.OperationInfo{Op: "open", Host: "files.example.com"})
	defer s.Watch(stub{health: []ftpx.HostHealth{full("files.example.com", time.Now())}})()

	var mu sync.Mutex
	asked := map[string]int{}
	handler := s.Handler()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.URL.Path]++
		mu.Unlock()
		handler.ServeHTTP(w, r)
	}))
	defer web.Close()

	// Some transfers that lose connections, and two that are under way.
	srv.ResetAfter(200 << 10)
	for i := range 8 {
		if _, err := c.Put(t.Context(), fmt.Sprintf("report-%d.csv", i), bytes.NewReader(make([]byte, 600<<10)), nil); err != nil {
			t.Error(err)
		}
	}
	if err := srv.Up(); err != nil {
		t.Fatal(err)
	}
	free := make(chan struct{})
	var jobs sync.WaitGroup
	for _, file := range []string{name, "2026/11/30/a report with a long name that somebody thought of at the end of a long day.csv"} {
		jobs.Go(func() {
			source := &held{bytes.NewReader(make([]byte, 8<<20)), 3 << 20, free}
			if _, err := c.Put(t.Context(), file, source, &ftpx.PutOptions{CreateDirs: true}); err != nil {
				t.Error(err)
			}
		})
	}
	defer jobs.Wait()
	defer sync.OnceFunc(func() { close(free) })()
	for len(s.view(time.Now()).Transfers) < 2 || s.view(time.Now()).Transfers[0].Percent < 1 {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("no transfer is under way")
		}
	}

	dom, log := chromium(t, "--virtual-time-budget=7000", "--dump-dom", web.URL)
	if !strings.Contains(dom, "&lt;img src=x onerror=document.title='pwned'&gt;") || strings.Contains(dom, "<img") {
		t.Errorf("the name is not shown as text:\n%s", dom)
	}
	if !strings.Contains(dom, "<title>mirror nightly") || asked["/x"] != 0 {
		t.Errorf("a name was run: %v\n%.300s", asked, dom)
	}
	if asked["/"] < 3 || asked["/static/live.js"] == 0 || asked["/static/style.css"] == 0 {
		t.Errorf("the script did not bring the page up to date: %v", asked)
	}
	if strings.Contains(log, "Content Security Policy") || strings.Contains(log, "Uncaught") {
		t.Errorf("the browser complains:\n%s", log)
	}
	dir := os.Getenv("FTPX_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	for _, width := range []int{1280, 400} {
		file := filepath.Join(dir, fmt.Sprintf("status-%d.png", width))
		chromium(t, fmt.Sprintf("--window-size=%d,%d", width, map[int]int{1280: 1000, 400: 1900}[width]), "--screenshot="+file, web.URL)
		checkPicture(t, file, width)
	}
}

// checkPicture sees that a picture is as wide as asked for, and not empty.
func checkPicture(t *testing.T, file string, width int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var head [24]byte
	if _, err := io.ReadFull(bytes.NewReader(b), head[:]); err != nil {
		t.Fatal(err)
	}
	if got := int(head[18])<<8 | int(head[19]); got != width || len(b) < 10_000 {
		t.Errorf("%s: %d pixels wide, %d bytes", file, got, len(b))
	}
}
