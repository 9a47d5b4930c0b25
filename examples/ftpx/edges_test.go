package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestTrustIsForOneHost: a "yes" to the key of one host says nothing of another one: that is
// turned to by its own key, and asked about by itself if it is not known.
func TestTrustIsForOneHost(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, u.Root, map[string]string{"f": "one", "g": "two"})
	second, err := testserver.StartSFTP(testserver.SFTPOptions{Root: u.Root, Addr: "127.0.0.2:" + port(u), User: clitest.User, Password: clitest.Password})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	known := filepath.Join(u.home, ".ssh", "known_hosts")
	if err := os.Remove(known); err != nil {
		t.Fatal(err)
	}
	if err := pki.WriteKnownHosts(known, pki.KnownHost(second.Addr().String(), second.HostKey())); err != nil {
		t.Fatal(err)
	}
	var asked []string
	c := command()
	c.Vars["FTPX_PASSWORD"] = clitest.Password
	c.Ask = func(_ context.Context, q string) (string, error) {
		asked = append(asked, q)
		return "yes", nil
	}
	args := []string{"cat", "--standby", "127.0.0.2", "--retry-for", "20s", "box:f", "box:g"}
	failing := c
	failing.Main = func(ctx context.Context, args []string, env cli.Env) int {
		env.Stdout = closing{env.Stdout, u.SFTP}
		return run(ctx, args, env)
	}
	if s := failing.Run(t.Context(), t, args...).Want(t, cli.ExitDone); s.Out != "onetwo" || len(asked) != 1 || !strings.Contains(asked[0], "127.0.0.1") {
		t.Errorf("%q, asked %q", s.Out, asked)
	}
	if data, err := os.ReadFile(known); err != nil || strings.Count(string(data), "\n") != 2 {
		t.Errorf("known_hosts: %q, %v", data, err)
	}
	if err := os.Remove(known); err != nil {
		t.Fatal(err)
	}
	asked = nil
	if s := c.Run(t.Context(), t, args...).Want(t, cli.ExitDone); s.Out != "onetwo" || len(asked) != 1 || !strings.Contains(asked[0], "127.0.0.2") {
		t.Errorf("%q, asked %q", s.Out, asked)
	}
}

// closing is an output that closes a server when something is written to it.
type closing struct {
	io.Writer
	server io.Closer
}

func (c closing) Write(p []byte) (int, error) {
	_ = c.server.Close()
	return c.Writer.Write(p)
}

func port(u *account) string { return u.Flags()[1] }

// full is an output that takes nothing, as /dev/full.
type full struct{}

func (full) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}
}

// TestFullOutput: where standard output takes nothing, that is said of it, once, and not of the
// server; the exit code is the same whatever the command.
func TestFullOutput(t *testing.T) {
	u := newAccount(t)
	clitest.Write(t, u.Root, map[string]string{"f": "text", "g": "text"})
	for _, args := range [][]string{{"cat", "box:f", "box:g"}, {"get", "box:f", "-"}, {"ls", "box:"}, {"stat", "box:f"}, {"get", "--json", "box:f", "copy"}, {"version"}} {
		c := command()
		c.Main = func(ctx context.Context, args []string, env cli.Env) int {
			env.Stdout = full{}
			return run(ctx, args, env)
		}
		s := c.Run(t.Context(), t, args...).Want(t, cli.ExitSome, "no space left")
		if strings.Count(s.Err, "no space left") != 1 || strings.Contains(s.Err, "127.0.0.1") || strings.Contains(s.Err, "make room there") {
			t.Errorf("%q says %s", args, s.Err)
		}
	}
}

// TestRemoveDanglingLink: a link is removed itself, wherever it leads.
func TestRemoveDanglingLink(t *testing.T) {
	u := newAccount(t)
	for _, flags := range [][]string{nil, {"-r"}, {"-rf"}} {
		clitest.Write(t, u.Root, map[string]string{"d/kept": "x"})
		for name, to := range map[string]string{"nowhere": "none", "folder": "d"} {
			if err := os.Symlink(to, filepath.Join(u.Root, name)); err != nil {
				t.Skip(err)
			}
			args := func(more ...string) []string {
				return append(append(append([]string{"rm"}, flags...), more...), "box:"+name)
			}
			if s := u.done(t, args("-n")...); s.Out != name+": would be removed\n" {
				t.Errorf("%q %q", s.Out, s.Err)
			}
			u.done(t, args()...)
			if _, err := os.Lstat(filepath.Join(u.Root, name)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%q: %s is there: %v", flags, name, err)
			}
		}
		clitest.Holds(t, u.Root, map[string]string{"d/kept": "x"})
	}
	u.types(t, "rm", "-r", "box:none").Want(t, cli.ExitSome, "no such file")
	u.types(t, "rm", "-rn", "box:none").Want(t, cli.ExitSome, "no such file")
	u.done(t, "rm", "-rf", "box:none")
}

// TestDirectWithoutListing: into a folder that shows nothing, the default way says which
// deliveries help, and both do.
func TestDirectWithoutListing(t *testing.T) {
	u := newAccount(t, func(o *testserver.TrioOptions) {
		o.Access = func(op testserver.Op, name string) error {
			switch op {
			case testserver.OpStat, testserver.OpList, testserver.OpRead, testserver.OpRename:
				if strings.HasPrefix(name, "/in") {
					return os.ErrPermission
				}
			}
			return nil
		}
	})
	clitest.Write(t, ".", map[string]string{"a": "a", "d/b": "b"})
	clitest.Write(t, u.Root, map[string]string{"in/": ""})
	for _, way := range []string{"direct", "drop"} {
		u.done(t, "put", "--delivery", way, "a", "box:in/"+way)
		u.done(t, "put", "--delivery", way, "a", "box:in/")
		clitest.Holds(t, u.Root, map[string]string{"in/" + way: "a", "in/a": "a"})
		for _, name := range []string{way, "a"} {
			if err := os.Remove(filepath.Join(u.Root, "in", name)); err != nil {
				t.Fatal(err)
			}
		}
	}
}
