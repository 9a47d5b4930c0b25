// Package clitest runs an example command as its user would, against the embedded
// servers, and looks at what the user would see. It is for the commands' tests.
package clitest

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
	"github.com/seed01fc2e40/go-ftpx/internal/testout"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// Password is the password on the servers. It must never be seen in an output,
// which [Command.Run] checks.
const Password = "pass-Ünd-word"

// User is the user's name there.
const User = "batch"

// World is the three servers and what a user would have been given for them.
type World struct {
	*testserver.Trio
	// CAFile and KnownHosts are the files that vouch for the servers.
	CAFile, KnownHosts string
}

// Start starts the servers for a test.
func Start(t testing.TB, change ...func(*testserver.TrioOptions)) *World {
	t.Helper()
	opts := testserver.TrioOptions{Root: t.TempDir(), User: User, Password: Password}
	for _, f := range change {
		f(&opts)
	}
	trio, err := testserver.StartTrio(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trio.Close() })
	w := &World{Trio: trio}
	if w.CAFile, w.KnownHosts, err = trio.WriteFiles(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	return w
}

// Flags are the flags for the servers' ports and identities, then more.
func (w *World) Flags(more ...string) []string {
	return append([]string{"-sftp-port", port(w.SFTP.Port()), "-ftp-port", port(w.FTP.Port()), "-ftps-implicit-port", port(w.FTPS.Port()),
		"-known-hosts", w.KnownHosts, "-ca", w.CAFile}, more...)
}

func port(n int) string { return strconv.Itoa(n) }

// URL is that of a path on the servers, with ftpx:// to choose.
func (w *World) URL(path string) string { return w.URLOf("ftpx", path) }

// URLOf is [World.URL] with another scheme.
func (w *World) URLOf(scheme, path string) string {
	return scheme + "://" + User + "@127.0.0.1/" + path
}

// ClosedPort is a port on which nobody listens.
func ClosedPort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return port(l.Addr().(*net.TCPAddr).Port)
}

// Command is a command under test, with the environment that it sees.
type Command struct {
	// Main is its run function.
	Main func(context.Context, []string, cli.Env) int
	// Vars are environment variables, beside FTPX_PASSWORD with the right one.
	Vars map[string]string
	// Stdin, Prompt, Ask, Terminal and StdoutTerminal are as in [cli.Env].
	Stdin          io.Reader
	Prompt, Ask    func(context.Context, string) (string, error)
	Terminal       bool
	StdoutTerminal bool
}

// Seen is what came of it.
type Seen struct {
	// Code is the exit code.
	Code int
	// Out and Err are what was printed.
	Out, Err string
}

// Run runs the command to its end. Whatever it is about, a password or a raw
// control character in an output fails the test.
func (c Command) Run(ctx context.Context, t testing.TB, args ...string) Seen {
	t.Helper()
	var out, errs testout.Output
	vars := c.Vars
	env := cli.Env{Stdin: c.Stdin, Stdout: &out, Stderr: &errs, Prompt: c.Prompt, Ask: c.Ask, Terminal: c.Terminal, StdoutTerminal: c.StdoutTerminal,
		Getenv: func(name string) string {
			if v, ok := vars[name]; ok || name != "FTPX_PASSWORD" {
				return v
			}
			return Password
		}}
	s := Seen{Code: c.Main(ctx, args, env)}
	s.Out, s.Err = out.String(), errs.String()
	for _, text := range []string{s.Out, s.Err} {
		if strings.Contains(text, Password) {
			t.Errorf("the password is shown: %s", text)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return unicode.Is(unicode.Cc, r) && r != '\n' && r != '\t' }); i >= 0 && !c.Terminal {
			t.Errorf("a control character is shown at byte %d of %q", i, text)
		}
	}
	return s
}

// Want checks the exit code and words that standard error must hold.
func (s Seen) Want(t testing.TB, code int, words ...string) Seen {
	t.Helper()
	if s.Code != code {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", s.Code, code, s.Out, s.Err)
	}
	for _, w := range words {
		if !strings.Contains(s.Err, w) {
			t.Errorf("stderr does not say %q:\n%s", w, s.Err)
		}
	}
	return s
}

// Records reads the standard output of -json, which must hold nothing else: the summary of
// the run, and what it counts, sorted by remote path. Targets and folders that were made are
// left out.
func (s Seen) Records(t testing.TB) ([]jobreport.Item, jobreport.Summary) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(s.Out, "\n"), "\n")
	var sum jobreport.Summary
	strict(t, lines[len(lines)-1], &sum)
	var records []jobreport.Item
	for _, line := range lines[:len(lines)-1] {
		if err := CheckLine([]byte(line)); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if strings.HasPrefix(line, `{"op":"target"`) {
			continue
		}
		var r jobreport.Item
		if strict(t, line, &r); r.Op != "mkdir" || r.Error != "" {
			records = append(records, r)
		}
	}
	if sum.Op != "summary" || sum.Files != len(records) || sum.Files != sum.Done+sum.Failed+sum.Unknown || sum.Exit != s.Code {
		t.Fatalf("summary %+v after %d records and exit code %d", sum, len(records), s.Code)
	}
	slices.SortFunc(records, func(a, b jobreport.Item) int { return strings.Compare(a.Remote, b.Remote) })
	return records, sum
}

func strict(t testing.TB, line string, v any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
}

// Until waits until done says so. It is for what tells nobody, such as a fault
// proxy's counters.
func Until(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("waited in vain until ", what)
		}
	}
}

// When is the modification time of files made by [Write].
var When = time.Date(2025, 11, 3, 4, 5, 6, 0, time.UTC)

// Write writes files below dir, by their paths with "/"; a path that ends in "/"
// is a folder.
func Write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(p, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, When, When); err != nil {
			t.Fatal(err)
		}
	}
}

// Holds checks that a tree is just these files and folders, in the form that
// [Write] takes; folders that hold something are not named.
func Holds(t testing.TB, dir string, want map[string]string) {
	t.Helper()
	got := Tree(t, dir)
	for name, data := range want {
		if g, ok := got[name]; !ok {
			t.Errorf("%q is missing", name)
		} else if g != data {
			t.Errorf("%q holds %d bytes that are not the %d wanted", name, len(g), len(data))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%q is there and should not be", name)
		}
	}
}

// Tree reads a tree as [Holds] compares it.
func Tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	var read func(rel string)
	read = func(rel string) {
		entries, err := os.ReadDir(filepath.Join(dir, rel))
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 && rel != "" {
			tree[filepath.ToSlash(rel)+"/"] = ""
		}
		for _, e := range entries {
			name := filepath.Join(rel, e.Name())
			if e.IsDir() {
				read(name)
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			tree[filepath.ToSlash(name)] = string(data)
		}
	}
	read("")
	return tree
}

// Content makes n bytes that no part of resembles another.
func Content(n int) string {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	return string(b)
}
