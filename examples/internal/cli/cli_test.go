package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestExitOf(t *testing.T) {
	of := func(k transport.Kind) error {
		return &ftpx.Error{Outcome: ftpx.NotDone, Op: "open", Err: &transport.Error{Kind: k, Err: errors.New("x")}}
	}
	for _, c := range []struct {
		err  error
		want int
	}{
		{ErrUsage, ExitUsage},
		{fmt.Errorf("%w: %w", ErrUsage, fs.ErrNotExist), ExitUsage},
		{fmt.Errorf("%w: read the password: %w", ErrUsage, context.Canceled), ExitInterrupted},
		{context.Canceled, ExitInterrupted},
		{of(transport.KindCanceled), ExitInterrupted},
		{of(transport.KindInvalid), ExitUsage},
		{of(transport.KindLocal), ExitUsage},
		{of(transport.KindAuth), ExitLogin},
		{of(transport.KindHostKey), ExitIdentity},
		{of(transport.KindCertificate), ExitIdentity},
		{of(transport.KindNoHost), ExitConnect},
		{of(transport.KindUnreachable), ExitConnect},
		{of(transport.KindTimeout), ExitConnect},
		{of(transport.KindNotOffered), ExitConnect},
		{of(transport.KindInsecure), ExitConnect},
		{of(transport.KindBusy), ExitConnect},
		{of(transport.KindLost), ExitConnect},
		{of(transport.KindUnknown), ExitConnect},
		{errors.New("anything"), ExitConnect},
	} {
		if got := ExitOf(c.err); got != c.want {
			t.Errorf("ExitOf(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{-1: "size unknown", 0: "0 B", 1: "1 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB",
		1<<20 - 1: "1024.0 KiB", 1 << 20: "1.0 MiB", 5 << 30: "5.0 GiB", 1 << 50: "1.0 PiB", 1<<63 - 1: "8.0 EiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestCheckArg(t *testing.T) {
	for arg, bad := range map[string]bool{
		"file":                             false,
		"a:b@c":                            false, // a file may be called so
		"sftp://host/a":                    false,
		"sftp://user@host:22/a":            false,
		"sftp://user@host/a:b@c":           false,
		"sftp://host:22/a@b":               false,
		"sftp://host:port/":                false, // malformed, but no secret
		"sftp://user@[::1]:22/":            false,
		"sftp://user:@host":                true,
		"sftp://user:secret@host":          true,
		"sftp://user:se@cret@host/":        true,
		"sftp://user:%zzsecret@host":       true,
		"sftp://user:sec/ret@host":         true,
		"ftpx://user:secret@host:22/x?y#z": true,
		"sftp://user:sec\nret@host":        true,
	} {
		err := CheckArg(arg)
		if (err != nil) != bad {
			t.Errorf("CheckArg(%q) = %v", arg, err)
		}
		if err != nil && (!errors.Is(err, ErrUsage) || strings.Contains(err.Error(), "se") && strings.Contains(err.Error(), "cret")) {
			t.Errorf("CheckArg(%q) = %v", arg, err)
		}
	}
}

func TestList(t *testing.T) {
	var l list
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.Var(&l, "x", "")
	if err := set.Parse([]string{"-x", "a,b", "-x", " c , ,", "-x="}); err != nil {
		t.Fatal(err)
	}
	if want := (list{"a", "b", "c"}); !slices.Equal(l, want) || l.String() != "a,b,c" {
		t.Errorf("%q, %q", l, l.String())
	}
}

// TestPasswordPrecedence: file, then environment, then prompt; no prompt where a key
// or the agent may do.
func TestPasswordPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(file, []byte(" from the file \r\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		flags  Flags
		vars   string
		prompt bool
		want   string
	}{
		"file":        {Flags{PasswordFile: file}, "env", true, " from the file "},
		"environment": {Flags{}, "env", true, "env"},
		"prompt":      {Flags{}, "", true, "typed"},
		"nobody":      {Flags{}, "", false, ""},
		"key":         {Flags{Identities: list{"k"}}, "", true, ""},
		"key and env": {Flags{Identities: list{"k"}}, "env", true, "env"},
		"agent":       {Flags{Agent: true}, "", true, ""},
	} {
		var errs bytes.Buffer
		env := Env{Stderr: &errs, Getenv: func(n string) string {
			if n == "FTPX_PASSWORD" {
				return c.vars
			}
			return ""
		}}
		if c.prompt {
			env.Prompt = func(context.Context, string) (string, error) { return "typed", nil }
		}
		got, err := c.flags.password(t.Context(), env)
		if err != nil || got.Reveal() != c.want || errs.Len() > 0 {
			t.Errorf("%s: %q, %v, %s", name, got.Reveal(), err, errs.String())
		}
	}
}

// TestPassphrasesAskOnce: every connection needs the key, and the user is asked once.
func TestPassphrasesAskOnce(t *testing.T) {
	asked := map[string]int{}
	failing := true
	ask := passphrases(t.Context(), Env{Getenv: func(string) string { return "" }, Prompt: func(_ context.Context, q string) (string, error) {
		asked[q]++
		if failing {
			return "", errors.New("no terminal any more")
		}
		return "p", nil
	}})
	if _, err := ask("a"); err == nil {
		t.Error("a failure is no passphrase")
	}
	failing = false
	for _, f := range []string{"a", "a", "b", "a"} {
		if pw, err := ask(f); err != nil || pw.Reveal() != "p" {
			t.Error(pw, err)
		}
	}
	if asked["Passphrase of a: "] != 2 || asked["Passphrase of b: "] != 1 || len(asked) != 2 {
		t.Errorf("%v", asked)
	}
}

func TestEscapeControl(t *testing.T) {
	for s, want := range map[string]string{"plain ü 帳": "plain ü 帳", "\x7f": `\u007f`, "a\u009bb": `a\u009bb`, "\u202e\u2066": `\u202e\u2066`} {
		if got := EscapeControl(s); got != want {
			t.Errorf("%q became %q, want %q", s, got, want)
		}
	}
}

// A comma in a file's own name cuts it in two nowhere.
func TestListOfFiles(t *testing.T) {
	with := filepath.Join(t.TempDir(), "a,b")
	if err := os.WriteFile(with, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var f Flags
	fs := flag.NewFlagSet("test", flag.ContinueOnError)
	f.register(fs)
	if err := fs.Parse([]string{"-identity", "x, y", "-identity", with}); err != nil || !slices.Equal(f.Identities, []string{"x", "y", with}) {
		t.Errorf("%v: %q", err, f.Identities)
	}
}
