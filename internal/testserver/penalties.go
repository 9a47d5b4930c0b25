package testserver

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Penalties are OpenSSH's PerSourcePenalties, which sshd has since 9.8: an address that
// connects and leaves, or fails to log in, is refused for a while (sshd_config(5)). They do
// not touch connections that are there. Zero durations are no penalty.
type Penalties struct {
	NoAuth        time.Duration // left without an attempt to log in
	AuthFail      time.Duration // left after one or more that failed
	GraceExceeded time.Duration // was still there when the time to log in was over
	Min           time.Duration // what must have come together before it is enforced
	Max           time.Duration // what comes together at most
}

// DefaultPenalties are those of an sshd that is not configured otherwise.
func DefaultPenalties() Penalties {
	return Penalties{NoAuth: time.Second, AuthFail: 5 * time.Second, GraceExceeded: 10 * time.Second, Min: 15 * time.Second, Max: 10 * time.Minute}
}

// shutOut is what sshd says to an address under a penalty, in place of its version.
const shutOut = "Not allowed at this time\r\n"

// penalties is what has come together for each address.
type penalties struct {
	mu     sync.Mutex // guards what follows
	set    *Penalties // nil for none
	expiry map[netip.Addr]time.Time
	active map[netip.Addr]bool
}

// SetPenalties begins to punish addresses, or ends it with nil. What has come together is
// forgotten.
func (s *SFTPServer) SetPenalties(p *Penalties) {
	s.penalties.mu.Lock()
	defer s.penalties.mu.Unlock()
	s.penalties.set = p
	s.penalties.expiry, s.penalties.active = map[netip.Addr]time.Time{}, map[netip.Addr]bool{}
}

// allowed reports whether connections of an address are taken now.
func (p *penalties) allowed(a netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.set == nil {
		return true
	}
	p.expire(time.Now())
	return !p.active[a]
}

func (p *penalties) expire(now time.Time) {
	for a, at := range p.expiry {
		if !at.After(now) {
			delete(p.expiry, a)
			delete(p.active, a)
		}
	}
}

// add is srclimit_penalise of OpenSSH's srclimit.c.
func (p *penalties) add(a netip.Addr, which func(*Penalties) time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.set == nil || which(p.set) <= 0 {
		return
	}
	now := time.Now()
	p.expire(now)
	at, ok := p.expiry[a]
	if !ok {
		at = now
	}
	at = at.Add(which(p.set))
	if latest := now.Add(p.set.Max); at.After(latest) {
		at = latest
	}
	p.expiry[a] = at
	if at.Sub(now) > p.set.Min {
		p.active[a] = true
	}
}

// attempts counts the attempts to log in of one connection.
type attempts struct {
	mu     sync.Mutex // guards failed
	failed int
}

// watch has the attempts counted. The method "none" only asks what there is.
func (t *attempts) watch(config *ssh.ServerConfig) {
	before := config.AuthLogCallback
	config.AuthLogCallback = func(conn ssh.ConnMetadata, method string, err error) {
		if err != nil && method != "none" {
			t.mu.Lock()
			t.failed++
			t.mu.Unlock()
		}
		if before != nil {
			before(conn, method, err)
		}
	}
}

// punish judges a connection that has ended before its login.
func (s *SFTPServer) punish(raw net.Conn, t *attempts, err error) {
	t.mu.Lock()
	failed := t.failed
	t.mu.Unlock()
	which := func(p *Penalties) time.Duration { return p.NoAuth }
	switch {
	case failed > 0:
		which = func(p *Penalties) time.Duration { return p.AuthFail }
	case errors.Is(err, os.ErrDeadlineExceeded):
		which = func(p *Penalties) time.Duration { return p.GraceExceeded }
	}
	s.penalties.add(sourceOf(raw), which)
}

// turnAway says what sshd says.
func turnAway(raw net.Conn) {
	_, _ = io.WriteString(raw, shutOut) // into an empty socket buffer: this cannot block
	_ = raw.Close()
}

func sourceOf(c net.Conn) netip.Addr {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
