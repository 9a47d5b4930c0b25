package lint

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// moduleRoot is the module's top folder, seen from this package.
const moduleRoot = "../.."

// A tree is the Go source of a module, parsed once for all rules.
type tree struct {
	root   string
	module string // module path
	fset   *token.FileSet
	files  []*sourceFile
}

// A sourceFile is one file. Build constraints are not looked at: a rule holds
// on every system.
type sourceFile struct {
	name  string // relative to the root, with slashes
	lines int
	ast   *ast.File
}

// dir returns the package's folder relative to the root, "." for the top.
func (f *sourceFile) dir() string { return path.Dir(f.name) }

// test reports whether the file belongs to tests only.
func (f *sourceFile) test() bool { return strings.HasSuffix(f.name, "_test.go") }

// within reports whether the file lies in the folder or beneath it.
func (f *sourceFile) within(folder string) bool { return within(f.dir(), folder) }

func within(dir, folder string) bool {
	return dir == folder || strings.HasPrefix(dir, folder+"/")
}

// load parses every Go file below root except what the go command ignores.
func load(root string) (*tree, error) {
	t := &tree{root: root, fset: token.NewFileSet()}
	var err error
	if t.module, err = modulePath(filepath.Join(root, "go.mod")); err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		if d.IsDir() {
			if p != root && (base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(base, ".go") || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
			return nil
		}
		return t.parse(p)
	})
	return t, err
}

// parse adds one file.
func (t *tree) parse(p string) error {
	text, err := os.ReadFile(p)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(t.root, p)
	if err != nil {
		return err
	}
	name := filepath.ToSlash(rel)
	parsed, err := parser.ParseFile(t.fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.files = append(t.files, &sourceFile{name: name, lines: strings.Count(string(text), "\n"), ast: parsed})
	return nil
}

// at writes a complaint with its place, as editors like it.
func (t *tree) at(pos token.Pos, format string, args ...any) string {
	p := t.fset.Position(pos)
	return fmt.Sprintf("%s:%d: %s", p.Filename, p.Line, fmt.Sprintf(format, args...))
}

// modulePath reads the module line of a go.mod.
func modulePath(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", fmt.Errorf("%s has no module line", file)
}

// theModule parses this module.
func theModule(t *testing.T) *tree {
	t.Helper()
	m, err := load(moduleRoot)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.files) < 10 {
		t.Fatalf("only %d files found: the rules would pass by looking at nothing", len(m.files))
	}
	return m
}

// madeUp writes a tree of the given files into a folder of the test's and parses
// it. A go.mod is added.
func madeUp(t *testing.T, files map[string]string) *tree {
	t.Helper()
	root := t.TempDir()
	write(t, root, "go.mod", "module example.test/m\n\ngo 1.26\n")
	for name, text := range files {
		write(t, root, name, text)
	}
	m, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	file := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// none fails the test for each complaint.
func none(t *testing.T, complaints []string) {
	t.Helper()
	for _, c := range complaints {
		t.Error(c)
	}
}

// exactly compares complaints with what a made-up tree must give: each expected
// text is a part of exactly one complaint, and there are no others.
func exactly(t *testing.T, complaints []string, want ...string) {
	t.Helper()
	left := slices.Clone(complaints)
	for _, w := range want {
		i := slices.IndexFunc(left, func(c string) bool { return strings.Contains(c, w) })
		if i < 0 {
			t.Errorf("no complaint with %q", w)
			continue
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, c := range left {
		t.Errorf("a complaint too many: %s", c)
	}
}
