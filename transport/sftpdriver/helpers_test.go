package sftpdriver

import (
	"context"
	"crypto/rand"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// client is a connection that has its requests as methods too.
type client struct {
	*Conn
	transport.Calls
}

func dialClient(ctx context.Context, ep *transport.Endpoint) (*client, error) {
	c, err := Dial(ctx, ep)
	return &client{c, transport.Calls{Conn: c}}, err
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
