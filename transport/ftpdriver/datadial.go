package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A data connection is dialled while the commands for it are on their way, which is a
// round trip less than one after the other. The port for it may have been asked for
// before, with commands that came before it.

// prefetched is where the next data connection goes, from an EPSV that was sent in advance.
type prefetched struct {
	prefetchedPort int
	prefetchedAt   time.Time
	viaEPSV        bool // the port that was asked for last is one of EPSV's
}

// prefetchedFor is how long the answer to an EPSV that was sent in advance is good for.
// Firewalls on the way open a port for a while.
const prefetchedFor = 5 * time.Second

// hasPort reports whether the next port is known.
func (p *prefetched) hasPort() bool {
	return p.prefetchedPort > 0 && time.Since(p.prefetchedAt) < prefetchedFor
}

// mayPrefetch reports whether the next port may be asked for before it is needed.
func (c *Conn) mayPrefetch() bool {
	return !c.noEPSV && !c.deadEPSV && !c.wantsPRET() && c.ep.ActiveAddr == "" && !c.lacks(lacksIdlePort)
}

// tookPrefetch reads the reply to EPSV, where that was sent for the time to come, and the
// reply to which is of no consequence to what came before it. An error is about the
// session.
func (c *Conn) tookPrefetch(prefetch []string) error {
	for range prefetch {
		if c.ctl.broken.Load() {
			return c.ctl.why()
		}
		r, _, err := c.ctl.final()
		if err != nil {
			c.ctl.halfAnswered = true
			return err
		}
		switch {
		case r.positive():
			if port, ok := portIn(r); ok {
				c.prefetchedPort, c.prefetchedAt, c.viaEPSV = port, time.Now(), true
			}
		case r.code >= 500:
			c.noEPSV = true // as in passive
		}
	}
	return nil
}

// ordered finds the final reply to a transfer with which n other commands were sent:
// last came first. Some servers, see [traits.disorders], read those too soon and answer
// them before it: then all have been read, and nothing is known of what they were the
// replies to.
func (c *Conn) ordered(last reply, n int) (_ reply, inOrder bool, err error) {
	if n == 0 || !c.traits.disorders {
		return last, true, nil
	}
	if last.code == 226 {
		c.countPipelined(false)
		return last, true, nil
	}
	all := []reply{last}
	for range n {
		r, _, err := c.ctl.final()
		if err != nil {
			return reply{}, false, err
		}
		all = append(all, r)
	}
	for _, r := range all {
		if r.code == 226 {
			c.countPipelined(true)
			return r, false, nil
		}
	}
	for _, r := range all { // the transfer's own is among them
		if r.code >= 400 && !strings.Contains(r.text, "transfer in progress") {
			return r, false, nil
		}
	}
	c.ctl.broken.Store(true)
	return reply{}, false, as(transport.KindProtocol, fmt.Errorf("the server ended a transfer in no known way: %w", last.err()))
}

// dialling is a data connection that is dialled while the commands for it are on their
// way, and what ends that.
type dialling struct {
	*dataConn
	c          *Conn
	prefetched bool               // its port had been asked for in advance
	again      bool               // there is another port to try, see inVain
	done       context.CancelFunc // ends the dialling
	cancel     context.CancelFunc // ends the handshake
	reached    chan struct{}      // closed when the dialling is over
	ready      chan struct{}      // closed when all is over
}

// dialConcurrently begins to dial a data connection to port. Until join only the control
// connection may be used. then, if not nil, is called as soon as it stands.
func (c *Conn) dialConcurrently(d *dataConn, port int, then func()) *dialling {
	budget := c.portBudget()
	dial, done := context.WithTimeout(d.op.Context(), budget)
	// Servers begin TLS after the 150, for which there is a limit of its own.
	shake, cancel := context.WithCancel(d.op.Context())
	b := &dialling{dataConn: d, c: c, done: done, cancel: cancel, reached: make(chan struct{}), ready: make(chan struct{})}
	d.dialled = b.reached
	c.ctl.dials(budget)
	go func() {
		defer close(b.ready)
		connected := c.connectData(dial, d, port)
		if connected {
			c.ctl.dialled()
		}
		close(b.reached)
		if !connected || !c.secureData(shake, d) {
			return
		}
		if then != nil {
			then()
		}
	}()
	return b
}

// connectData dials a data connection.
func (c *Conn) connectData(ctx context.Context, d *dataConn, port int) bool {
	wire, err := c.dialData(ctx, d.op, port)
	if err != nil {
		d.err = err
		c.ctl.shortenWait() // the server waits for a connection that will not come
		return false
	}
	d.wire = wire
	if c.tls != nil {
		d.tls = c.tls.client(noDeadline{wire})
	}
	return true
}

// secureData does the TLS handshake, if there is one.
func (c *Conn) secureData(ctx context.Context, d *dataConn) bool {
	if d.tls == nil {
		return true
	}
	if err := d.tls.HandshakeContext(ctx); err != nil {
		_ = d.fail(err)
		return false
	}
	return true
}

// connected waits until the socket has been dialled, or that has failed.
func (b *dialling) connected() {
	<-b.reached
	b.c.ctl.dials(0)
}

// join waits until the data connection is ready, or has failed.
func (b *dialling) join() {
	<-b.ready
	b.c.ctl.dials(0)
}

// giveUp ends what has not been reached yet.
func (b *dialling) giveUp() {
	b.done()
	b.cancel()
	b.join()
}

// free is for the end, whatever it was.
func (b *dialling) free() {
	b.giveUp()
	if b.wire != nil {
		b.release()
	}
}

// inVain takes note, after join, of a port that could not be reached, or could.
func (b *dialling) inVain() {
	switch {
	case b.wire != nil:
		b.c.tellsOfPort(b.prefetched, nil)
	case b.err != nil && b.op.Context().Err() == nil && !errors.Is(b.err, context.Canceled):
		b.again = b.c.tellsOfPort(b.prefetched, b.err)
	}
}

// forgotten reports whether a reply says that the server knows nothing of a port that
// had been asked for in advance.
func (b *dialling) forgotten(r reply) bool {
	if !b.prefetched || r.code != 425 {
		return false
	}
	b.c.lacksNow(lacksIdlePort)
	return true
}

// unreached reports whether a reply says no more than that there was no data connection,
// of which we know why.
func (b *dialling) unreached(r reply) bool {
	return b.wire == nil && b.err != nil && !errors.Is(b.err, context.Canceled) && r.code == 425
}

// excuse forgets why a data connection was not had where that follows from what became
// of the control connection: from our giving up, or from the server's.
func (b *dialling) excuse(lost error) {
	canceled := errors.Is(b.err, context.Canceled) && b.op.Context().Err() == nil
	if canceled || lost != nil && b.wire == nil && !errors.Is(lost, errHurry) {
		b.err = nil
	}
}

// unbegun is the end of a transfer that had not begun: a reply that is not its own.
func (c *Conn) unbegun(r reply) error {
	c.ctl.broken.Store(true)
	return as(transport.KindProtocol, fmt.Errorf("the server ended a transfer that it had not begun: %w", r.err()))
}
