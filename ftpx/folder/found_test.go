package folder_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// TestFoundAfterAll: a file that may have been delivered, and is found at the other side,
// counts as copied from then on.
func TestFoundAfterAll(t *testing.T) {
	for name, o := range map[string]folder.Options{
		"time": {}, "size": {Compare: folder.CompareSize}, "proof": {Compare: folder.CompareProof}, "once": {Once: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := ftpxtest.NewClient()
			defer c.Close()
			src := t.TempDir()
			write(t, src, map[string]string{"a": "one"})
			_, err := c.Put(t.Context(), "in/a", strings.NewReader("one"), &ftpx.PutOptions{CreateDirs: true})
			must(t, err)
			must(t, c.Chtimes(t.Context(), "in/a", when))
			l, err := ledger.Open(filepath.Join(t.TempDir(), "l"), nil)
			must(t, err)
			defer l.Close()
			info, err := os.Stat(filepath.Join(src, "a"))
			must(t, err)
			must(t, l.Record(ledger.Entry{Job: "job", Path: "a", State: ledger.StateUnknown, Dest: ledger.Identity{Size: -1},
				Source: ledger.Identity{Size: 3, ModTime: info.ModTime(), TimeExact: true}}))
			o.Ledger, o.Job = l, "job"
			for _, dry := range []bool{true, false} {
				o.DryRun = dry
				if report, err := folder.Upload(t.Context(), c, src, "in", &o); err != nil || report.Failed > 0 {
					t.Fatalf("%+v, %v", report, err)
				}
				e, found, err := l.Lookup("job", "a")
				must(t, err)
				if !found || (e.State == ledger.StateUnknown) != dry {
					t.Errorf("dry run %v: found %v, %+v", dry, found, e)
				}
			}
		})
	}
}
