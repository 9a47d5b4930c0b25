package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// jump is an SSH jump host: one connection, many channels.
type jump struct {
	hop  Hop
	ep   *transport.Endpoint
	life context.Context // ends with close
	end  context.CancelFunc

	mu     sync.Mutex // guards what follows
	closed bool
	now    *attempt // the connection, or the attempt at one; nil for none
	work   sync.WaitGroup
}

// An attempt is one handshake, shared by all dials that need it.
type attempt struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when client and err are set

	client *sftpdriver.Client
	err    error

	waiters int // guarded by jump.mu
}

func newJump(h Hop, way transport.DialFunc) *jump {
	if h.SSH.Keyring == nil {
		h.SSH.Keyring = new(transport.Keyring) // a passphrase is asked once, not after each loss
	}
	j := &jump{hop: h, ep: &transport.Endpoint{
		Protocol: transport.SFTP, Host: h.Host, Port: h.Port, User: h.User, Password: h.Password, SSH: h.SSH,
		Dial: way, ConnectTimeout: h.ConnectTimeout,
	}}
	j.life, j.end = context.WithCancel(context.Background())
	return j
}

func (j *jump) dial(ctx context.Context, network, address string) (net.Conn, error) {
	for first := true; ; first = false {
		client, err := j.connected(ctx)
		if err != nil {
			if j.life.Err() != nil {
				return nil, errClosed(address)
			}
			return nil, j.hop.hopFailure(ctx, err)
		}
		conn, err := j.open(ctx, client, address)
		if err == nil {
			return conn, nil
		}
		if j.life.Err() != nil {
			return nil, errClosed(address)
		}
		var lost *lostJump
		if !errors.As(err, &lost) {
			return nil, err
		}
		if first && ctx.Err() == nil {
			j.forget(client) // its end may not have been noticed elsewhere yet
			continue         // it died while idle: that must not cost the caller an attempt
		}
		return nil, j.hop.failure(ctx, transport.KindLost, lost)
	}
}

// forget makes the next dial open a new connection, unless there is one already.
func (j *jump) forget(client *sftpdriver.Client) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.now != nil && j.now.client == client {
		j.now = nil
	}
	_ = client.Close()
}

// connected returns the connection to the jump host, made if there is none.
func (j *jump) connected(ctx context.Context) (*sftpdriver.Client, error) {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil, net.ErrClosed
	}
	a := j.now
	if a == nil || a.ended() {
		a = j.begin()
	}
	a.waiters++
	j.mu.Unlock()

	select {
	case <-a.done:
	case <-ctx.Done():
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	a.waiters--
	select {
	case <-a.done:
		return a.client, a.err
	default:
	}
	if a.waiters == 0 {
		// Nobody wants it any more.
		a.cancel()
		if j.now == a {
			j.now = nil
		}
	}
	return nil, ctx.Err()
}

// ended reports whether the connection is gone. The caller holds jump.mu.
func (a *attempt) ended() bool {
	select {
	case <-a.done:
	default:
		return false
	}
	if a.err != nil {
		return true
	}
	select {
	case <-a.client.Ended():
		return true
	default:
		return false
	}
}

// begin starts a handshake. It does not run under the context of the dial that
// came first, which may end before those of the others. The caller holds j.mu.
func (j *jump) begin() *attempt {
	ctx, cancel := context.WithCancel(j.life)
	a := &attempt{cancel: cancel, done: make(chan struct{})}
	j.now = a
	j.work.Go(func() {
		defer cancel()
		client, err := sftpdriver.DialSSH(ctx, j.ep)
		j.mu.Lock()
		if err == nil && (j.now != a || j.closed) {
			_ = client.Close()
			client, err = nil, context.Canceled
		}
		a.client, a.err = client, err
		close(a.done)
		if err != nil && j.now == a {
			j.now = nil
		}
		j.mu.Unlock()
		if err == nil {
			j.watch(client)
		}
	})
	return a
}

// watch ends a connection whose other end has gone silent. Any byte from it will
// do as a sign of life: behind an upload that fills the line the answer may be
// late, but the jump host's own messages are not.
func (j *jump) watch(c *sftpdriver.Client) {
	tick := time.NewTicker(j.hop.KeepAlive)
	defer tick.Stop()
	heard, silent := c.BytesRead(), 0
	var ping chan struct{}
	for {
		select {
		case <-c.Ended():
			if ping != nil {
				<-ping
			}
			return
		case <-tick.C:
		}
		if n := c.BytesRead(); n != heard {
			heard, silent = n, 0
			continue
		}
		if silent++; silent > 2 {
			_ = c.Close()
			continue // Ended follows
		}
		select {
		case <-ping:
			ping = nil
		default:
		}
		if ping == nil {
			answered := make(chan struct{})
			ping = answered
			go func() {
				defer close(answered)
				_ = c.Ping()
			}()
		}
	}
}

