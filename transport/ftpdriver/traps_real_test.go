//go:build linux && realserver

package ftpdriver

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// Trap 1: a source that fails must not leave a file that the server takes for
// whole; the session survives on all three servers.
func TestRealSourceFails(t *testing.T) {
	eachReal(t, func(t *testing.T, _ *realserver.Server, ep *transport.Endpoint) {
		c := dial(t, ep)
		for _, size := range []int{0, 1000, 3 << 20} {
			src := io.MultiReader(bytes.NewReader(random(size)), failing{fs.ErrPermission})
			_, err := c.Store(t.Context(), "f", 0, src, nil)
			var te *transport.Error
			if !errors.As(err, &te) || te.Kind != transport.KindLocal || te.MayHaveActed || !c.Usable() {
				t.Errorf("%d bytes: usable %v, %v", size, c.Usable(), err)
			}
			if te != nil && te.Code < 400 {
				t.Errorf("%d bytes: the server says %d", size, te.Code)
			}
			if _, err := c.Stat(t.Context(), "."); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A RETR that is cut off leaves the session in step.
func TestRealCutRetrieve(t *testing.T) {
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		l := &log{}
		ep.Trace = l.trace()
		c := dial(t, ep)
		defer func() {
			if t.Failed() {
				t.Log(l)
			}
		}()
		data := random(8 << 20)
		write(t, filepath.Join(srv.Root, "f"), data)
		for range 5 {
			var b bytes.Buffer
			n, err := c.Retrieve(t.Context(), "f", 100, &b, &transport.IO{Limit: 5000})
			if n != 5000 || err != nil || !bytes.Equal(b.Bytes(), data[100:5100]) || !c.Usable() {
				t.Fatal(n, err, c.Usable())
			}
			_, err = c.Retrieve(t.Context(), "f", 0, failing{fs.ErrPermission}, nil)
			if transport.KindOf(err) != transport.KindLocal || !c.Usable() {
				t.Fatal(err, c.Usable())
			}
		}
		var b bytes.Buffer
		if _, err := c.Retrieve(t.Context(), "f", 0, &b, nil); err != nil || !bytes.Equal(b.Bytes(), data) {
			t.Fatal(err)
		}
		n, err := c.Retrieve(t.Context(), "f", int64(len(data))-1000, io.Discard, &transport.IO{Limit: 1000})
		if n != 1000 || err != nil || !c.Usable() {
			t.Fatal(n, err)
		}
		// A limit beyond the end is the end.
		n, err = c.Retrieve(t.Context(), "f", int64(len(data))-1000, io.Discard, &transport.IO{Limit: 2000})
		if n != 1000 || err != nil || !c.Usable() {
			t.Fatal(n, err)
		}
	})
}

// REST with STOR at the size that SIZE tells works everywhere.
func TestRealResume(t *testing.T) {
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		c := dial(t, ep)
		data := random(300_000)
		for i := 0; i < len(data); i += 100_000 {
			if i > 0 {
				if e, err := c.Stat(t.Context(), "f"); err != nil || e.Size != int64(i) {
					t.Fatal(e, err)
				}
			}
			if n, err := c.Store(t.Context(), "f", int64(i), bytes.NewReader(data[i:i+100_000]), nil); err != nil || n != 100_000 {
				t.Fatal(i, n, err)
			}
		}
		sameFile(t, filepath.Join(srv.Root, "f"), data)
	})
}

// Trap 3: with AllowStoreRestart off ProFTPD takes REST and answers STOR with a
// 4xx that is permanent.
func TestRealNoStoreRestart(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.ProFTPD, NoStoreRestart: true})
	c := dial(t, realEndpoint(srv, transport.FTP))
	if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("hello"), nil); err != nil {
		t.Fatal(err)
	}
	_, err := c.Store(t.Context(), "f", 5, strings.NewReader(" world"), nil)
	wantKind(t, err, transport.KindRestart, 451)
	if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("again"), nil); err != nil {
		t.Fatal(err)
	}
	sameFile(t, filepath.Join(srv.Root, "f"), []byte("again"))
}

