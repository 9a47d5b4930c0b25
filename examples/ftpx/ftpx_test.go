package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

// TestMain looks for goroutines that are left. What NATS leaves of a fetch ends with the
// fetch's own time.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(testmain.InMemory(m), goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*pullConsumer).fetch.func1"))
}

// TestWithoutAFlag: what a user with a key and an alias types every day.
func TestWithoutAFlag(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, ".", map[string]string{"a.csv": "a", "b.csv": "bb", "notes.txt": "n", "pictures/p.png": "p", "pictures/deep/q.png": "q", ".hidden.csv": "h"})
	clitest.Write(t, u.Root, map[string]string{"out/x.csv": "x", "out/y.csv": "yy", "out/z.log": "z", "out/.dot.csv": "d", "old/deep/w.csv": "w"})

	if s := u.done(t, "ls", "box:"); s.Out != "old/\nout/\n" {
		t.Errorf("ls: %q", s.Out)
	}
	if s := u.done(t, "ls", "box:out/*.csv"); s.Out != "out/x.csv\nout/y.csv\n" {
		t.Errorf("ls of a pattern: %q", s.Out)
	}
	u.done(t, "put", "a.csv", "b.csv", "box:in/")
	u.done(t, "put", "*.csv", "pictures", "box:in/") // a shell may leave the pattern
	clitest.Holds(t, filepath.Join(u.Root, "in"), map[string]string{"a.csv": "a", "b.csv": "bb", "pictures/p.png": "p", "pictures/deep/q.png": "q"})
	u.done(t, "put", "pictures/", "box:flat")
	u.done(t, "put", "a.csv", "box:in/renamed.csv")
	u.done(t, "put", "a.csv", "box:flat") // which is a folder
	clitest.Holds(t, filepath.Join(u.Root, "flat"), map[string]string{"p.png": "p", "deep/q.png": "q", "a.csv": "a"})

	c := command()
	c.Stdin = strings.NewReader("from a pipe")
	c.Run(t.Context(), t, "put", "-", "box:in/piped").Want(t, cli.ExitDone)
	if s := u.done(t, "get", "box:in/piped", "-"); s.Out != "from a pipe" {
		t.Errorf("get to standard output: %q", s.Out)
	}
	if s := u.done(t, "cat", "box:out/*.csv"); s.Out != "xyy" {
		t.Errorf("cat: %q", s.Out)
	}

	u.done(t, "get", "box:out/*.csv")
	u.done(t, "get", "box:**/w.csv", "box:out", "got/")
	u.done(t, "get", "box:out/z.log", "as.log")
	u.done(t, "get", "box:old/", "contents")
	for name, want := range map[string]string{"x.csv": "x", "y.csv": "yy", "got/w.csv": "w", "got/out/z.log": "z", "got/out/.dot.csv": "d", "as.log": "z", "contents/deep/w.csv": "w"} {
		if data, err := os.ReadFile(filepath.FromSlash(name)); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}

	s := u.types(t, "check", ".", "box:in").Want(t, cli.ExitSome, "4 the same", "2 only there")
	for _, line := range []string{"notes.txt: only here\n", "renamed.csv: only there\n", "piped: only there\n"} {
		if !strings.Contains(s.Out, line) {
			t.Errorf("check does not say %q: %s", line, s.Out)
		}
	}
	u.done(t, "check", "pictures", "box:in/pictures").Want(t, cli.ExitDone, "2 the same, 0 different, 0 only here, 0 only there")
	u.done(t, "check", "-c", "a.csv", "box:in/renamed.csv").Want(t, cli.ExitDone, "1 the same", "1 B read")
	clitest.Write(t, u.Root, map[string]string{"in/a.csv": "b"}) // the same size and time
	u.done(t, "check", "a.csv", "box:in")
	u.types(t, "check", "-c", "a.csv", "box:in").Want(t, cli.ExitSome, "1 different")

	clitest.Write(t, ".", map[string]string{"-dash": "d"})
	u.done(t, "put", "--", "-dash", "box:dashed/")
	u.done(t, "rm", "box:dashed/-dash", "box:dashed")
	u.done(t, "mkdir", "box:new/deep")
	u.done(t, "mv", "box:in/*.csv", "box:new/deep/")
	u.done(t, "mv", "box:new/deep/a.csv", "box:new/deep/c.csv")
	u.done(t, "mv", "box:new/deep/c.csv", "new")
	u.types(t, "rm", "box:new").Want(t, cli.ExitUsage, "new is a folder that is not empty: -r")
	u.done(t, "rm", "-n", "-r", "box:new")
	u.done(t, "rm", "box:new/deep/*.csv", "box:new/deep", "box:new/c.csv")
	u.done(t, "rm", "-r", "box:in", "box:flat", "box:old")
	u.types(t, "rm", "box:in").Want(t, cli.ExitSome, "in: not removed: no such file or folder")
	u.done(t, "rm", "-f", "box:in")
	clitest.Holds(t, u.Root, map[string]string{"out/x.csv": "x", "out/y.csv": "yy", "out/z.log": "z", "out/.dot.csv": "d", "new/": ""})

	u.done(t, "chmod", "600", "box:out/x.csv")
	if s := u.done(t, "stat", "box:out/x.csv"); !strings.Contains(s.Out, "size      1 (1 B)") || !strings.Contains(s.Out, "type      file") {
		t.Errorf("stat: %s", s.Out)
	}
	if s := u.done(t, "ls", "-l", "box:out/x.csv"); !regexp.MustCompile(`^-rw------- +1 B  2025-11-03 .*  out/x.csv\n$`).MatchString(s.Out) {
		t.Errorf("ls -l: %q", s.Out)
	}
	u.types(t, "df", "box:").Want(t, cli.ExitSome, "unsupported: the server does not offer statvfs@openssh.com") // sshd does
}

