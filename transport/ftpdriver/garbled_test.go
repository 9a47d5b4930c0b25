package ftpdriver

import (
	"errors"
	"net"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What TLS refuses after it was agreed on is the line's doing: a login or a
// transfer whose bytes were garbled is worth another connection.
func TestGarbledTLS(t *testing.T) {
	alert := &net.OpError{Op: "remote error", Err: errors.New("tls: protocol version not supported")}
	for _, agreed := range []bool{false, true} {
		c := &Conn{ctl: &control{}}
		want := transport.KindInsecure
		if agreed {
			c.secure, want = &transport.Security{}, transport.KindProtocol
		}
		for _, err := range []error{alert, errors.New("tls: server selected unsupported protocol version 3e8")} {
			if kind := c.kindOf("", err); kind != want {
				t.Errorf("%v: %v, want %v", err, kind, want)
			}
		}
	}
}
