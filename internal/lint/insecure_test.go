package lint

import (
	"go/ast"
	"path"
	"strconv"
	"strings"
	"testing"
)

// checkInsecure complains about code that switches off the check of a server's
// identity outside files named for it ("insecure" in the name), so that a review
// of those files is a review of all such places. Options of that name that are
// only passed on are none of its business, except into tls.Config, where they
// take effect.
func checkInsecure(t *tree) []string {
	var bad []string
	for _, f := range t.files {
		if f.test() || strings.Contains(path.Base(f.name), "insecure") {
			continue
		}
		tlsName := importName(f.ast, "crypto/tls", "tls")
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "InsecureIgnoreHostKey" {
					bad = append(bad, t.at(n.Pos(), "InsecureIgnoreHostKey() outside a file named for it"))
				}
			case *ast.CompositeLit:
				strict := selects(n.Type, tlsName, "Config")
				for _, e := range n.Elts {
					kv, ok := e.(*ast.KeyValueExpr)
					if ok && named(kv.Key, "InsecureSkipVerify") && (isTrue(kv.Value) || strict && !isFalse(kv.Value)) {
						bad = append(bad, t.at(kv.Pos(), "InsecureSkipVerify outside a file named for it"))
					}
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					s, ok := left.(*ast.SelectorExpr)
					if ok && s.Sel.Name == "InsecureSkipVerify" && len(n.Lhs) == len(n.Rhs) && isTrue(n.Rhs[i]) {
						bad = append(bad, t.at(n.Pos(), "InsecureSkipVerify outside a file named for it"))
					}
				}
			}
			return true
		})
	}
	return bad
}

// importName returns the name by which a file knows an import, "" for none.
func importName(f *ast.File, target, byDefault string) string {
	for _, spec := range f.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err != nil || p != target {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return byDefault
	}
	return ""
}

// selects reports whether an expression is pkg.name.
func selects(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && pkg != "" && s.Sel.Name == name && named(s.X, pkg)
}

func named(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

func isTrue(e ast.Expr) bool  { return named(e, "true") }
func isFalse(e ast.Expr) bool { return named(e, "false") }

func TestIdentityChecksStayOn(t *testing.T) { none(t, checkInsecure(theModule(t))) }

func TestInsecureRuleCanFail(t *testing.T) {
	const skip = "package p\n\nimport stls \"crypto/tls\"\n\nvar c = stls.Config{\n\tInsecureSkipVerify: "
	exactly(t, checkInsecure(madeUp(t, map[string]string{
		"ftpx/true.go":             skip + "true,\n}\n",
		"ftpx/passed.go":           skip + "option,\n}\n",
		"ftpx/false.go":            skip + "false,\n}\n",
		"ftpx/pointer.go":          "package p\n\nimport \"crypto/tls\"\n\nvar c = &tls.Config{InsecureSkipVerify: true}\n",
		"ftpx/option.go":           "package p\n\nvar e = Endpoint{InsecureSkipVerify: o.InsecureSkipVerify}\n",
		"ftpx/option_on.go":        "package p\n\nvar e = Endpoint{InsecureSkipVerify: true}\n",
		"ftpx/assign.go":           "package p\n\nfunc f() { c.InsecureSkipVerify = true }\n",
		"ftpx/ask.go":              "package p\n\nfunc f() bool { return c.InsecureSkipVerify && c.InsecureIgnoreHostKey }\n",
		"internal/x/hostkey.go":    "package p\n\nvar h = ssh.InsecureIgnoreHostKey()\n",
		"transport/insecure.go":    skip + "true,\n}\n\nvar h = ssh.InsecureIgnoreHostKey()\n",
		"transport/insecure_on.go": skip + "true,\n}\n",
		"ftpx/true_test.go":        skip + "true,\n}\n",
	})),
		"ftpx/true.go:6:", "ftpx/passed.go:6:", "ftpx/pointer.go:5:", "ftpx/option_on.go:3:",
		"ftpx/assign.go:3:", "internal/x/hostkey.go:3:",
	)
}