// TestAddresses: an alias, user@host:, and URLs, for which the alias is a host name too.
func TestAddresses(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, u.Root, map[string]string{"f": "f", "d/g": "g"})
	port := func(scheme string) string { return urlOf(u.World, scheme, "") }
	for _, c := range [][]string{
		{"cat", "box:f"}, {"cat", clitest.User + "@box:f"}, {"cat", "box:~/f"}, {"cat", "box:/f"}, {"cat", "box:d/../f"}, {"cat", "sftp://box/f"}, {"cat", "sftp://box//f"},
		{"cat", "-p", strings.Split(port("sftp"), ":")[2][:5], clitest.User + "@127.0.0.1:f"}, {"cat", port("sftp") + "f"}, {"cat", "[127.0.0.1]:f", "-o", "Port=" + u.Flags()[1], "-o", "User=" + clitest.User},
		{"cat", "ftpx://box/f"},
	} {
		if strings.HasSuffix(c[2%len(c)], "/") {
			c[2] = strings.TrimSuffix(c[2], "/")
		}
		if s := u.types(t, c...).Want(t, cli.ExitDone); s.Out != "f" {
			t.Errorf("%q: %q", c, s.Out)
		}
	}
}

// TestNetrc: a password that curl would find is found, and one that others may read is not
// used, which is said.
func TestNetrc(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, u.Root, map[string]string{"f": "f"})
	u.put(t, ".netrc", "machine other login x password y\nmachine 127.0.0.1 login "+clitest.User+" password "+clitest.Password+"\n")
	for _, url := range []string{"ftpes://127.0.0.1", "ftpes://" + clitest.User + "@127.0.0.1"} {
		if s := u.done(t, "cat", "--ca", u.CAFile, "-p", u.Flags()[3], url+"/f"); s.Out != "f" || s.Err != "" {
			t.Errorf("%s: %q %q", url, s.Out, s.Err)
		}
	}
	u.types(t, "cat", "--ca", u.CAFile, "-p", u.Flags()[3], "ftpes://mallory@127.0.0.1/f").Want(t, cli.ExitLogin)
	// A default is for FTP: over SSH the user stays who he is, and the key counts.
	u.put(t, ".netrc", "default login anonymous password me@example\n")
	u.put(t, ".ssh/config", fmt.Sprintf("Host nameless\n  HostName 127.0.0.1\n  Port %d\n", u.SFTP.Port()))
	s := u.types(t, "ls", "nameless:").Want(t, cli.ExitLogin)
	if strings.Contains(s.Err, "anonymous") {
		t.Errorf("logged in as the default of .netrc: %s", s.Err)
	}
	u.put(t, ".netrc", "machine nameless login "+clitest.User+"\n")
	u.done(t, "ls", "nameless:")
	if err := os.Chmod(filepath.Join(u.home, ".netrc"), 0o644); err != nil {
		t.Fatal(err)
	}
	u.types(t, "cat", "--ca", u.CAFile, "-p", u.Flags()[3], "ftpes://"+clitest.User+"@127.0.0.1/f").Want(t, cli.ExitLogin, "run chmod 600 on it")
	u.types(t, "cat", "--no-config", "--ca", u.CAFile, "-p", u.Flags()[3], "ftpes://"+clitest.User+"@127.0.0.1/f").Want(t, cli.ExitLogin)
}

