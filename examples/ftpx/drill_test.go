package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/drill"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestDrill: on embedded servers and on those of a job; --rto decides the exit code, and a
// page is written once.
func TestDrill(t *testing.T) {
	c := clitest.Command{Main: run}
	dir := t.TempDir()
	page := filepath.Join(dir, "drill.html")
	s := c.Run(t.Context(), t, "drill", "--scenario", "reset-12.7", "--rto", "1h", "--json", "--html", page).Want(t, cli.ExitDone)
	var rep drill.Report
	if err := json.Unmarshal([]byte(s.Out), &rep); err != nil || !rep.Passed || len(rep.Scenarios) != 1 || rep.Scenarios[0].Arrived != drill.DefaultFiles {
		t.Errorf("%v: %s", err, s.Out)
	}
	if data, err := os.ReadFile(page); err != nil || !strings.Contains(string(data), "<h2>reset-12.7</h2>") {
		t.Errorf("the page: %v", err)
	}
	s = c.Run(t.Context(), t, "drill", "--scenario", "stall", "--rto", "1ms").Want(t, cli.ExitSome)
	if !strings.Contains(s.Out, "1ms were allowed") {
		t.Errorf("%s", s.Out)
	}

	w := clitest.Start(t)
	clitest.Write(t, dir, map[string]string{"jobs.toml": jobsOf(w)})
	if err := os.Mkdir(filepath.Join(w.Root, "test"), 0o777); err != nil {
		t.Fatal(err)
	}
	c.Run(t.Context(), t, "drill", "--scenario", "reset-12.7", "--rto", "1h", "--config", filepath.Join(dir, "jobs.toml"), "--scratch", "test", "nightly").Want(t, cli.ExitDone)
	if left, err := os.ReadDir(filepath.Join(w.Root, "test")); err != nil || len(left) > 0 {
		t.Errorf("left on the server: %v, %v", left, err)
	}
}

// TestDrillStandby: a standby may have a port, a user, a password and a host key of its own.
func TestDrillStandby(t *testing.T) {
	first := clitest.Start(t)
	second := clitest.Start(t, func(o *testserver.TrioOptions) { o.User, o.Password = "other", "other-password" })
	dir := t.TempDir()
	clitest.Write(t, dir, map[string]string{"other.txt": "other-password", "jobs.toml": jobsOf(first) + `
[[job.standbys]]
url = "sftp://other@127.0.0.1:` + strconv.Itoa(second.SFTP.Port()) + `"
password_file = "other.txt"
known_hosts = ["` + second.KnownHosts + `"]
`})
	if err := os.Chmod(filepath.Join(dir, "other.txt"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*clitest.World{first, second} {
		if err := os.Mkdir(filepath.Join(w.Root, "test"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	c := clitest.Command{Main: run}
	s := c.Run(t.Context(), t, "drill", "--scenario", "primary-dies", "--rto", "1h", "--json", "--config", filepath.Join(dir, "jobs.toml"), "--scratch", "test", "nightly").Want(t, cli.ExitDone)
	var rep drill.Report
	if err := json.Unmarshal([]byte(s.Out), &rep); err != nil || !rep.Passed || rep.Scenarios[0].Failovers == 0 || second.SFTP.Stats().Logins == 0 {
		t.Errorf("%v: %s", err, s.Out)
	}
	for _, w := range []*clitest.World{first, second} {
		if left, err := os.ReadDir(filepath.Join(w.Root, "test")); err != nil || len(left) > 0 {
			t.Errorf("left on the server: %v, %v", left, err)
		}
	}
}

// TestDrillUsage: each mistake is one line, with exit code 2, and leaves no page.
func TestDrillUsage(t *testing.T) {
	w := clitest.Start(t)
	c := clitest.Command{Main: run}
	dir := t.TempDir()
	clitest.Write(t, dir, map[string]string{"jobs.toml": jobsOf(w), "taken.html": "mine"})
	jobs, page := filepath.Join(dir, "jobs.toml"), filepath.Join(dir, "new.html")
	for _, one := range []struct {
		args []string
		want string
	}{
		{[]string{"--scenario", "earthquake"}, `--scenario: there is no scenario "earthquake"`},
		{[]string{"--html", filepath.Join(dir, "taken.html")}, "the file exists"},
		{[]string{"--rto", "0s"}, "--rto"},
		{[]string{"--scratch", "x"}, "belong to --config"},
		{[]string{"--config", jobs}, "no job is named"},
		{[]string{"--config", jobs, "--html", page, "nightly"}, "needs a scratch folder"},
		{[]string{"--config", jobs, "--scratch", "x", "--html", page, "nightly"}, "needs a standby"},
		{[]string{"--config", jobs, "--scratch", "x", "--scenario", "cert-expires", "nightly"}, "embedded servers alone"},
		{[]string{"--config", jobs, "--scratch", "x", "weekly"}, `there is no job "weekly"`},
	} {
		s := c.Run(t.Context(), t, append([]string{"drill"}, one.args...)...)
		if s.Code != cli.ExitUsage || !strings.Contains(s.Err, one.want) || strings.Count(s.Err, "\n") != 1 {
			t.Errorf("%q: exit code %d, %q, want %q", one.args, s.Code, s.Err, one.want)
		}
	}
	if data, err := os.ReadFile(filepath.Join(dir, "taken.html")); err != nil || string(data) != "mine" {
		t.Errorf("the file that was there holds %q, %v", data, err)
	}
	if _, err := os.Stat(page); err == nil {
		t.Error("a page is left of a drill that did not begin")
	}
}