// Traps 4 and 16: vsftpd does not answer a STOR while another session holds the
// file.
func TestRealLocked(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.VSFTPD})
	ep := realEndpoint(srv, transport.FTP)
	first := dial(t, ep)
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() { _, err := first.Store(t.Context(), "f", 0, r, nil); done <- err }()
	if _, err := w.Write(random(100_000)); err != nil {
		t.Fatal(err)
	}
	second := dial(t, ep)
	begin := time.Now()
	_, err := second.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
	wantKind(t, err, transport.KindLocked, 0)
	if d := time.Since(begin); d < 5*time.Second || d > 10*time.Second || second.Usable() {
		t.Errorf("after %v, usable %v", d, second.Usable())
	}
	if _, err := dial(t, ep).Store(t.Context(), "other", 0, strings.NewReader("x"), nil); err != nil {
		t.Error(err)
	}
	_ = w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// ProFTPD as it comes gives no tickets in TLS 1.2, so that Go has nothing to
// resume and every data connection is refused. The error says what to do.
func TestRealNoTickets(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired,
		MinTLS: tls.VersionTLS12, MaxTLS: tls.VersionTLS12, RequireReuse: true, Extra: []string{"TLSSessionTickets off"}})
	c := dial(t, realEndpoint(srv, transport.FTPS))
	_, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
	wantKind(t, err, transport.KindUnsupported, 425)
	err = c.List(t.Context(), ".", func(transport.Entry) bool { return true })
	wantKind(t, err, transport.KindUnsupported, 425)
	if !strings.Contains(err.Error(), "TLSSessionTickets") {
		t.Error(err)
	}
}

// A data connection that breaks in its handshake must not cost the TLS session that
// later ones have to resume. vsftpd's session ends with it: its process dies and
// says "500 OOPS" in clear on the encrypted connection.
func TestRealSessionSurvivesBrokenHandshake(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(string(kind)+"/"+tls.VersionName(version), func(t *testing.T) {
				opt := realserver.Options{Kind: kind, TLS: realserver.TLSRequired, MinTLS: version, MaxTLS: version, RequireReuse: true}
				if kind == realserver.ProFTPD {
					opt.Extra = []string{"TLSSessionTickets on"}
				}
				srv := realtest.Start(t, opt)
				c := dial(t, realEndpoint(srv, transport.FTPS))
				for range 3 {
					err := c.operate(t.Context(), wire.WatchOf(c.ep), func(op *wire.Op) error {
						d, err := c.openData(op, "STOR f")
						if err != nil {
							return err
						}
						defer d.release()
						d.upload = true
						if err := c.ctl.send("STOR f"); err != nil {
							return err
						}
						if _, err := c.ctl.receive(); err != nil {
							return err
						}
						_ = d.wire.Abort()
						_ = d.Handshake()
						_, err = c.ctl.receive()
						return err
					})
					if err != nil {
						err = c.failure(t.Context(), &transport.Store{Path: "f"}, err, c.ctl.waiting)
					}
					c.settle()
					if kind == realserver.VSFTPD {
						if err == nil || c.Usable() {
							t.Fatal(err, c.Usable())
						}
						c = dial(t, realEndpoint(srv, transport.FTPS))
					} else if transport.KindOf(err) != transport.KindUnknown && !c.Usable() {
						t.Fatal(err)
					}
					data := random(100_000)
					if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil {
						t.Fatal(err)
					}
					sameFile(t, filepath.Join(srv.Root, "f"), data)
				}
			})
		}
	}
}

func TestRealImplicit(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD} {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind, TLS: realserver.TLSImplicit, RequireReuse: true})
			c := dial(t, realEndpoint(srv, transport.FTPSImplicit))
			data := random(1 << 20)
			if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil {
				t.Fatal(err)
			}
			sameFile(t, filepath.Join(srv.Root, "f"), data)
		})
	}
}

// A wrong address in PASV, as behind NAT, is ignored; IPv6 works.
func TestRealAddresses(t *testing.T) {
	for _, kind := range realserver.FTPKinds() {
		t.Run(string(kind)+"/NAT", func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind, PassiveAddress: "10.9.8.7"})
			c := dial(t, realEndpoint(srv, transport.FTP))
			c.noEPSV = true
			if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil {
				t.Fatal(err)
			}
		})
		t.Run(string(kind)+"/IPv6", func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind, Listen: "::1", TLS: realserver.TLSRequired})
			c := dial(t, realEndpoint(srv, transport.FTPS))
			if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Trap 10: the same codes for different things.