// TestNoConfig: nothing of the user's own is read.
func TestNoConfig(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, u.Root, map[string]string{"f": "f"})
	url := urlOf(u.World, "sftp", "f")
	u.done(t, "cat", url)
	u.types(t, "cat", "--no-config", url).Want(t, cli.ExitLogin, "there is no key in ~/.ssh or the agent, and no password")
	u.types(t, "ls", "--no-config", "--retry-for", "1s", "box:").Want(t, cli.ExitConnect, "box: no such host")
	u.done(t, "cat", "--no-config", "-i", filepath.Join(u.home, ".ssh", "id_ed25519"), url)
	other := filepath.Join(u.home, "other")
	u.put(t, "other", "Host far\n  HostName 127.0.0.1\n  Port "+u.Flags()[1]+"\n  User "+clitest.User+"\n")
	u.done(t, "cat", "-F", other, "far:f")
}

// TestAsked: at a terminal the password is asked for once the keys are refused, and whether
// to trust a host; the answer counts, and is written down.
func TestAsked(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, u.Root, map[string]string{"f": "f"})
	known := filepath.Join(u.home, ".ssh", "known_hosts")
	if err := os.Remove(known); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(u.home, ".ssh", "id_ed25519")); err != nil {
		t.Fatal(err)
	}
	c := command()
	c.Terminal = true
	var asked []string
	passwords := []string{"wrong", clitest.Password}
	c.Prompt = func(_ context.Context, q string) (string, error) {
		asked = append(asked, q)
		pw := passwords[0]
		passwords = passwords[1:]
		return pw, nil
	}
	answer := "no"
	c.Ask = func(_ context.Context, q string) (string, error) {
		asked = append(asked, q)
		return answer, nil
	}
	c.Run(t.Context(), t, "cat", "box:f").Want(t, cli.ExitIdentity, "is unknown")
	answer = "yes"
	if s := c.Run(t.Context(), t, "cat", "box:f").Want(t, cli.ExitDone, "the password was refused"); s.Out != "f" {
		t.Errorf("%q", s.Out)
	}
	want := []string{"The host key of ", "The host key of ", clitest.User + "@127.0.0.1's password: ", clitest.User + "@127.0.0.1's password: "}
	for i := range want {
		if i >= len(asked) || !strings.HasPrefix(asked[i], want[i]) {
			t.Fatalf("asked %q", asked)
		}
	}
	if data, err := os.ReadFile(known); err != nil || strings.Count(string(data), "\n") != 1 {
		t.Errorf("known_hosts: %q, %v", data, err)
	}
	asked, passwords = nil, []string{clitest.Password}
	c.Run(t.Context(), t, "cat", "box:f").Want(t, cli.ExitDone)
	if len(asked) != 1 {
		t.Errorf("asked again: %q", asked)
	}
}

// TestSameFlags: what chooses files, and how they are delivered, is the same for put, get
// and mirror.
func TestSameFlags(t *testing.T) {
	u := newAccount(t)
	files := map[string]string{"src/a.csv": "a", "src/b.tmp": "b", "src/deep/c.csv": "c"}
	clitest.Write(t, ".", files)
	clitest.Write(t, u.Root, files)
	choose := []string{"--include", "*.csv", "--exclude", "deep/", "--connections", "2", "--files", "3"}
	for _, c := range [][]string{{"put", "src/", "box:up1"}, {"mirror", "src", "box:up2"}, {"get", "box:src/", "down1"}, {"mirror", "box:src", "down2"}} {
		if s := u.done(t, append(append([]string{}, c...), append(choose, "-n")...)...); !strings.Contains(s.Out, "a.csv -> ") || !strings.Contains(s.Out, "would be copied") || strings.Contains(s.Out, ".tmp") {
			t.Errorf("%q says what it would do: %s", c, s.Out)
		}
		if s := u.done(t, append(append([]string{}, c...), choose...)...); s.Out+s.Err != "" {
			t.Errorf("where nobody looks %q says %q %q", c, s.Out, s.Err)
		}
		dir := c[2]
		if rest, ok := strings.CutPrefix(dir, "box:"); ok {
			dir = filepath.Join(u.Root, rest)
		}
		clitest.Holds(t, dir, map[string]string{"a.csv": "a"})
	}
	u.done(t, "put", "--delivery", "direct", "src/a.csv", "box:direct")
	u.done(t, "put", "--partial-name", "{name}.filepart", "src/a.csv", "box:partial")
	u.types(t, "get", "--delivery", "drop", "box:src/a.csv", "x").Want(t, cli.ExitUsage, "this is about what is sent, as --partial-name is")
}

