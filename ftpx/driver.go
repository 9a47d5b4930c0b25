package ftpx

import (
	"context"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/charset"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

type connectFunc func(context.Context, *transport.Endpoint) (transport.Conn, error)

func dialDriver(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
	if ep.Protocol == SFTP {
		c, err := sftpdriver.Dial(ctx, ep)
		if err != nil {
			return nil, err // not a nil *Conn in a non-nil interface
		}
		return c, nil
	}
	c, err := ftpdriver.Dial(ctx, ep)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// inCharset puts the endpoint's character set before every connection.
func inCharset(connect connectFunc) connectFunc {
	return func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		if ep.Trace != nil {
			t := *ep.Trace
			t.Decode = charset.Text(ep.Charset)
			ep.Trace = &t
		}
		c, err := connect(ctx, ep)
		if err != nil {
			return nil, err
		}
		return charset.New(c, ep.Charset), nil
	}
}

// preload reads the keys before anything is dialled: a missing file shows at
// once, and the time that somebody takes to type a passphrase is not taken for
// the silence of the SSH server, which would let another protocol win.
func (c *client) preload(ctx context.Context) error {
	if !slices.Contains(c.cfg.Protocols, SFTP) {
		return nil
	}
	for i := range c.hosts {
		ep := c.endpoint(session.Target{Host: i, Protocol: SFTP})
		if len(ep.SSH.IdentityFiles) == 0 || i > 0 && c.hosts[i].SSH == nil {
			continue
		}
		if err := sftpdriver.Preload(ctx, ep); err != nil {
			return &Error{Op: "open", Outcome: NotDone, Err: err}
		}
	}
	return nil
}
