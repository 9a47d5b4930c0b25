package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestRefusedLooksUp: where nothing may be looked at, everything is sent; Delete, which
// needs to see what is there, is refused.
func TestRefusedLooksUp(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		var root string
		w := start(t, p, func(o *testserver.TrioOptions, _ *ftpx.Options) {
			root = o.Root
			o.Access = func(op testserver.Op, name string) error {
				if op == testserver.OpWrite || op == testserver.OpMkdir || name == "/" {
					return nil
				}
				return os.ErrPermission
			}
		})
		local := t.TempDir()
		write(t, local, map[string]string{"a": "1", "d/b": "22"})
		must(t, os.MkdirAll(filepath.Join(root, "out", "d"), 0o700))
		r, err := folder.Upload(t.Context(), w.client, local, "out", &folder.Options{Delivery: ftpx.DeliverDirect})
		if err != nil || r.Copied != 2 || r.Failed != 0 {
			t.Errorf("%v: %+v, %v", p, r, err)
		}
		for name, want := range map[string]string{"a": "1", "d/b": "22"} {
			if b, err := os.ReadFile(filepath.Join(root, "out", name)); err != nil || string(b) != want {
				t.Errorf("%v: %s is %q, %v", p, name, b, err)
			}
		}
		if _, err := folder.Upload(t.Context(), w.client, local, "out", &folder.Options{Delivery: ftpx.DeliverDirect, Delete: true}); ftpx.KindOf(err) != ftpx.KindPermission {
			t.Errorf("%v: with Delete: %v", p, err)
		}
		_, err = folder.Upload(t.Context(), w.client, local, "out", &folder.Options{OnItem: func(i folder.Item) {
			var refused *ftpx.DeliveryError
			if i.Err != nil && !errors.As(i.Err, &refused) {
				t.Errorf("%v: by way of a partial: %v", p, i.Err)
			}
		}})
		if err == nil {
			t.Errorf("%v: by way of a partial: done", p)
		}
	}
}

// TestRefusedFolder: where a folder may not be made, that is said.
func TestRefusedFolder(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		w := start(t, p, func(o *testserver.TrioOptions, _ *ftpx.Options) {
			o.Access = func(op testserver.Op, name string) error {
				if op == testserver.OpWrite || name == "/" {
					return nil
				}
				return os.ErrPermission
			}
		})
		local := t.TempDir()
		write(t, local, map[string]string{"d/b": "22"})
		r, err := folder.Upload(t.Context(), w.client, local, "out", &folder.Options{Delivery: ftpx.DeliverDrop, OnItem: func(i folder.Item) {
			if i.Err != nil && ftpx.KindOf(i.Err) != ftpx.KindPermission {
				t.Errorf("%v: %v", p, i.Err)
			}
		}})
		if err == nil || r.Failed != 1 {
			t.Errorf("%v: %+v, %v", p, r, err)
		}
	}
}
