//go:build linux && realserver

package sftpdriver

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealBatch: what leaves in one burst is on the server's disk as it was meant, also
// where a request is about what one before it makes; and links lead from the path to the
// target on OpenSSH and on ProFTPD.
func TestRealBatch(t *testing.T) {
	for name, start := range map[string]func(*testing.T) (*client, *realserver.Server){
		"OpenSSH": func(t *testing.T) (*client, *realserver.Server) {
			srv := realtest.Start(t, realserver.Options{Kind: realserver.OpenSSH})
			return dialReal(t, realEndpoint(srv)), srv
		},
		"ProFTPD": dialProFTPD,
	} {
		t.Run(name, func(t *testing.T) {
			c, srv := start(t)
			if !c.traits.inOrder {
				t.Errorf("%s is not known to answer in order", c.Info().Server)
			}
			at := time.Unix(1_400_000_000, 0)
			data := randomBytes(5000)
			var out bytes.Buffer
			made, read := &transport.Link{Path: "a/link", Make: true, Target: "b/f"}, &transport.Link{Path: "a/link"}
			space, through := &transport.Space{Path: "a"}, &transport.Stat{Path: "a/link"}
			b := transport.NewBatch(
				&transport.Mkdir{Path: "a"}, &transport.Mkdir{Path: "a/b"},
				&transport.Store{Path: "a/b/f", Src: bytes.NewReader(data)}, &transport.SetTime{Path: "a/b/f", Time: at},
				&transport.SetMode{Path: "a/b/f", Mode: 0o640}, made, read, through,
				&transport.Retrieve{Path: "a/link", Offset: 10, Dst: &out}, &transport.Rename{From: "a/b/f", To: "a/g", Replace: true}, space)
			if err := c.Do(soon(t), b); err != nil {
				t.Fatal(err)
			}
			for i, q := range b.Requests {
				if q != space && q.Common().Err != nil {
					t.Errorf("%d: %v", i, q.Common().Err)
				}
			}
			if !bytes.Equal(out.Bytes(), data[10:]) || through.Entry.Size != 5000 || !through.Entry.ModTime.Equal(at) || through.Entry.Perm != 0o640 {
				t.Errorf("%d bytes, %+v", out.Len(), through.Entry)
			}
			onDisk, err := os.Readlink(filepath.Join(srv.Root, "a/link"))
			if err != nil || onDisk != "b/f" || filepath.Base(filepath.Dir(read.Target))+"/"+filepath.Base(read.Target) != "b/f" {
				t.Errorf("the link leads to %q on the disk (%v) and to %q by the server's word", onDisk, err, read.Target)
			}
			info, err := os.Stat(filepath.Join(srv.Root, "a/g"))
			if err != nil || info.Size() != 5000 || info.Mode().Perm() != 0o640 || !info.ModTime().Equal(at) {
				t.Errorf("%+v, %v", info, err)
			}
			if space.Err == nil && (space.Free <= 0 || space.Total < space.Free) || space.Err != nil && transport.KindOf(space.Err) != transport.KindUnsupported {
				t.Errorf("%+v", space)
			}
			t.Logf("%+v", space)
		})
	}
}