// lostJump is the end of the connection to the jump host.
type lostJump struct{ cause error }

func (e *lostJump) Error() string {
	if e.cause == nil {
		return "the connection to the jump host has ended"
	}
	return "the connection to the jump host has ended: " + e.cause.Error()
}

// open asks for a channel to the server. It returns a bare [*lostJump] where the
// connection turns out to be dead.
func (j *jump) open(ctx context.Context, client *sftpdriver.Client, address string) (net.Conn, error) {
	payload, err := directTCPIP(address)
	if err != nil {
		return nil, j.hop.serverFailure(ctx, transport.KindInvalid, address, err)
	}
	type result struct {
		ch       ssh.Channel
		requests <-chan *ssh.Request
		err      error
	}
	answer, left := make(chan result), make(chan struct{})
	defer close(left)
	go func() {
		var r result
		r.ch, r.requests, r.err = client.OpenChannel("direct-tcpip", payload)
		select {
		case answer <- r:
		case <-left: // nobody waits any more
			if r.err == nil {
				go ssh.DiscardRequests(r.requests)
				_ = r.ch.Close()
			}
		}
	}()
	select {
	case r := <-answer:
		if r.err != nil {
			return nil, j.openFailure(ctx, client, address, r.err)
		}
		return j.adopt(client, r.ch, r.requests, address)
	case <-client.Ended():
		return nil, j.openFailure(ctx, client, address, net.ErrClosed)
	case <-ctx.Done():
		return nil, j.hop.serverFailure(ctx, transport.KindTimeout, address, errors.New("the jump host has not said whether it can connect"))
	}
}

// adopt makes a connection of a channel, unless the tunnel is closing.
func (j *jump) adopt(client *sftpdriver.Client, ch ssh.Channel, requests <-chan *ssh.Request, address string) (net.Conn, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		go ssh.DiscardRequests(requests) // the channel ends with the connection
		return nil, errClosed(address)
	}
	return newChannelConn(client, ch, requests, address, &j.work), nil
}

func (j *jump) openFailure(ctx context.Context, client *sftpdriver.Client, address string, err error) error {
	var no *ssh.OpenChannelError
	if !errors.As(err, &no) {
		_ = client.Close() // it makes no sense any more
		return &lostJump{client.Cause()}
	}
	said := transport.Printable(no.Message)
	if len(said) > 200 {
		said = said[:200]
	}
	switch no.Reason {
	case ssh.ConnectionFailed:
		return j.hop.serverFailure(ctx, transport.KindUnreachable, address, fmt.Errorf("the jump host cannot connect: %s", said))
	case ssh.Prohibited:
		return j.hop.serverFailure(ctx, transport.KindRefused, address,
			fmt.Errorf("the jump host forbids the connection: have its owner allow it (AllowTcpForwarding, PermitOpen) (%s)", said))
	case ssh.ResourceShortage:
		return j.hop.serverFailure(ctx, transport.KindBusy, address, fmt.Errorf("the jump host takes no more connections now: %s", said))
	}
	return j.hop.serverFailure(ctx, transport.KindRefused, address,
		fmt.Errorf("the jump host does not forward connections (reason %d, %s): use another", no.Reason, said))
}

// directTCPIP is the payload of RFC 4254 section 7.2. The originator is of
// interest to logs alone, and ours is no business of the jump host's.
func directTCPIP(address string) ([]byte, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	return ssh.Marshal(struct {
		Host       string
		Port       uint32
		Originator string
		OrigPort   uint32
	}{host, uint32(port), "127.0.0.1", 0}), nil
}

// close ends the connection and waits for all that belongs to it.
func (j *jump) close() {
	j.mu.Lock()
	j.closed = true
	a := j.now
	j.end()
	if a != nil {
		select {
		case <-a.done:
			if a.err == nil {
				_ = a.client.Close()
			}
		default: // begin sees closed
		}
	}
	j.mu.Unlock()
	j.work.Wait()
}
