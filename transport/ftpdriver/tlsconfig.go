package ftpdriver

import (
	"crypto/tls"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TLSConfig returns the TLS configuration with which [Dial] would protect one control
// connection to ep and its data connections: versions, suites, key exchanges, trust, pins,
// and a session cache of its own, so that data connections resume the session (RFC 4217
// section 10.2). It is for programs that examine a server step by step; each control
// connection needs one of its own. It reads TLS.CAFile and asks nothing of the server.
func TLSConfig(ep *transport.Endpoint) (*tls.Config, error) {
	setup, err := newTLSSetup(ep)
	if err != nil {
		return nil, ep.Fail("dial", "", transport.KindInvalid, err)
	}
	return setup.config, nil
}
