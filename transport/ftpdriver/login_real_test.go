//go:build linux && realserver

package ftpdriver

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealLogin: what is sent with the password is answered by those servers that it is
// sent to, and a wrong password is refused as ever.
func TestRealLogin(t *testing.T) {
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		for range 10 {
			c := dial(t, ep)
			eager := srv.Kind == realserver.VSFTPD || srv.Kind == realserver.ProFTPD
			if (c.ctl.lead == "PASS") != eager || c.serial || c.lacks(lacksEagerness) {
				t.Errorf("sent with %s; serial: %v", c.ctl.lead, c.serial)
			}
			if n, err := c.Store(t.Context(), "f", 0, strings.NewReader("whole"), nil); err != nil || n != 5 {
				t.Fatal(n, err)
			}
			if len(c.feats) == 0 {
				t.Error("it has no features")
			}
			_ = c.Close()
		}
		wrong := *ep
		wrong.Password = "not this one"
		var texts []string
		for range 2 { // with what follows, and without
			_, err := Dial(t.Context(), &wrong)
			te := wantKind(t, err, transport.KindAuth, 530)
			if te.Op != "PASS" {
				t.Error(te)
			}
			texts = append(texts, err.Error())
			wrong.Learned.Note(ep.Addr(), lacksEagerness, true)
		}
		if texts[0] != texts[1] {
			t.Errorf("%q, else %q", texts[0], texts[1])
		}
		t.Log(texts[0])
	})
}

// TestRealLargeUpload: what a large upload asks of a server, from the login on.
func TestRealLargeUpload(t *testing.T) {
	data := random(4 << 20)
	eachReal(t, func(t *testing.T, srv *realserver.Server, ep *transport.Endpoint) {
		l := &log{}
		ep.Trace = l.trace()
		src, err := os.Open(write(t, filepath.Join(t.TempDir(), "src"), data))
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		if err := os.Mkdir(filepath.Join(srv.Root, "folder"), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(srv.Root, "there"), data[:7])
		c := dial(t, ep)
		var found []*transport.Stat
		var reqs []transport.Request
		for _, name := range []string{"folder", "there", "f", "f.part"} {
			found = append(found, &transport.Stat{Path: name})
			reqs = append(reqs, found[len(found)-1])
		}
		store := &transport.Store{Path: "f.part", Src: src, Size: int64(len(data))}
		store.If = func() bool {
			if !found[0].Entry.IsDir() || found[1].Err != nil || found[1].Entry.Size != 7 || transport.KindOf(found[2].Err) != transport.KindNotExist || transport.KindOf(found[3].Err) != transport.KindNotExist {
				t.Errorf("%+v", found)
			}
			return true
		}
		if err := c.Do(t.Context(), transport.NewBatch(append(reqs, store)...)); err != nil || store.Err != nil || store.Stored != int64(len(data)) {
			t.Fatal(store.Stored, store.Err, err)
		}
		sameFile(t, filepath.Join(srv.Root, "f.part"), data)
		if lines := strings.Join(l.commands(), ", "); strings.Count(lines, "EPSV") != 1 {
			t.Error("the port was asked for twice")
		}
		t.Log(strings.Join(l.commands(), ", "))
		// A resumed one, and one into nowhere, which the next is none the worse for.
		if err := os.Truncate(filepath.Join(srv.Root, "f.part"), 1<<20); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Store(t.Context(), "f.part", 1<<20, bytes.NewReader(data[1<<20:]), nil); err != nil || n != 3<<20 {
			t.Fatal(n, err)
		}
		sameFile(t, filepath.Join(srv.Root, "f.part"), data)
		for range 3 {
			rest := bytes.NewReader(data)
			store := &transport.Store{Path: "no/f", Src: rest}
			store.If = func() bool { return true }
			_ = c.Do(t.Context(), transport.NewBatch(&transport.Stat{Path: "no/f"}, store))
			if n, err := store.Stored, store.Err; err == nil || n != 0 || rest.Len() != len(data) || !c.Usable() {
				t.Errorf("%d, %d left, usable %v: %v", n, rest.Len(), c.Usable(), err)
			}
		}
		if n, err := c.Store(t.Context(), "g", 0, bytes.NewReader(data), nil); err != nil || n != int64(len(data)) {
			t.Fatal(n, err)
		}
		sameFile(t, filepath.Join(srv.Root, "g"), data)
	})
}
