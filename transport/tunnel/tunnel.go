package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// A Tunnel is a chain of hops. It is safe for concurrent use.
type Tunnel struct {
	hops  []Hop
	jumps []*jump
	dial  transport.DialFunc

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // polite ends of TLS under way
}

var _ transport.DialFunc = (*Tunnel)(nil).Dial

// New makes a tunnel of hops, the nearest first. Nothing is dialled yet. Errors
// name the field and the remedy.
func New(hops ...Hop) (*Tunnel, error) {
	if len(hops) == 0 {
		return nil, errors.New("a tunnel needs at least one hop: give a URL such as ssh://user@host")
	}
	t := &Tunnel{dial: (&net.Dialer{}).DialContext}
	for i, h := range hops {
		h, err := h.withDefaults()
		if err != nil {
			return nil, fmt.Errorf("hop %d: %w", i+1, err)
		}
		t.hops = append(t.hops, h)
		t.add(h)
	}
	return t, nil
}

// Parse makes a tunnel of URLs, the nearest hop first, see [ParseHop].
func Parse(urls ...string) (*Tunnel, error) {
	hops := make([]Hop, 0, len(urls))
	for i, u := range urls {
		h, err := ParseHop(u)
		if err != nil {
			return nil, fmt.Errorf("hop %d: %w", i+1, err)
		}
		hops = append(hops, h)
	}
	return New(hops...)
}

// add puts a hop behind those that are there.
func (t *Tunnel) add(h Hop) {
	way := t.dial
	switch h.Scheme {
	case SSH:
		j := newJump(h, way)
		t.jumps = append(t.jumps, j)
		t.dial = j.dial
	case SOCKS5:
		t.dial = (&socksHop{hop: h, way: way}).dial
	default:
		t.dial = (&connectHop{hop: h, way: way, tunnel: t}).dial
	}
}

// Dial connects to address, host:port, through all hops. It returns when the
// last hop has connected or refused, or when ctx ends. Network is "tcp", "tcp4"
// or "tcp6"; the far end of the tunnel chooses the family all the same. Errors
// are [*transport.Error]. It may be called again after any of them but that of
// a tunnel that has been closed.
func (t *Tunnel) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := checkTarget(network, address); err != nil {
		return nil, &transport.Error{Op: "tunnel", Addr: address, Kind: transport.KindInvalid, Err: err}
	}
	t.mu.Lock()
	closed := t.closed
	t.mu.Unlock()
	if closed {
		return nil, errClosed(address)
	}
	if err := ctx.Err(); err != nil {
		return nil, &transport.Error{Op: "tunnel", Addr: address, Kind: transport.KindCanceled, Err: wire.Canceled(ctx)}
	}
	return t.dial(ctx, network, address)
}

// Close ends the connections to SSH jump hosts, and with them all that go
// through one, and returns when nothing of them is left. Connections through
// proxies alone go on until they are closed. It may be called again.
func (t *Tunnel) Close() error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	// From the far end, so that each can still say goodbye through the one before.
	for i := len(t.jumps) - 1; i >= 0; i-- {
		t.jumps[i].close()
	}
	t.work.Wait()
	return nil
}

// String returns the chain as URLs without passwords.
func (t *Tunnel) String() string {
	var b strings.Builder
	for i, h := range t.hops {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(h.String())
	}
	return b.String()
}

// background runs f, for which Close waits.
func (t *Tunnel) background(f func()) {
	t.mu.Lock()
	if t.closed {
		// Close may be waiting by now, which rules out an Add.
		t.mu.Unlock()
		f()
		return
	}
	t.work.Add(1)
	t.mu.Unlock()
	go func() {
		defer t.work.Done()
		f()
	}()
}

func errClosed(address string) error {
	return &transport.Error{Op: "tunnel", Addr: address, Kind: transport.KindInvalid,
		Err: fmt.Errorf("the tunnel has been closed: make another (%w)", net.ErrClosed)}
}

// checkTarget refuses what could not be said to a proxy, or would say something
// else to it.
func checkTarget(network, address string) error {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return fmt.Errorf("network %q cannot go through a tunnel: use tcp", network)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if host == "" || len(host) > 255 || strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("/@?#[]\\\"", r) }) {
		return fmt.Errorf("host %q is not a name or an address of 1 to 255 bytes", host)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("port %q is not a number from 1 to 65535", port)
	}
	return nil
}
