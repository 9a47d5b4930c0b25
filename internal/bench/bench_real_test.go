//go:build linux && realserver

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestSmallRun goes through every case with a hundredth of the bytes and files: no
// peer that is installed may fail, or the comparison is not one.
func TestSmallRun(t *testing.T) {
	realtest.Require(t, realserver.OpenSSH, realserver.VSFTPD, realserver.ProFTPD)
	s := &settings{
		cases: regexp.MustCompile(`loopback|40ms-64MiB|^1000-small|list`), peers: regexp.MustCompile(`^([^r]|raw)`), // rclone has faults of its own
		protos: []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTP}, directions: []bool{true, false}, rounds: 1, scale: 0.01, forms: regexp.MustCompile("."), limit: time.Minute,
		kinds: map[ftpx.Protocol]realserver.Kind{ftpx.SFTP: realserver.OpenSSH, ftpx.FTPS: realserver.ProFTPD, ftpx.FTP: realserver.VSFTPD},
	}
	r, err := newRig(t.Context(), realtest.Folder(t), s.kinds)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := os.Chmod(filepath.Dir(r.dir), 0o711); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	verdicts, err := s.run(t.Context(), r, &out)
	if err != nil {
		t.Fatal(err)
	}
	if len(verdicts) < 20 {
		t.Errorf("%d verdicts", len(verdicts))
	}
	if strings.Contains(out.String(), "failed") {
		t.Errorf("a peer has failed:\n%s", out.String())
	}
}
