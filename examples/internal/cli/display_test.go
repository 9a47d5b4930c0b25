package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testout"
)

// still is a display whose clock and lines a test moves.
func still(f Flags) (d *Display, pass func(time.Duration)) {
	now := time.Unix(1_000_000, 0)
	d = &Display{now: func() time.Time { return now }, active: map[uint64]*moving{}, stall: 30 * time.Second}
	return d, func(by time.Duration) { now = now.Add(by) }
}

func TestNoDisplay(t *testing.T) {
	var none *Display
	none.Expect(1, 1)
	none.File(1)
	none.Say("x")
	none.Close()
	if h := Hooks(Flags{}, Env{}, nil); h != nil {
		t.Error("hooks out of nothing")
	}
	for _, c := range []struct {
		f Flags
		e Env
	}{{Flags{}, Env{}}, {Flags{Quiet: true}, Env{Terminal: true}}, {Flags{JSON: true}, Env{Terminal: true}}} {
		if NewDisplay(&c.f, c.e) != nil {
			t.Errorf("a display with %+v", c)
		}
	}
}

// TestDisplay: what a client's hooks tell is summed up, steps back and failures included,
// and fits into the terminal, whatever its width.
func TestDisplay(t *testing.T) {
	d, pass := still(Flags{})
	h := d.hooks(Env{Long: true}, true)
	d.Expect(3, 300<<20)
	ends := map[string]func(ftpx.OperationEnd){}
	ids := map[string]uint64{}
	begin := func(name string) {
		ids[name] = uint64(len(ids) + 1)
		_, ends[name] = h.Operation(t.Context(), ftpx.OperationInfo{ID: ids[name], Op: "upload"})
	}
	move := func(name string, offset int64) {
		h.Progress(t.Context(), ftpx.ProgressInfo{ID: ids[name], Op: "upload", Local: "/src/" + name, Remote: name, Offset: offset, Size: 100 << 20})
	}
	const long, wide = "a-report-with-a-rather-long-name-2026-12-01.csv", "帳票帳票帳票帳票帳票.bin"
	begin(long)
	begin(wide)
	begin("never seen")
	move(long, 0)
	move(wide, 0)
	pass(time.Second)
	move(long, 60<<20)
	move(wide, 10<<20)
	move(long, 50<<20) // it was lost, and steps back
	for columns, want := range map[int][]string{
		100: {long + " ", "50 %  1s left  60.0 MiB/s  50.0 MiB of 100.0 MiB", wide, "10 %  9s left  10.0 MiB/s", "total 20 %  4s left  70.0 MiB/s  0 of 3 files  60.0 MiB of 300.0 MiB"},
		80:  {"…", "2026-12-01.csv 50 %  1s left  60.0 MiB/s  50.0 MiB of 100.0 MiB", "total 20 %  4s left  70.0 MiB/s"},
		40:  {"-12-01.csv 50 %  1s  60.0 MiB/s", ".bin  10 %  9s  10.0 MiB/s", "total 20 %  4s  70.0 MiB/s"},
		20:  {"50 %", "10 %", "total 20 %"},
	} {
		lines := d.frame(columns)
		if len(lines) != 3 {
			t.Fatalf("%d columns: %q", columns, lines)
		}
		text := strings.Join(lines, "\n")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%d columns: no %q in\n%s", columns, w, text)
			}
		}
		for _, l := range lines {
			if n := cells(fit(l, columns-1)); n > columns-1 {
				t.Errorf("%d columns: %d cells: %q", columns, n, l)
			}
		}
	}
	ends[wide](ftpx.OperationEnd{Err: errors.New("gone")})
	ends["never seen"](ftpx.OperationEnd{})
	ends[long](ftpx.OperationEnd{})
	d.File(100 << 20)
	if got := strings.Join(d.frame(80), "\n"); !strings.HasPrefix(got, "total 33 %") || !strings.Contains(got, "1 of 3 files  100.0 MiB of 300.0 MiB") {
		t.Error(got)
	}
}

