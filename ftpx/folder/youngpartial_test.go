package folder_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// TestYoungPartialOfAnInexactTime: a server that lists local time may be a day off, so
// that an unfinished transfer counts as old a day later: somebody may still go on with it.
func TestYoungPartialOfAnInexactTime(t *testing.T) {
	const young, old = ".a.ftpx-0123456789abcdef.part", ".b.ftpx-0123456789abcdef.part"
	for _, exact := range []bool{false, true} {
		w := start(t, ftpx.FTP)
		if !exact {
			w = start(t, ftpx.FTP, disable("MLSD", "MLST"))
		}
		local := t.TempDir()
		write(t, local, map[string]string{"keep": "x"})
		dst := filepath.Join(w.Root, "tree")
		write(t, dst, map[string]string{"keep": "x", young: "1", old: "1"})
		for name, age := range map[string]time.Duration{young: 20 * time.Hour, old: 60 * time.Hour} {
			at := time.Now().Add(-age)
			must(t, os.Chtimes(filepath.Join(dst, name), at, at))
		}
		s := way{"upload", true}.run(t.Context(), w, local, &folder.Options{Delete: true, MaxDelete: 1, PartialAge: time.Hour}).ok(t)
		want := []string{old}
		if exact {
			want = []string{young, old}
		}
		wantPaths(t, "deleted", s.of(folder.Delete), want...)
	}
}
