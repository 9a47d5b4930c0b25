package folder

import (
	"fmt"
	"os"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestMisleadingNames: what is refused on Windows, which no other system can show.
func TestMisleadingNames(t *testing.T) {
	for _, name := range []string{`..\up`, `a\b`, "c:", "c:x", "file:stream", "file::$DATA", "NUL", "nul.txt", "Con ", "aux.tar.gz", "com1", "LPT9.x", "COM¹", "CONIN$", "dot.", "space ", "a?", "a*", `"`, "<", ">", "|", "tab\t"} {
		if transport.MisleadingName(name, true) == "" {
			t.Errorf("%q is taken on Windows", name)
		}
	}
	for _, name := range []string{"console", "com", "com10", "nulls.txt", ".hidden", "größe", "日本", "a.b.c", "lpt", "con-1"} {
		if why := transport.MisleadingName(name, true); why != "" {
			t.Errorf("%q %s", name, why)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "/", "\x00", "\x1b", "\x7f"} {
		if transport.MisleadingName(name, false) == "" {
			t.Errorf("%q is taken", name)
		}
	}
	for _, name := range []string{"NUL", `back\slash`, "a:b", "dot.", "..."} {
		if why := transport.MisleadingName(name, false); why != "" {
			t.Errorf("%q %s", name, why)
		}
	}
}

// TestUnfinishedNames are those that ftpx gives, and no others.
func TestUnfinishedNames(t *testing.T) {
	no := func(string) bool { return false }
	yes := func(name string) bool { return name == "a.part.state" }
	for name, want := range map[string][2]bool{
		".a.ftpx-0123456789abcdef.part": {true, true}, ".a.ftpx-0123456789abcdef-12.part": {true, true}, ".a.ftpx-0123456789abcdef.bak": {true, true},
		"a.part.state": {true, true}, "a.part.state.1234": {true, true}, "a.part": {false, true},
		"a.ftpx-0123456789abcdef.part": {false, false}, ".a.ftpx-0123456789abcde.part": {false, false}, ".ftpx-0123456789abcdef.part": {false, false},
		".a.ftpx-0123456789ABCDEF.part": {false, false}, "a.part.state.x": {false, false}, "b.part": {false, false}, "part": {false, false}, ".part.state": {false, false},
	} {
		if got := [2]bool{unfinished(name, no), unfinished(name, yes)}; got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

// TestSpool: a list that is longer than memory takes comes back as it was, and leaves
// no file behind.
func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.Getenv("TMPDIR"))
	var s spool[extraEntry]
	const n = 3*inMemory + 7
	at := func(i int) extraEntry {
		return extraEntry{rel: fmt.Sprintf("d/\xff\x00%d", i), size: int64(i - 1), dir: i%3 == 0, partial: i%5 == 0, counterpart: i%7 == 0}
	}
	for i := range n {
		if err := s.add(at(i)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // it may be read again
		i := 0
		for e, err := range s.all() {
			if err != nil || e != at(i) {
				t.Fatalf("%d: %+v, %v", i, e, err)
			}
			i++
		}
		if i != n {
			t.Errorf("%d of %d", i, n)
		}
	}
	s.close()
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// TestFold: letters that share a capital are one.
func TestFold(t *testing.T) {
	for _, pair := range [][2]string{{"A", "a"}, {"ÄÖ", "äö"}, {"ς", "σ"}, {"K", "k"}, {"ſ", "S"}} {
		if fold(pair[0]) != fold(pair[1]) {
			t.Errorf("%q and %q are two", pair[0], pair[1])
		}
	}
	if fold("a") == fold("b") || fold("ß") == fold("s") {
		t.Error("different letters are one")
	}
}
