package cli

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Progress shows on a terminal what a client does: a bar for each file under way, and
// below them how much of all is done, how fast, and how long it will take. Its methods
// do nothing on a nil one, and may be called by several goroutines.
type Progress struct {
	bars *bars

	mu     sync.Mutex            // guards what follows
	active map[uint64]*activeBar // by operation
	files  int                   // that are done
	bytes  int64                 // of those
	// expectedFiles and expectedBytes are what there is to do, 0 if that is not known.
	expectedFiles int
	expectedBytes int64
}

type activeBar struct {
	bar
	at int64
}

// NewProgress shows progress on the environment's Stderr, or returns nil where that is
// no terminal. What is written to the environment's outputs meanwhile goes above it, if
// the environment is [Env.Shared]. The result is to be closed.
func NewProgress(env Env) *Progress {
	if !env.Terminal {
		return nil
	}
	p := &Progress{active: map[uint64]*activeBar{}}
	p.bars = &bars{begin: time.Now(), refresh: make(chan any), gone: make(chan any), stop: make(chan struct{}), sum: p.total}
	p.bars.start(env)
	return p
}

// Expect says how much there is to do, besides what was said before.
func (p *Progress) Expect(files int, bytes int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expectedFiles += files
	p.expectedBytes += bytes
}

// Hook makes the client's hooks show progress too.
func (p *Progress) Hook(h *ftpx.Hooks) *ftpx.Hooks {
	if p == nil {
		return h
	}
	return ftpx.JoinHooks(h, &ftpx.Hooks{
		Progress: func(_ context.Context, i ftpx.ProgressInfo) { p.moved(i) },
		Operation: func(_ context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
			return nil, func(e ftpx.OperationEnd) { p.ended(i.ID, e.Err) }
		},
	})
}

func (p *Progress) moved(i ftpx.ProgressInfo) {
	p.mu.Lock()
	b := p.active[i.ID]
	if b == nil {
		b = &activeBar{bar: bar{bars: p.bars}}
		p.active[i.ID] = b
	}
	b.at = i.Offset
	p.mu.Unlock()
	b.progress(i) // draws, and asks for total, which wants the lock
}

func (p *Progress) ended(id uint64, err error) {
	p.mu.Lock()
	b := p.active[id]
	delete(p.active, id)
	p.mu.Unlock()
	if b != nil {
		b.end(err == nil)
	}
}

// File counts a file that is done, whether it was moved or not.
func (p *Progress) File(size int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files++
	p.bytes += max(size, 0)
}

// Close takes the bars away.
func (p *Progress) Close() {
	if p != nil {
		p.bars.close()
	}
}

func (p *Progress) total() string {
	moved, took := p.bars.bytes.Load(), max(time.Since(p.bars.begin).Seconds(), 0.001)
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.bytes
	for _, b := range p.active {
		at += b.at
	}
	return totalLine(p.files, p.expectedFiles, at, p.expectedBytes, float64(moved)/took)
}

// totalLine says how far all is: at of so many bytes, at a rate a second.
func totalLine(files, ofFiles int, at, of int64, rate float64) string {
	if ofFiles == 0 {
		return fmt.Sprintf("total: %s done, %s, %s/s", count(files, "file"), Bytes(at), Bytes(int64(rate)))
	}
	at = min(at, of) // a file may have grown since
	line := fmt.Sprintf("total: %d of %s, %s of %s", files, count(ofFiles, "file"), Bytes(at), Bytes(of))
	if of > 0 {
		line += fmt.Sprintf(" (%d %%)", int64(float64(at)/float64(of)*100))
	}
	line += fmt.Sprintf(", %s/s", Bytes(int64(rate)))
	if left := of - at; left > 0 && rate >= 1 {
		if d := float64(left) / rate; d < 100*3600 {
			line += fmt.Sprintf(", %v left", time.Duration(d*float64(time.Second)).Round(time.Second))
		}
	}
	return line
}
