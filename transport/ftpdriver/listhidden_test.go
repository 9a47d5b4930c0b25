package ftpdriver

import (
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestBrokenListingHidesNothing: LIST -a whose transfer breaks before its first line
// is not a server that does not know -a: LIST alone leaves hidden files out.
func TestBrokenListingHidesNothing(t *testing.T) {
	const all = "drwxr-xr-x 2 a b 0 Jan 2 2026 .\r\n-rw-r--r-- 1 a b 3 Jan 2 2026 .hidden\r\n"
	broken := map[string]func(s *session) string{
		"reset": func(s *session) string {
			s.say("150 here it comes")
			if conn := s.accept(); conn != nil {
				_ = s.raw.SetLinger(0)
				_ = s.raw.Close()
			}
			return "426 Failure writing network stream."
		},
		"refused for now": func(*session) string { return "425 Failed to establish connection." },
		"ended early":     func(s *session) string { return s.send(nil) }, // on a server that lists "."
	}
	for _, p := range protocols {
		for name, breaks := range broken {
			t.Run(p.String()+" "+name, func(t *testing.T) {
				plain := 0
				ep, _ := startFake(t, p, func(f *fake) {
					f.greeting = "220 (vsFTPd 3.0.3)"
					f.on["CWD"] = func(*session, string) string { return "250 there" }
					f.on["LIST"] = func(s *session, arg string) string {
						if arg != "-a" {
							plain++
							return s.send(nil)
						}
						return breaks(s)
					}
				})
				c := dial(t, ep)
				n := 0
				err := c.List(t.Context(), ".", func(transport.Entry) bool { n++; return true })
				if err == nil || n > 0 || plain > 0 {
					t.Errorf("%d entries, %v; LIST without -a %d times", n, err, plain)
				}
				switch transport.KindOf(err) {
				case transport.KindNotExist, transport.KindRefused, transport.KindPermission, transport.KindUnsupported:
					t.Errorf("it would not be tried again: %v", err)
				}
			})
		}
	}
	// One that refuses -a is asked without.
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.on["CWD"] = func(*session, string) string { return "250 there" }
		f.on["LIST"] = func(s *session, arg string) string {
			if arg == "-a" {
				return "550 -a: No such file or directory."
			}
			return s.send([]byte(all))
		}
	})
	n := 0
	if err := dial(t, ep).List(t.Context(), ".", func(transport.Entry) bool { n++; return true }); err != nil || n != 1 {
		t.Error(n, err)
	}
}

// TestListingThatEndsWithinALine: half a name is none, unless the server says so twice.
func TestListingThatEndsWithinALine(t *testing.T) {
	const first, second = "type=file;size=1;modify=20260102030405; one\r\n", "type=file;size=2;modify=20260102030405; two"
	for _, p := range protocols {
		t.Run(p.String(), func(t *testing.T) {
			texts := []string{first + second[:len(second)-1], first + second, first + second, first + second + "\r\n"}
			ep, _ := startFake(t, p, func(f *fake) {
				f.feat = append(f.feat, "MLST size*;type*;modify*;")
				f.on["MLSD"] = func(s *session, _ string) string {
					text := texts[0]
					texts = texts[1:]
					return s.send([]byte(text))
				}
			})
			c := dial(t, ep)
			for i, want := range []string{"one", "one", "one two", "one two"} {
				var names []string
				err := c.List(t.Context(), ".", func(e transport.Entry) bool { names = append(names, e.Name); return true })
				if got := strings.Join(names, " "); got != want || (err == nil) != (i >= 2) {
					t.Errorf("listing %d: %q, %v", i, got, err)
				}
				if err != nil && transport.KindOf(err) != transport.KindTruncated {
					t.Errorf("listing %d: %v", i, err)
				}
			}
		})
	}
}
