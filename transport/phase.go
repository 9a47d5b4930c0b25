package transport

import (
	"context"
	"net/http/httptrace"
	"sync"
	"time"
)

// The phases of connecting, in the order in which they come. Not each protocol has all.
const (
	// PhaseResolve finds the addresses of the host's name.
	PhaseResolve = "resolve"
	// PhaseTCP opens the socket.
	PhaseTCP = "tcp"
	// PhaseProxy is all that [Endpoint].Dial does besides these two.
	PhaseProxy = "proxy"
	// PhaseGreeting waits for an FTP server's greeting.
	PhaseGreeting = "greeting"
	// PhaseTLS asks for TLS where that is asked for, and does its handshake.
	PhaseTLS = "tls"
	// PhaseSSH exchanges versions and keys, and verifies the host key.
	PhaseSSH = "ssh"
	// PhaseLogin logs in, and asks an FTP server what it can do.
	PhaseLogin = "login"
	// PhaseSubsystem starts SFTP.
	PhaseSubsystem = "subsystem"
)

// Phases tells [Endpoint].Phase of the steps of connecting, one after the other. One
// goroutine uses it.
type Phases struct {
	ep    *Endpoint
	name  string // of the one under way, "" for none
	since time.Time
}

// Phases returns what tells of the steps of connecting to the endpoint.
func (ep *Endpoint) Phases() *Phases { return &Phases{ep: ep} }

// Enter begins a phase; the one before has succeeded.
func (p *Phases) Enter(name string) {
	if p.ep.Phase != nil {
		p.EnterAt(name, time.Now())
	}
}

// EnterAt is Enter for one that has begun earlier.
func (p *Phases) EnterAt(name string, at time.Time) {
	was, since := p.name, p.since
	p.name, p.since = name, at
	if was != "" && p.ep.Phase != nil {
		p.ep.Phase(was, at.Sub(since), nil)
	}
}

// End ends the phase under way, with err. It may be called again.
func (p *Phases) End(err error) {
	was := p.name
	p.name = ""
	if was != "" && p.ep.Phase != nil {
		p.ep.Phase(was, time.Since(p.since), err)
	}
}

// DialControl is [DialWire] to the endpoint's own address, as the first phases of
// connecting.
func DialControl(ctx context.Context, ep *Endpoint) (*Wire, error) {
	if ep.Phase == nil {
		return DialWire(ctx, ep, ep.Addr())
	}
	t := &dialTimes{begin: time.Now()}
	w, err := DialWire(httptrace.WithClientTrace(ctx, t.trace()), ep, ep.Addr())
	t.tell(ep, time.Now(), err)
	return w, err
}

// dialTimes is what net.Dialer tells of a dial, wherever below it is.
type dialTimes struct {
	begin time.Time

	mu               sync.Mutex // guards what follows
	asked, resolved  time.Time  // the first name that was looked up, and the last answer
	dialled, reached time.Time  // the first address that was dialled, and the first that was reached
	resolveErr       error
}

func (t *dialTimes) trace() *httptrace.ClientTrace {
	first := func(at *time.Time) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if at.IsZero() {
			*at = time.Now()
		}
	}
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { first(&t.asked) },
		DNSDone: func(i httptrace.DNSDoneInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.resolved, t.resolveErr = time.Now(), i.Err
		},
		ConnectStart: func(string, string) { first(&t.dialled) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				first(&t.reached)
			}
		},
	}
}

// tell tells of the phases that there were. Of what failed the last one has the error.
func (t *dialTimes) tell(ep *Endpoint, end time.Time, err error) {
	t.mu.Lock()
	asked, resolved, dialled, reached, resolveErr := t.asked, t.resolved, t.dialled, t.reached, t.resolveErr
	t.mu.Unlock()
	at := t.begin
	if !asked.IsZero() {
		if resolved.IsZero() {
			resolved = end
		}
		if failed := err != nil && (resolveErr != nil || dialled.IsZero() && ep.Dial == nil); failed {
			ep.Phase(PhaseResolve, resolved.Sub(asked), err)
			return
		}
		ep.Phase(PhaseResolve, resolved.Sub(asked), nil)
		at = resolved
	}
	switch {
	case ep.Dial == nil:
		ep.Phase(PhaseTCP, end.Sub(at), err)
		return
	case !dialled.IsZero() && reached.IsZero() && err != nil:
		ep.Phase(PhaseTCP, end.Sub(dialled), err)
		return
	case !reached.IsZero():
		ep.Phase(PhaseTCP, reached.Sub(dialled), nil)
		at = reached
	}
	ep.Phase(PhaseProxy, end.Sub(at), err)
}
