package drill

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// line is what lies between the client and its servers: the dial function, with faults. Its
// methods are safe for concurrent use.
type line struct {
	next func(ctx context.Context, network, address string) (net.Conn, error)
	// control names the ports of control and SSH connections, and what a server that is full
	// says on them.
	control map[string]string

	mu     sync.Mutex // guards what follows
	dead   map[string]bool
	peers  map[string][]string // control addresses that have led to an IP address
	cut    float64             // mean bytes between resets, 0 for none
	most   int                 // control connections beyond which a server is full, 0 for none
	random *rand.Rand
	conns  map[*conn]bool
	resets int
	full   int
}

func newLine(next func(context.Context, string, string) (net.Conn, error), control map[string]string) *line {
	if next == nil {
		next = (&net.Dialer{}).DialContext
	}
	// The seed makes two drills alike; what the machine does beside them it cannot.
	return &line{next: next, control: control, dead: map[string]bool{}, peers: map[string][]string{}, random: rand.New(rand.NewPCG(12, 7)), conns: map[*conn]bool{}}
}

// dial is an [ftpx.Options].Dial.
func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	dead, says := l.isDead(address), l.control[address]
	full := says != "" && l.most > 0 && l.controls(address) >= l.most
	if full {
		l.full++
	}
	l.mu.Unlock()
	switch {
	case dead:
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	case full:
		return refusing(says), nil
	}
	inner, err := l.next(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: inner, line: l, address: address, control: says != "", changed: make(chan struct{}), closed: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut > 0 {
		c.left = int64(l.random.ExpFloat64() * l.cut)
		c.limited = true
	}
	l.conns[c] = true
	if ip := hostOf(inner.RemoteAddr().String()); c.control && !slices.Contains(l.peers[ip], address) {
		l.peers[ip] = append(l.peers[ip], address)
	}
	return c, nil
}

// belongs reports whether an address is that of a target: an address, or a host. Data
// connections of FTP are dialled to the IP address that a host's name has led to; where
// several servers are at one they are nobody's. The caller holds mu.
func (l *line) belongs(address, target string) bool {
	of := func(address string) bool { return address == target || hostOf(address) == target }
	if of(address) || l.control[address] != "" {
		return of(address)
	}
	controls := l.peers[hostOf(address)]
	return len(controls) > 0 && !slices.ContainsFunc(controls, func(a string) bool { return !of(a) })
}

func (l *line) isDead(address string) bool {
	for target := range l.dead {
		if l.belongs(address, target) {
			return true
		}
	}
	return false
}

// controls counts the control connections to an address that are open. The caller holds mu.
func (l *line) controls(address string) (n int) {
	for c := range l.conns {
		if c.control && c.address == address {
			n++
		}
	}
	return n
}

// kill takes an address away: its connections are reset, and new ones refused.
func (l *line) kill(address string) {
	l.mu.Lock()
	l.dead[address] = true
	var hit []*conn
	for c := range l.conns {
		if l.belongs(c.address, address) {
			hit = append(hit, c)
		}
	}
	l.resets += len(hit)
	l.mu.Unlock()
	for _, c := range hit {
		c.reset()
	}
}

// resetAll resets what is open.
func (l *line) resetAll() {
	l.mu.Lock()
	var hit []*conn
	for c := range l.conns {
		hit = append(hit, c)
	}
	l.resets += len(hit)
	l.mu.Unlock()
	for _, c := range hit {
		c.reset()
	}
}

// silence makes what is open silent for good; new connections are well.
func (l *line) silence() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.stall()
	}
}

// lift ends all faults; what is open and silent stays so.
func (l *line) lift() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead, l.cut, l.most = map[string]bool{}, 0, 0
	for c := range l.conns {
		c.limited = false
	}
}

func (l *line) set(change func(*line)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

// counts returns how many connections were reset, and how many refused as too many.
func (l *line) counts() (resets, full int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.resets, l.full
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// refusing is a connection to a server that is full: it says so and closes.
func refusing(says string) net.Conn {
	near, far := net.Pipe()
	go func() {
		_ = far.SetDeadline(time.Now().Add(5 * time.Second))
		_, _ = io.WriteString(far, says+"\r\n")
		_ = far.Close()
	}()
	return near
}

// conn is a connection that may be reset and go silent.
type conn struct {
	net.Conn
	line    *line
	address string
	control bool

	limited bool  // guarded by line.mu, as left
	left    int64 // bytes until a reset

	mu       sync.Mutex // guards what follows
	silent   bool
	ended    bool
	deadline time.Time
	changed  chan struct{} // closed, and made anew, when deadline or silent change
	closed   chan struct{}
}

var errReset error = syscall.ECONNRESET

// spend counts bytes and resets the connection when it has had its share.
func (c *conn) spend(n int) bool {
	c.line.mu.Lock()
	c.left -= int64(n)
	cut := c.limited && c.left <= 0
	if cut {
		c.limited = false
		c.line.resets++
	}
	c.line.mu.Unlock()
	if cut {
		c.reset()
	}
	return cut
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if werr := c.hold(); werr != nil {
		return 0, werr
	}
	if n > 0 && c.spend(n) {
		return 0, &net.OpError{Op: "read", Net: "tcp", Err: errReset}
	}
	return n, c.explain("read", err)
}

// Write implements net.Conn.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.hold(); err != nil {
		return 0, err
	}
	if c.spend(len(p)) {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: errReset}
	}
	n, err := c.Conn.Write(p)
	return n, c.explain("write", err)
}

// hold waits while the connection is silent, until it is closed or its deadline is there.
func (c *conn) hold() error {
	for {
		c.mu.Lock()
		silent, deadline, changed := c.silent, c.deadline, c.changed
		c.mu.Unlock()
		if !silent {
			return nil
		}
		var due <-chan time.Time
		if !deadline.IsZero() {
			t := time.NewTimer(time.Until(deadline))
			defer t.Stop()
			due = t.C
		}
		select {
		case <-c.closed:
			return net.ErrClosed
		case <-due:
			return os.ErrDeadlineExceeded
		case <-changed:
		}
	}
}

// explain makes a reset of an error that came because this connection was reset.
func (c *conn) explain(op string, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.ended {
		return &net.OpError{Op: op, Net: "tcp", Err: errReset}
	}
	return err
}

// reset closes the socket so that both ends see an RST.
func (c *conn) reset() {
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Conn.Close()
	c.forget()
}

func (c *conn) stall() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.silent = true
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *conn) forget() {
	c.line.mu.Lock()
	delete(c.line.conns, c)
	c.line.mu.Unlock()
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.mu.Lock()
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	c.mu.Unlock()
	c.forget()
	return c.Conn.Close()
}

// CloseWrite ends this side, which is how an upload over FTP ends: ProFTPD waits for it, also
// after TLS's own end.
func (c *conn) CloseWrite() error {
	if err := c.hold(); err != nil {
		return err
	}
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return c.explain("close", half.CloseWrite())
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error { c.due(t); return c.Conn.SetDeadline(t) }

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { c.due(t); return c.Conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error { c.due(t); return c.Conn.SetWriteDeadline(t) }

func (c *conn) due(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	close(c.changed)
	c.changed = make(chan struct{})
}
