package faultproxy_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// line is a set of embedded servers behind a proxy.
type line struct {
	proxy           *faultproxy.Proxy
	ports           *faultproxy.PassivePorts
	trio            *testserver.Trio
	ftp, ftps, sftp *faultproxy.Route
	root            string
}

func newLine(t *testing.T) *line {
	t.Helper()
	l := &line{proxy: faultproxy.New(faultproxy.Options{Seed: 1}), root: t.TempDir()}
	l.ports = l.proxy.PassivePorts(faultproxy.PassiveOptions{})
	var err error
	l.trio, err = testserver.StartTrio(testserver.TrioOptions{Root: l.root, PassivePorts: l.ports})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(l.proxy.Close(), l.trio.Close()); err != nil {
			t.Error(err)
		}
	})
	l.ftp = newRoute(t, l.proxy, faultproxy.RouteOptions{Role: faultproxy.Control, Target: l.trio.FTP.Addr().String()})
	l.ftps = newRoute(t, l.proxy, faultproxy.RouteOptions{Role: faultproxy.Control, Target: l.trio.FTPS.Addr().String()})
	l.sftp = newRoute(t, l.proxy, faultproxy.RouteOptions{Role: faultproxy.SSH, Target: l.trio.SFTP.Addr().String()})
	return l
}

func (l *line) dialFTP(t *testing.T, route *faultproxy.Route, opts ...ftp.DialOption) *ftp.ServerConn {
	t.Helper()
	conn, err := ftp.Dial(route.Addr().String(), append(opts, ftp.DialWithTimeout(waitLimit))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Quit() })
	if err := conn.Login(l.trio.User, l.trio.Password); err != nil {
		t.Fatal(err)
	}
	return conn
}

func (l *line) wantFile(t *testing.T, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(l.root, name))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s on disk: %d bytes, %v; want %d", name, len(got), err, len(want))
	}
}

func fetch(conn *ftp.ServerConn, name string) ([]byte, error) {
	response, err := conn.Retr(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(response)
	return data, errors.Join(err, response.Close())
}
