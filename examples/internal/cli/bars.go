package cli

import (
	"io"
	"sync"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// bars shows a bar for each file under way, on a terminal.
type bars struct {
	p  *mpb.Progress
	mu sync.Mutex // guards of
	of map[string]*mpb.Bar
}

func newBars(out io.Writer) *bars {
	return &bars{p: mpb.New(mpb.WithOutput(out), mpb.WithWidth(40), mpb.WithAutoRefresh()), of: map[string]*mpb.Bar{}}
}

// progress takes the progress of a transfer; the first creates its bar.
func (b *bars) progress(i ftpx.ProgressInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	bar, ok := b.of[i.Remote]
	if !ok {
		bar = b.p.AddBar(max(i.Size, 0), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(short(transport.Printable(i.Remote), 32), decor.WC{W: 34, C: decor.DindentRight})),
			mpb.AppendDecorators(decor.CountersKibiByte("% .1f / % .1f"), decor.Name(" "), decor.AverageSpeed(decor.SizeB1024(0), "% .1f")))
		b.of[i.Remote] = bar
	}
	bar.SetCurrent(i.Offset)
}

// done takes a bar away.
func (b *bars) done(remote string) {
	b.mu.Lock()
	bar := b.of[remote]
	delete(b.of, remote)
	b.mu.Unlock()
	if bar != nil {
		bar.Abort(true)
	}
}

func (b *bars) close() { b.p.Wait() }

// short keeps the end of a name, which tells more than its beginning.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return "…" + string(r[len(r)-n+1:])
}
