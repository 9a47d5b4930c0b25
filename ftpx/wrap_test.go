package ftpx_test

import (
	"context"
	"io"

	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// onRetrieve wraps a connection whose downloads go through f.
func onRetrieve(c transport.Conn, f func(r *transport.Retrieve, next func() error) error) transport.Conn {
	return memconn.Wrap(c, func(_ context.Context, r transport.Request, next func() error) error {
		if get, ok := r.(*transport.Retrieve); ok {
			return f(get, next)
		}
		return next()
	})
}

// into has a download write to what wrap makes of its destination.
func into(wrap func(dst io.Writer) io.Writer) func(r *transport.Retrieve, next func() error) error {
	return func(r *transport.Retrieve, next func() error) error {
		dst := r.Dst
		defer func() { r.Dst = dst }()
		r.Dst = wrap(dst)
		return next()
	}
}
