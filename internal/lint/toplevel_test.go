package lint

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// topLevel is all that a newcomer meets first. Names that begin with a dot are
// allowed besides.
var topLevel = []string{
	"doc.go", "ftpx", "retry", "transport", "examples", "internal",
	"go.mod", "go.sum", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs",
}

// checkTopLevel complains about anything else at the top.
func checkTopLevel(root string) ([]string, error) {
	names, err := topNames(root)
	if err != nil {
		return nil, err
	}
	var bad []string
	for _, name := range names {
		if !strings.HasPrefix(name, ".") && !slices.Contains(topLevel, name) {
			bad = append(bad, fmt.Sprintf("%s does not belong at the top level", name))
		}
	}
	return bad, nil
}

// topNames lists the top folder, in a clone without what git ignores: a binary
// that `go build` has left there is nobody's mistake.
func topNames(root string) ([]string, error) {
	cmd := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil {
		var names []string
		for file := range strings.Lines(string(out)) {
			name, _, _ := strings.Cut(strings.TrimSpace(file), "/")
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return names, nil
	}
	entries, err := os.ReadDir(root) // no git, or no clone
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

func TestTopLevelIsUncrowded(t *testing.T) {
	bad, err := checkTopLevel(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	none(t, bad)
}

func TestTopLevelRuleCanFail(t *testing.T) {
	for _, clone := range []bool{false, true} {
		t.Run(fmt.Sprintf("clone=%v", clone), func(t *testing.T) {
			m := madeUp(t, map[string]string{
				"README.md": "", ".gitignore": "/uploader\n", "ftpx/x.go": "package ftpx\n",
				"pkg/x.go": "package pkg\n", "notes.txt": "", "main.go": "package main\n",
			})
			want := []string{"pkg does not", "notes.txt does not", "main.go does not"}
			if clone {
				if out, err := exec.Command("git", "-C", m.root, "init", "-q").CombinedOutput(); err != nil {
					t.Skipf("git init: %v: %s", err, out)
				}
				write(t, m.root, "uploader", "a binary") // ignored
			}
			bad, err := checkTopLevel(m.root)
			if err != nil {
				t.Fatal(err)
			}
			exactly(t, bad, want...)
		})
	}
}
