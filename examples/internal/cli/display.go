package cli

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Display shows on a terminal what a client does: what is waited for, each file under way,
// and how much of all is done, how fast, and how long it will take. Its methods do nothing
// on a nil one, and may be called by several goroutines.
type Display struct {
	screen *screen
	now    func() time.Time
	stall  time.Duration // after which a silent transfer is given up

	mu     sync.Mutex         // guards what follows
	status string             // what is waited for, "" for nothing
	until  time.Time          // when that is tried again, zero if it is under way
	active map[uint64]*moving // by operation
	files  int                // that are done
	bytes  int64              // of those
	moved  int64              // bytes on the line
	begun  time.Time          // when the first transfer was seen
	last   time.Time
	pace   pace
	// expectedFiles and expectedBytes are what there is to do, 0 if that is not known.
	expectedFiles int
	expectedBytes int64
}

// moving is a transfer under way.
type moving struct {
	name     string
	begun    time.Time
	at, size int64
	pace     pace
}

// NewDisplay shows on the environment's Stderr, or returns nil where that is no terminal,
// or where nothing is to be shown. What is written to the environment's outputs meanwhile
// goes above it, if the environment is [Env.Shared]. The result is to be closed.
func NewDisplay(f *Flags, env Env) *Display {
	if !env.Terminal || f.JSON || f.Quiet {
		return nil
	}
	d := &Display{now: time.Now, active: map[uint64]*moving{}, stall: f.Stall}
	if d.stall == 0 {
		d.stall = transport.DefaultStall
	}
	d.screen = showScreen(env, d.frame)
	return d
}

// Close takes away what is shown. It may be called twice.
func (d *Display) Close() {
	if d != nil {
		d.screen.close()
	}
}

// Expect says how much there is to do, besides what was said before.
func (d *Display) Expect(files int, bytes int64) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.expectedFiles += files
	d.expectedBytes += bytes
}

// File counts a file that is done, whether it was moved or not.
func (d *Display) File(size int64) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files++
	d.bytes += max(size, 0)
}

// Say shows what is waited for at once, until something moves; "" takes it away.
func (d *Display) Say(text string) {
	if d == nil {
		return
	}
	d.say(text, time.Time{})
	d.screen.draw()
}

func (d *Display) say(text string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status, d.until = transport.Printable(text), until
}

func (d *Display) progress(i ftpx.ProgressInfo) {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.begun.IsZero() {
		d.begun = now
	}
	m := d.active[i.ID]
	if m == nil {
		m = &moving{name: transport.Printable(i.Remote), begun: now, at: i.Offset}
		m.pace.add(now, 0)
		d.active[i.ID] = m
	}
	step := max(i.Offset-m.at, 0)
	m.at, m.size = i.Offset, i.Size
	m.pace.add(now, step)
	d.pace.add(now, step)
	if d.moved += step; step > 0 || i.Offset == 0 {
		d.last = now
		d.status = ""
	}
}

func (d *Display) ended(id uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.active, id)
	d.last = d.now()
}

// mostBars is how many transfers are shown at once; showAfter is how long one lasts before
// it is, so that small files do not flicker.
const (
	mostBars  = 8
	showAfter = 400 * time.Millisecond
	silence   = 3 * time.Second // after which it is told
	narrow    = 60              // columns, below which words are saved
)

// frame is what is shown now.
func (d *Display) frame(columns int) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	var long []*moving
	at := d.bytes
	for _, m := range d.active {
		at += m.at
		if now.Sub(m.begun) >= showAfter {
			long = append(long, m)
		}
	}
	sort.Slice(long, func(i, j int) bool {
		return long[i].begun.Before(long[j].begun) || long[i].begun.Equal(long[j].begun) && long[i].name < long[j].name
	})
	var lines []string
	for i, m := range long {
		if i == mostBars {
			lines = append(lines, fmt.Sprintf("and %d more", len(d.active)-mostBars))
			break
		}
		lines = append(lines, m.line(columns, now))
	}
	one := d.expectedFiles == 1 && len(lines) == 1
	if !one && !d.begun.IsZero() && now.Sub(d.begun) >= showAfter {
		lines = append(lines, d.total(columns, now, at))
	}
	if s := d.waiting(now); s != "" {
		lines = append(lines, s)
	}
	return lines
}

// waiting says what is waited for.
func (d *Display) waiting(now time.Time) string {
	switch {
	case d.status != "" && d.until.Sub(now) >= time.Second:
		return fmt.Sprintf("%s: retrying in %v", d.status, d.until.Sub(now).Round(time.Second))
	case d.status != "" && !d.until.IsZero():
		return d.status + ": trying again"
	case d.status != "":
		return d.status
	case len(d.active) > 0 && !d.last.IsZero() && now.Sub(d.last) >= silence:
		return fmt.Sprintf("nothing has moved for %v (a new connection after %v)", now.Sub(d.last).Round(time.Second), d.stall)
	}
	return ""
}

// total says how far all is.
func (d *Display) total(columns int, now time.Time, at int64) string {
	rate := d.pace.rate(now)
	if d.expectedFiles == 0 {
		return join(columns, fmt.Sprintf("total %s", Count(d.files, "file")), Bytes(at), Bytes(rate)+"/s")
	}
	at = min(at, d.expectedBytes) // a file may have grown since
	left := timeLeft(d.expectedBytes-at, rate)
	if columns < narrow {
		left = strings.TrimSuffix(left, " left")
	}
	return join(columns, "total "+percent(at, d.expectedBytes, d.files == d.expectedFiles), left,
		Bytes(rate)+"/s", fmt.Sprintf("%d of %s", d.files, Count(d.expectedFiles, "file")), Bytes(at)+" of "+Bytes(d.expectedBytes))
}

// line says how far a transfer is, in so many columns.
func (m *moving) line(columns int, now time.Time) string {
	rate := m.pace.rate(now)
	left := timeLeft(m.size-m.at, rate)
	room := columns - 1
	least := min(max(room/3, 8), 30) // for the name
	if columns < narrow {
		left, least = strings.TrimSuffix(left, " left"), 8
	}
	fields := []string{percent(m.at, m.size, false), left, Bytes(rate) + "/s", Bytes(m.at) + " of " + Bytes(m.size)}
	if m.size <= 0 {
		fields = []string{Bytes(m.at), Bytes(rate) + "/s"}
	}
	text := join(room-least-1, fields...)
	return endOf(m.name, max(room-1-cells(text), 1)) + " " + text
}

// join puts together as many fields as there is room for, at least the first.
func join(columns int, fields ...string) string {
	text := ""
	for _, f := range fields {
		if f == "" {
			continue
		}
		next := f
		if text != "" {
			next = text + "  " + f
		}
		if text != "" && cells(next) > columns {
			break
		}
		text = next
	}
	return text
}

func percent(at, of int64, done bool) string {
	if of <= 0 {
		if done {
			return "100 %"
		}
		return "0 %"
	}
	return fmt.Sprintf("%d %%", int64(float64(at)/float64(of)*100))
}

// timeLeft is how long the rest takes at a rate, "" if that is not known.
func timeLeft(rest, rate int64) string {
	if rest <= 0 || rate < 1 {
		return ""
	}
	switch s := (rest + rate - 1) / rate; {
	case s >= 100*3600:
		return ""
	case s < 60:
		return fmt.Sprintf("%ds left", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds left", s/60, s%60)
	default:
		return fmt.Sprintf("%dh%02dm left", s/3600, s/60%60)
	}
}
