package cli

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// refreshEvery is how often bars are drawn.
const refreshEvery = 150 * time.Millisecond

// bars shows a bar for each file under way and a line for the total, on a terminal. It draws by its own
// clock: lines written above bars appear with the next drawing, and the library
// would leave out the last one.
type bars struct {
	p       *mpb.Progress
	begin   time.Time
	sum     func() string // the line for the total
	files   atomic.Int64  // that are done
	bytes   atomic.Int64  // moved, of all files
	outs    []*output     // what is led above them
	refresh chan any      // a value draws
	gone    chan any      // closed when the library has ended, with its terminal for instance
	stop    chan struct{} // closed to end the clock
	clock   sync.WaitGroup
}

// newBars shows bars on the environment's Stderr, which is shared as its Stdout
// is. The result is to be closed.
func newBars(env Env) *bars {
	b := &bars{begin: time.Now(), refresh: make(chan any), gone: make(chan any), stop: make(chan struct{})}
	b.sum = b.total
	return b.start(env)
}

// start shows them.
func (b *bars) start(env Env) *bars {
	out := sharing(env.Stderr)
	b.p = mpb.New(mpb.WithOutput(out.w), mpb.WithWidth(40), mpb.WithManualRefresh(b.refresh), mpb.WithShutdownNotifier(b.gone))
	// What is to come is not known beforehand, so the total has no end to be measured
	// against.
	b.p.New(0, mpb.NopStyle(), mpb.BarPriority(math.MaxInt32),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.sum() })))
	b.outs = append(b.outs, out)
	if env.StdoutTerminal {
		b.outs = append(b.outs, sharing(env.Stdout))
	}
	for _, o := range b.outs {
		o.lead(b.p)
	}
	b.clock.Go(func() {
		tick := time.NewTicker(refreshEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.draw()
			case <-b.stop:
				return
			}
		}
	})
	return b
}

func (b *bars) total() string {
	moved, took := b.bytes.Load(), max(time.Since(b.begin).Seconds(), 0.001)
	return fmt.Sprintf("total: %s done, %s moved, %s/s", count(int(b.files.Load()), "file"), Bytes(moved), Bytes(int64(float64(moved)/took)))
}

func (b *bars) draw() {
	select {
	case b.refresh <- nil:
	case <-b.gone:
	}
}

// close takes the bars away. All that was written is there when it returns; it
// waits for no transfer.
func (b *bars) close() {
	close(b.stop)
	b.clock.Wait()
	for _, o := range b.outs {
		o.lead(nil)
	}
	b.draw()
	b.p.Shutdown()
}

// bar is the bar of one transfer.
type bar struct {
	bars *bars

	mu    sync.Mutex // guards what follows
	shown *mpb.Bar   // nil before the first progress
	at    int64      // offset last seen
	ended bool
}

// progress takes the progress of the transfer; the first shows the bar.
func (b *bar) progress(i ftpx.ProgressInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	if b.shown == nil {
		// With a total from the start the bar would end when the last byte has
		// been sent, and not come back if it was lost and is sent again.
		shown, err := b.bars.p.Add(0, mpb.BarStyle().Build(),
			mpb.PrependDecorators(decor.Name(short(transport.Printable(i.Remote), 32), decor.WC{W: 34, C: decor.DindentRight})),
			mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f"), speed(i.Offset)))
		if err != nil {
			b.ended = true // with its terminal
			return
		}
		b.shown, b.at = shown, i.Offset
	}
	b.bars.bytes.Add(max(i.Offset-b.at, 0))
	b.at = i.Offset
	b.shown.SetTotal(max(i.Size, 0), false)
	b.shown.SetCurrent(i.Offset)
}

// end takes the bar away, and with it whatever progress is still to come.
func (b *bar) end(done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if done {
		b.bars.files.Add(1)
	}
	b.ended = true
	if b.shown != nil {
		b.shown.Abort(true)
	}
}

// speed shows the mean rate since now, of what lies beyond the offset at which the
// transfer began.
func speed(from int64) decor.Decorator {
	begin := time.Now()
	return decor.Any(func(s decor.Statistics) string {
		rate := float64(max(s.Current-from, 0)) / max(time.Since(begin).Seconds(), 0.001)
		return fmt.Sprintf("  %s/s", Bytes(int64(rate)))
	})
}

// short keeps the end of a name, which tells more than its beginning.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return "…" + string(r[len(r)-n+1:])
}
