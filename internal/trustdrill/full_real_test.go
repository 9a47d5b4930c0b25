//go:build linux && realserver

package trustdrill

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// tells fails the test unless the error says what kind it is, which file, and how
// far it came, and unless the partial that it names is there and that long.
func (r *rig) tells(t *testing.T, err error, kind transport.Kind, source string) {
	t.Helper()
	t.Log(err)
	var e *ftpx.Error
	if !errors.As(err, &e) || ftpx.KindOf(err) != kind {
		t.Fatalf("kind %v, want %v", ftpx.KindOf(err), kind)
	}
	if e.Outcome != ftpx.NotDone || e.Local != source || e.Remote != "f" || !strings.Contains(err.Error(), source) {
		t.Errorf("it does not say which file: %+v", e)
	}
	if e.Partial == "" || e.Offset <= 0 {
		t.Errorf("it does not say how far it came: %+v", e)
		return
	}
	if n := sizeOf(t, r.on(e.Partial)); n < e.Offset {
		t.Errorf("%d bytes are said to have arrived, %d are there", e.Offset, n)
	}
	if _, err := os.Stat(r.on("f")); err == nil {
		t.Error("there is a file under the final name")
	}
}

// TestDiskFull fills the server's disk with an upload: the error says so, the
// partial stays, and once there is space the same call goes on.
func TestDiskFull(t *testing.T) {
	const size = 20 * mib
	data := content(1, size)
	for _, s := range append([]setup{sshd}, ftpSetups...) {
		t.Run(s.name, func(t *testing.T) {
			root := smallDisk(t, "8m")
			r := newRig(t, s.with(func(o *realserver.Options) { o.Root = root }))
			source, c := local(t, data), r.client(t)
			_, err := c.Upload(t.Context(), source, "f", nil)
			r.tells(t, err, transport.KindNoSpace, source)

			enlarge(t, root, "64m")
			res, err := c.Upload(t.Context(), source, "f", nil)
			if err != nil || res.Kept == 0 || !same(t, r.on("f"), data) {
				t.Fatalf("%+v, %v", res, err)
			}
			t.Logf("with space it went on: %s kept, %s sent", inMiB(res.Kept), inMiB(res.Moved))
			r.only(t, "f")
		})
	}
}

// TestQuotaFull is the same for a quota; room is made by deleting another file.
// Pure-FTPd deletes what was over its quota, so that nothing can be kept.
func TestQuotaFull(t *testing.T) {
	const size, quota = 6 * mib, 8 * mib
	data := content(1, size)
	for _, s := range []setup{pureftpd, pureftpdS} {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s.with(func(o *realserver.Options) { o.QuotaBytes = quota }))
			c := r.client(t)
			if _, err := c.Upload(t.Context(), local(t, content(2, 4*mib)), "other", nil); err != nil {
				t.Fatal(err)
			}
			source := local(t, data)
			_, err := c.Upload(t.Context(), source, "f", nil)
			t.Log(err)
			if ftpx.KindOf(err) != transport.KindQuota {
				t.Fatalf("kind %v", ftpx.KindOf(err))
			}
			t.Logf("left: %q", r.partials(t))
			if _, err := os.Stat(r.on("f")); err == nil {
				t.Error("there is a file under the final name")
			}
			if err := c.Remove(t.Context(), "other"); err != nil {
				t.Fatal(err)
			}
			res, err := c.Upload(t.Context(), source, "f", nil)
			if err != nil || !same(t, r.on("f"), data) {
				t.Fatalf("%+v, %v", res, err)
			}
			t.Logf("with room it went on: %s kept, %s sent", inMiB(res.Kept), inMiB(res.Moved))
			r.only(t, ".ftpquota", "f")
		})
	}
}

// TestRealPermission writes where the login may not, and reads what it may not.
// vsftpd says no more than that it could not, and the client finds out why.
func TestRealPermission(t *testing.T) {
	for _, s := range append([]setup{sshd}, ftpSetups...) {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			if err := os.Mkdir(r.on("theirs"), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, r.on("unreadable"), content(1, 100_000))
			if err := os.Chmod(r.on("unreadable"), 0o600); err != nil {
				t.Fatal(err)
			}
			c := r.client(t)
			source := local(t, content(1, 100_000))
			_, err := c.Upload(t.Context(), source, "theirs/f", nil)
			t.Logf("upload: %v: %v", ftpx.KindOf(err), err)
			if k := ftpx.KindOf(err); k != transport.KindPermission {
				t.Errorf("upload: kind %v", k)
			}
			target := filepath.Join(t.TempDir(), "f")
			_, err = c.Download(t.Context(), "unreadable", target, nil)
			t.Logf("download: %v: %v", ftpx.KindOf(err), err)
			if k := ftpx.KindOf(err); k != transport.KindPermission {
				t.Errorf("download: kind %v", k)
			}
			if left, _ := filepath.Glob(target + "*"); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}
