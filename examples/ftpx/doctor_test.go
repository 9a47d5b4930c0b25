package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

// urlOf is the URL of a path on a world's server.
func urlOf(w *clitest.World, scheme, path string) string {
	port := map[string]int{"sftp": w.SFTP.Port(), "ftpes": w.FTP.Port(), "ftps": w.FTPS.Port()}[scheme]
	return scheme + "://" + clitest.User + "@127.0.0.1:" + strconv.Itoa(port) + "/" + path
}

// TestDoctor: what a person sees, and the exit codes.
func TestDoctor(t *testing.T) {
	w := clitest.Start(t)
	c := clitest.Command{Main: run}
	closed := "sftp://" + clitest.User + "@127.0.0.1:" + clitest.ClosedPort(t)
	trust := []string{"--known-hosts", w.KnownHosts, "--ca", w.CAFile}
	of := func(scheme string, more ...string) []string {
		return append(append([]string{"doctor", "--cert-soon", "1h"}, append(trust, more...)...), urlOf(w, scheme, ""))
	}
	c.Run(t.Context(), t, of("sftp")...).Want(t, cli.ExitDone)
	c.Run(t.Context(), t, of("ftpes", "--all")...).Want(t, cli.ExitDone)
	c.Run(t.Context(), t, append(append([]string{"doctor"}, trust...), urlOf(w, "ftpes", ""))...).Want(t, cli.ExitDone)             // a warning: cert-soon
	c.Run(t.Context(), t, append(append([]string{"doctor", "--strict"}, trust...), urlOf(w, "ftpes", ""))...).Want(t, cli.ExitSome) // counts as a failure
	c.Run(t.Context(), t, append(append([]string{"doctor"}, trust...), closed)...).Want(t, cli.ExitConnect)
	c.Run(t.Context(), t, "doctor", "--known-hosts", "/dev/null", urlOf(w, "sftp", "")).Want(t, cli.ExitIdentity)

	wrong := c
	wrong.Vars = map[string]string{"FTPX_PASSWORD": "not-the-password"}
	s := wrong.Run(t.Context(), t, of("sftp", "--json")...).Want(t, cli.ExitLogin)
	var rep doctor.Report
	if err := json.Unmarshal([]byte(s.Out), &rep); err != nil {
		t.Fatal(err)
	}
	if _, f := rep.First(); f == nil || f.Code != "login-refused" {
		t.Errorf("%s", s.Out)
	}
	if strings.Contains(s.Out+s.Err, "not-the-password") {
		t.Error("the password is shown")
	}
}

// TestDoctorUsage: each mistake is one line with the field and what to do, and exit code 2.
func TestDoctorUsage(t *testing.T) {
	w := clitest.Start(t)
	c := clitest.Command{Main: run}
	dir := t.TempDir()
	clitest.Write(t, dir, map[string]string{"jobs.toml": jobsOf(w)})
	jobs := filepath.Join(dir, "jobs.toml")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, one := range []struct {
		args []string
		want string
	}{
		{[]string{"--explain", "no-such"}, `--explain: unknown check code "no-such"`},
		{nil, "no server is named"},
		{[]string{"--connections", "many", urlOf(w, "sftp", "")}, "--connections"},
		{[]string{"--idle", "5h", urlOf(w, "sftp", "")}, "Options.Idle"},
		{[]string{"--listen", "127.0.0.1:0"}, "--listen needs --config"},
		{[]string{"--config", jobs, "--listen", taken.Addr().String()}, "choose an address and a port that are free"},
		{[]string{"--config", jobs, "no-such-job"}, `there is no job "no-such-job"`},
		{[]string{"--config", filepath.Join(dir, "none.toml")}, "none.toml"},
		{[]string{"--known-hosts", w.KnownHosts, "--scratch", "no/such/folder", urlOf(w, "sftp", "")}, "--scratch"},
		{[]string{dir}, "is a local path"},
	} {
		s := c.Run(t.Context(), t, append([]string{"doctor"}, one.args...)...)
		if s.Code != cli.ExitUsage || !strings.Contains(s.Err, one.want) || strings.Count(s.Err, "\n") != 1 {
			t.Errorf("%q: exit code %d, %q, want %q", one.args, s.Code, s.Err, one.want)
		}
	}
	if left, err := os.ReadDir(w.Root); err != nil || len(left) > 0 {
		t.Errorf("left on the server: %v, %v", left, err)
	}
}

