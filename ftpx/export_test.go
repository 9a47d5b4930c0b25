package ftpx

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// SetConnect replaces the drivers, for tests outside the package.
func SetConnect(o *Options, connect func(context.Context, *transport.Endpoint) (transport.Conn, error)) {
	o.connect = connect
}
