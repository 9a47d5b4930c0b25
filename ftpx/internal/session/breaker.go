package session

import (
	"context"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// tripAfter is how many failures in a row, without a byte of progress
	// between them, open a breaker.
	tripAfter = 5
	// openFirst is how long a breaker stays open at first; each probe that
	// fails doubles it, up to openMost.
	openFirst = 500 * time.Millisecond
	openMost  = 5 * time.Second
)

// breaker spares a host that fails, in one protocol, all but one attempt at a
// time: with many transfers under way each would otherwise dial, and wait for
// its own time-out, on its own. It counts what the line and the host do (dials
// that fail, resets, stalls, a full server) and never what the server answers:
// "no such file" is a sign of health. It does not fail work by itself: while it
// is open, work waits, without a slot of the pool, for one probe: an attempt like
// any other, as far as its login. What it then does, which may take hours, nobody
// waits for. Its failure to get in is that of all who waited.
type breaker struct {
	proto transport.Protocol // 0 where none was chosen

	mu       sync.Mutex // guards what follows
	failures int
	open     bool
	until    time.Time // when the next probe may go
	span     time.Duration
	probe    chan struct{} // closed when the probe has ended, nil without one
	last     error
}

// unwell reports whether an error speaks of the line or the host.
func unwell(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindNoHost, transport.KindUnreachable, transport.KindTimeout, transport.KindLost,
		transport.KindStalled, transport.KindBusy, transport.KindProtocol:
		return true
	}
	return false
}

// try reports whether there is nothing to wait for, and if so whether the caller is to
// probe.
func (b *breaker) try() (through, probing bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return true, false
	}
	if b.probe != nil || time.Now().Before(b.until) {
		return false, false
	}
	b.probe = make(chan struct{})
	return true, true
}

// wait returns at once while the breaker is closed, else when it is the
// caller's turn to probe, or with the failure of another's probe.
func (b *breaker) wait(ctx, closed context.Context) (probing bool, err error) {
	for {
		b.mu.Lock()
		if !b.open {
			b.mu.Unlock()
			return false, nil
		}
		pause, probe := time.Until(b.until), b.probe
		if pause <= 0 && probe == nil {
			b.probe = make(chan struct{})
			b.mu.Unlock()
			return true, nil
		}
		b.mu.Unlock()
		if probe == nil {
			timer := time.NewTimer(pause)
			err := await(ctx, closed, timer.C)
			if timer.Stop(); err != nil {
				return false, err
			}
			continue
		}
		if err := await(ctx, closed, probe); err != nil {
			return false, err
		}
		b.mu.Lock()
		failed, last := b.open, b.last
		b.mu.Unlock()
		if failed && last != nil {
			return false, last
		}
	}
}

// free reports whether work could go ahead now, as a probe or freely.
func (b *breaker) free() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.open || b.probe == nil && !time.Now().Before(b.until)
}

func (b *breaker) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.open
}

// state tells when it may be free, if it is open, and why it is.
func (b *breaker) state() (until time.Time, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.open {
		return time.Time{}, nil
	}
	return b.until, b.last
}

// entered takes note that the host lets us in. Whether it does its work is not
// known yet: a failure right after this one opens the breaker again, for longer. It
// reports whether this closes it.
func (b *breaker) entered() (closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	closed = b.open
	b.open = false
	b.endProbe()
	return closed
}

// succeeded takes note that the host does its work, likewise.
func (b *breaker) succeeded() (closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	closed = b.open
	b.failures, b.open, b.span, b.last = 0, false, 0, nil
	b.endProbe()
	return closed
}

// failed takes note of a failure that counts. With atOnce it opens the breaker
// whatever came before, because there is another host to turn to. It reports whether it
// is open from now on for a time that was not known before.
func (b *breaker) failed(err error, probing, atOnce bool) (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures++
	b.last = err
	if probing || !b.open && (atOnce || b.failures >= tripAfter) {
		b.open, opened = true, true
		b.span = min(max(2*b.span, openFirst), openMost)
		b.until = time.Now().Add(b.span)
	}
	if probing {
		b.endProbe()
	}
	return opened
}

// abandoned ends a probe that has shown nothing: its caller gave up.
func (b *breaker) abandoned() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = nil
	b.endProbe()
}

func (b *breaker) endProbe() {
	if b.probe != nil {
		close(b.probe)
		b.probe = nil
	}
}
