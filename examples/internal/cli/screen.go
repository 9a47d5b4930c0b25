package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/width"
)

// refreshEvery is how often what is shown is renewed.
const refreshEvery = 150 * time.Millisecond

// screen keeps a few lines at the end of a terminal, which it renews: those of frame. What
// is written to the outputs meanwhile goes above them. The terminal's width is asked for
// each time, so that a change of it needs no signal.
type screen struct {
	w       io.Writer
	columns func() int
	frame   func(columns int) []string

	mu      sync.Mutex // guards what follows, and the terminal
	shown   []int      // widths of the lines that are there
	text    string     // those lines
	seen    int        // the width of the terminal when they were drawn
	inLine  bool       // what was written above has not ended its line
	outs    []*output
	stopped bool
	stop    chan struct{}
	clock   sync.WaitGroup
}

// showScreen begins. The environment's outputs are [Env.Shared].
func showScreen(env Env, frame func(columns int) []string) *screen {
	out := sharing(env.Stderr)
	s := &screen{w: out.w, columns: env.columns, frame: frame, stop: make(chan struct{})}
	s.outs = append(s.outs, out)
	if env.StdoutTerminal {
		s.outs = append(s.outs, sharing(env.Stdout))
	}
	for _, o := range s.outs {
		o.lead(above{s, s.w})
	}
	s.clock.Go(func() {
		tick := time.NewTicker(refreshEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.draw()
			case <-s.stop:
				return
			}
		}
	})
	return s
}

// close takes the lines away.
func (s *screen) close() {
	s.mu.Lock()
	again := s.stopped
	s.stopped = true
	s.mu.Unlock()
	if again {
		return
	}
	close(s.stop)
	s.clock.Wait()
	for _, o := range s.outs {
		o.lead(nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	s.clear(&b)
	_, _ = io.WriteString(s.w, b.String())
}

// draw renews the lines.
func (s *screen) draw() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.inLine {
		return
	}
	var b strings.Builder
	if s.paint(&b); b.Len() > 0 {
		_, _ = io.WriteString(s.w, b.String())
	}
}

// paint draws what has changed.
func (s *screen) paint(b *strings.Builder) {
	columns := s.columns()
	lines := s.frame(columns)
	for i, l := range lines {
		lines[i] = fit(l, columns-1) // the last column would wrap on some terminals
	}
	text := strings.Join(lines, "\n")
	if text == s.text && columns == s.seen && (len(s.shown) > 0 || text == "") {
		return
	}
	s.clear(b)
	b.WriteString(text)
	for _, l := range lines {
		s.shown = append(s.shown, cells(l))
	}
	s.text, s.seen = text, columns
}

// clear takes the lines away and leaves the cursor where they began. Lines that a narrower
// window has broken take more rows.
func (s *screen) clear(b *strings.Builder) {
	if len(s.shown) == 0 {
		return
	}
	columns, rows := max(s.columns(), 1), 0
	for _, w := range s.shown {
		rows += max(1, (w+columns-1)/columns)
	}
	if rows > 1 {
		fmt.Fprintf(b, "\x1b[%dA", rows-1)
	}
	b.WriteString("\r\x1b[J")
	s.shown, s.text = s.shown[:0], ""
}

// above writes to a terminal above the lines.
type above struct {
	s *screen
	w io.Writer
}

// Write is part of io.Writer.
func (a above) Write(p []byte) (int, error) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	var b strings.Builder
	a.s.clear(&b)
	if b.Len() > 0 {
		_, _ = io.WriteString(a.s.w, b.String())
	}
	n, err := a.w.Write(p)
	if a.s.inLine = len(p) > 0 && p[len(p)-1] != '\n'; !a.s.inLine && err == nil {
		b.Reset()
		a.s.paint(&b)
		_, _ = io.WriteString(a.s.w, b.String())
	}
	return n, err
}

// cells is how many columns a text takes on a terminal.
func cells(s string) (n int) {
	for _, r := range s {
		n += cellsOf(r)
	}
	return n
}

func cellsOf(r rune) int {
	if r < 0x300 {
		return 1
	}
	switch {
	case r <= 0x36f || r >= 0x200b && r <= 0x200f || r >= 0xfe00 && r <= 0xfe0f: // what joins the one before
		return 0
	case r >= 0x1f300 && r <= 0x1faff:
		return 2
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// fit cuts a text to so many columns.
func fit(s string, columns int) string {
	if cells(s) <= columns {
		return s
	}
	n := 0
	for i, r := range s {
		if n += cellsOf(r); n > columns-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// endOf keeps the end of a name, which tells more than its beginning, in so many columns,
// and fills up with blanks.
func endOf(s string, columns int) string {
	n := cells(s)
	if n <= columns {
		return s + strings.Repeat(" ", columns-n)
	}
	r := []rune(s)
	for len(r) > 0 && n > columns-1 {
		n -= cellsOf(r[0])
		r = r[1:]
	}
	return "…" + string(r) + strings.Repeat(" ", max(columns-1-n, 0))
}
