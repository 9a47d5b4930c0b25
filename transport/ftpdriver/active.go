package ftpdriver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// Active mode: we listen, name the address with EPRT or PORT, and the server
// connects when it is given a command that moves data. The connection is thus
// there only after the command, while everything above wants one before it:
// activeConn stands for it until the first byte.

// openActive listens for one data connection and tells the server where.
func (c *Conn) openActive(op *wire.Op, line string) (*dataConn, error) {
	peer, ok := c.ctl.wire.RemoteAddr().(*net.TCPAddr)
	own, ok2 := c.ctl.wire.LocalAddr().(*net.TCPAddr)
	if !ok || !ok2 {
		return nil, as(transport.KindInvalid, errors.New("active mode needs a TCP connection to the server itself"))
	}
	ln, err := new(net.ListenConfig).Listen(op.Context(), "tcp", c.ep.ActiveAddr)
	if err != nil {
		return nil, as(transport.KindLocal, fmt.Errorf("listen for data connections: %w", err))
	}
	at := ln.Addr().(*net.TCPAddr)
	if at.IP.IsUnspecified() {
		at = &net.TCPAddr{IP: own.IP, Port: at.Port}
	}
	if err := c.announce(at.AddrPort()); err != nil {
		_ = ln.Close()
		return nil, err
	}
	conn := &activeConn{ln: ln.(*net.TCPListener), at: at, from: peer, timeout: c.ep.WithDefaults().ConnectTimeout, traffic: c.ep.Traffic, upload: stores(verbOf(line))}
	wire := wire.New(conn, wire.WatchOf(c.ep).Stall)
	wire.CountIn(c.ep.Traffic)
	op.Attach(wire)
	d := newDataConn(c.ctl, op)
	d.wire, d.firstChunk = wire, c.traits.firstChunk
	if c.tls != nil {
		d.tls = c.tls.client(noDeadline{wire})
	}
	return d, nil
}

// announce tells the server where to connect to: EPRT (RFC 2428), else PORT, which
// knows IPv4 alone.
func (c *Conn) announce(at netip.AddrPort) error {
	ip := at.Addr().Unmap().WithZone("")
	family := 1
	if ip.Is6() {
		family = 2
	}
	r, err := c.ctl.command(fmt.Sprintf("EPRT |%d|%s|%d|", family, ip, at.Port()))
	if err != nil || r.positive() {
		return err
	}
	if family == 2 || r.code == 421 {
		return r.err()
	}
	b := ip.As4()
	port, err := c.ctl.command(fmt.Sprintf("PORT %d,%d,%d,%d,%d,%d", b[0], b[1], b[2], b[3], at.Port()>>8, at.Port()&0xff))
	if err == nil && !port.positive() {
		err = port.err()
	}
	return err
}

// checkActive finds out what cannot work before anything is dialled.
func checkActive(ep *transport.Endpoint) error {
	if ep.ActiveAddr == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(ep.ActiveAddr)
	_, ipErr := netip.ParseAddr(host)
	_, portErr := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || host != "" && ipErr != nil || portErr != nil:
		return fmt.Errorf("ActiveAddr is %q: give an IP address of this machine and a port, such as \"192.0.2.1:0\" or \":0\"", ep.ActiveAddr)
	case ep.Dial != nil:
		return errors.New("ActiveAddr is set, but a server behind a dial function cannot connect to this machine: remove one of them")
	}
	return nil
}

var errNoData = errors.New("the server did not open the data connection: in active mode it must be able to connect to this machine, which firewalls and address translation prevent; use passive mode (no ActiveAddr)")

// activeConn is a data connection that the server opens. It waits for it when it
// is first used, and until it is closed, from whatever goroutine.
type activeConn struct {
	ln       *net.TCPListener
	at, from *net.TCPAddr // where we listen, and the server
	timeout  time.Duration
	traffic  *transport.Traffic
	upload   bool

	once sync.Once
	err  error

	mu     sync.Mutex // guards what follows
	conn   *net.TCPConn
	closed bool
	ended  bool // our side, in good order
}

// wait returns the connection. One that comes from elsewhere than the server is
// somebody's who wants the file, or to replace it, and is sent away.
func (a *activeConn) wait() (*net.TCPConn, error) {
	a.once.Do(func() {
		_ = a.ln.SetDeadline(time.Now().Add(a.timeout))
		defer a.ln.Close()
		for {
			conn, err := a.ln.AcceptTCP()
			if err != nil {
				var late net.Error
				if errors.As(err, &late) && late.Timeout() {
					err = as(transport.KindTimeout, fmt.Errorf("%w (waited %v)", errNoData, a.timeout))
				}
				a.err = err
				return
			}
			if peer := conn.RemoteAddr().(*net.TCPAddr); !peer.IP.Equal(a.from.IP) {
				_ = conn.Close()
				continue
			}
			a.traffic.AddDataConn()
			a.mu.Lock()
			a.conn = conn
			if a.closed {
				a.err = net.ErrClosed
				_ = conn.Close()
			}
			a.mu.Unlock()
			return
		}
	})
	return a.conn, a.err
}

func (a *activeConn) Read(p []byte) (int, error) {
	conn, err := a.wait()
	if err != nil {
		return 0, err
	}
	return conn.Read(p)
}

func (a *activeConn) Write(p []byte) (int, error) {
	conn, err := a.wait()
	if err != nil {
		return 0, err
	}
	return conn.Write(p)
}

// CloseWrite ends an upload.
func (a *activeConn) CloseWrite() error {
	conn, err := a.wait()
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	return conn.CloseWrite()
}

// Close ends it, or the wait for it. An upload that has not come to its end is
// reset, so that the server does not take what it has for the whole file.
func (a *activeConn) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	if a.conn == nil {
		return a.ln.Close()
	}
	if a.upload && !a.ended {
		_ = a.conn.SetLinger(0)
	}
	return a.conn.Close()
}

func (a *activeConn) LocalAddr() net.Addr  { return a.at }
func (a *activeConn) RemoteAddr() net.Addr { return a.from }

// Deadlines are the watchdog's business, see [wire.Op].
func (a *activeConn) SetDeadline(time.Time) error      { return nil }
func (a *activeConn) SetReadDeadline(time.Time) error  { return nil }
func (a *activeConn) SetWriteDeadline(time.Time) error { return nil }
