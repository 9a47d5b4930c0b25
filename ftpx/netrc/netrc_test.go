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
		"machine a login b password hunter2 hunter3":  "double quotes",
		"machine a login b password \"hunter2":        "close it",
		"machine a login b password \"hunter2\nx\"":   "close it",
		"\n\nlogin b password hunter2":                "line 3",
		"machine a\nlogin b\npassword":                "value is missing",
		"machine":                                     "value is missing",
		"machine \"\" login b password hunter2":       "empty name",
		"machine a \"login\" b":                       "double quotes",
		"machine a passwd hunter2":                    "after machine \"a\"",
		"default hunter2":                             "after default",
		"macdef":                                      "without a name",
		"machine a login \"x\" password \"y\" \"z\" ": "double quotes",
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
	if err := os.WriteFile(other, []byte("machine a login b password c x"), 0o600); err != nil {
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