func TestRealRefusals(t *testing.T) {
	for _, kind := range realserver.FTPKinds() {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind, MaxPerHost: 1})
			ep := realEndpoint(srv, transport.FTP)
			c := dial(t, ep)
			_, err := Dial(t.Context(), ep)
			if transport.KindOf(err) != transport.KindBusy {
				t.Error(err)
			}
			t.Log(err)
			// Files and folders of somebody else.
			write(t, filepath.Join(srv.Root, "private"), []byte("x"))
			_ = os.Chmod(filepath.Join(srv.Root, "private"), 0o600)
			_ = os.Mkdir(filepath.Join(srv.Root, "theirs"), 0o755)
			write(t, filepath.Join(srv.Root, "theirs", "f"), []byte("x"))
			ctx := t.Context()
			_, err = c.Retrieve(ctx, "private", 0, io.Discard, nil)
			t.Log(err)
			if !errors.Is(err, fs.ErrPermission) {
				t.Error("not a matter of permission")
			}
			_, err = c.Retrieve(ctx, "theirs", 0, io.Discard, nil)
			t.Log(err)
			if errors.Is(err, fs.ErrNotExist) || err == nil {
				t.Error("a folder is not missing")
			}
			for what, err := range map[string]error{
				"DELE": c.Remove(ctx, "theirs/f"), "RMD": c.Rmdir(ctx, "theirs"), "MKD": c.Mkdir(ctx, "theirs/d"),
				"MFMT": c.Chtimes(ctx, "private", time.Now()), "DELE of a folder": c.Remove(ctx, "theirs"), "RMD of a file": c.Rmdir(ctx, "private"),
			} {
				t.Log(what, err)
				if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) || errors.Is(err, errors.ErrUnsupported) {
					t.Error("classified wrongly")
				}
			}
			_, err = c.Store(ctx, "theirs/f", 0, strings.NewReader("y"), nil)
			t.Log(err)
			if k := transport.KindOf(err); k != transport.KindPermission && k != transport.KindRefused {
				t.Error(k)
			}
			_ = c.Close()
			ep.Password = "wrong"
			for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
				if _, err = Dial(ctx, ep); transport.KindOf(err) != transport.KindBusy {
					break
				}
			}
			wantKind(t, err, transport.KindAuth, 530)
		})
	}
}

func TestRealIdle(t *testing.T) {
	for _, kind := range []realserver.Kind{realserver.VSFTPD, realserver.ProFTPD} {
		t.Run(string(kind), func(t *testing.T) {
			// Three seconds and not one: ProFTPD counts by the clock's whole
			// seconds, and a login may meet the end of one.
			srv := realtest.Start(t, realserver.Options{Kind: kind, IdleTimeout: 3 * time.Second})
			c := dial(t, realEndpoint(srv, transport.FTP))
			time.Sleep(5 * time.Second)
			err := c.Ping(t.Context())
			wantKind(t, err, transport.KindLost, 421)
			if c.Usable() {
				t.Error("usable")
			}
		})
	}
}

// AUTH TLS refused: not offered, and nothing was said in clear.
func TestRealNoTLS(t *testing.T) {
	for _, kind := range realserver.FTPKinds() {
		srv := realtest.Start(t, realserver.Options{Kind: kind})
		l := &log{}
		ep := realEndpoint(srv, transport.FTPS)
		ep.Trace = l.trace()
		_, err := Dial(t.Context(), ep)
		if transport.KindOf(err) != transport.KindNotOffered || len(l.commands()) != 1 {
			t.Errorf("%s: %v, sent %q", kind, err, l.commands())
		}
	}
	for _, kind := range realserver.FTPKinds() {
		srv := realtest.Start(t, realserver.Options{Kind: kind, TLS: realserver.TLSRequired})
		_, err := Dial(t.Context(), realEndpoint(srv, transport.FTP))
		if transport.KindOf(err) != transport.KindAuth {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
