package sshconfig

import (
	"strings"
	"testing"
)

// FuzzParse: no input panics or runs for ever, includes no file, and every error
// says where.
func FuzzParse(f *testing.F) {
	f.Add("Host a\nHostName %h.b\nPort 22\n", "a")
	f.Add("Match host x,!y final user \"z\"\nIdentityFile ~/%d${HOME}\n", "x")
	f.Add("Host *\nProxyJump a,b@c:1,ssh://d\nKexAlgorithms +x,^y\nCiphers -*\n", "q")
	f.Add("Host=\"a b\" !c\nUserKnownHostsFile none\nStrictHostKeyChecking accept-new\n", "a")
	f.Add("ProxyJump b\nHost b\nProxyJump a", "a")
	f.Fuzz(func(t *testing.T, text, alias string) {
		if strings.Contains(strings.ToLower(text), "include") {
			return // it reads this machine's files
		}
		c, err := Parse("config", text)
		if err != nil {
			if !strings.Contains(err.Error(), "config:") {
				t.Fatal(err)
			}
			return
		}
		s, err := c.Resolve(alias)
		if err != nil {
			if !strings.Contains(err.Error(), "config:") && !strings.Contains(err.Error(), "no host name") {
				t.Fatal(err)
			}
			return
		}
		if s.HostName == "" || s.Port < 1 || s.Port > 65535 || s.SSH.InsecureIgnoreHostKey || s.SSH.LegacyAlgorithms || len(s.Jumps) > maxJumps {
			t.Fatalf("%+v", s)
		}
	})
}

// FuzzWords: what is quoted comes back.
func FuzzWords(f *testing.F) {
	f.Add("a b", "c\\\"d")
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsAny(a+b, "\n") {
			return
		}
		quote := func(s string) string {
			return `"` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`) + `"`
		}
		keyword, args, err := split("User " + quote(a) + " " + quote(b))
		if err != nil || keyword != "user" || len(args) != 2 || args[0] != a || args[1] != b {
			t.Fatalf("%q %q: %q %q %v", a, b, keyword, args, err)
		}
	})
}
