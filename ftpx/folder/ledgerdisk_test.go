package folder_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// gathers opens a ledger that would write what is recorded in an hour.
func gathers(t *testing.T) (l *ledger.Ledger, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "l")
	l, err := ledger.Open(path, &ledger.Options{CommitEvery: time.Hour})
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l, path
}

// TestLedgerIsOnDiskAtTheEnd: however long entries may gather, they are on disk when the
// run has returned: a process that is killed then does not copy all again.
func TestLedgerIsOnDiskAtTheEnd(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, _ := way.sides(w, local)
			write(t, src, map[string]string{"a": "1", "d/b": "22"})
			l, path := gathers(t)
			way.run(t.Context(), w, local, &folder.Options{Ledger: l, Job: "j"}).ok(t)

			// What a kill would leave: the file as it is now, while the ledger is open.
			b, err := os.ReadFile(path)
			must(t, err)
			left := filepath.Join(t.TempDir(), "left")
			must(t, os.WriteFile(left, b, 0o600))
			after := openLedger(t, left)
			for _, file := range []string{"a", "d/b"} {
				if _, found, err := after.Lookup("j", file); !found || err != nil {
					t.Errorf("%s is not on disk: %v", file, err)
				}
			}
		})
	}
}
