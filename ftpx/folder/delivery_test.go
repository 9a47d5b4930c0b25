package folder_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestDropFolder: a tree goes into a folder that refuses everything but a write and a new
// folder, and whose files are taken as they are closed: each file once, also by a second
// run with the ledger.
func TestDropFolder(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		var mu sync.Mutex
		taken := map[string]int{}
		w := start(t, p, func(o *testserver.TrioOptions, _ *ftpx.Options) {
			stored := func(name string) {
				mu.Lock()
				defer mu.Unlock()
				b, err := os.ReadFile(filepath.Join(o.Root, name))
				must(t, err)
				taken[name+"="+string(b)]++
				must(t, os.Remove(filepath.Join(o.Root, name)))
			}
			o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = stored }
			o.FTP = func(s *testserver.FTPOptions) { s.OnStored = stored }
			o.Access = func(op testserver.Op, name string) error {
				if op == testserver.OpWrite || op == testserver.OpMkdir || name == "/" {
					return nil
				}
				return os.ErrPermission
			}
		})
		local := t.TempDir()
		write(t, local, map[string]string{"a": "1", "d/b": "22", "d/e/c": content(300_000)})
		must(t, os.Mkdir(filepath.Join(local, "empty"), 0o700))
		l, err := ledger.Open(filepath.Join(t.TempDir(), "ledger"), nil)
		must(t, err)
		defer l.Close()
		for run := range 2 {
			r, err := folder.Upload(t.Context(), w.client, local, "out", &folder.Options{Delivery: ftpx.DeliverDrop, Ledger: l, After: folder.After{MarkTarget: ".done"}})
			must(t, err)
			if r.Copied != []int{3, 0}[run] || r.Failed != 0 || r.Folders != 0 {
				t.Errorf("run %d: %+v", run, r)
			}
		}
		want := map[string]int{"out/a=1": 1, "out/d/b=22": 1, "out/d/e/c=" + content(300_000): 1, "out/a.done=": 1, "out/d/b.done=": 1, "out/d/e/c.done=": 1}
		mu.Lock()
		for what, n := range taken {
			if want[strings.TrimPrefix(what, "/")] != n {
				t.Errorf("%.40q: %d times", what, n)
			}
		}
		if len(taken) != len(want) {
			t.Errorf("%d files, want %d", len(taken), len(want))
		}
		mu.Unlock()
	}
}

// TestDeliveryThatCannotBe: each is told before anything is done, with the field.
func TestDeliveryThatCannotBe(t *testing.T) {
	w := start(t, ftpx.SFTP)
	for want, o := range map[string]folder.Options{
		"Options.Delete":    {Delivery: ftpx.DeliverDrop, Delete: true},
		"Options.FirstName": {Delivery: ftpx.DeliverDrop, FirstName: "{name}.tmp"},
	} {
		if _, err := folder.Upload(t.Context(), w.client, t.TempDir(), "out", &o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := folder.Download(t.Context(), w.client, "out", t.TempDir(), &folder.Options{Delivery: ftpx.DeliverDirect}); err == nil || !strings.Contains(err.Error(), "Options.Delivery") {
		t.Error(err)
	}
}
