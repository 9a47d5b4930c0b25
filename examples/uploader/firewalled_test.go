package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestDataPortsFirewalled: what every file would meet is found once, and ends the run
// within the time for one, with the cause.
func TestDataPortsFirewalled(t *testing.T) {
	src := t.TempDir()
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprint(i)] = "x"
	}
	clitest.Write(t, src, files)
	w := clitest.Start(t, func(o *testserver.TrioOptions) {
		o.FTP = func(f *testserver.FTPOptions) {
			f.OnReply = func(verb, line string) string {
				switch verb {
				case "EPSV":
					return "229 Entering Extended Passive Mode (|||1|)"
				case "PASV":
					return "227 Entering Passive Mode (127,0,0,1,0,1)"
				}
				return line
			}
		}
	})
	begin := time.Now()
	s := uploader.Run(t.Context(), t, w.Flags("-protocols", "ftp", "-allow-plaintext", "-retry-for", "2s", src+"/", w.URL(""))...)
	s.Want(t, cli.ExitConnect, "open data connection", "passive ports are closed")
	if n := strings.Count(s.Err, "not done: "); n == 0 || n > 8 {
		t.Errorf("%d of %d files were tried", n, len(files))
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}
