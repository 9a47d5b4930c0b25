package ftpdriver

import (
	"net"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The port of a data connection is asked for in two ways, EPSV (RFC 2428) and PASV. The
// second is taken where the first is refused, where its answer has no port, and where a
// port of it cannot be reached: what stands on the way may know the ports of PASV alone.

// nextPort is the port for the next data connection: what an EPSV sent in advance has
// brought, early, or what one brings now.
func (c *Conn) nextPort() (port int, prefetched bool, err error) {
	prefetched = c.hasPort()
	if port, c.prefetchedPort = c.prefetchedPort, 0; prefetched {
		return port, true, nil
	}
	port, err = c.passive()
	return port, false, err
}

// otherPort is the port to try in place of one that was of no use.
func (c *Conn) otherPort() (int, error) {
	c.ctl.lengthenWait()
	c.prefetchedPort = 0
	return c.passive()
}

// tellsOfPort takes note of what became of dialling a port, and reports whether another
// one is worth a try: the server, or something on the way, has forgotten one that was
// asked for in advance; or it is one of EPSV's and none has ever been reached. Where a port of
// PASV's cannot be reached either, it was not for EPSV, and the next attempt begins anew.
func (c *Conn) tellsOfPort(prefetched bool, err error) (again bool) {
	switch {
	case err == nil:
		if c.viaEPSV && !c.reachedEPSV {
			c.reachedEPSV = true
			c.learned.Note(c.addr, reachedEPSV, true)
		}
	case prefetched:
		c.lacksNow(lacksIdlePort)
		return true
	case c.viaEPSV && !c.reachedEPSV && c.knowsPASV():
		c.deadEPSV = true
		return true
	default:
		c.deadEPSV = false
	}
	return false
}

// portBudget bounds the dialling of a port. One that has another behind it gets a third:
// what is dropped on the way makes no sound, and the server may not wait any longer.
func (c *Conn) portBudget() time.Duration {
	all := c.ep.WithDefaults().ConnectTimeout
	if c.viaEPSV && !c.reachedEPSV && c.knowsPASV() {
		return max(all/3, min(all, 8*c.roundTrip))
	}
	return all
}

// knowsPASV reports whether the network is one for PASV, which has addresses of IPv4.
func (c *Conn) knowsPASV() bool {
	a, ok := c.ctl.wire.RemoteAddr().(*net.TCPAddr)
	return !ok || a.IP.To4() != nil
}

// passive asks for a port.
func (c *Conn) passive() (int, error) {
	var first error
	if !c.noEPSV && !c.deadEPSV {
		r, err := c.ctl.command("EPSV")
		if err != nil {
			return 0, err
		}
		port, ok := portIn(r)
		c.viaEPSV = true
		switch {
		case ok:
			return port, nil
		case r.code == 229 || r.code == 227 || r.code == 200:
			first = badReply(r.verb, r.shown())
			c.noEPSV = true
		case r.code == 421 || r.code < 400:
			return 0, r.err()
		default:
			// 5xx is for good. 4xx is about this time.
			first = r.err()
			c.noEPSV = r.code >= 500
		}
		if !c.knowsPASV() {
			c.noEPSV = false
			return 0, first
		}
	}
	c.viaEPSV = false
	r, err := c.ctl.command("PASV")
	if err != nil {
		return 0, err
	}
	port, ok := portIn(r)
	switch {
	case ok:
		return port, nil
	case first != nil && r.kind() == transport.KindUnsupported:
		return 0, first
	case r.code == 227 || r.code == 229 || r.code == 200:
		return 0, badReply(r.verb, r.shown())
	}
	return 0, r.err()
}

// portIn finds the port in a reply to EPSV or PASV: some servers answer one as if it
// were the other, or with another 2xx.
func portIn(r reply) (port int, ok bool) {
	if !r.positive() {
		return 0, false
	}
	port, err := parseEPSV(r.text)
	if err != nil {
		port, err = parsePASV(r.text)
	}
	return port, err == nil
}
