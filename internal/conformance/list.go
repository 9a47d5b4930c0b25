package conformance

import (
	"fmt"
	"os"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// list returns a folder's entries by name.
func (e *env) list(remote string) map[string]transport.Entry {
	e.Helper()
	entries := map[string]transport.Entry{}
	e.ok(e.c.List(e.ctx, remote, func(entry transport.Entry) bool {
		if _, twice := entries[entry.Name]; twice {
			e.Errorf("List of %q yields %q twice", remote, entry.Name)
		}
		entries[entry.Name] = entry
		return true
	}), "List of %q", remote)
	return entries
}

// wantEntries compares a listing with the sizes of files; -1 is a folder.
func (e *env) wantEntries(remote string, want map[string]int64) {
	e.Helper()
	got := e.list(remote)
	for name, size := range want {
		entry, ok := got[name]
		switch {
		case !ok:
			e.Errorf("List of %q leaves %q out", remote, name)
		case size < 0 && !entry.IsDir():
			e.Errorf("List of %q: the folder %q is %+v", remote, name, entry)
		case size >= 0 && (entry.Type != transport.TypeFile || entry.Size != size):
			e.Errorf("List of %q: the file %q of %d bytes is %+v", remote, name, size, entry)
		}
	}
	for name, entry := range got {
		if _, ok := want[name]; !ok {
			e.Errorf("List of %q yields %q, which is not there: %+v", remote, name, entry)
		}
	}
}

func caseList(e *env) {
	e.wantEntries(e.dir, nil)
	e.put(e.at("a"), random(17))
	e.put(e.at("b"), nil)
	e.ok(e.c.Mkdir(e.ctx, e.at("sub")), "Mkdir")
	e.put(e.at("sub/c"), random(5))
	want := map[string]int64{"a": 17, "b": 0, "sub": -1}
	e.wantEntries(e.dir, want)
	e.wantEntries(e.dir+"/", want)
	e.wantEntries(e.at("sub"), map[string]int64{"c": 5})
	e.wantEntries(e.at("sub/.."), want)
	if top := e.list("."); !top[e.dir].IsDir() {
		e.Errorf("List of the login folder: the case's folder is %+v", top[e.dir])
	}
	e.inStep("List")
}

// many makes a folder of n empty files.
func (e *env) many(n int) map[string]int64 {
	e.Helper()
	want := map[string]int64{}
	for i := range n {
		name := fmt.Sprintf("file-%03d-with-a-name-of-some-length.txt", i)
		want[name] = 0
		if disk := e.disk(e.at(name)); disk != "" {
			e.ok(os.WriteFile(disk, nil, 0o644), "writing on the server's disk")
		} else {
			e.put(e.at(name), nil)
		}
	}
	return want
}

func caseListMany(e *env) {
	want := e.many(300)
	for range 2 {
		e.wantEntries(e.dir, want)
	}
	e.inStep("List of 300 entries")
}

// yield's false is the end, and no error.
func caseListStops(e *env) {
	e.many(300)
	for _, stop := range []int{1, 2, 150, 299, 300} {
		e.sub(fmt.Sprintf("after %d", stop), func(e *env) {
			calls := 0
			err := e.c.List(e.ctx, e.dir, func(transport.Entry) bool { calls++; return calls < stop })
			e.ok(err, "List that was stopped after %d entries", stop)
			if calls != stop {
				e.Errorf("yield returned false in call %d and was called %d times", stop, calls)
			}
			e.inStep("a List that was stopped")
		})
	}
}

func caseListMissing(e *env) {
	for _, p := range []string{e.at("missing"), e.at("missing/too"), e.at("two words")} {
		err := e.c.List(e.ctx, p, func(entry transport.Entry) bool {
			e.Errorf("List of a missing folder yields %+v", entry)
			return true
		})
		e.fails(fmt.Sprintf("List of the missing folder %q", p), err, transport.KindNotExist)
		e.inStep("List of a missing folder")
	}
}

// names are what people and programs call files. Each has a label, which is the
// test's name.
var names = []struct{ label, name string }{
	{"spaces", "two words"},
	{"double space", "two  spaces"},
	{"leading space", " leading"},
	{"trailing space", "trailing "},
	{"latin", "äöü ß é ñ.txt"},
	{"decomposed", "u\u0308mlaut"},
	{"greek", "αβγ Ωμέγα"},
	{"cyrillic", "Привет мир.txt"},
	{"arabic", "مرحبا"},
	{"hebrew", "שלום"},
	{"chinese", "你好,世界"},
	{"japanese", "こんにちは カタカナ"},
	{"korean", "안녕하세요"},
	{"thai", "สวัสดี"},
	{"emoji", "🚀 and 👩‍👩‍👧.bin"},
	{"no-break space", "a\u00a0b"},
	{"leading dash", "-leading"},
	{"option", "-la"},
	{"double dash", "--help"},
	{"leading dot", ".hidden"},
	{"three dots", "..."},
	{"trailing dot", "trailing."},
	{"single quotes", "it's 'quoted'"},
	{"double quotes", `say "hello"`},
	{"brackets", "a[1]"},
	{"square glob", "[abc]"},
	{"braces", "{a,b}"},
	{"star", "a*b"},
	{"question mark", "what?"},
	{"exclamation", "!wow!"},
	{"percent", "100%"},
	{"percent escape", "%20%2F%n%s"},
	{"backslash", `back\slash`},
	{"dollar", "$HOME"},
	{"tilde", "~root"},
	{"hash", "#1"},
	{"semicolon", "a;b"},
	{"facts", "type=dir; name"},
	{"ampersand", "a & b | c"},
	{"parentheses", "(copy) of <this>"},
	{"equals and plus", "a=b+c"},
	{"comma and colon", "a,b:c"},
	{"listing line", "-rw-r--r-- 1 0 0 5 Jan 01 2020 x"},
	{"arrow", "a -> b"},
	{"digits", "12345"},
	{"long", longName()},
}

// longName has 200 bytes, which leaves room for what callers add.
func longName() string {
	b := make([]byte, 200)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return string(b)
}

// onDisk checks that a name on the server's disk is the one that was meant.
func (e *env) onDisk(remote, name string) {
	e.Helper()
	dir := e.disk(remote)
	if dir == "" {
		return
	}
	entries, err := os.ReadDir(dir)
	e.ok(err, "reading the server's disk")
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if !slices.Equal(got, []string{name}) {
		e.Errorf("on the server's disk there is %q, want %q alone", got, name)
	}
}

// A file of any of the names can be stored, found, listed, fetched, renamed and
// removed.
func caseNames(e *env) {
	for i, tt := range names {
		e.sub(tt.label, func(e *env) {
			dir := e.at(fmt.Sprint("n", i))
			e.ok(e.c.Mkdir(e.ctx, dir), "Mkdir")
			remote, data := dir+"/"+tt.name, random(100+i)
			e.put(remote, data)
			e.onDisk(dir, tt.name)
			st, err := e.c.Stat(e.ctx, remote)
			e.ok(err, "Stat")
			if st.Name != tt.name || st.Size != int64(len(data)) {
				e.Errorf("Stat of %q: %+v", tt.name, st)
			}
			e.wantEntries(dir, map[string]int64{tt.name: int64(len(data))})
			e.fetch(remote, 0, nil, data)
			e.fetch(remote, 50, nil, data[50:])
			e.ok(e.c.Rename(e.ctx, remote, dir+"/plain", false), "Rename from %q", tt.name)
			e.onDisk(dir, "plain")
			e.ok(e.c.Rename(e.ctx, dir+"/plain", remote, false), "Rename to %q", tt.name)
			e.onDisk(dir, tt.name)
			e.ok(e.c.Remove(e.ctx, remote), "Remove of %q", tt.name)
			e.wantEntries(dir, nil)
			e.inStep("using the name")
		})
	}
}

// So can a folder, and what is in it.
func caseFolderNames(e *env) {
	for i, tt := range names {
		e.sub(tt.label, func(e *env) {
			parent := e.at(fmt.Sprint("n", i))
			e.ok(e.c.Mkdir(e.ctx, parent), "Mkdir")
			dir := parent + "/" + tt.name
			e.ok(e.c.Mkdir(e.ctx, dir), "Mkdir of %q", tt.name)
			e.onDisk(parent, tt.name)
			e.wantEntries(parent, map[string]int64{tt.name: -1})
			e.wantEntries(dir, nil)
			e.put(dir+"/f", random(7))
			e.wantEntries(dir, map[string]int64{"f": 7})
			e.fetch(dir+"/f", 0, nil, random(7))
			st, err := e.c.Stat(e.ctx, dir)
			if err != nil || !st.IsDir() || st.Name != tt.name {
				e.Errorf("Stat of the folder %q: %+v, %v", tt.name, st, err)
			}
			e.ok(e.c.Remove(e.ctx, dir+"/f"), "Remove")
			e.ok(e.c.Rmdir(e.ctx, dir), "Rmdir of %q", tt.name)
			e.wantEntries(parent, nil)
			e.inStep("using the name")
		})
	}
}
