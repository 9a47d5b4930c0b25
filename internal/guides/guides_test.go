// Package guides compiles the Go code of docs/guides, of README.md and of docs, so that it
// cannot go stale: a block that is a file as such, and any other as the body of a function
// with what such a function has at hand.
package guides

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	_ "github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest" // what blocks use: go test runs again when it changes
	_ "github.com/seed01fc2e40/go-ftpx/ftpx/jobreport"
	_ "github.com/seed01fc2e40/go-ftpx/ftpx/sshconfig"
	_ "github.com/seed01fc2e40/go-ftpx/ftpx/watch"
)

const module = "github.com/seed01fc2e40/go-ftpx"

// imports are the packages that blocks may use, by their names.
var imports = map[string]string{
	"bytes": "bytes", "context": "context", "errors": "errors", "fmt": "fmt", "fs": "io/fs", "http": "net/http", "io": "io", "log": "log",
	"os": "os", "slog": "log/slog", "strings": "strings", "synctest": "testing/synctest", "testing": "testing", "time": "time",
	"ftpx": module + "/ftpx", "folder": module + "/ftpx/folder", "ftpxtest": module + "/ftpx/ftpxtest", "ledger": module + "/ftpx/ledger",
	"sshconfig": module + "/ftpx/sshconfig", "watch": module + "/ftpx/watch", "jobreport": module + "/ftpx/jobreport",
}

// atHand is what a block that is no file finds.
const atHand = `
func block(ctx context.Context, c ftpx.Client, l *ledger.Ledger, t *testing.T, err error,
	process func(string) error, archive func(context.Context, ftpx.Client, string) error) error {
	{
%s
	}
	return nil
}
`

var fence = regexp.MustCompile("(?ms)^```go\n(.*?)^```")

// blocks are the Go code of a document.
func blocks(text string) (all []string) {
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// checker type-checks code against what the go command has compiled.
type checker struct {
	fset *token.FileSet
	from types.Importer
}

func newChecker() (*checker, error) {
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export"}
	for _, p := range imports {
		args = append(args, p)
	}
	cmd := exec.Command("go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, &stderr)
	}
	files := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		files[p.ImportPath] = p.Export
	}
	c := &checker{fset: token.NewFileSet()}
	c.from = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	return c, nil
}

// check returns what is wrong with a block. A variable that a guide shows and does not use
// is no mistake in it.
func (c *checker) check(name, block string) error {
	text := block
	if !strings.HasPrefix(strings.TrimSpace(block), "package ") {
		decls := "package block\n" + block
		if _, err := parser.ParseFile(token.NewFileSet(), name, decls, parser.SkipObjectResolution); err != nil || strings.Contains(block, "\nimport ") {
			decls = "package block\n" + fmt.Sprintf(atHand, withoutImports(block))
		}
		text = withImports(decls)
	}
	f, err := parser.ParseFile(c.fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	var errs []error
	conf := types.Config{Importer: c.from, Error: func(err error) {
		if !strings.Contains(err.Error(), "declared and not used") {
			errs = append(errs, err)
		}
	}}
	_, _ = conf.Check("block", c.fset, []*ast.File{f}, nil) // its error is the first of errs
	return errors.Join(errs...)
}

var importLine = regexp.MustCompile(`(?m)^import .*\n`)

func withoutImports(block string) string { return importLine.ReplaceAllString(block, "") }

// withImports adds the imports of the packages that code uses.
func withImports(text string) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return text // whose error is told when it is checked
	}
	var list []string
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := s.X.(*ast.Ident); ok && imports[name.Name] != "" {
				list = append(list, fmt.Sprintf("import %s %q\n", name.Name, imports[name.Name]))
			}
		}
		return true
	})
	slices.Sort(list)
	return strings.Replace(text, "package block\n", "package block\n"+strings.Join(slices.Compact(list), ""), 1)
}

func TestGuidesCompile(t *testing.T) {
	c, err := newChecker()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("../../docs/guides/*.md")
	if err != nil || len(names) < 9 {
		t.Fatal(names, err)
	}
	n := 0
	for _, name := range append(names, "../../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range blocks(string(text)) {
			n++
			if err := c.check(fmt.Sprintf("%s block %d", filepath.Base(name), i+1), block); err != nil {
				t.Errorf("%s, block %d: %v\n%s", name, i+1, err, block)
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d blocks were found", n)
	}
	for block, ok := range map[string]bool{
		"c.Put(ctx, 1, nil, nil)\n": false, "c.Uplod(ctx, \"a\", \"b\", nil)\n": false, "package x\n\nfunc f() { g() }\n": false,
		"res, err := c.Put(ctx, \"f\", nil, nil)\nreturn err\n": true, "type t struct{ ftpx.Client }\n": true,
	} {
		if err := c.check("made up", block); (err == nil) != ok {
			t.Errorf("%q: %v, want it taken: %v", block, err, ok)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestLinksLead: what a guide points to is there.
func TestLinksLead(t *testing.T) {
	names, err := filepath.Glob("../../docs/guides/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "../../SECURITY.md", "../../docs/compatibility.md", "../../README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
