package ftpx

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/transport"
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
