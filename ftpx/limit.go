package ftpx

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

// newLimiter returns a limit in bytes a second, nil for none.
func newLimiter(bytesPerSecond int64) *rate.Limiter {
	if bytesPerSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(bytesPerSecond), int(min(max(bytesPerSecond/limitLooks, limitLeast), limitStep)))
}

// limits are those of the client and of one transfer; nil ones do not limit.
type limits [2]*rate.Limiter

func (l limits) none() bool { return l[0] == nil && l[1] == nil }

// step is how much may go by before the next look.
func (l limits) step() int {
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
func (l limits) wait(ctx context.Context, n int) error {
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
	return sleep(ctx, pause)
}

// Store is that of the connection, at no more than the limits allow. Without
// any the source passes as it is, so that the kernel can send it.
func (l *lease) Store(ctx context.Context, path string, offset int64, src io.Reader, opt *transport.IO) (int64, error) {
	if !l.limits.none() {
		src = &limitedReader{ctx: ctx, limits: l.limits, r: src}
	}
	return l.pooled.Store(ctx, path, offset, src, opt)
}

// Retrieve is that of the connection, at no more than the limits allow: what is
// not taken from it fills the line's buffers, and the server waits.
func (l *lease) Retrieve(ctx context.Context, path string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
	if !l.limits.none() {
		dst = &limitedWriter{ctx: ctx, limits: l.limits, w: dst}
	}
	return l.pooled.Retrieve(ctx, path, offset, dst, opt)
}

type limitedReader struct {
	ctx    context.Context
	limits limits
	r      io.Reader
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p[:min(len(p), l.limits.step())])
	if werr := l.limits.wait(l.ctx, n); werr != nil {
		return 0, werr
	}
	return n, err
}

type limitedWriter struct {
	ctx    context.Context
	limits limits
	w      io.Writer
}

func (l *limitedWriter) Write(p []byte) (done int, err error) {
	for len(p) > 0 {
		n := min(len(p), l.limits.step())
		if err := l.limits.wait(l.ctx, n); err != nil {
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

// retrieveLook is [transport.Looker], in the same way. ok is false where the
// connection is none.
func (l *lease) retrieveLook(ctx context.Context, path string, dst io.Writer, opt *transport.IO, more bool, seen func(Entry) error) (ok bool, err error) {
	conn, ok := l.pooled.Conn.(transport.Looker)
	if !ok {
		return false, nil
	}
	if !l.limits.none() {
		dst = &limitedWriter{ctx: ctx, limits: l.limits, w: dst}
	}
	_, err = conn.RetrieveLook(ctx, path, dst, opt, more, seen)
	return true, err
}
