//go:build linux && realserver

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// TestPlaybook: ansible-playbook reports the server whose certificate has 5 days left, and
// the one that has expired, and renews there; it says nothing of the one with 90.
func TestPlaybook(t *testing.T) {
	ansible, err := exec.LookPath("ansible-playbook")
	if err != nil {
		if os.Getenv(realtest.RequireEnv) == "1" {
			t.Fatalf("%v (.ci/run installs ansible-core)", err)
		}
		t.Skip("no ansible-playbook here (.ci/run installs it)")
	}
	dir := t.TempDir()
	ca, err := pki.NewCA("the playbook's authority")
	if err != nil {
		t.Fatal(err)
	}
	caFile := filepath.Join(dir, "ca.pem")
	if err := ca.WritePEM(caFile); err != nil {
		t.Fatal(err)
	}
	const day = 24 * time.Hour
	inventory, fine, password := "file_servers:\n  hosts:\n", "", ""
	for _, h := range []struct {
		name string
		kind realserver.Kind
		left time.Duration
	}{{"fine", realserver.VSFTPD, 90 * day}, {"soon", realserver.ProFTPD, 5 * day}, {"gone", realserver.PureFTPd, -day}} {
		pair, err := ca.Server(pki.CertOptions{Hosts: []string{"127.0.0.1"}, NotBefore: time.Now().Add(-100 * day), NotAfter: time.Now().Add(h.left)})
		if err != nil {
			t.Fatal(err)
		}
		s := realtest.Start(t, realserver.Options{Kind: h.kind, TLS: realserver.TLSRequired, Certificate: &pair})
		if h.name == "fine" {
			fine, password = "ftpes://"+s.User+"@"+s.Addr(), s.Password
		}
		inventory += fmt.Sprintf("    %s:\n      ftpx_url: ftpes://%s@%s\n      ftpx_password: %q\n      ftpx_flags: [--ca, %s]\n      ftpx_renew: [touch, %s]\n",
			h.name, s.User, s.Addr(), s.Password, caFile, filepath.Join(dir, "renewed-"+h.name))
	}
	clitest.Write(t, dir, map[string]string{"inventory.yml": inventory})
	program := filepath.Join(dir, "ftpx")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	// The one that is well is well by more than its date.
	check := exec.CommandContext(t.Context(), program, "doctor", "--ca", caFile, fine)
	check.Env = append(os.Environ(), "FTPX_PASSWORD="+password, "HOME="+dir)
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("ftpx doctor: %v: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, ansible, "-i", filepath.Join(dir, "inventory.yml"), "-e", "ftpx="+program, filepath.Join(kit, "ansible/certificates.yml"))
	// Debian's Python has a locale of its own mind, and Ansible wants UTF-8.
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "ANSIBLE_LOCAL_TEMP="+filepath.Join(dir, "tmp"), "ANSIBLE_NOCOLOR=1", "HOME="+dir)
	out, err := cmd.CombinedOutput()
	text := string(out)
	if err != nil {
		t.Fatalf("ansible-playbook: %v\n%s", err, text)
	}
	for _, want := range []string{"soon: cert-soon: it ends ", "gone: cert-expired: it ended ", "TLSRSACertificateFile", "-2 FILE (TLSCertificate)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not reported:\n%s", want, text)
		}
	}
	if strings.Contains(text, "fine: cert") || strings.Contains(text, "cert-chain") {
		t.Errorf("the server that is well is reported:\n%s", text)
	}
	for name, want := range map[string]bool{"fine": false, "soon": true, "gone": true} {
		if _, err := os.Stat(filepath.Join(dir, "renewed-"+name)); (err == nil) != want {
			t.Errorf("%s: renewed %v, want %v", name, err == nil, want)
		}
	}
}
