package main

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

// acts are what a name must not do to a terminal: clear it, set its title, change
// colours by one byte, delete, or turn the writing round.
var acts = []string{"\x1b[2J", "\x1b]0;", "\u009b31m", "\x7f", "\u202e", "\u2066", "\u2028", "\r", "\x07"}

// Whatever names a server lists, a terminal is shown none that acts on it: in
// results, failures and notes, in bars, and in JSON.
func TestNamesOnTheTerminal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("most of these are no names here")
	}
	var listed []entry
	for i, act := range acts {
		name := string(rune('a'+i)) + act + "txt.exe"
		listed = append(listed, entry{name, 0o644}, entry{name + ".pipe", fs.ModeNamedPipe | 0o644}, entry{"../" + name, 0o644})
	}
	listed = append(listed, entry{"raw\xff\xfe\x9b", 0o644})
	addr, key := hostile{listed: listed}.start(t)
	base := t.TempDir()
	known := filepath.Join(base, "known_hosts")
	if err := pki.WriteKnownHosts(known, pki.KnownHost(addr, key.Public())); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"-v"}, {"-json"}} {
		for _, terminal := range []bool{false, true} {
			c := downloader
			c.Terminal, c.StdoutTerminal = terminal, terminal
			args := append(args, "-known-hosts", known, "sftp://batch@"+addr+"/", filepath.Join(base, "in"))
			s := c.Run(t.Context(), t, args...).Want(t, cli.ExitSome, "control characters")
			shown := s.Out + s.Err
			for i, act := range acts {
				if act == "\r" && terminal {
					continue // bars move to the beginning of their line
				}
				if strings.Contains(shown, string(rune('a'+i))+act) || strings.Contains(shown, act+"txt") {
					t.Errorf("%v: %q is shown as it is", args[0], act)
				}
			}
			if !utf8.ValidString(shown) {
				t.Errorf("%v: bytes that are no UTF-8 are shown", args[0])
			}
			if !strings.Contains(shown, "raw") || !strings.Contains(shown, "txt.exe") {
				t.Errorf("%v: the names are not shown at all:\n%s", args[0], shown)
			}
			clitest.Tree(t, filepath.Join(base, "in"))
		}
	}
}
