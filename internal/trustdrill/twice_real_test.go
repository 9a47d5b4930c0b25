//go:build linux && realserver

package trustdrill

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// TestMirrorDownTwice: what a server lists without exact times is asked for its time by name,
// so that a second run moves nothing, without a ledger, and a change is found all the same.
func TestMirrorDownTwice(t *testing.T) {
	for _, s := range []setup{
		{"vsftpd", ftpx.FTP, realserver.Options{Kind: realserver.VSFTPD}},
		{"inetutils", ftpx.FTP, realserver.Options{Kind: realserver.Inetutils}},
	} {
		t.Run(s.name, func(t *testing.T) {
			f := newFurther(t, s) // inetutils takes any port for data, past a rig
			r := &rig{setup: s, srv: f.srv}
			tree := t.TempDir()
			want := smallTree(t, tree, 7, 60, func(i int) int { return i * 900 })
			for _, dir := range []string{"tree", "tree/d0", "tree/d1", "tree/d2", "tree/d3"} {
				must(t, os.Mkdir(r.on(dir), 0o755))
				r.own(t, r.on(dir))
			}
			for name, data := range want {
				r.put(t, filepath.Join("tree", name), data)
				// Seconds that a listing does not show, some of more than half a year ago.
				when := time.Now().Add(-time.Duration(len(name)*len(data)) * time.Minute).Truncate(time.Second)
				must(t, os.Chtimes(r.on(filepath.Join("tree", name)), when, when))
			}
			back := t.TempDir()
			opts := &folder.Options{Compare: folder.CompareTime}
			for round, copied := range []int{len(want), 0, 1} {
				if round == 2 {
					changed := fmt.Sprintf("d%d/f%03d", 1, 1)
					want[changed] = content(99, len(want[changed]))
					r.put(t, filepath.Join("tree", changed), want[changed])
				}
				report, err := folder.Download(t.Context(), f.client(t, nil), "tree", back, opts)
				must(t, err)
				if report.Copied != copied {
					t.Errorf("run %d: %d files came down, want %d", round+1, report.Copied, copied)
				}
				t.Logf("run %d: %d files, %d bytes moved", round+1, report.Copied, report.Bytes)
				wantTree(t, back, want)
			}
		})
	}
}
