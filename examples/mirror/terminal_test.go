package main

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// home keeps the locks of tests that run in this process in a folder of their own.
func home(t *testing.T) { t.Setenv("XDG_CACHE_HOME", t.TempDir()); t.Setenv("HOME", t.TempDir()) }

// TestTerminal: somebody who looks sees how much there is to do before it is done, a
// line for each file, and a summary; of what fails too. Bars end.
func TestTerminal(t *testing.T) {
	home(t)
	w := clitest.Start(t)
	src := t.TempDir()
	files := map[string]string{"zero": "", "one": "1", "sub/big": clitest.Content(3 << 20)}
	clitest.Write(t, src, files)
	clitest.Write(t, w.Root, map[string]string{"in/one/": ""})
	c := clitest.Command{Main: run, Terminal: true, StdoutTerminal: true}
	args := append(w.Flags("-rate", "1M"), src, w.URLOf("sftp", "in")) // so that there is something to see
	args[len(args)-1] = strings.Replace(args[len(args)-1], "127.0.0.1", "127.0.0.1:"+strconv.Itoa(w.SFTP.Port()), 1)
	s := c.Run(t.Context(), t, args...).Want(t, cli.ExitSome, "refuse one", "2 done, 1 failed", "of 3.0 MiB", ": 2 done, 1 failed, 0 unknown, 0 unchanged, 1 folder made")
	for _, line := range []string{"upload zero (0 B, sftp, checked by size", "upload sub/big (3.0 MiB, sftp, checked by size"} {
		if !strings.Contains(s.Err+s.Out, line) {
			t.Errorf("%q is not shown: %q %q", line, s.Out, s.Err)
		}
	}
	clitest.Holds(t, filepath.Join(w.Root, "in"), map[string]string{"zero": "", "one/": "", "sub/big": files["sub/big"]})

	c.Run(t.Context(), t, append([]string{"-quiet"}, args...)...).Want(t, cli.ExitSome)
}

// TestInterruptedOnTerminal: bars do not outlive an interruption, and the exit code says
// what it was.
func TestInterruptedOnTerminal(t *testing.T) {
	home(t)
	proxy := faultproxy.New(faultproxy.Options{Plan: func(faultproxy.ConnInfo) faultproxy.Fault { return faultproxy.StallAt(faultproxy.Up, 1<<20) }})
	defer proxy.Close()
	w := clitest.Start(t)
	route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: w.SFTP.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if _, w.KnownHosts, err = w.WriteFiles(t.TempDir(), route.Addr().String()); err != nil {
		t.Fatal(err)
	}
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"big": clitest.Content(3 << 20)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := clitest.Command{Main: run, Terminal: true, StdoutTerminal: true}
	seen := make(chan clitest.Seen)
	go func() {
		seen <- c.Run(ctx, t, "-known-hosts", w.KnownHosts, src, "sftp://"+clitest.User+"@127.0.0.1:"+strconv.Itoa(route.Port())+"/in")
	}()
	clitest.Until(t, "the line is held", func() bool { return proxy.Stats().Stalls > 0 })
	cancel()
	(<-seen).Want(t, cli.ExitInterrupted, "interrupted: 0 done", "the same command goes on from there")
}
