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
	return dialWith(ctx, ep, func(d *dialer, conn ssh.Conn) (*Client, error) {
		c := &Client{conn: conn, line: d.line, ended: make(chan struct{})}
		go func() {
			_ = conn.Wait()
			_ = c.line.Abort() // x/crypto leaves it open after some errors
			close(c.ended)
		}()
		return c, nil
	})
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
