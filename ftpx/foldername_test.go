package ftpx_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestNoFileForAFolder: a server that tells the size of a folder as if it were a file, and
// that refuses to rename onto a name that is there, keeps its folders: none is moved aside
// for a file, and none is fetched as one.
func TestNoFileForAFolder(t *testing.T) {
	for _, size := range []int{100, 2 << 20} {
		for _, greeting := range []string{"ftp-srv", "Microsoft FTP Service"} { // the second is asked one by one
			t.Run(fmt.Sprint(greeting, size), func(t *testing.T) {
				trio := startTrio(t, func(o *testserver.TrioOptions) {
					o.FTP = func(f *testserver.FTPOptions) {
						f.Banner, f.RefuseOverwrite, f.Disable = greeting, true, []string{"MLST", "MLSD"}
						f.OnCommand = func(verb, arg string) string {
							info, err := os.Stat(filepath.Join(o.Root, arg))
							if verb == "SIZE" && err == nil && info.IsDir() {
								return "213 4096"
							}
							return ""
						}
					}
				})
				inside := filepath.Join(trio.Root, "box", "inside")
				if err := errors.Join(os.Mkdir(filepath.Dir(inside), 0o755), os.WriteFile(inside, []byte("precious"), 0o644)); err != nil {
					t.Fatal(err)
				}
				c := connect(t, trio, optionsFor(trio, ftpx.FTP))
				local := localFile(t, content(size))
				_, err := c.Upload(t.Context(), local, "box", nil)
				if !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "folder") {
					t.Errorf("Upload: %v", err)
				}
				if _, err := c.Upload(t.Context(), local, "file", nil); err != nil {
					t.Error(err)
				}
				if err := c.Rename(t.Context(), "file", "box"); err == nil {
					t.Error("a file was renamed onto a folder")
				}
				if res, err := c.Download(t.Context(), "box", filepath.Join(t.TempDir(), "box"), nil); ftpx.KindOf(err) != transport.KindInvalid {
					t.Errorf("Download: %+v, %v", res, err)
				}
				if _, err := c.Upload(t.Context(), localFile(t, content(size+1)), "file", nil); err != nil {
					t.Errorf("a file in place of a file: %v", err)
				}
				if b, err := os.ReadFile(inside); err != nil || string(b) != "precious" {
					t.Errorf("%q, %v", b, err)
				}
				left, _ := os.ReadDir(trio.Root)
				for _, e := range left {
					if strings.HasSuffix(e.Name(), ".bak") {
						t.Errorf("%q is left", e.Name())
					}
				}
			})
		}
	}
}
