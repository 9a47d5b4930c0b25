package sftpdriver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A Client is a bare SSH connection, verified and logged in, without SFTP: what
// a jump host is to package transport/tunnel. Its methods are safe for
// concurrent use.
type Client struct {
	conn  ssh.Conn
	line  *line
	ended chan struct{}
}

// DialSSH connects, verifies the host key and logs in, as [Dial] does and with
// the same errors, but for the step "subsystem".
func DialSSH(ctx context.Context, ep *transport.Endpoint) (*Client, error) {
	if ep.User == "" {
		return nil, ep.Fail("login", "", transport.KindInvalid, errors.New("SSH needs a user name: set User, or put it into the URL as user@host"))
	}
	host, err := newHostVerifier(ep)
	if err != nil {
		return nil, ep.Fail("handshake", "", transport.KindInvalid, err)
	}
	signers, err := loadIdentities(ctx, &ep.SSH)
	if err != nil {
		return nil, identityFailure(ctx, ep, err)
	}
	cctx, cancel := context.WithTimeout(ctx, ep.ConnectBudget())
	defer cancel()
	for {
		d := &dialer{ep: ep, ctx: cctx, host: host, login: &login{ctx: cctx, ep: ep, signers: signers}}
		c, err := d.connectSSH()
		if err == nil {
			return c, nil
		}
		if d.step != "dial" && d.pinMissed() {
			continue
		}
		if d.step == "dial" {
			// Another jump host may lie on the way, and its errors are not to be
			// judged as if this server had said them.
			return nil, ep.ConnectFailure(ctx, d.step, err)
		}
		return nil, d.failure(ctx, err)
	}
}

// connectSSH is connect without a subsystem.
func (d *dialer) connectSSH() (*Client, error) {
	d.step = "dial"
	wire, err := transport.DialWire(d.ctx, d.ep, d.ep.Addr())
	if err != nil {
		return nil, err
	}
	d.line = &line{Wire: wire}
	op := transport.StartOp(d.ctx, transport.Watch{}, wire)
	c, err := d.client()
	if err = op.End(err); err == nil {
		// The socket may have been closed in the last moment.
		err = d.ctx.Err()
	}
	d.login.close()
	if err != nil {
		_ = wire.Abort()
		return nil, err
	}
	return c, nil
}

func (d *dialer) client() (*Client, error) {
	d.step = "handshake"
	conn, channels, requests, err := ssh.NewClientConn(d.line, d.ep.Addr(), &ssh.ClientConfig{
		Config:            d.host.offers.config(),
		User:              d.ep.User,
		Auth:              d.login.methods(),
		ClientVersion:     clientVersion,
		HostKeyAlgorithms: d.host.algorithms,
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			d.shown = key
			if err := d.host.callback(name, remote, key); err != nil {
				return err
			}
			d.step = "login"
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	c := &Client{conn: conn, line: d.line, ended: make(chan struct{})}
	go ssh.DiscardRequests(requests)
	go func() {
		for ch := range channels { // a jump has nothing to open on us
			_ = ch.Reject(ssh.Prohibited, "no channels here")
		}
	}()
	go func() {
		_ = conn.Wait()
		_ = c.line.Abort() // x/crypto leaves it open after some errors
		close(c.ended)
	}()
	return c, nil
}

// OpenChannel opens a channel of a kind, such as "direct-tcpip" (RFC 4254
// section 7.2). A refusal is an [*ssh.OpenChannelError]. It waits for the answer
// as long as the connection lives.
func (c *Client) OpenChannel(kind string, payload []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	return c.conn.OpenChannel(kind, payload)
}

// Ping makes a round trip to the server. It waits for the answer as long as the
// connection lives.
func (c *Client) Ping() error {
	_, _, err := c.conn.SendRequest("keepalive@openssh.com", true, nil)
	return err
}

// BytesRead counts what has come from the server, so that silence can be told.
func (c *Client) BytesRead() int64 { return c.line.BytesRead() }

// Ended is closed when the connection has ended, for whatever reason.
func (c *Client) Ended() <-chan struct{} { return c.ended }

// Cause returns why an ended connection did: what the socket or the server
// said. It is nil for one that lives or that Close has ended.
func (c *Client) Cause() error {
	select {
	case <-c.ended:
	default:
		return nil
	}
	if err := c.line.lost(); err != nil {
		return err
	}
	err := c.conn.Wait()
	if err == nil || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("%s", transport.Printable(strings.TrimPrefix(err.Error(), "ssh: ")))
}

// Close ends the connection and every channel of it at once, by closing the
// socket, as [Conn.Close] does.
func (c *Client) Close() error { return c.line.Abort() }