// TestJSON: a record a file and a summary, in the schema of jobs, and a report.
func TestJSON(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, ".", map[string]string{"a": "a", "b": "bb"})
	s := u.done(t, "put", "--json", "--report", "report.json", "a", "b", "box:in/")
	if n := strings.Count(s.Out, "\n"); n != 5 || s.Err != "" { // a folder, two files, the target, the summary
		t.Errorf("%d lines: %s%s", n, s.Out, s.Err)
	}
	for _, want := range []string{`"op":"upload","local":"a","remote":"in/a","outcome":"done","size":1,`, `"op":"summary","files":2,"done":2,"failed":0`} {
		if !strings.Contains(s.Out, want) {
			t.Errorf("no %q in %s", want, s.Out)
		}
	}
	data, err := os.ReadFile("report.json")
	if err == nil {
		err = clitest.CheckReport(data)
	}
	if err != nil {
		t.Errorf("report: %s, %v", data, err)
	}
	failed := u.types(t, "get", "--json", "box:in/a", "box:none", "box:in/b", ".").Want(t, cli.ExitSome)
	if !strings.Contains(failed.Out, `"error":"none: no such file or folder (`) {
		t.Error(failed.Out)
	}
	for line := range strings.Lines(s.Out + failed.Out) {
		if err := clitest.CheckLine([]byte(line)); err != nil {
			t.Errorf("%v: %s", err, line)
		}
	}
}

// TestInterrupted: one clean line says what is kept.
func TestInterrupted(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, ".", map[string]string{"a": "a"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"put", "a", "box:in/"}, {"get", "box:x", "."}, {"ls", "box:"}, {"check", ".", "box:"}} {
		s := command().Run(ctx, t, args...).Want(t, cli.ExitInterrupted, "interrupted")
		if strings.Count(s.Err, "\n") != 1 {
			t.Errorf("%q: %q", args, s.Err)
		}
	}
	clitest.Holds(t, u.Root, map[string]string{})
}

// TestJumpHost: -J says what leads to the server and nothing of the way to the jump host. Where
// the jump host's key is unknown nobody is asked, since the answer would count for the server.
func TestJumpHost(t *testing.T) {
	u := newAccount(t)
	c := command()
	c.Terminal = true
	c.Ask = func(_ context.Context, q string) (string, error) {
		t.Errorf("asked %q", q)
		return "yes", nil
	}
	args := []string{"ls", "-J", "box", "--retry-for", "1ms", "far:"}
	if s := c.Run(t.Context(), t, args...).Want(t, cli.ExitConnect, "the jump host does not forward"); strings.Contains(s.Err, "through itself") {
		t.Error(s.Err)
	}
	if err := os.Remove(filepath.Join(u.home, ".ssh", "known_hosts")); err != nil {
		t.Fatal(err)
	}
	s := c.Run(t.Context(), t, args...).Want(t, cli.ExitIdentity, "is unknown", "ssh-keyscan")
	if !strings.Contains(s.Err, "ftpx: jump host: the host key of ") || strings.Contains(s.Err, "--host-key") {
		t.Errorf("says %s", s.Err)
	}
}

// TestOneName: two files that would have one name are not put over each other.
func TestOneName(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, u.Root, map[string]string{"a/x": "1", "b/x": "22", "a/d/f": "1", "b/d/f": "22"})
	for _, args := range [][]string{
		{"get", "box:a/x", "box:b/x", "out/"}, {"get", "box:*/x", "out/"}, {"get", "box:a/d", "box:b/d", "out"},
		{"get", "box:a/x", clitest.User + "@box:b/x", "out/"},
	} {
		u.types(t, args...).Want(t, cli.ExitUsage, "would both be called")
		if _, err := os.Stat("out"); err == nil && args[2] != clitest.User+"@box:b/x" {
			t.Errorf("%v: something was fetched", args)
		}
		if err := os.RemoveAll("out"); err != nil {
			t.Fatal(err)
		}
	}
	u.done(t, "get", "box:a/x", "box:a/x", "out/") // one file, named twice
	u.types(t, "mv", "box:*/x", "box:moved/").Want(t, cli.ExitUsage, "would both be called")
	for name, want := range map[string]string{"moved/x": "1", "b/x": "22"} {
		if data, err := os.ReadFile(filepath.Join(u.Root, name)); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}