// jobsOf is a configuration of one job for a world's server.
func jobsOf(w *clitest.World) string {
	return `[[job]]
name = "nightly"
source = "."
target = "` + urlOf(w, "sftp", "in") + `"
known_hosts = ["` + w.KnownHosts + `"]
`
}

// TestDoctorJobs: the servers of a configuration's jobs, by name.
func TestDoctorJobs(t *testing.T) {
	w := clitest.Start(t)
	dir := t.TempDir()
	clitest.Write(t, dir, map[string]string{"jobs.toml": jobsOf(w)})
	c := clitest.Command{Main: run}
	s := c.Run(t.Context(), t, "doctor", "--config", filepath.Join(dir, "jobs.toml"), "nightly").Want(t, cli.ExitDone)
	if !strings.Contains(s.Out, "all is well") {
		t.Errorf("%s", s.Out)
	}
}

// TestDoctorCodes: --list names every code, and --explain tells of each.
func TestDoctorCodes(t *testing.T) {
	c := clitest.Command{Main: run}
	list := c.Run(t.Context(), t, "doctor", "--list").Want(t, cli.ExitDone)
	for _, check := range doctor.Checks() {
		if !regexp.MustCompile(`(?m)^\S+ +` + check.Code + ` `).MatchString(list.Out) {
			t.Errorf("%s is not in the list", check.Code)
		}
		s := c.Run(t.Context(), t, "doctor", "--explain", check.Code).Want(t, cli.ExitDone)
		if !strings.Contains(s.Out, check.Title) || !strings.Contains(s.Out, check.Remedy) {
			t.Errorf("%s: %s", check.Code, s.Out)
		}
	}
}

// TestExporter: a hundred scrapes at once make one run; another name is not found; an answer
// is fresh after its time; who asks does not decide what is dialled.
func TestExporter(t *testing.T) {
	w := clitest.Start(t)
	dir := t.TempDir()
	clitest.Write(t, dir, map[string]string{"jobs.toml": jobsOf(w)})
	servers, err := jobServers(filepath.Join(dir, "jobs.toml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	env := cli.Env{Stdout: io.Discard, Stderr: io.Discard, Getenv: func(name string) string {
		return map[string]string{"FTPX_PASSWORD": clitest.Password}[name]
	}}
	e := newExporter(ctx, env, &doctor.Options{}, servers)
	ask := func(target string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/probe?target="+target, nil)
		rec := httptest.NewRecorder()
		e.probe(rec, r)
		return rec.Code, rec.Body.String()
	}
	before := w.SFTP.Stats().Logins
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if code, body := ask("nightly"); code != http.StatusOK || !strings.Contains(body, "\nprobe_success 1\n") ||
				!strings.Contains(body, `code="login-refused"} 0`) {
				t.Errorf("%d %s", code, body)
			}
		})
	}
	wg.Wait()
	if n := w.SFTP.Stats().Logins - before; n != 1 || e.probes["nightly"].runs != 1 {
		t.Errorf("%d logins, %d runs, want one", n, e.probes["nightly"].runs)
	}
	for _, name := range []string{"", "other", "127.0.0.1", "sftp://elsewhere.example.com"} {
		if code, _ := ask(name); code != http.StatusNotFound {
			t.Errorf("%q: %d, want 404", name, code)
		}
	}
	e.probes["nightly"].until = time.Now() // the answer is old now
	w.SFTP.Close()
	if code, body := ask("nightly"); code != http.StatusOK || !strings.Contains(body, "\nprobe_success 0\n") || !strings.Contains(body, `code="port-closed"} 3`) {
		t.Errorf("%d %s", code, body)
	}
	for line := range strings.Lines(func() string { _, b := ask("nightly"); return b }()) {
		if !regexp.MustCompile(`^(# (HELP|TYPE) [a-z_]+ .*|[a-z_]+(\{([a-z]+="[^"\\]*",?)+\})? -?[0-9.e+-]+)\n$`).MatchString(line) {
			t.Errorf("no line of the text format: %q", line)
		}
	}
}

// TestExporterServes: it listens, answers, and ends in order.
func TestExporterServes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	e := newExporter(ctx, cli.Env{}, &doctor.Options{}, nil)
	done := make(chan error, 1)
	go func() { done <- e.serve(l) }()
	res, err := http.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Errorf("status %d", res.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
