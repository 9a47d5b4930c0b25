package lint

import (
	"flag"
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The table of docs/design.md, "How large the core is":
//
//	go test ./internal/lint -run TestTable -v [-args -root DIR]
//
// DIR is another checkout of the module, which may be older than this file.

var tableRoot = flag.String("root", moduleRoot, "the checkout that TestTable measures")

// reading is what a reader has to know to follow one upload over FTP. Where a package is not
// there yet, its parent holds what it has today.
var reading = []string{"transport", "ftpx/internal/session", "ftpx/internal/upload", "transport/ftpdriver", "transport/internal/wire",
	"transport/internal/ftplist"}

// measured reports whether a package belongs to the core that is counted: the face, what is
// beneath it, and the drivers.
func measured(dir string) bool {
	return dir == "ftpx" || within(dir, "ftpx/internal") || within(dir, "transport")
}

// mostRead is what the reading list may come to: it may fall, and rise only where that is
// said in docs/design.md.
const mostRead = 18950

// size is a number of lines, and of those that are not blank and not only comment.
type size struct{ lines, code int }

// table is what is counted of the core, tests excepted.
type table struct {
	packages   map[string]size
	exported   map[string]int // names by package
	structs    map[string]int // fields by type
	methods    map[string]map[string]bool
	mutexes    int
	optional   []string // interfaces of transport that somebody asserts
	changeable []string // variables of the drivers
}

func measure(t *tree) (*table, error) {
	m := &table{packages: map[string]size{}, exported: map[string]int{}, structs: map[string]int{}, methods: map[string]map[string]bool{}}
	interfaces, asserted := map[string]bool{}, map[string]bool{}
	for _, f := range t.files {
		if f.test() || !measured(f.dir()) {
			continue
		}
		code, err := codeLines(filepath.Join(t.root, filepath.FromSlash(f.name)))
		if err != nil {
			return nil, err
		}
		s := m.packages[f.dir()]
		m.packages[f.dir()] = size{s.lines + f.lines, s.code + code}
		for _, d := range f.ast.Decls {
			m.declared(f, d)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				switch x := n.Type.(type) {
				case *ast.StructType:
					if slices.ContainsFunc(x.Fields.List, unexported) {
						m.structs[f.dir()+"."+n.Name.Name] = count(x.Fields)
					}
				case *ast.InterfaceType:
					if f.dir() == "transport" {
						interfaces[n.Name.Name] = true
					}
				}
			case *ast.Field:
				if slices.Contains([]string{"sync.Mutex", "sync.RWMutex"}, typeName(n.Type)) {
					m.mutexes += max(len(n.Names), 1)
				}
			case *ast.ValueSpec:
				if slices.Contains([]string{"sync.Mutex", "sync.RWMutex"}, typeName(n.Type)) {
					m.mutexes += len(n.Names)
				}
			case *ast.TypeAssertExpr:
				asserted[transportName(f, n.Type)] = true
			case *ast.TypeSwitchStmt:
				for _, c := range n.Body.List {
					for _, e := range c.(*ast.CaseClause).List {
						asserted[transportName(f, e)] = true
					}
				}
			}
			return true
		})
	}
	for _, name := range slices.Sorted(maps.Keys(asserted)) {
		if interfaces[name] {
			m.optional = append(m.optional, name)
		}
	}
	for _, v := range changeable(t, "transport/ftpdriver", "transport/sftpdriver") {
		m.changeable = append(m.changeable, v.Name)
	}
	return m, nil
}

// declared counts the exported names of a declaration, and the files with methods of a type.
func (m *table) declared(f *sourceFile, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			m.name(f, d.Name)
			return
		}
		e := d.Recv.List[0].Type
		if star, ok := e.(*ast.StarExpr); ok {
			e = star.X
		}
		key := f.dir() + "." + typeName(e)
		if m.methods[key] == nil {
			m.methods[key] = map[string]bool{}
		}
		m.methods[key][f.name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				m.name(f, s.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					m.name(f, n)
				}
			}
		}
	}
}

func (m *table) name(f *sourceFile, n *ast.Ident) {
	if n.IsExported() {
		m.exported[f.dir()]++
	}
}

// unexported reports whether a field belongs to the package. A struct without any is what
// callers choose from, and not state.
func unexported(f *ast.Field) bool {
	return slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return !n.IsExported() })
}

// transportName is the name that an expression gives to a type of package transport, "" for
// none.
func transportName(f *sourceFile, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if typeName(e.X) == "transport" {
			return e.Sel.Name
		}
	case *ast.Ident:
		if f.dir() == "transport" {
			return e.Name
		}
	}
	return ""
}

// codeLines counts the lines of a file with anything on them but comment.
func codeLines(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var s scanner.Scanner
	fset := token.NewFileSet()
	f := fset.AddFile(file, -1, len(text))
	s.Init(f, text, nil, 0) // which skips comments
	n, last := 0, 0
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return n, nil
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue // which the scanner has put there
		}
		first := max(f.Line(pos), last+1)
		end := f.Line(pos) + strings.Count(lit, "\n")
		n += max(end-first+1, 0)
		last = max(last, end)
	}
}

