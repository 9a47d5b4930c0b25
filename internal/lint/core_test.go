package lint

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// core are the packages that a reader has to hold in the head to follow one transfer.
var core = []string{"ftpx", "ftpx/internal/session", "ftpx/internal/upload", "ftpx/internal/download", "ftpx/internal/transfer",
	"ftpx/internal/remotefs", "transport/ftpdriver", "transport/sftpdriver", "transport/charset"}

// inCore reports whether a file belongs to the core.
func inCore(f *sourceFile) bool { return !f.test() && slices.Contains(core, f.dir()) }

const (
	mostFields = 20 // of a struct: more are several things
	mostParams = 5  // of a function: more are a struct without a name
)

// checkShapes complains about structs and functions of the core that hold too much.
func checkShapes(t *tree) []string {
	var bad []string
	for _, f := range t.files {
		if !inCore(f) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok && s.Fields != nil {
					if fields := count(s.Fields); fields > mostFields {
						bad = append(bad, t.at(n.Pos(), "%s has %d fields, more than %d: group them by what they are about", n.Name.Name, fields, mostFields))
					}
				}
			case *ast.FuncDecl:
				if params := count(n.Type.Params); params > mostParams {
					bad = append(bad, t.at(n.Pos(), "%s has %d parameters, more than %d: some of them are one thing", n.Name.Name, params, mostParams))
				}
			}
			return true
		})
	}
	return bad
}

func count(list *ast.FieldList) int {
	n := 0
	for _, f := range list.List {
		n += max(len(f.Names), 1)
	}
	return n
}

// checkAssertions complains about type assertions to an interface or type of transport on
// what may be a connection: a wrapper loses whatever is found that way. A driver's own
// types and errors are none of its business.
func checkAssertions(t *tree) []string {
	var bad []string
	for _, f := range t.files {
		if f.test() || layerOf(f.dir()) < 0 && !f.within("internal/memconn") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			a, ok := n.(*ast.TypeAssertExpr)
			if !ok || a.Type == nil {
				return true
			}
			if s, ok := a.Type.(*ast.SelectorExpr); ok {
				if p, ok := s.X.(*ast.Ident); ok && p.Name == "transport" {
					bad = append(bad, t.at(a.Pos(), "an assertion to transport.%s: what a connection can do is in transport.Caps, what it is asked is in a batch", s.Sel.Name))
				}
			}
			return true
		})
	}
	return bad
}

// processWide are variables that are about the process and its files, and not about a
// host: what two clients do to one known_hosts file or to one local file, and what a
// passphrase was worked into by a second of computing.
var processWide = []string{"trusting", "unlocked", "active"}

// checkDriverState complains about variables of a driver's package, or of one beneath ftpx,
// that may change: what was learned of a host belongs to one client (transport.Learned), and
// what a test wants otherwise it hands in. Tables, errors and patterns that are written once
// are recognised by how they are made; a number or a function is there to be changed, or
// else is no variable.
func checkDriverState(t *tree) []string {
	var bad []string
	for _, v := range changeable(t, "transport/ftpdriver", "transport/sftpdriver", "ftpx/internal") {
		if !slices.Contains(processWide, v.Name) {
			bad = append(bad, t.at(v.Pos(), "%s is state of the package: keep it in transport.Learned, in the connection or in what is handed in", v.Name))
		}
	}
	return bad
}

// changeable are the variables of packages that may change.
func changeable(t *tree, folders ...string) (found []*ast.Ident) {
	for _, f := range t.files {
		if f.test() || !slices.ContainsFunc(folders, f.within) {
			continue
		}
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					if name.Name != "_" && !(i < len(v.Values) && constant(v.Values[i])) {
						found = append(found, name)
					}
				}
			}
		}
	}
	return found
}

// constant reports whether a package's variable is made of what does not change: a
// table, another variable, an error, a pattern, or a pool of buffers.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident, *ast.SelectorExpr:
		return true
	case *ast.UnaryExpr:
		return constant(e.X)
	case *ast.ParenExpr:
		return constant(e.X)
	case *ast.BinaryExpr:
		return constant(e.X) && constant(e.Y)
	case *ast.CompositeLit:
		if m, ok := e.Type.(*ast.MapType); ok {
			_ = m
			return len(e.Elts) > 0 // an empty map is there to be filled
		}
		name := typeName(e.Type)
		return !strings.HasPrefix(name, "atomic.") && name != "sync.Mutex" && name != "sync.Map"
	case *ast.CallExpr:
		switch typeName(e.Fun) {
		case "errors.New", "fmt.Errorf", "regexp.MustCompile", "as":
			return true
		}
	}
	return false
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	}
	return ""
}

func TestShapes(t *testing.T)      { none(t, checkShapes(theModule(t))) }
func TestAssertions(t *testing.T)  { none(t, checkAssertions(theModule(t))) }
func TestDriverState(t *testing.T) { none(t, checkDriverState(theModule(t))) }

func TestShapeRulesCanFail(t *testing.T) {
	fields := func(n int) string { return "struct {\n" + strings.Repeat("\t_ int\n", n) + "}" }
	exactly(t, checkShapes(madeUp(t, map[string]string{
		"ftpx/internal/upload/u.go": "package upload\n\ntype big " + fields(21) + "\ntype fits " + fields(20) + "\nfunc long(a, b, c int, d, e, f string) {}\nfunc fine(a, b, c, d, e int) {}\n",
		"ftpx/o.go":                 "package ftpx\n\ntype Options " + fields(40) + "\n",
		"ftpx/folder/f.go":          "package folder\n\ntype big " + fields(30) + "\n",
		"ftpx/x_test.go":            "package ftpx\n\ntype big " + fields(30) + "\n",
	})),
		"ftpx/internal/upload/u.go:3: big has 21 fields",
		"long has 6 parameters",
		"ftpx/o.go:3: Options has 40 fields",
	)
}

func TestAssertionRuleCanFail(t *testing.T) {
	exactly(t, checkAssertions(madeUp(t, map[string]string{
		"ftpx/a.go": "package ftpx\n\nfunc f(c any) {\n\t_ = c.(transport.Peeker)\n\tif _, ok := c.(*own); ok {\n\t}\n\tswitch c.(type) {\n\tcase transport.Conn:\n\t}\n}\n",
	})),
		"ftpx/a.go:4: an assertion to transport.Peeker",
	)
}

func TestDriverStateRuleCanFail(t *testing.T) {
	exactly(t, checkDriverState(madeUp(t, map[string]string{
		"transport/ftpdriver/s.go": `package ftpdriver

var hosts sync.Map

var known = map[string]bool{}

var table = map[string]string{"a": "b"}

var errX = errors.New("x")

var counter atomic.Int64

var _ I = (*T)(nil)

var pattern = regexp.MustCompile("x")
`,
		"ftpx/internal/upload/s.go": `package upload

var pause = 1600 * time.Millisecond

var TestHook = func() {}

var active Writers

const longest = 3
`,
		"ftpx/s.go": "package ftpx\n\nvar any sync.Map\n",
	})),
		"s.go:3: hosts is state",
		"s.go:5: known is state",
		"s.go:11: counter is state",
		"upload/s.go:3: pause is state",
		"upload/s.go:5: TestHook is state",
	)
}
