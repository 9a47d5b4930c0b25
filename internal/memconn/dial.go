package memconn

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// errReset is what the peer's reset looks like.
var errReset error = syscall.ECONNRESET

// Host routes a dial to the server of the endpoint's protocol; a protocol that
// has none is unreachable.
type Host map[transport.Protocol]*Server

// Dial connects, as a driver's Dial does.
func (h Host) Dial(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
	if s := h[ep.Protocol]; s != nil {
		return s.Dial(ctx, ep)
	}
	return nil, ep.Fail("dial", "", transport.KindUnreachable, errors.New("connection refused"))
}

// Dial connects and logs in, within the endpoint's connect budget. Its errors
// are [*transport.Error] with Op "dial", "handshake" or "login".
func (s *Server) Dial(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
	ep = ep.WithDefaults()
	d := &dialer{s: s, ep: ep, ctx: ctx, deadline: time.Now().Add(ep.ConnectTimeout)}
	s.mu.Lock()
	s.stats.Dials++
	d.down = s.down
	s.mu.Unlock()
	d.phases = ep.Phases()
	c, err := d.dial()
	d.phases.End(err)
	if err != nil {
		return nil, err
	}
	return c, nil
}

type dialer struct {
	s        *Server
	ep       *transport.Endpoint
	ctx      context.Context
	deadline time.Time
	down     transport.Kind
	phases   *transport.Phases
	heard    bool // something has been answered
}

func (d *dialer) dial() (*Conn, error) {
	if err := d.ctx.Err(); err != nil {
		return nil, d.fail("dial", transport.KindCanceled, context.Cause(d.ctx))
	}
	fault := d.s.next(OpInfo{Step: StepDial, Protocol: d.ep.Protocol, Request: "dial"})
	d.phases.Enter(transport.PhaseTCP)
	switch {
	case d.down == transport.KindTimeout, fault.Do == Stall:
		return nil, d.wait("dial", time.Until(d.deadline)+1)
	case d.down != transport.KindUnknown:
		fault = Fault{Do: Refuse, Kind: d.down}
	}
	// The first round trip connects, the second one logs in.
	if err := d.wait("dial", d.s.opts.RoundTrip); err != nil {
		return nil, err
	}
	switch fault.Do {
	case Pass, Corrupt, CutShort:
	case Refuse:
		return nil, d.refused(fault)
	case Garbage:
		d.answered()
		return nil, d.fail("handshake", transport.KindNotOffered, errors.New("what answers does not speak the protocol"))
	default:
		d.phases.Enter(d.secures())
		return nil, d.fail("handshake", transport.KindLost, errReset)
	}
	d.answered()
	if p := d.s.opts.Protocol; p != 0 && p != d.ep.Protocol {
		return nil, d.fail("handshake", transport.KindNotOffered, fmt.Errorf("what answers speaks %v", p))
	}
	d.phases.Enter(transport.PhaseLogin)
	if err := d.wait("login", d.s.opts.RoundTrip); err != nil {
		return nil, err
	}
	if pw := d.s.opts.Password; pw != "" && pw != d.ep.Password {
		return nil, d.refused(Fault{Kind: transport.KindAuth})
	}
	c := newConn(d.s, d.ep)
	if !d.s.enter(c) {
		return nil, d.refused(Fault{Kind: transport.KindBusy})
	}
	return c, nil
}

// refused makes the error of a dial that the server, or the network, refuses.
func (d *dialer) refused(f Fault) error {
	kind := f.Kind
	if kind == transport.KindUnknown {
		kind = transport.KindUnreachable
	}
	switch kind {
	case transport.KindUnreachable, transport.KindNoHost, transport.KindTimeout:
		return d.fail("dial", kind, errors.New("connection refused"))
	case transport.KindHostKey, transport.KindCertificate, transport.KindInsecure, transport.KindNotOffered, transport.KindLost, transport.KindProtocol:
		d.answered()
		return d.fail("handshake", kind, errors.New("the handshake failed"))
	}
	d.answered()
	d.phases.Enter(transport.PhaseLogin)
	r := newRefusal(kind, f)
	op := "login"
	if d.ep.Protocol.IsFTP() {
		op = "PASS"
	}
	return r.error(d.ep, op, "")
}

// secures names the phase that follows the first byte.
func (d *dialer) secures() string {
	switch {
	case d.ep.Protocol == transport.SFTP:
		return transport.PhaseSSH
	case d.ep.Protocol.Secure():
		return transport.PhaseTLS
	}
	return transport.PhaseGreeting
}

func (d *dialer) answered() {
	if d.heard {
		return
	}
	d.heard = true
	d.phases.Enter(d.secures())
	if d.ep.Answered != nil {
		d.ep.Answered()
	}
}

// wait lets time pass, within the budget.
func (d *dialer) wait(step string, t time.Duration) error {
	left := time.Until(d.deadline)
	if pause(d.ctx, nil, min(t, left)) != nil {
		return d.fail(step, transport.KindCanceled, context.Cause(d.ctx))
	}
	if t > left {
		return d.fail(step, transport.KindTimeout, errors.New("no answer within the connect timeout"))
	}
	return nil
}

func (d *dialer) fail(step string, kind transport.Kind, err error) error {
	if kind == transport.KindCanceled {
		err = canceled(d.ctx)
	}
	return d.ep.Fail(step, "", kind, err)
}

// canceled returns why ctx ended, in a form that is also known for a
// cancellation or a deadline.
func canceled(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}

var errPauseEnded = errors.New("the pause was ended")

// pause waits for d, or less if ctx ends or done is closed. It lets no time
// pass, and takes no notice of either, for d <= 0.
func pause(ctx context.Context, done <-chan struct{}, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
	case <-done:
	}
	return errPauseEnded
}