// list is the reading list in a checkout.
func (m *table) list() (all size, dirs []string) {
	for _, dir := range reading {
		for m.packages[dir] == (size{}) && dir != "." {
			dir = filepath.ToSlash(filepath.Dir(dir))
		}
		if dir == "ftpx/internal" {
			dir = "ftpx"
		}
		if dir != "." && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
			all = size{all.lines + m.packages[dir].lines, all.code + m.packages[dir].code}
		}
	}
	return all, dirs
}

// largest is the key of a map with the largest number.
func largest[V any](m map[string]V, n func(V) int) (key string, most int) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if v := n(m[k]); v > most {
			key, most = k, v
		}
	}
	return key, most
}

// rows are the table's, each with the goal that it is held to, negative for none.
func (m *table) rows() []row {
	read, dirs := m.list()
	var whole size
	for _, s := range m.packages {
		whole = size{whole.lines + s.lines, whole.code + s.code}
	}
	big, lines := largest(m.packages, func(s size) int { return s.lines })
	wide, fields := largest(m.structs, func(n int) int { return n })
	spread, files := largest(m.methods, func(f map[string]bool) int { return len(f) })
	names := func(list []string) string { return strings.Join(list, ", ") }
	return []row{
		{"lines of the reading list", read.lines, mostRead, fmt.Sprintf("%d of them code; %s", read.code, names(dirs))},
		{"lines of the whole core", whole.lines, -1, fmt.Sprintf("%d of them code", whole.code)},
		{"lines of the largest package", lines, -1, fmt.Sprintf("%d of them code; %s", m.packages[big].code, big)},
		{"fields of the largest struct of state", fields, mostFields, wide},
		{"exported names of transport", m.exported["transport"], -1, ""},
		{"exported names of ftpx", m.exported["ftpx"], -1, ""},
		{"optional interfaces", len(m.optional), 0, names(m.optional)},
		{"variables of a driver that change", len(m.changeable), 2, names(m.changeable)},
		{"mutexes", m.mutexes, -1, ""},
		{"files with methods of one type", files, -1, spread},
	}
}

type row struct {
	what    string
	n, goal int
	of      string
}

func (r row) String() string {
	goal := ""
	if r.goal >= 0 {
		goal = fmt.Sprint(r.goal)
	}
	return fmt.Sprintf("| %-37s | %6d | %6s | %s |", r.what, r.n, goal, r.of)
}

// TestTable prints the table, and for this checkout holds the core to what it says.
func TestTable(t *testing.T) {
	own := *tableRoot == moduleRoot
	tree, err := load(*tableRoot)
	if err != nil {
		t.Fatal(err)
	}
	m, err := measure(tree)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("| %-37s | %6s | %6s | |\n|---|---:|---:|---|\n", "", "is", "most")
	for _, r := range m.rows() {
		fmt.Println(r)
		if own && r.goal >= 0 && r.n > r.goal {
			t.Errorf("%s: %d, and at most %d: make it less, or say in docs/design.md why it is worth more", r.what, r.n, r.goal)
		}
	}
}

// TestTableCounts counts a core that was made up.
func TestTableCounts(t *testing.T) {
	m, err := measure(madeUp(t, map[string]string{
		"ftpx/a.go":                  "package ftpx\n\n// Client is.\ntype Client interface{ Do() }\n\ntype Options struct{ A, B, C, D, E, F, G int }\n\nfunc f(c any) {\n\t_, _ = c.(transport.Looker)\n\t_ = c.(interface{ X() })\n}\n",
		"ftpx/a_test.go":             "package ftpx\n\ntype Large struct{ A, B, C, D, E, F, G int }\n",
		"ftpx/folder/a.go":           "package folder\n\ntype Folder struct{ A, B, C, D, E, F, G int }\n",
		"transport/t.go":             "package transport\n\ntype (\n\tLooker interface{ Look() }\n\tConn interface{ Do() }\n\tEntry struct{ A int }\n)\n\nconst (\n\tA = 1\n\tb = 2\n)\n",
		"transport/ftpdriver/c.go":   "package ftpdriver\n\nvar hosts sync.Map\n\n/* a\n\ncomment */\ntype conn struct {\n\tmu, nu sync.Mutex // guards\n\ttext, other string\n}\n\nfunc (c *conn) a() {}\n\nvar text = `a\n\nb`\n",
		"transport/ftpdriver/d.go":   "package ftpdriver\n\nfunc (c conn) b() {}\nfunc (conn) c() {}\n",
		"ftpx/internal/session/s.go": "package session\n\nfunc (c *Lease) A() {\n\tswitch any(c).(type) {\n\tcase transport.Conn, other.Looker:\n\t}\n}\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range m.rows() {
		got = append(got, fmt.Sprint(r.n, " ", r.of))
	}
	want := []string{
		"51 36 of them code; transport, ftpx/internal/session, ftpx, transport/ftpdriver", // of which ftpx stands for upload
		"51 36 of them code",
		"21 13 of them code; transport/ftpdriver",
		"4 transport/ftpdriver.conn",
		"4 ", "2 ",
		"2 Conn, Looker",
		"2 hosts, text",
		"2 ",
		"2 transport/ftpdriver.conn",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
