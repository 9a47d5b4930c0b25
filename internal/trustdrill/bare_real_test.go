//go:build linux && realserver

package trustdrill

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"
	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// What follows is the bare libraries, used as their documentation shows. A trap
// test lets them step into the trap first: that shows that the trap is there.

// bareFTP logs in through the proxy.
func (r *rig) bareFTP(t *testing.T, more ...ftp.DialOption) *ftp.ServerConn {
	t.Helper()
	opts := []ftp.DialOption{ftp.DialWithTimeout(20 * time.Second)}
	if r.proto == ftpx.FTPS {
		opts = append(opts, ftp.DialWithExplicitTLS(r.bareTLS()))
	}
	c, err := ftp.Dial(r.control.Addr().String(), append(opts, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Quit() })
	if err := c.Login(r.srv.User, r.srv.Password); err != nil {
		t.Fatal(err)
	}
	return c
}

func (r *rig) bareTLS() *tls.Config {
	return &tls.Config{RootCAs: r.srv.CAPool(), ServerName: proxyHost, ClientSessionCache: tls.NewLRUClientSessionCache(8)}
}

// bareRetrieve is what everybody writes.
func bareRetrieve(c *ftp.ServerConn, name string) ([]byte, error) {
	resp, err := c.Retr(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(resp)
	return data, errors.Join(err, resp.Close())
}

// bareSFTP logs in through the proxy.
func (r *rig) bareSFTP(t *testing.T, opts ...sftp.ClientOption) (*sftp.Client, *ssh.Client) {
	t.Helper()
	conn, err := ssh.Dial("tcp", r.control.Addr().String(), &ssh.ClientConfig{
		User: r.srv.User, Auth: []ssh.AuthMethod{ssh.Password(r.srv.Password)},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			for _, k := range r.srv.HostKeys() {
				if string(k.Marshal()) == string(key.Marshal()) {
					return nil
				}
			}
			return errors.New("another host key")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c, err := sftp.NewClient(conn, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c, conn
}

// hangs reports whether f is still not back after a while that is much longer
// than it could need. It may go on for as long as the test.
func hangs(t *testing.T, f func()) bool {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	t.Cleanup(func() {
		select {
		case <-done:
		case <-time.After(waitLimit):
			t.Error("what hung is still not back")
		}
	})
	select {
	case <-done:
		return false
	case <-time.After(3 * time.Second):
		return true
	}
}

// once gives the next connection a fault, and those after it none.
func once(fault faultproxy.Fault) faultproxy.Plan {
	next := make(chan struct{}, 1)
	next <- struct{}{}
	return func(faultproxy.ConnInfo) faultproxy.Fault {
		select {
		case <-next:
			return fault
		default:
			return faultproxy.Fault{}
		}
	}
}
