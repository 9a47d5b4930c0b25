//go:build linux && realserver

package ftpdriver

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func realEndpoint(srv *realserver.Server, p transport.Protocol) *transport.Endpoint {
	return &transport.Endpoint{Protocol: p, Host: srv.Host, Port: srv.Port, User: srv.User, Password: transport.Secret(srv.Password),
		TLS: transport.TLS{CAFile: srv.CAFile}, Stall: 15 * time.Second, Learned: new(transport.Learned)}
}

// eachReal runs f on every server, in clear and in both TLS versions with
// session reuse required where the server knows that.
func eachReal(t *testing.T, f func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint)) {
	for _, kind := range realserver.FTPKinds() {
		for _, version := range []uint16{0, tls.VersionTLS12, tls.VersionTLS13} {
			name, p, opt := fmt.Sprintf("%s/plain", kind), transport.FTP, realserver.Options{Kind: kind}
			if version != 0 {
				name, p = fmt.Sprintf("%s/%s", kind, tls.VersionName(version)), transport.FTPS
				opt.TLS, opt.MinTLS, opt.MaxTLS = realserver.TLSRequired, version, version
				opt.RequireReuse = kind != realserver.PureFTPd
			}
			opt.Digest = kind == realserver.ProFTPD
			if opt.Digest && version == tls.VersionTLS12 {
				// Go resumes TLS 1.2 by ticket alone; see TestRealNoTickets.
				opt.Extra = []string{"TLSSessionTickets on"}
			}
			t.Run(name, func(t *testing.T) {
				srv := realtest.Start(t, opt)
				f(t, srv, realEndpoint(srv, p))
			})
		}
	}
}

// Trap 5: 60 uploads each arrive whole, in TLS 1.3 too, where a bare library
// loses the tail of one in three on vsftpd.
func TestRealSixtyStores(t *testing.T) {
	all := random(8 << 20)
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		c := dial(t, ep)
		t.Logf("%q %+v %+v", c.Info().Server, c.Info().Caps, c.Info().Security)
		for i := range 60 {
			data := all[i : i+i*17_003]
			if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil || n != int64(len(data)) {
				t.Fatalf("%d: %d of %d bytes, %v", i, n, len(data), err)
			}
			sameFile(t, filepath.Join(srv.Root, "f"), data)
		}
		src, err := os.Open(write(t, filepath.Join(t.TempDir(), "src"), all))
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		if n, err := c.Store(t.Context(), "big", 0, src, nil); err != nil || n != int64(len(all)) {
			t.Fatal(n, err)
		}
		sameFile(t, filepath.Join(srv.Root, "big"), all)
		for i := range 8 {
			var got bytes.Buffer
			off := int64(i) << 20
			if n, err := c.Retrieve(t.Context(), "big", off, &got, nil); err != nil || !bytes.Equal(got.Bytes(), all[off:]) {
				t.Fatal(i, n, err)
			}
		}
	})
}

