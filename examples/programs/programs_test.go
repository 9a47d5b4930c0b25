// Package programs_test builds the programs of this folder and runs each against servers of
// package ftpxtest: with the arguments, the environment and the files of a user.
package programs_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	_ "github.com/seed01fc2e40/go-ftpx/ftpx/sshconfig" // so that go test runs again when they change
	_ "github.com/seed01fc2e40/go-ftpx/ftpx/watch"
)

var bin string // the folder of the programs

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "programs-*")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	bin = dir + string(filepath.Separator)
	if out, err := exec.Command("go", "build", "-o", bin, "./...").CombinedOutput(); err != nil {
		fmt.Printf("%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// place is a server and a user's home folder.
type place struct {
	*ftpxtest.Server
	home, url string
}

func newPlace(t *testing.T) *place {
	p := &place{Server: ftpxtest.NewServer(t, ftpx.SFTP), home: t.TempDir()}
	p.url = p.URL()
	p.trust(t)
	return p
}

// trust adds the servers' host keys to the user's known_hosts.
func (p *place) trust(t *testing.T, others ...*ftpxtest.Server) {
	var known []byte
	for _, s := range append([]*ftpxtest.Server{p.Server}, others...) {
		_, file, err := s.WriteTrust(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		lines, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		known = append(known, lines...)
	}
	p.write(t, ".ssh/known_hosts", string(known))
}

func (p *place) write(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(p.home, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (p *place) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(bin, program), args...)
	cmd.Env = append(os.Environ(), "HOME="+p.home, "USERPROFILE="+p.home, "FTPX_PASSWORD="+p.Password, "SSH_AUTH_SOCK=")
	return cmd
}

// run runs a program to its end.
func (p *place) run(t *testing.T, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := p.command(ctx, program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

// start runs a program until the test ends, and returns what it writes.
func (p *place) start(t *testing.T, stdin io.Reader, program string, args ...string) *bufio.Reader {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := p.command(ctx, program, args...)
	cmd.Stdin = stdin
	out, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is killed
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		out.Close()
		<-ended
	})
	return bufio.NewReader(out)
}

// line reads lines until one holds a text.
func line(t *testing.T, r *bufio.Reader, with string) string {
	t.Helper()
	for {
		l, err := r.ReadString('\n')
		if strings.Contains(l, with) {
			return strings.TrimSpace(l)
		}
		if err != nil {
			t.Fatalf("%q does not come: %v", with, err)
		}
	}
}

func (p *place) want(t *testing.T, name, text string) {
	t.Helper()
	if got, err := os.ReadFile(filepath.Join(p.Root, filepath.FromSlash(name))); err != nil || string(got) != text {
		t.Errorf("%s: %q, %v, want %q", name, got, err, text)
	}
}

func TestNightly(t *testing.T) {
	p := newPlace(t)
	p.write(t, "out/a.csv", "a")
	p.write(t, "out/no.txt", "x")
	args := []string{p.url, filepath.Join(p.home, "out"), filepath.Join(p.home, "sent.db")}
	if out := p.run(t, "nightly", args...); strings.Count(out, `"msg":"sent"`) != 1 || !strings.Contains(out, `"report":{"folders":0,"copied":1,`) {
		t.Errorf("%s", out)
	}
	p.want(t, "a.csv", "a")
	if err := os.Remove(filepath.Join(p.Root, "a.csv")); err != nil { // the partner takes it
		t.Fatal(err)
	}
	if out := p.run(t, "nightly", args...); strings.Contains(out, `"msg":"sent"`) {
		t.Errorf("the second run: %s", out)
	}
}

func TestHTTPFiles(t *testing.T) {
	p := newPlace(t)
	url := line(t, p.start(t, nil, "httpfiles", p.url, "127.0.0.1:0"), "http://")
	do := func(method, path, body string, want int, header ...string) string {
		req, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if len(header) > 0 {
			req.Header.Set(header[0], header[1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		got, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want {
			t.Errorf("%s %s: %v %s, %v", method, path, res.Status, got, err)
		}
		return string(got)
	}
	do("PUT", "/f.txt", "0123456789", http.StatusCreated)
	p.want(t, "f.txt", "0123456789")
	do("PUT", "/f.txt", "other", http.StatusConflict)
	do("PUT", "/d/", "other", http.StatusBadRequest)
	do("PUT", "/no/f", "other", http.StatusBadGateway)
	if got := do("GET", "/f.txt", "", http.StatusPartialContent, "Range", "bytes=2-4"); got != "234" {
		t.Errorf("%q", got)
	}
	do("GET", "/none", "", http.StatusNotFound)
	http.DefaultClient.CloseIdleConnections()
}

func TestMirrorReport(t *testing.T) {
	p := newPlace(t)
	for i := range 6 {
		if err := os.WriteFile(filepath.Join(p.Root, fmt.Sprint("f", i)), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report := filepath.Join(p.home, "report.jsonl")
	dir := filepath.Join(p.home, "mirror")
	p.run(t, "mirrorreport", p.url, dir, report)
	if err := os.Remove(filepath.Join(p.Root, "f3")); err != nil {
		t.Fatal(err)
	}
	p.run(t, "mirrorreport", p.url, dir, report)
	lines, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var item struct{ Action, Path, Outcome string }
	var sum struct{ Deleted, Unchanged int }
	d := json.NewDecoder(bytes.NewReader(lines))
	if err := d.Decode(&item); err != nil || item.Action != "delete" || item.Path != "f3" || item.Outcome != "done" {
		t.Errorf("%+v, %v", item, err)
	}
	if err := d.Decode(&sum); err != nil || sum.Deleted != 1 || sum.Unchanged != 5 {
		t.Errorf("%s: %+v, %v", lines, sum, err)
	}
}

func TestFailover(t *testing.T) {
	p := newPlace(t)
	second := ftpxtest.NewServer(t, ftpx.SFTP)
	p.trust(t, second)
	file := p.write(t, "report.csv", "a,b")
	at := fmt.Sprintf("127.0.0.1:%d", second.Port(ftpx.SFTP))
	if out := p.run(t, "failover", p.url, at, file); !strings.Contains(out, fmt.Sprintf("report.csv is on 127.0.0.1:%d, checked by size", p.Port(ftpx.SFTP))) {
		t.Errorf("%s", out)
	}
	p.Down()
	if out := p.run(t, "failover", p.url, at, file); !strings.Contains(out, "report.csv is on "+at) {
		t.Errorf("%s", out)
	}
	(&place{Server: second}).want(t, "report.csv", "a,b")
}

func TestWorker(t *testing.T) {
	p := newPlace(t)
	if err := os.WriteFile(filepath.Join(p.Root, "1.xml"), []byte("<order/>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := line(t, p.start(t, nil, "worker", p.url, filepath.Join(p.home, "worker.db")), "xml"); !strings.HasSuffix(got, "1.xml: 8 bytes") {
		t.Errorf("%q", got)
	}
}

func TestMetrics(t *testing.T) {
	p := newPlace(t)
	names, w := io.Pipe()
	defer w.Close()
	out := p.start(t, names, "metrics", p.url, "127.0.0.1:0")
	url := line(t, out, "http://")
	fmt.Fprintln(w, p.write(t, "a.csv", "abc"))
	line(t, out, "a.csv done")
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var vars struct{ FTPX ftpx.Stats }
	if err := json.NewDecoder(res.Body).Decode(&vars); err != nil || vars.FTPX.Done != 1 || vars.FTPX.BytesNeeded != 3 {
		t.Errorf("%+v, %v", vars, err)
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestProgramsAreShort: they are to be read at once. That they are read here has go test run
// again when they change.
func TestProgramsAreShort(t *testing.T) {
	names, err := filepath.Glob("*/*.go")
	if err != nil || len(names) < 9 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n >= 60 {
			t.Errorf("%s has %d lines, want fewer than 60", name, n)
		}
	}
}
