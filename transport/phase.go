package transport

import "time"

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
