package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// firstFamily is how long IPv6 is waited for where IPv4 is there too.
	firstFamily = 2 * time.Second
	// smallest is the segment size that passes every line: 576 bytes are what every host
	// must take (RFC 1122 section 3.3.3).
	smallest = 536
)

// resolve looks the host's name up, each family apart, so that a slow or dead one is known.
func (s *seen) resolve(ctx context.Context, r Resolver) {
	if s.ep.Dial != nil {
		return // a tunnel resolves at its other end
	}
	if _, err := netip.ParseAddr(s.ep.Host); err == nil {
		return
	}
	if r == nil {
		r = net.DefaultResolver
	}
	s.dns.asked = true
	lookUp := func(network string) ([]netip.Addr, time.Duration, error) {
		ctx, cancel := context.WithTimeout(ctx, s.opt.StepTimeout)
		defer cancel()
		begin := time.Now()
		addrs, err := r.LookupNetIP(ctx, network, s.ep.Host)
		return addrs, time.Since(begin), err
	}
	s.dns.v6, s.dns.v6Took, s.dns.v6Err = lookUp("ip6")
	s.dns.v4, s.dns.v4Took, s.dns.v4Err = lookUp("ip4")
}

// addresses are what is dialled, IPv6 first, as RFC 8305 has it: a family that is dead is
// found out only by trying it.
func (s *seen) addresses() []string {
	if !s.dns.asked {
		return []string{s.ep.Host}
	}
	var out []string
	for _, family := range [][]netip.Addr{s.dns.v6, s.dns.v4} {
		if len(family) > 0 {
			out = append(out, family[0].Unmap().String())
		}
	}
	return out
}

// connect opens the control connection: the first address that answers, one at a time.
func (s *seen) connect(ctx context.Context, segment int) (net.Conn, error) {
	_, port, err := net.SplitHostPort(s.ep.Addr())
	if err != nil {
		return nil, err
	}
	var last error
	addrs := s.addresses()
	for i, host := range addrs {
		limit := s.opt.StepTimeout
		if i < len(addrs)-1 || s.brief {
			limit = min(limit, firstFamily)
		}
		conn, err := s.dialOne(ctx, net.JoinHostPort(host, port), limit, segment)
		if err == nil {
			return conn, nil
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	if last == nil {
		last = errors.New("the name has no address")
	}
	return nil, last
}

// dialOne opens one connection within limit and taps it.
func (s *seen) dialOne(ctx context.Context, addr string, limit time.Duration, segment int) (net.Conn, error) {
	dialCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	dial := s.ep.Dial
	if dial == nil {
		d := &net.Dialer{}
		if segment > 0 {
			d.Control = smallSegments(segment)
		}
		dial = d.DialContext
	}
	begin := time.Now()
	conn, err := dial(dialCtx, "tcp", addr)
	a := attempt{addr: addr, took: time.Since(begin), err: err}
	if host, _, serr := net.SplitHostPort(addr); serr == nil {
		if ip, perr := netip.ParseAddr(host); perr == nil {
			a.v6 = ip.Is6()
		}
	}
	s.tcp.attempts = append(s.tcp.attempts, a)
	if err != nil {
		return nil, err
	}
	t := &tap{Conn: conn, opened: time.Now(), took: a.took}
	s.tcp.conns = append(s.tcp.conns, t)
	return t, nil
}

// dialData opens a data connection, to the address that has answered on the control
// connection, as the driver does.
func (s *seen) dialData(ctx context.Context, control net.Conn, port int, segment int) (*tap, error) {
	host := s.ep.Host
	if a, ok := control.RemoteAddr().(*net.TCPAddr); ok && a != nil && a.IP != nil && (s.ep.Dial == nil || a.Port == portOf(s.ep.Addr())) {
		host = a.IP.String()
		if a.Zone != "" {
			host += "%" + a.Zone
		}
	}
	s.data.addr = net.JoinHostPort(host, strconv.Itoa(port))
	attempts := len(s.tcp.attempts)
	conn, err := s.dialOne(ctx, s.data.addr, s.opt.StepTimeout, segment)
	s.data.dialTook = s.tcp.attempts[attempts].took
	s.tcp.attempts = s.tcp.attempts[:attempts] // those are of the control connection
	if err != nil {
		return nil, err
	}
	return conn.(*tap), nil
}

func portOf(addr string) int {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return 0
	}
	return n
}

// timedOut reports whether an error is that nothing came in time.
func timedOut(err error) bool {
	if err == nil {
		return false
	}
	if k := transport.KindOf(err); k == transport.KindTimeout || k == transport.KindStalled {
		return true
	}
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}