func TestRealFiles(t *testing.T) {
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		l := &log{}
		ep.Trace = l.trace()
		c := dial(t, ep)
		defer func() {
			if t.Failed() {
				t.Log(l)
			}
		}()
		ctx := t.Context()
		if err := c.Mkdir(ctx, "d e"); err != nil {
			t.Fatal(err)
		}
		if err := c.Mkdir(ctx, "d e"); err == nil {
			t.Error("made twice")
		} else {
			t.Log("mkdir twice:", err)
		}
		names := []string{".hidden", "-a", "a b", "ä", "x"}
		for _, n := range names {
			if _, err := c.Store(ctx, "d e/"+n, 0, strings.NewReader(n), nil); err != nil {
				t.Fatalf("%q: %v", n, err)
			}
		}
		_ = os.Symlink("./././x", filepath.Join(srv.Root, "d e", "link"))
		_ = os.Symlink("no", filepath.Join(srv.Root, "d e", "dangling"))
		_ = os.Mkdir(filepath.Join(srv.Root, "d e", "sub"), 0o755)
		_ = os.Mkdir(filepath.Join(srv.Root, "empty"), 0o755)
		var got []string
		if err := c.List(ctx, "d e", func(e transport.Entry) bool {
			got = append(got, e.Name)
			t.Logf("%+v", e)
			return true
		}); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		want := append([]string{"sub", "link"}, names...)
		if srv.Kind != realserver.ProFTPD { // which leaves it out
			want = append(want, "dangling")
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if err := c.List(ctx, "empty", func(e transport.Entry) bool { t.Error(e); return true }); err != nil {
			t.Error(err)
		}
		err := c.List(ctx, "no", func(e transport.Entry) bool { t.Error(e); return true })
		wantKind(t, err, transport.KindNotExist, 550)
		err = c.List(ctx, "d e/x", func(e transport.Entry) bool { t.Log("list of a file:", e); return true })
		if err == nil {
			t.Error("a file can be listed")
		}
		t.Log("list of a file:", err)

		when := time.Date(2020, 2, 29, 12, 34, 56, 0, time.UTC)
		if err := c.Chtimes(ctx, "d e/x", when); err != nil {
			t.Fatal(err)
		}
		for name, size := range map[string]int64{"d e/x": 1, "d e/link": 1, "d e/-a": 2} {
			e, err := c.Stat(ctx, name)
			if err != nil || e.Size != size || e.Type != transport.TypeFile || !e.TimeExact || size == 1 && !e.ModTime.Equal(when) {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
		for _, name := range []string{"d e", ".", "/", "d e/sub"} {
			if e, err := c.Stat(ctx, name); err != nil || !e.IsDir() {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
		for _, name := range []string{"no", "no/no", "d e/no"} {
			if e, err := c.Stat(ctx, name); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
		if e, err := c.Stat(ctx, "d e/dangling"); err == nil {
			t.Errorf("dangling: %+v", e)
		} else {
			t.Log("dangling:", err)
		}
		if err := c.Chtimes(ctx, "no", when); err == nil || errors.Is(err, errors.ErrUnsupported) {
			t.Error(err)
		} else {
			t.Log("chtimes of nothing:", err)
		}
		if err := c.Rename(ctx, "d e/x", "d e/a b", true); err != nil {
			t.Error(err)
		}
		sameFile(t, filepath.Join(srv.Root, "d e/a b"), []byte("x"))
		err = c.Rename(ctx, "d e/x", "d e/y", true)
		if te := wantKind(t, err, transport.KindNotExist, 550); te.Op != "RNFR" {
			t.Error(te)
		}
		if err := c.Rename(ctx, "d e/a b", "no/y", true); err == nil {
			t.Error("renamed into nowhere")
		} else {
			t.Log("rename into nowhere:", err)
		}
		if _, err := c.Store(ctx, "no/f", 0, strings.NewReader("x"), nil); err == nil {
			t.Error("stored into nowhere")
		} else {
			t.Log("store into nowhere:", err)
		}
		if _, err := c.Retrieve(ctx, "no", 0, io.Discard, nil); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if err := c.Rmdir(ctx, "d e"); err == nil {
			t.Error("removed a full folder")
		} else {
			t.Log("rmdir of a full folder:", err)
		}
		if err := c.Remove(ctx, "d e/a b"); err != nil {
			t.Error(err)
		}
		if err := c.Remove(ctx, "d e/a b"); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if err := c.Ping(ctx); err != nil || !c.Usable() {
			t.Error(err)
		}
	})
}

func TestRealHash(t *testing.T) {
	srv := realtest.Start(t, realserver.Options{Kind: realserver.ProFTPD, Digest: true})
	l := &log{}
	ep := realEndpoint(srv, transport.FTP)
	ep.Trace = l.trace()
	c := dial(t, ep)
	t.Logf("%+v", c.Info().Caps)
	data := random(1000)
	for _, name := range []string{"plain", "a b", `q"uote`, "ä ö"} {
		if _, err := c.Store(t.Context(), name, 0, bytes.NewReader(data), nil); err != nil {
			t.Fatal(err)
		}
		for _, part := range [][2]int64{{0, -1}, {0, 1000}, {0, 10}, {100, 50}, {100, -1}} {
			end := part[0] + part[1]
			if part[1] < 0 {
				end = 1000
			}
			want := sha256.Sum256(data[part[0]:end])
			got, err := c.Hash(t.Context(), name, "sha256", part[0], part[1])
			if err != nil || !bytes.Equal(got, want[:]) {
				t.Errorf("%s %v: %x, %v", name, part, got, err)
			}
		}
		for _, algo := range c.Info().Caps.Hashes {
			if _, err := c.Hash(t.Context(), name, algo, 0, -1); err != nil {
				t.Error(name, algo, err)
			}
		}
	}
	if t.Failed() {
		t.Log(l)
	}
}
