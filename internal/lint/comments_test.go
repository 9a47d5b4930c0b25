package lint

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// checkComments complains about exported names without a doc comment in the
// packages that programs import, and about packages without a package comment
// anywhere. A constant or variable of a group may lean on the group's comment; a
// type, function, method or field has its own.
func checkComments(t *tree) []string {
	bad := packageComments(t)
	for _, f := range t.files {
		if f.test() || slices.Contains(strings.Split(f.dir(), "/"), "internal") || f.ast.Name.Name == "main" {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && reachable(d) && d.Doc == nil {
					bad = append(bad, t.at(d.Pos(), "%s has no doc comment", d.Name.Name))
				}
			case *ast.GenDecl:
				bad = append(bad, t.genDecl(d)...)
			}
		}
	}
	return bad
}

// packageComments looks for one file with a package comment in each folder.
func packageComments(t *tree) []string {
	documented := map[string]bool{}
	first := map[string]*sourceFile{}
	var order []string
	for _, f := range t.files {
		if f.test() {
			continue
		}
		if first[f.dir()] == nil {
			first[f.dir()] = f
			order = append(order, f.dir())
		}
		documented[f.dir()] = documented[f.dir()] || f.ast.Doc != nil
	}
	var bad []string
	for _, dir := range order {
		if !documented[dir] {
			bad = append(bad, t.at(first[dir].ast.Package, "package %s has no package comment", first[dir].ast.Name.Name))
		}
	}
	return bad
}

// reachable reports whether users of the package can name the function: methods
// of unexported types are seen through interfaces, which carry the contract.
func reachable(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	expr := d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return true
		}
	}
}

// genDecl looks at a declaration of types, constants or variables.
func (t *tree) genDecl(d *ast.GenDecl) []string {
	var bad []string
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.TypeSpec:
			if !s.Name.IsExported() {
				continue
			}
			alone := d.Lparen == token.NoPos
			if s.Doc == nil && !(alone && d.Doc != nil) {
				bad = append(bad, t.at(s.Pos(), "%s has no doc comment", s.Name.Name))
			}
			bad = append(bad, t.members(s)...)
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					bad = append(bad, t.at(name.Pos(), "%s has no doc comment", name.Name))
				}
			}
		}
	}
	return bad
}

// members looks at the fields of an exported struct and the methods of an
// exported interface, however deep they are nested in it.
func (t *tree) members(s *ast.TypeSpec) []string {
	var bad []string
	ast.Inspect(s.Type, func(n ast.Node) bool {
		var list *ast.FieldList
		switch n := n.(type) {
		case *ast.StructType:
			list = n.Fields
		case *ast.InterfaceType:
			list = n.Methods
		case *ast.FuncType:
			return false
		}
		if list == nil {
			return true
		}
		for _, field := range list.List {
			for _, name := range field.Names { // embedded: documented at its own type
				if name.IsExported() && field.Doc == nil && field.Comment == nil {
					bad = append(bad, t.at(name.Pos(), "%s.%s has no doc comment", s.Name.Name, name.Name))
				}
			}
		}
		return true
	})
	return bad
}

func TestExportedNamesAreDocumented(t *testing.T) { none(t, checkComments(theModule(t))) }

func TestCommentRuleCanFail(t *testing.T) {
	exactly(t, checkComments(madeUp(t, map[string]string{
		"ftpx/bad.go": `package ftpx

func Naked() {}

func private() {}

type Bare struct {
	Field int
	// Good is fine.
	Good int
	Line int // is fine too
	own  int
	Deep struct {
		Inner int
	} // has a comment
}

func (b *Bare) Method() {}

func (h hidden) Method() {}

type hidden struct{ Seen int }

// Face is fine.
type Face interface {
	Do()
	// Done is fine.
	Done()
	error
}

// List is fine.
type List[T any] struct{}

func (l *List[T]) Add() {}

const Limit = 1

// The group is explained.
const (
	A = iota
	B
)

// A comment on a group says nothing about a type.
type (
	Grouped int
)

var Open, closed int
`,
		"retry/good.go":    "// Package retry is fine.\npackage retry\n",
		"retry/other.go":   "package retry\n",
		"internal/i/i.go":  "package i\n\nfunc Naked() {}\n",
		"examples/e/e.go":  "// Command e is fine.\npackage main\n\nfunc Naked() {}\n",
		"ftpx/bad_test.go": "package ftpx\n\nfunc Naked2() {}\n",
	})),
		"package ftpx has no package comment",
		"internal/i/i.go:1: package i has no package comment",
		"bad.go:3: Naked has no doc comment",
		"bad.go:7: Bare has no doc comment",
		"Bare.Field has no doc comment",
		"Bare.Inner has no doc comment",
		"bad.go:18: Method has no doc comment",
		"Face.Do has no doc comment",
		"Add has no doc comment",
		"Limit has no doc comment",
		"Grouped has no doc comment",
		"Open has no doc comment",
	)
}
