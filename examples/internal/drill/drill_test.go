package drill

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

// small is a drill of a scenario that takes seconds. The RTO is no timing of this machine's.
func small(t *testing.T, name string) *Options {
	t.Helper()
	s, err := Select([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	return &Options{Scenarios: s, RTO: time.Hour, Files: 16, Limit: 90 * time.Second}
}

// TestScenarios: after each, all that was acknowledged is there, whole, and nothing else is.
func TestScenarios(t *testing.T) {
	for _, s := range Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			rep, err := Run(t.Context(), small(t, s.Name))
			if err != nil {
				t.Fatal(err)
			}
			r := rep.Scenarios[0]
			if !rep.Passed || r.Arrived != 16 || r.Missing != 0 || r.Wrong != 0 || len(r.Acks) != 16 || len(r.Events) == 0 {
				t.Errorf("%+v", r)
			}
			// The fault was one.
			switch s.Name {
			case "primary-dies":
				if r.Resets == 0 || r.Failovers == 0 {
					t.Errorf("%d resets, %d failovers", r.Resets, r.Failovers)
				}
			case "reset-12.7":
				if r.Resets == 0 || r.Retries == 0 {
					t.Errorf("%d resets, %d retries", r.Resets, r.Retries)
				}
			case "flood":
				if r.Refused == 0 {
					t.Error("nothing was refused")
				}
			case "stall":
				if r.RTO < 1 {
					t.Errorf("the longest silence was %.1f s", r.RTO)
				}
			case "cert-expires":
				if r.Failed == 0 || !strings.Contains(r.LastFailure, "certificate") || r.RTO < unrenewed.Seconds()/2 {
					t.Errorf("%d failures, the last %q, silence of %.1f s", r.Failed, r.LastFailure, r.RTO)
				}
			}
		})
	}
}

// TestVerdict: what was lost, wrong, late or missing fails a drill, and says so.
func TestVerdict(t *testing.T) {
	for want, spoil := range map[string]func(*rehearsal){
		"":                            func(*rehearsal) {},
		"1 of 2 files arrived":        func(r *rehearsal) { delete(r.acked, 1) },
		"with other content":          func(r *rehearsal) { r.result.Wrong = 1 },
		"acknowledged bytes are miss": func(r *rehearsal) { r.result.Missing = 5 },
		"nothing arrived for 7.0 s":   func(r *rehearsal) { r.result.Acks[1].At = 9 },
		"had expired":                 func(r *rehearsal) { r.trusted = 1 },
		"compare: no":                 func(r *rehearsal) { r.result.Error = "compare: no" },
	} {
		r := &rehearsal{opt: &Options{RTO: 5 * time.Second, RPO: 4}, struck: 2 * time.Second, acked: map[int]bool{0: true, 1: true},
			result: Result{Files: 2, Acks: []Ack{{1, 10}, {3, 10}}}}
		spoil(r)
		r.result.judge(r)
		if r.result.Passed != (want == "") || !strings.Contains(r.result.Why, want) {
			t.Errorf("%q: %v %q", want, r.result.Passed, r.result.Why)
		}
	}
}

// TestFirstReason: a drill that cannot begin says why, and not what came of it later.
func TestFirstReason(t *testing.T) {
	o := small(t, "stall")
	o.Config = &ftpx.Config{Host: "127.0.0.1", User: "u", Options: ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Retry: retry.Policy{MaxAttempts: 1},
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ENETUNREACH }}}
	o.Scratch = "x"
	rep, err := Run(t.Context(), o)
	if err != nil || rep.Passed || !strings.HasPrefix(rep.Scenarios[0].Why, "open: ") {
		t.Errorf("%v: %+v", err, rep)
	}
}

// TestHostileError: what a server says is cut, and free of control characters.
func TestHostileError(t *testing.T) {
	text := said(errors.New("530 \x1b[2J<b>" + strings.Repeat("é", 1<<20)))
	if len(text) > mostSaid+10 || strings.ContainsAny(text, "\x1b\n") || !utf8.ValidString(text) || !strings.HasPrefix(text, "530 ") {
		t.Errorf("%d bytes: %.100q", len(text), text)
	}
}

