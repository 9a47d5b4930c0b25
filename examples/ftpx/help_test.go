package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

// TestHelp: every command has help of at most 80 columns, with examples that are command
// lines it takes.
func TestHelp(t *testing.T) {
	top := command().Run(t.Context(), t, "--help").Want(t, cli.ExitDone)
	if bare := command().Run(t.Context(), t).Want(t, cli.ExitDone); bare != top {
		t.Error("without arguments there is no help")
	}
	parser, err := newParser(&commands{}, cli.Env{}.Shared())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range parser.Model.Children {
		s := command().Run(t.Context(), t, n.Name, "--help").Want(t, cli.ExitDone)
		for line := range strings.Lines(top.Out + s.Out) {
			if len([]rune(strings.TrimRight(line, "\n"))) > columns {
				t.Errorf("%s: a line of more than %d columns: %s", n.Name, columns, line)
			}
		}
		if !strings.Contains(top.Out, "  "+n.Name+" ") {
			t.Errorf("%s is not in the help", n.Name)
		}
		if n.Name != "version" && n.Name != "demo" && !strings.Contains(s.Out, "ftpx "+n.Name+" ") {
			t.Errorf("%s has no example:\n%s", n.Name, s.Out)
		}
		for line := range strings.Lines(s.Out) {
			_, example, ok := strings.Cut(line, "    ftpx ")
			if !ok {
				continue
			}
			example, _, _ = strings.Cut(example, " |")
			example, _, _ = strings.Cut(example, " >")
			if _, err := parser.Parse(strings.Fields(strings.ReplaceAll(example, "'", ""))); err != nil {
				t.Errorf("the example %q: %v", strings.TrimSpace(line), err)
			}
		}
	}
}

// TestMade: what is made of the commands names them all.
func TestMade(t *testing.T) {
	man := command().Run(t.Context(), t, "man").Want(t, cli.ExitDone)
	for _, want := range []string{".SH PUT\n", ".B \\-n, \\-\\-dry\\-run\n", ".SH EXIT CODES\n.TP\n0\n", "$FTPX_VIA"} {
		if !strings.Contains(man.Out, want) {
			t.Errorf("the manual has no %q", want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if s := command().Run(t.Context(), t, "completion", shell).Want(t, cli.ExitDone); !strings.Contains(s.Out, "dry-run") || !strings.Contains(s.Out, "mirror") {
			t.Errorf("%s: %s", shell, s.Out)
		}
	}
	if s := command().Run(t.Context(), t, "version").Want(t, cli.ExitDone); s.Out != fmt.Sprintln("ftpx", cli.Version()) {
		t.Errorf("version: %q", s.Out)
	}
}
