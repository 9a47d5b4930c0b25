package fleet

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errLost: the engine has not confirmed for so long that a message is this worker's that
// another may have it.
var errLost = errors.New("the engine has been silent for so long that another worker may have this")

// lease keeps a message that a worker was given. While it holds, no other worker has the
// message; when it may not hold any more, lost is closed, before another can have it.
type lease struct {
	nc     *nats.Conn
	msg    jetstream.Msg
	timing timing

	mu   sync.Mutex // guards last
	last time.Time  // when what was confirmed last had been sent

	lost chan struct{}
	stop context.CancelFunc
	done chan struct{} // keep has returned
}

// hold begins to keep a message that was asked for at a time and has come since.
func (f *Fleet) hold(msg jetstream.Msg, asked time.Time) *lease {
	ctx, stop := context.WithCancel(context.Background())
	l := &lease{nc: f.nc, msg: msg, timing: f.time, last: asked, lost: make(chan struct{}), stop: stop, done: make(chan struct{})}
	go l.keep(ctx)
	return l
}

func (l *lease) keep(ctx context.Context) {
	defer close(l.done)
	tick := time.NewTicker(l.timing.extend)
	defer tick.Stop()
	for { // a job that is done before the first tick needs no word
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if !l.holds() {
			close(l.lost)
			return
		}
		l.extend(ctx)
	}
}

// extend says that the message is being worked on, and waits until the engine has heard it.
func (l *lease) extend(ctx context.Context) bool {
	sent := time.Now()
	ctx, cancel := context.WithTimeout(ctx, l.timing.extend*3/4)
	defer cancel()
	_, err := l.nc.RequestWithContext(ctx, l.msg.Reply(), []byte("+WPI"))
	if err == nil {
		l.mu.Lock()
		l.last = sent
		l.mu.Unlock()
	}
	return err == nil
}

// holds reports whether the message is still this worker's for sure. Both clocks are asked:
// the monotonic one stands still while the machine sleeps, the other may be set.
func (l *lease) holds() bool {
	l.mu.Lock()
	last := l.last
	l.mu.Unlock()
	now := time.Now()
	return max(now.Sub(last), now.Round(0).Sub(last.Round(0))) < l.timing.fence
}

// end stops keeping the message, and reports whether it was this worker's up to now: only
// then may the engine be told what is to become of it.
func (l *lease) end() bool {
	l.stop()
	<-l.done
	return l.holds()
}

// giveBack ends the lease and lets others have the message after a pause.
func (l *lease) giveBack(after time.Duration) {
	if l.end() {
		if after > 0 {
			_ = l.msg.NakWithDelay(after)
		} else {
			_ = l.msg.Nak()
		}
	}
}

// settle ends the lease and takes the message out of the engine. If that is not heard, the
// message comes again, and its record says that it has been dealt with.
func (l *lease) settle(ctx context.Context, reason string) {
	l.stop()
	<-l.done
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if reason != "" {
		_ = l.msg.TermWithReason(reason)
		return
	}
	_ = l.msg.DoubleAck(ctx)
}
