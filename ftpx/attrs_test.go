package ftpx_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestMode: a file has its permission bits before it has its name; a refusal is none of
// the upload.
func TestMode(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		for _, size := range []int{0, 1354, 1 << 20} {
			trio := startTrio(t)
			c := connect(t, trio, optionsFor(trio, p))
			data := content(size)
			for i, d := range []ftpx.Delivery{ftpx.DeliverAtomic, ftpx.DeliverDirect} {
				mode := fs.FileMode(0o640 + i*0o10)
				res, err := c.Upload(t.Context(), localFile(t, data), "f", &ftpx.UploadOptions{Mode: mode, Delivery: d})
				info, serr := os.Stat(filepath.Join(trio.Root, "f"))
				if err != nil || serr != nil || !res.ModeSet || info.Mode() != mode {
					t.Errorf("%v, %d bytes, %v: %+v, %v, %v", p, size, d, res, err, info)
				}
			}
		}
		trio := startTrio(t, func(o *testserver.TrioOptions) {
			o.Access = func(op testserver.Op, _ string) error {
				if op == testserver.OpSet {
					return os.ErrPermission
				}
				return nil
			}
		})
		c := connect(t, trio, optionsFor(trio, p))
		if res, err := c.Upload(t.Context(), localFile(t, content(1000)), "f", &ftpx.UploadOptions{Mode: 0o600}); err != nil || res.ModeSet {
			t.Errorf("%v, refused: %+v, %v", p, res, err)
		}
		if err := c.Chmod(t.Context(), "f", 0o600); err == nil {
			t.Errorf("%v: a refusal was no error", p)
		}
	}
}

func TestChmod(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		trio := startTrio(t)
		c := connect(t, trio, optionsFor(trio, p))
		name := filepath.Join(trio.Root, "f")
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.Chmod(t.Context(), "f", 0o751); err != nil {
			t.Error(p, err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o751 {
			t.Error(p, info.Mode(), err)
		}
		if err := c.Chmod(t.Context(), "none", 0o751); !errors.Is(err, fs.ErrNotExist) && p == ftpx.SFTP || err == nil {
			t.Error(p, err)
		}
	}
}

func TestLinks(t *testing.T) {
	trio := startTrio(t)
	c := connect(t, trio, optionsFor(trio, ftpx.SFTP))
	if err := c.Symlink(t.Context(), "f", "l"); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(filepath.Join(trio.Root, "l")); to != "f" {
		t.Error(to, err)
	}
	if to, err := c.ReadLink(t.Context(), "l"); to != "f" || err != nil {
		t.Error(to, err)
	}
	if err := c.Symlink(t.Context(), "g", "l"); err == nil {
		t.Error("a link was replaced")
	}
	if _, err := c.ReadLink(t.Context(), "none"); err == nil {
		t.Error("a link that is not there was read")
	}
	f := connect(t, trio, optionsFor(trio, ftpx.FTP))
	if err := f.Symlink(t.Context(), "f", "m"); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
	if _, err := f.ReadLink(t.Context(), "l"); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

// TestRaw: a command of the caller's gets its reply, what would lead the connection astray
// is refused, and a lost reply is unknown and not asked for again.
func TestRaw(t *testing.T) {
	times := 0
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		o.FTP = func(f *testserver.FTPOptions) {
			f.OnCommand = func(verb, argument string) string {
				if verb == "SITE" && argument == "WHO" {
					times++
					return "211 \x1b[31myou"
				}
				return ""
			}
		}
	})
	c := connect(t, trio, optionsFor(trio, ftpx.FTP))
	if r, err := c.Raw(t.Context(), "SITE WHO"); err != nil || r.Code != 211 || !strings.Contains(r.Text, "you") || times != 1 {
		t.Errorf("%+v, %v, %d times", r, err, times)
	}
	if r, err := c.Raw(t.Context(), "NOPE"); err != nil || r.Code/100 != 5 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, line := range []string{"TYPE A", "cwd /", "REST 5", "STOR x", "a\r\nDELE f", ""} {
		if _, err := c.Raw(t.Context(), line); ftpx.KindOf(err) != transport.KindInvalid {
			t.Errorf("%q: %v", line, err)
		}
	}
	s := connect(t, trio, optionsFor(trio, ftpx.SFTP))
	if _, err := s.Raw(t.Context(), "SITE WHO"); !errors.Is(err, errors.ErrUnsupported) {
		t.Error(err)
	}
}

func TestSpace(t *testing.T) {
	trio := startTrio(t)
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		c := connect(t, trio, optionsFor(trio, p))
		s, err := c.Space(t.Context(), ".")
		if err == nil && s.Free < 0 || err != nil && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: %+v, %v", p, s, err)
		}
	}
}

// TestModeInMemory: the server in memory keeps modes, for tests of programs.
func TestModeInMemory(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("f", nil, time.Now())
		if err := c.Chmod(t.Context(), "f", 0o751); err != nil {
			t.Fatal(err)
		}
		if e, err := c.Stat(t.Context(), "f"); err != nil || e.Perm != 0o751 {
			t.Error(e.Perm, err)
		}
	})
}
