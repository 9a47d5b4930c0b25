package netrc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx/secrets"
)

const example = `# comment machine nobody login x password y
machine files.example
	login alice
	password "two \"words\"\\"
machine files.example login bob password #1secret account acc
machine empty.example login carol password ""
macdef init
	put machine trap.example login no password no
	quit

machine Upper.Example password onlypass
	# an indented comment
macdef last
ls

default login anonymous password me@example
machine unreachable.example login x password y
`

func TestLookup(t *testing.T) {
	f, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		host, user, login, password string
		ok                          bool
	}{
		{"files.example", "", "alice", `two "words"\`, true},
		{"files.example", "alice", "alice", `two "words"\`, true},
		{"FILES.example", "bob", "bob", "#1secret", true},
		{"files.example", "mallory", "", "", false}, // nor the default, which is another user's
		{"empty.example", "carol", "carol", "", true},
		{"upper.example", "dave", "dave", "onlypass", true},
		{"upper.example", "", "", "onlypass", true},
		{"other.example", "", "anonymous", "me@example", true},
		{"other.example", "anonymous", "anonymous", "me@example", true},
		{"unreachable.example", "x", "", "", false},
		{"trap.example", "no", "", "", false},
		{"nobody", "x", "", "", false},
		{"", "", "", "", false},
	} {
		login, password, ok := f.Lookup(c.host, c.user)
		if login != c.login || password.Reveal() != c.password || ok != c.ok {
			t.Errorf("%q %q: %q %q %v", c.host, c.user, login, password.Reveal(), ok)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", f, f, f); strings.Contains(text, "1secret") || strings.Contains(text, "onlypass") {
		t.Error("a password is printed:", text)
	}
	var none *File
	if _, _, ok := none.Lookup("files.example", ""); ok {
		t.Error("found in nothing")
	}
}

func TestMistakes(t *testing.T) {
	for text, says := range map[string]string{
		"machine a login b password \"hunter2":      "close it",
		"machine a login b password \"hunter2\nx\"": "close it",
		"machine a\nlogin b\npassword":              "value is missing",
		"machine":                                   "value is missing",
		"machine \"\" login b password hunter2":     "empty name",
		"macdef":                                    "without a name",
	} {
		f, err := Parse(text)
		if err == nil || f != nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter") {
			t.Errorf("a password is in %v", err)
		}
	}
}

// TestIgnored: what has no meaning is passed over, as in curl, and told of without a
// word that may be a password.
func TestIgnored(t *testing.T) {
	for text, says := range map[string]string{
		"machine a login b password hunter2 hunter3":        "line 1: a word after machine \"a\" is none of",
		"machine a passwd hunter2 login b password hunter2": "after machine \"a\"",
		"default hunter2":              "after default",
		"\n\nlogin b password hunter2": "line 3: a word before any machine",
		"machine a login \"b\" password \"hunter2\" \"hunter3\" ": "double quotes",
		"machine a port 22 login b password hunter2":              "line 1",
	} {
		f, err := Parse(text)
		if err != nil || len(f.Ignored) == 0 || !strings.Contains(f.Ignored[0], says) {
			t.Errorf("%q: %v, %v", text, err, f)
			continue
		}
		if strings.Contains(fmt.Sprint(f.Ignored), "hunter") {
			t.Errorf("a password is in %v", f.Ignored)
		}
		if login, password, ok := f.Lookup("a", ""); strings.HasPrefix(text, "machine") && (!ok || login != "b" || password.Reveal() != "hunter2") {
			t.Errorf("%q: %q %q %v", text, login, password.Reveal(), ok)
		}
	}
	if f, err := Parse(strings.Repeat("x ", 1000)); err != nil || len(f.Ignored) != mostIgnored {
		t.Error(err, len(f.Ignored))
	}
}

// asCurl are files and what curl makes of them; TestRealCurl asks curl itself.
var asCurl = map[string]struct{ text, user, login, password string }{
	"capitals":             {"MACHINE h LOGIN l Password p", "", "l", "p"},
	"host in capitals":     {"machine H login l password p", "", "l", "p"},
	"several lines":        {"machine h\n\tlogin l\n\tpassword p\n", "", "l", "p"},
	"line ends of Windows": {"machine h\r\nlogin l\r\npassword p\r\n", "", "l", "p"},
	"quotes":               {`machine "h" login "l o" password "p \"q\" \\ \t."`, "", "l o", "p \"q\" \\ \t."},
	"quoted keywords":      {`"machine" h "login" l "password" p`, "", "l", "p"},
	"comments":             {"# machine h login x password y\n  # and so on\nmachine h login l password p", "", "l", "p"},
	"hash within":          {"machine h login l#1 password p#2", "", "l#1", "p#2"},
	"unknown words":        {"machine h port 21 login l account a password p", "", "l", "p"},
	"rest of a password":   {"machine h login l password p q", "", "l", "p"},
	"default":              {"machine other login x password y\ndefault login l password p", "", "l", "p"},
	"default before":       {"default login l password p\nmachine h login x password y", "", "l", "p"},
	"default after":        {"machine h login l password p\ndefault login x password y", "", "l", "p"},
	"macro before":         {"macdef init\nmachine h login x password y\n\nmachine h login l password p", "", "l", "p"},
	"macro of another":     {"machine other login x password y\nmacdef init\ncd login\n\nmachine h login l password p", "", "l", "p"},
	"first of several":     {"machine h login l password p\nmachine h login m password q", "", "l", "p"},
	"user of several":      {"machine h login l password p\nmachine h login m password q", "m", "m", "q"},
	"password first":       {"machine h password p login l", "", "l", "p"},
	"login alone":          {"machine h login l\nmachine h login m password q", "m", "m", "q"},
	"any user":             {"machine h password p", "u", "u", "p"},
}

func TestAsCurl(t *testing.T) {
	for name, c := range asCurl {
		f, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if login, password, ok := f.Lookup("h", c.user); !ok || login != c.login || password.Reveal() != c.password {
			t.Errorf("%s: %q %q %v, want %q %q", name, login, password.Reveal(), ok, c.login, c.password)
		}
	}
}

// TestPasswordCounts: an entry that only names a user gives way to one with a password,
// and not to the default.
func TestPasswordCounts(t *testing.T) {
	for text, want := range map[string]string{
		"machine h login a\nmachine h login b password q":       "b q",
		"machine h login a\ndefault login b password q":         "a ",
		"machine h login a\nmachine h password q":               " q",
		"machine h login a\nmachine g login b password q":       "a ",
		"machine h login a password \"\"\nmachine g password q": "a ",
	} {
		f, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if login, password, _ := f.Lookup("h", ""); login+" "+password.Reveal() != want {
			t.Errorf("%q: %q %q, want %q", text, login, password.Reveal(), want)
		}
	}
}

func TestLoad(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("NETRC", "")
	if f, err := Load(); err != nil || len(f.Entries) != 0 {
		t.Fatal(f, err)
	}
	own := filepath.Join(home, ".netrc")
	if err := os.WriteFile(own, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, err := Load(); err != nil || len(f.Entries) != 6 {
		t.Fatal(f, err)
	}
	other := filepath.Join(t.TempDir(), "rc")
	t.Setenv("NETRC", other)
	if _, err := Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(other, []byte("machine a login b password \"c"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(); err == nil || !strings.Contains(err.Error(), other+": line 1") {
		t.Error(err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	t.Setenv("NETRC", own)
	if err := os.Chmod(own, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(); !errors.Is(err, secrets.ErrExposed) || !strings.Contains(err.Error(), own) {
		t.Error(err)
	}
}

// FuzzParse: no input panics, and what is printed of any holds no password.
func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Add("machine a login b password \"c\\\" d")
	f.Add("macdef x\n\n\nmacdef y")
	f.Add("default default machine machine")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse(text)
		if err != nil {
			if file != nil || !strings.Contains(err.Error(), "line ") {
				t.Fatal(file, err)
			}
			return
		}
		for _, e := range file.Entries {
			login, _, ok := file.Lookup(e.Machine, e.Login)
			if e.Machine != "" && e.Login != "" && ok && login != e.Login && login != "" {
				t.Fatalf("%q %q: found %q", e.Machine, e.Login, login)
			}
			if len(e.Password) > 8 && !strings.Contains(e.Machine+e.Login, e.Password.Reveal()) && strings.Contains(fmt.Sprint(e), e.Password.Reveal()) {
				t.Fatal("a password is printed")
			}
		}
	})
}
