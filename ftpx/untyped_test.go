package ftpx_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// TestListingWithoutTypes: what a listing tells no type of is asked for one by one, links
// as links where the protocol can, and only what is told nothing of stays unknown.
func TestListingWithoutTypes(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			trio := startTrio(t)
			for _, name := range []string{"a", "b"} {
				if err := os.WriteFile(filepath.Join(trio.Root, name), []byte(name), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.MkdirAll(filepath.Join(trio.Root, "dir"), 0o755); err != nil {
				t.Fatal(err)
			}
			if p == ftpx.SFTP {
				if err := os.Symlink("dir", filepath.Join(trio.Root, "link")); err != nil {
					if runtime.GOOS == "windows" {
						t.Skip(err) // links need a privilege there
					}
					t.Fatal(err)
				}
			}
			opts := optionsFor(trio, p)
			ftpx.SetConnect(&opts, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
				var c transport.Conn
				var err error
				if p == ftpx.FTP {
					c, err = ftpdriver.Dial(ctx, ep)
				} else {
					c, err = sftpdriver.Dial(ctx, ep)
				}
				if err != nil {
					return nil, err
				}
				return typeless(c), nil
			})
			c := connect(t, trio, opts)
			var got []string
			for e, err := range c.List(t.Context(), ".") {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, e.Name+" "+e.Type.String())
			}
			slices.Sort(got)
			want := []string{"a file", "b file", "dir dir", "ghost unknown"}
			if p == ftpx.SFTP {
				want = append(want, "link link")
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// typeless lists without types, and one name too many.
func typeless(c transport.Conn) transport.Conn {
	return memconn.Wrap(c, func(_ context.Context, r transport.Request, next func() error) error {
		list, ok := r.(*transport.List)
		if !ok {
			return next()
		}
		yield := list.Yield
		yield(transport.Entry{Name: "ghost", Type: transport.TypeUnknown, Size: -1})
		list.Yield = func(e transport.Entry) bool {
			return yield(transport.Entry{Name: e.Name, Type: transport.TypeUnknown, Size: -1})
		}
		return next()
	})
}
