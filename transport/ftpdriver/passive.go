package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// openData makes a data connection for the command line that will use it, which is then
// sent when it stands. Where the library is to use it, c.lend comes next.
func (c *Conn) openData(op *wire.Op, line string) (*dataConn, error) {
	if c.wantsPRET() {
		// A distributed server must know the file before it can name a port
		// (draft-dd-pret-00).
		r, err := c.ctl.command("PRET " + line)
		if err != nil {
			return nil, err
		}
		if !r.positive() {
			r.verb = verbOf(line)
			return nil, c.refused(r, "")
		}
	}
	if c.ep.ActiveAddr != "" {
		return c.openActive(op, line)
	}
	port, prefetched, err := c.nextPort()
	if err != nil {
		return nil, err
	}
	wire, err := c.dialDataInTime(op, port)
	if op.Context().Err() == nil && c.tellsOfPort(prefetched, err) {
		if port, err = c.otherPort(); err == nil {
			wire, err = c.dialDataInTime(op, port)
			c.tellsOfPort(false, err)
		}
	}
	if err != nil {
		return nil, err
	}
	d := newDataConn(c.ctl, op)
	d.wire, d.firstChunk = wire, c.traits.firstChunk
	if c.tls != nil {
		d.tls = c.tls.client(noDeadline{wire})
	}
	return d, nil
}

// dialDataInTime is dialData for as long as that may take.
func (c *Conn) dialDataInTime(op *wire.Op, port int) (*wire.Wire, error) {
	ctx, cancel := context.WithTimeout(op.Context(), c.portBudget())
	defer cancel()
	return c.dialData(ctx, op, port)
}

// dialData opens the socket of a data connection.
func (c *Conn) dialData(ctx context.Context, op *wire.Op, port int) (*wire.Wire, error) {
	wire, err := wire.Dial(ctx, c.ep, net.JoinHostPort(c.dataHost(), strconv.Itoa(port)))
	if err != nil {
		err = fmt.Errorf("%w: %w", transport.ErrNoDataConn, err)
		if errors.Is(err, context.DeadlineExceeded) && op.Context().Err() == nil {
			err = as(transport.KindTimeout, err)
		}
		return nil, err
	}
	c.ep.Traffic.AddDataConn()
	op.Attach(wire)
	return wire, nil
}

// wantsPRET reports whether a data connection is prepared for the file that it is for.
func (c *Conn) wantsPRET() bool { return c.feats.has("PRET") && !c.traits.onePlace }

// lend lets the library have d: its EPSV is answered here, because the real one
// has been sent already, and its dial function returns d.
func (c *Conn) lend(d *dataConn) {
	c.data = d
	c.ctl.answers = func(verb string) (string, bool) {
		switch verb {
		case "EPSV":
			return "229 ready (|||1|)", true
		case "PRET":
			return "200 ready", true
		}
		return "", false
	}
}

// dataHost is where data connections go: to the peer of the control connection,
// not to what PASV names, which is wrong behind NAT and would let a server point
// us at others. If the control connection was dialled through a proxy its peer
// is not the server, which shows in the port; then the host's name is dialled the
// same way.
func (c *Conn) dataHost() string {
	a, ok := c.ctl.wire.RemoteAddr().(*net.TCPAddr)
	if !ok || a == nil || a.IP == nil || c.ep.Dial != nil && strconv.Itoa(a.Port) != portOf(c.ep.Addr()) {
		return c.ep.Host
	}
	host := a.IP.String()
	if a.Zone != "" {
		host += "%" + a.Zone // a link-local address
	}
	return host
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// parseEPSV reads "229 Entering Extended Passive Mode (|||6446|)", where the
// delimiter may be any printable character.
func parseEPSV(text string) (int, error) {
	for i := range len(text) {
		if text[i] != '(' || i+5 >= len(text) {
			continue
		}
		rest := text[i+1:]
		d := rest[0]
		if d < 33 || d > 126 || d >= '0' && d <= '9' || rest[1] != d || rest[2] != d {
			continue
		}
		if port, _, ok := strings.Cut(rest[3:], string(d)); ok {
			return parsePort(port)
		}
	}
	return 0, errNoPort
}

// parsePASV reads "227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)"; RFC 1123
// section 4.1.2.6 tells clients to look for the digits and not for parentheses.
func parsePASV(text string) (int, error) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return r != ',' && (r < '0' || r > '9') })
	for _, f := range fields {
		n := strings.Split(strings.Trim(f, ","), ",")
		if len(n) != 6 {
			continue
		}
		hi, err1 := strconv.ParseUint(n[4], 10, 8)
		lo, err2 := strconv.ParseUint(n[5], 10, 8)
		if err1 != nil || err2 != nil || hi == 0 && lo == 0 {
			break
		}
		return int(hi)<<8 | int(lo), nil
	}
	return 0, errNoPort
}

func parsePort(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, errNoPort
	}
	return int(n), nil
}

var errNoPort = errors.New("there is no port in the reply")

func badReply(verb, text string) error {
	return as(transport.KindProtocol, fmt.Errorf("the server's answer to %s makes no sense: %q", verb, shorten(text)))
}
