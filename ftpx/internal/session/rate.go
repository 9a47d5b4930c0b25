package session

import (
	"context"
	"io"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A limit is looked at after each step of payload: large enough that a fast line
// does not notice, and small enough that a slow one moves a few times a second,
// since servers give up connections that do not.
const (
	limitStep  = 32 << 10
	limitLeast = 256
	limitLooks = 4 // a second
)

// NewRate returns a limit in bytes a second, nil for none.
func NewRate(bytesPerSecond int64) *rate.Limiter {
	if bytesPerSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(bytesPerSecond), int(min(max(bytesPerSecond/limitLooks, limitLeast), limitStep)))
}

// rates are those of the client and of one transfer; nil ones do not limit.
type rates [2]*rate.Limiter

func (l rates) none() bool { return l[0] == nil && l[1] == nil }

// step is how much may go by before the next look.
func (l rates) step() int {
	n := limitStep
	for _, x := range l {
		if x != nil {
			n = min(n, x.Burst())
		}
	}
	return n
}

// wait waits until n more bytes, at most a step, may go by. It does not use
// WaitN, which gives up before a deadline that it would not meet, in words of its
// own.
func (l rates) wait(ctx context.Context, n int) error {
	now := time.Now()
	var pause time.Duration
	for _, x := range l {
		if x != nil {
			pause = max(pause, x.ReserveN(now, n).DelayFrom(now))
		}
	}
	if pause == 0 {
		return nil
	}
	return Sleep(ctx, pause)
}

// Sleep waits, or returns why ctx has ended.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	return await(ctx, context.Background(), t.C)
}

// ratedConn is a connection whose payload goes at no more than the rates allow. Without
// any there is none, so that a source reaches the kernel as it is.
type ratedConn struct {
	transport.Conn
	rates rates
}

// Do implements [transport.Conn]. What is not taken from a connection fills the line's
// buffers, and the server waits.
func (c *ratedConn) Do(ctx context.Context, b *transport.Batch) error {
	for _, r := range b.Requests {
		switch r := r.(type) {
		case *transport.Store:
			given := r.Src
			r.Src = &limitedReader{ctx: ctx, rates: c.rates, r: given}
			defer func() { r.Src = given }()
		case *transport.Retrieve:
			given := r.Dst
			r.Dst = &limitedWriter{ctx: ctx, rates: c.rates, w: given}
			defer func() { r.Dst = given }()
		}
	}
	return c.Conn.Do(ctx, b)
}

type limitedReader struct {
	ctx   context.Context
	rates rates
	r     io.Reader
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p[:min(len(p), l.rates.step())])
	if werr := l.rates.wait(l.ctx, n); werr != nil {
		return 0, werr
	}
	return n, err
}

type limitedWriter struct {
	ctx   context.Context
	rates rates
	w     io.Writer
}

func (l *limitedWriter) Write(p []byte) (done int, err error) {
	for len(p) > 0 {
		n := min(len(p), l.rates.step())
		if err := l.rates.wait(l.ctx, n); err != nil {
			return done, err
		}
		n, err = l.w.Write(p[:n])
		done += n
		if err != nil {
			return done, err
		}
		p = p[n:]
	}
	return done, nil
}
