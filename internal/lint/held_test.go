package lint

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// checkHeld complains about calls that take a context while a mutex is held, or within a
// sync.Once: they may wait for the network, and so would all who want the mutex, whatever
// their contexts say. Under testing/synctest such a wait stops the clock for good.
func checkHeld(t *tree) []string {
	var bad []string
	for _, f := range t.files {
		if f.test() || layerOf(f.dir()) < 0 || f.within("examples") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body != nil {
					bad = append(bad, t.heldIn(n.Body.List, false)...)
				}
			case *ast.FuncLit:
				bad = append(bad, t.heldIn(n.Body.List, false)...)
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Do" && len(n.Args) == 1 && strings.HasSuffix(strings.ToLower(typeName(s.X)), "once") {
					bad = append(bad, t.waits(n.Args[0], true)...)
				}
			}
			return true
		})
	}
	return bad
}

// heldIn follows statements in their order; held says that a mutex is held at first.
func (t *tree) heldIn(list []ast.Stmt, held bool) []string {
	var bad []string
	for _, stmt := range list {
		switch s := stmt.(type) {
		case *ast.ExprStmt:
			switch method(s.X) {
			case "Lock", "RLock":
				held = true
				continue
			case "Unlock", "RUnlock":
				held = false
				continue
			}
		case *ast.BlockStmt:
			bad = append(bad, t.heldIn(s.List, held)...)
			continue
		case *ast.ForStmt:
			bad = append(bad, t.heldIn(s.Body.List, held)...)
			continue
		case *ast.RangeStmt:
			bad = append(bad, t.heldIn(s.Body.List, held)...)
			continue
		case *ast.IfStmt:
			bad = append(bad, t.heldIf(s, held)...)
			continue
		case *ast.SwitchStmt:
			for _, c := range s.Body.List {
				bad = append(bad, t.heldIn(c.(*ast.CaseClause).Body, held)...)
			}
			continue
		case *ast.DeferStmt, *ast.GoStmt:
			continue
		}
		if held {
			bad = append(bad, t.waits(stmt, false)...)
		}
	}
	return bad
}

func (t *tree) heldIf(s *ast.IfStmt, held bool) []string {
	var bad []string
	if held {
		for _, n := range []ast.Node{s.Init, s.Cond} {
			if n != nil {
				bad = append(bad, t.waits(n, false)...)
			}
		}
	}
	bad = append(bad, t.heldIn(s.Body.List, held)...)
	switch e := s.Else.(type) {
	case *ast.BlockStmt:
		bad = append(bad, t.heldIn(e.List, held)...)
	case *ast.IfStmt:
		bad = append(bad, t.heldIf(e, held)...)
	}
	return bad
}

// waits lists the calls with a context in a piece of code; those of functions that are made
// in it, and called later, only where literals is set.
func (t *tree) waits(n ast.Node, literals bool) []string {
	var bad []string
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return literals
		case *ast.CallExpr:
			if len(n.Args) == 0 || slices.Contains([]string{"context", "runtime"}, packageOf(n.Fun)) || typeName(n.Fun) == "wire.Canceled" {
				return true
			}
			if arg, ok := n.Args[0].(*ast.Ident); ok && (arg.Name == "ctx" || strings.HasSuffix(arg.Name, "Ctx")) {
				bad = append(bad, t.at(n.Pos(), "%s is called with a context while a mutex or a sync.Once is held: whoever waits for that cannot give up", typeName(n.Fun)))
			}
		}
		return true
	})
	return bad
}

// method is the name of the method that an expression calls without arguments, "" for none.
func method(e ast.Expr) string {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) > 0 {
		return ""
	}
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	return s.Sel.Name
}

func packageOf(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		return typeName(s.X)
	}
	return ""
}

// checkOutcomes complains about an Error of package ftpx that is made without saying how it
// ended: zero is "unknown", after which nobody may send the file again.
func checkOutcomes(t *tree) []string {
	var bad []string
	for _, f := range t.files {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok || len(lit.Elts) == 0 {
				return true
			}
			if name := typeName(lit.Type); name != "ftpx.Error" && (name != "Error" || f.dir() != "ftpx" || f.test()) {
				return true
			}
			for _, e := range lit.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok && typeName(kv.Key) == "Outcome" {
					return true
				}
			}
			bad = append(bad, t.at(lit.Pos(), "an ftpx.Error without an Outcome is of an unknown one: say NotDone or Unknown"))
			return true
		})
	}
	return bad
}

func TestNothingIsHeldOverTheNetwork(t *testing.T) { none(t, checkHeld(theModule(t))) }
func TestErrorsSayTheirOutcome(t *testing.T)       { none(t, checkOutcomes(theModule(t))) }

func TestHeldRuleCanFail(t *testing.T) {
	exactly(t, checkHeld(madeUp(t, map[string]string{
		"ftpx/a.go": "package ftpx\n\nfunc (c *client) f(ctx context.Context) {\n\tc.mu.Lock()\n\tdefer c.mu.Unlock()\n\tif c.old {\n\t\tc.c.Stat(ctx, \"x\")\n\t}\n}\n",
		"ftpx/b.go": "package ftpx\n\nfunc (c *client) f(ctx context.Context) {\n\tc.once.Do(func() { c.err = c.c.MkdirAll(ctx, \"x\") })\n}\n",
		"ftpx/c.go": "package ftpx\n\nfunc (c *client) f(ctx context.Context) {\n\tc.mu.Lock()\n\tc.n++\n\tc.mu.Unlock()\n\tc.c.Stat(ctx, \"x\")\n}\n",
	})),
		"ftpx/a.go:7: c.c.Stat is called with a context while",
		"ftpx/b.go:4: c.c.MkdirAll is called with a context while",
	)
}

func TestOutcomeRuleCanFail(t *testing.T) {
	exactly(t, checkOutcomes(madeUp(t, map[string]string{
		"ftpx/folder/a.go": "package folder\n\nvar err = &ftpx.Error{Op: \"put\"}\n",
		"ftpx/folder/b.go": "package folder\n\nvar err = &ftpx.Error{Op: \"put\", Outcome: ftpx.NotDone}\n",
	})),
		"ftpx/folder/a.go:3: an ftpx.Error without an Outcome",
	)
}
