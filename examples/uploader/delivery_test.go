package main

import (
	"os"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestDelivery: into a folder that shows nothing and renames nothing, the default says so
// after one attempt with the flag that helps, and the flag helps.
func TestDelivery(t *testing.T) {
	src := t.TempDir()
	files := map[string]string{"a.csv": "a", "d/b.csv": clitest.Content(1 << 20)}
	clitest.Write(t, src, files)
	for _, protocol := range []string{"sftp", "ftps", "ftp"} {
		for _, way := range []string{"direct", "drop"} {
			w := clitest.Start(t, func(o *testserver.TrioOptions) {
				o.Access = func(op testserver.Op, name string) error {
					switch op {
					case testserver.OpStat, testserver.OpList, testserver.OpRead, testserver.OpRename:
						if name != "/" || op == testserver.OpList { // a listing of it would tell sizes
							return os.ErrPermission
						}
					}
					return nil
				}
			})
			args := func(more ...string) []string {
				return w.Flags(append(more, "-protocols", protocol, "-allow-plaintext", src+"/", w.URL(""))...)
			}
			s := uploader.Run(t.Context(), t, args("-json")...).Want(t, cli.ExitSome, "-delivery direct", "-delivery drop")
			records, _ := s.Records(t)
			for _, r := range records {
				if r.Attempts > 1 {
					t.Errorf("%d attempts: %+v", r.Attempts, r)
				}
			}
			for name := range clitest.Tree(t, w.Root) {
				if name != "d/" { // which had to be made
					t.Errorf("%q was left behind", name)
				}
			}
			s = uploader.Run(t.Context(), t, args("-delivery", way)...).Want(t, cli.ExitDone)
			if n := strings.Count(s.Out, "checked by nothing but the server's acknowledgement"); n != len(files) {
				t.Errorf("%d of %d files say what was checked: %s", n, len(files), s.Out)
			}
			clitest.Holds(t, w.Root, files)
		}
	}
}