// TestHTML: one file that is well-formed, needs no script and nothing from elsewhere, and
// escapes what it shows.
func TestHTML(t *testing.T) {
	rep := &Report{Version: 1, Started: time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC), Where: `<script>alert(1)</script>`, RTO: 15, Scenarios: []Result{
		{Name: "stall", What: "x & y", Passed: true, Files: 3, Arrived: 3, Seconds: 3, Acks: []Ack{{0.5, 10}, {1, 10}, {3, 20}}, Events: []Event{{1, "<b>silence</b>"}}},
		{Name: "empty", What: "nothing"},
	}}
	var b bytes.Buffer
	if err := rep.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<script", "http:", "https:", "src=", "href=", "<b>"} {
		if strings.Contains(page, bad) {
			t.Errorf("it holds %q", bad)
		}
	}
	if n := strings.Count(page, "<svg"); n != 2 || !strings.Contains(page, `class="gap" x="`) {
		t.Errorf("%d timelines: %s", n, page)
	}
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := d.Token()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v: %s", err, svg)
			}
		}
	}
}

// TestExample: docs/drill-example.html is what today's code writes, but for the figures.
func TestExample(t *testing.T) {
	have, err := os.ReadFile("../../../docs/drill-example.html")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(have), "<body>")
	want, _, _ := strings.Cut(page, "<body>")
	if style := regexp.MustCompile(`(?s)<style>.*</style>`); style.FindString(head) != style.FindString(want) || !strings.Contains(string(have), `Failover drill: <span class="passed">`) {
		t.Error("docs/drill-example.html is old: remove it, and run go run ./examples/ftpx drill --rto 15s --rpo 0 --html docs/drill-example.html")
	}
	for _, s := range Scenarios() {
		if !strings.Contains(string(have), "<h2>"+s.Name+"</h2>") {
			t.Errorf("it lacks %s", s.Name)
		}
	}
}

// TestBadOptions: one line, with what to do.
func TestBadOptions(t *testing.T) {
	real := &ftpx.Config{Host: "127.0.0.1", User: "u", Options: ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}}}
	certificate, err := Select([]string{"cert-expires"})
	if err != nil {
		t.Fatal(err)
	}
	dies, err := Select([]string{"primary-dies"})
	if err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]*Options{
		"needs a scratch folder":     {Config: real},
		"for embedded servers alone": {Config: real, Scratch: "x", Scenarios: certificate},
		"needs a standby":            {Config: real, Scratch: "x", Scenarios: dies},
		"Config.Host is empty":       {Config: &ftpx.Config{}, Scratch: "x"},
		"use positive numbers":       {Files: 3},
	} {
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", want, err)
		}
	}
	if _, err := Select([]string{"earthquake"}); err == nil || !strings.Contains(err.Error(), "use primary-dies") {
		t.Error(err)
	}
}

// TestLine: each fault is what it says, to both ends.
func TestLine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	accepted := make(chan net.Conn, 8)
	go func() {
		defer close(accepted)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	far := newLine(nil, map[string]string{addr: "421 full"})
	dial := func() net.Conn {
		t.Helper()
		c, err := far.dial(context.Background(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	first, server := dial(), <-accepted
	defer server.Close()
	far.set(func(l *line) { l.most = 1 })
	if text, err := io.ReadAll(dial()); err != nil || string(text) != "421 full\r\n" {
		t.Errorf("a full server says %q, %v", text, err)
	}
	far.lift()
	half := dial()
	if err := half.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Errorf("ending one side: %v", err)
	}
	if n, err := (<-accepted).Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the server sees %d, %v", n, err)
	}
	far.kill(addr)
	if _, err := first.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("writing to a dead host: %v", err)
	}
	if _, err := server.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server sees %v", err)
	}
	if _, err := far.dial(context.Background(), "tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling a dead host: %v", err)
	}
	far.lift()
	second := dial()
	defer (<-accepted).Close()
	far.silence()
	if err := second.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading with a deadline in a silence: %v", err)
	}
	_ = second.SetDeadline(time.Time{})
	read := make(chan error, 1)
	go func() {
		_, err := second.Read(make([]byte, 1))
		read <- err
	}()
	second.Close()
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read that a close ends: %v", err)
	}
}
