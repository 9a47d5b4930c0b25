package ftpxtest_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testmain.InMemory(m)) }

var protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit, ftpx.FTP}

func content(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// overEach runs f with a server and a client of each protocol.
func overEach(t *testing.T, f func(t *testing.T, srv *ftpxtest.Server, c ftpx.Client)) {
	for _, p := range protocols {
		t.Run(p.String(), func(t *testing.T) {
			srv := ftpxtest.NewServer(t, p)
			o := srv.Options()
			o.Timeouts.Stall, o.Timeouts.Connect = 300*time.Millisecond, time.Second
			f(t, srv, open(t, srv, o))
		})
	}
}

func open(t *testing.T, srv *ftpxtest.Server, o *ftpx.Options) ftpx.Client {
	t.Helper()
	c, err := ftpx.Open(t.Context(), srv.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func put(t *testing.T, c ftpx.Client, srv *ftpxtest.Server, name string, n int) ftpx.Result {
	t.Helper()
	data := content(n)
	res, err := c.Put(t.Context(), name, bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(srv.Root, name)); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes arrived of %d, %v", len(got), n, err)
	}
	return res
}

func TestServer(t *testing.T) {
	overEach(t, func(t *testing.T, srv *ftpxtest.Server, c ftpx.Client) {
		res := put(t, c, srv, "f", 100_000)
		if !strings.Contains(t.Name(), "/"+res.Protocol.String()) || res.Attempts != 1 {
			t.Errorf("%+v", res)
		}
		if s := srv.Stats(); s.Logins != 1 || s.Connections != 1 || s.Received < 100_000 || s.Resets != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestServerOfAllProtocols: the URL chooses, in the order of the options.
func TestServerOfAllProtocols(t *testing.T) {
	srv := ftpxtest.NewServer(t)
	for _, p := range protocols {
		o := srv.Options()
		o.Protocols = []ftpx.Protocol{p}
		if res := put(t, open(t, srv, o), srv, "f", 100); res.Protocol != p {
			t.Errorf("%v, want %v", res.Protocol, p)
		}
	}
	if srv.Port(ftpx.FTP) != srv.Port(ftpx.FTPS) {
		t.Error("FTP and FTPS have different ports")
	}
	if _, err := ftpxtest.Start(99); err == nil {
		t.Error("protocol 99 was started")
	}
}

// TestServerClosesTwice, and takes its folder along.
func TestServerClosesTwice(t *testing.T) {
	srv, err := ftpxtest.Start(ftpx.SFTP)
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, srv, srv.Options())
	for range 2 {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(srv.Root); !os.IsNotExist(err) {
		t.Error(err)
	}
	c.Close()
}

func TestResetAfter(t *testing.T) {
	overEach(t, func(t *testing.T, srv *ftpxtest.Server, c ftpx.Client) {
		srv.ResetAfter(2 << 20)
		res := put(t, c, srv, "f", 7<<20)
		if s := srv.Stats(); res.Attempts < 3 || res.Resumes < 1 || s.Resets < 2 {
			t.Errorf("%+v %+v, want resets and resumed attempts", res, s)
		}
		if err := srv.Up(); err != nil {
			t.Fatal(err)
		}
		srv.Cut()
		if res := put(t, c, srv, "g", 7<<20); res.Resumes != 0 {
			t.Errorf("after Up: %+v", res)
		}
	})
}

func TestCut(t *testing.T) {
	overEach(t, func(t *testing.T, srv *ftpxtest.Server, c ftpx.Client) {
		if n := srv.Cut(); n != 1 {
			t.Errorf("%d connections were cut, want 1", n)
		}
		if err := c.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if n := srv.Stats().Logins; n != 2 {
			t.Errorf("%d logins, want 2", n)
		}
	})
}

func TestRefuseLogins(t *testing.T) {
	overEach(t, func(t *testing.T, srv *ftpxtest.Server, _ ftpx.Client) {
		srv.RefuseLogins(2)
		for range 2 {
			if _, err := ftpx.Open(t.Context(), srv.URL(), srv.Options()); ftpx.KindOf(err) != transport.KindAuth {
				t.Errorf("%v, want a refused login", err)
			}
		}
		open(t, srv, srv.Options())
	})
}

func TestStall(t *testing.T) {
	overEach(t, func(t *testing.T, srv *ftpxtest.Server, c ftpx.Client) {
		srv.Stall()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := c.Put(ctx, "f", strings.NewReader("x"), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want a deadline that is exceeded", err)
		}
		if err := srv.Up(); err != nil {
			t.Fatal(err)
		}
		put(t, c, srv, "f", 1000)
	})
}

func TestDownAndUp(t *testing.T) {
	overEach(t, func(t *testing.T, srv *ftpxtest.Server, c ftpx.Client) {
		srv.Down()
		one := srv.Options()
		one.Retry.MaxAttempts = 1
		if _, err := ftpx.Open(t.Context(), srv.URL(), one); ftpx.KindOf(err) != transport.KindUnreachable {
			t.Errorf("%v, want an unreachable server", err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := c.Put(t.Context(), "f", strings.NewReader("x"), nil)
			done <- err
		}()
		if err := srv.Up(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWriteTrust(t *testing.T) {
	srv := ftpxtest.NewServer(t)
	ca, known, err := srv.WriteTrust(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range protocols {
		o := srv.Options()
		o.Protocols, o.SSH, o.TLS = []ftpx.Protocol{p}, transport.SSH{KnownHosts: []string{known}}, transport.TLS{CAFile: ca}
		open(t, srv, o)
	}
}