// TestWaiting: what is waited for is said until something moves, with the time that is
// left; and so is a line on which nothing moves.
func TestWaiting(t *testing.T) {
	d, pass := still(Flags{})
	h := d.hooks(Env{Long: true}, true)
	last := func() string {
		lines := d.frame(100)
		if len(lines) == 0 {
			return ""
		}
		return lines[len(lines)-1]
	}
	d.say("connecting to h by SFTP", time.Time{})
	if got := last(); got != "connecting to h by SFTP" {
		t.Error(got)
	}
	h.Retry(t.Context(), ftpx.RetryInfo{Op: "open", Attempt: 3, Err: errors.New("connection refused"), Delay: 4 * time.Second})
	for _, want := range []string{"connection refused (attempt 3): retrying in 4s", "connection refused (attempt 3): retrying in 3s", "connection refused (attempt 3): retrying in 2s", "connection refused (attempt 3): retrying in 1s", "connection refused (attempt 3): trying again"} {
		if got := last(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		pass(time.Second)
	}
	h.Breaker(t.Context(), ftpx.BreakerInfo{Host: "h", Open: true, Until: d.now().Add(5 * time.Second), Err: errors.New("connection refused")})
	if got := last(); got != "h: connection refused: retrying in 5s" {
		t.Error(got)
	}
	h.Breaker(t.Context(), ftpx.BreakerInfo{Host: "h"})
	h.Acquire(t.Context(), ftpx.AcquireInfo{Wait: ftpx.WaitSlot})
	if got := last(); got != "h: connection refused: retrying in 5s" {
		t.Error(got)
	}
	h.Acquire(t.Context(), ftpx.AcquireInfo{Wait: ftpx.WaitBusy})
	if got := last(); got != "the server accepts no more connections now: waiting" {
		t.Error(got)
	}
	_, dialled := h.Dial(t.Context(), ftpx.DialInfo{})
	dialled(ftpx.DialEnd{})
	if got := last(); got != "" {
		t.Error(got)
	}
	h.Progress(t.Context(), ftpx.ProgressInfo{Op: "get", Remote: "x\x1b[2J", Offset: 5, Size: 10})
	h.Progress(t.Context(), ftpx.ProgressInfo{Op: "get", Remote: "x\x1b[2J", Offset: 6, Size: 10})
	pass(7 * time.Second)
	if got := last(); got != "nothing has moved for 7s (a new connection after 30s)" {
		t.Error(got)
	}
	if text := strings.Join(d.frame(100), ""); strings.Contains(text, "\x1b") {
		t.Errorf("a name moves the cursor: %q", text)
	}
	h.Retry(t.Context(), ftpx.RetryInfo{Op: "get", Attempt: 1, Remote: "x", Err: errors.New("stalled"), Delay: 2 * time.Second})
	if got := last(); got != "x: stalled (attempt 1): retrying in 2s" {
		t.Error(got)
	}
	h.Progress(t.Context(), ftpx.ProgressInfo{Op: "get", Remote: "x\x1b[2J", Offset: 8, Size: 10})
	if got := last(); !strings.HasPrefix(got, "total") {
		t.Error(got)
	}
}

// TestScreen: lines are renewed in place, also when the window becomes narrower; what is
// written goes above them; at the end nothing of them is left.
func TestScreen(t *testing.T) {
	out := &testout.Output{}
	columns := 40
	env := Env{Stdout: out, Stderr: out, Terminal: true, StdoutTerminal: true, Columns: func() int { return columns }}.Shared()
	lines := []string{strings.Repeat("x", 30), "two"}
	s := &screen{w: out, columns: env.columns, frame: func(int) []string { return lines }, stop: make(chan struct{})}
	took := out.Take
	s.draw()
	if got := took(); got != lines[0]+"\ntwo" {
		t.Errorf("%q", got)
	}
	s.draw()
	if got := took(); got != "" {
		t.Errorf("drawn though nothing has changed: %q", got)
	}
	lines = []string{lines[0], "2"}
	s.draw()
	if got := took(); got != "\x1b[1A\r\x1b[J"+lines[0]+"\n2" {
		t.Errorf("%q", got)
	}
	lines[1] = "two"
	s.draw()
	took()
	columns = 20 // the terminal has broken the first line in two
	s.draw()
	if got := took(); got != "\x1b[2A\r\x1b[J"+strings.Repeat("x", 18)+"…\ntwo" {
		t.Errorf("%q", got)
	}
	fmt.Fprint(above{s, out}, "a line\n")
	if got := took(); got != "\x1b[1A\r\x1b[Ja line\n"+strings.Repeat("x", 18)+"…\ntwo" {
		t.Errorf("%q", got)
	}
	fmt.Fprint(above{s, out}, "half a")
	s.draw() // not behind it
	if got := took(); got != "\x1b[1A\r\x1b[Jhalf a" {
		t.Errorf("%q", got)
	}
	fmt.Fprint(above{s, out}, " line\n")
	s.close()
	s.close()
	if got := took(); !strings.HasPrefix(got, " line\nx") || !strings.HasSuffix(got, "two\x1b[1A\r\x1b[J") {
		t.Errorf("%q", got)
	}
	s.draw()
	if got := took(); got != "" {
		t.Errorf("after the end: %q", got)
	}
}

func TestCells(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "帳票": 4, "é": 1, "🚀": 2, "ü": 1, "ж": 1} {
		if got := cells(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{{"abcdef", 6, "abcdef"}, {"abcdef", 4, "…def"}, {"ab", 4, "ab  "}, {"帳票帳", 4, "…帳 "}} {
		if got := endOf(c.s, c.n); got != c.want || cells(got) != c.n {
			t.Errorf("endOf(%q, %d) = %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

// TestTimeLeft: in seconds below a minute, and nothing where it is not known.
func TestTimeLeft(t *testing.T) {
	for _, c := range []struct {
		rest, rate int64
		want       string
	}{{0, 1, ""}, {10, 0, ""}, {10, 10, "1s left"}, {5990, 100, "1m00s left"}, {9000, 100, "1m30s left"}, {1 << 50, 1, ""}, {7260, 1, "2h01m left"}} {
		if got := timeLeft(c.rest, c.rate); got != c.want {
			t.Errorf("%d at %d: %q, want %q", c.rest, c.rate, got, c.want)
		}
	}
}
