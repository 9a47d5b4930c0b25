package ftpx_test

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func refuseReplace(vague bool) func(*memconn.Options, *transport.Caps) {
	return func(o *memconn.Options, _ *transport.Caps) { o.RefuseReplace, o.Vague = true, vague }
}

// Rename replaces a file, also on a server that does not.
func TestRenameOntoAFile(t *testing.T) {
	for _, vague := range []bool{false, true} {
		inMemory(t, refuseReplace(vague), func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			s.Files().Write("a", []byte("new"), time.Now())
			s.Files().Write("d-b", []byte("old"), time.Now())
			if err := c.Rename(t.Context(), "a", "d-b"); err != nil {
				t.Error(err)
			}
			wantOnDisk(t, s, map[string][]byte{"d-b": []byte("new")})
		})
	}
}

// What cannot be done leaves everything as it was.
func TestRenameThatCannotBe(t *testing.T) {
	inMemory(t, refuseReplace(true), func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		want := map[string][]byte{"a": []byte("a"), "d/x": []byte("x"), "e/y": []byte("y")}
		for n, b := range want {
			s.Files().Write(n, b, time.Now())
		}
		before := s.Files().Paths()
		for _, p := range [][2]string{{"a", "d"}, {"d", "a"}, {"d", "e"}, {"none", "a"}} {
			if err := c.Rename(t.Context(), p[0], p[1]); err == nil {
				t.Errorf("%s to %s: no error", p[0], p[1])
			}
		}
		_ = c.Rename(t.Context(), "a", "./a")
		if after := s.Files().Paths(); !slices.Equal(before, after) {
			t.Errorf("on the disk: %q", after)
		}
	})
}

// The second rename is refused for good: the old file has its name again.
func TestRenameRefusedAfterTheBackup(t *testing.T) {
	inMemory(t, refuseReplace(false), func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("a", []byte("new"), time.Now())
		s.Files().Write("b", []byte("old"), time.Now())
		s.Inject(nth(3, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindNoSpace}, step(memconn.StepRequest, rename)))
		err := c.Rename(t.Context(), "a", "b")
		if ftpx.KindOf(err) != transport.KindNoSpace {
			t.Error(err)
		}
		wantOnDisk(t, s, map[string][]byte{"a": []byte("new"), "b": []byte("old")})
	})
}

// A server that lets the backup be made and nothing else: the error names it.
func TestRenameWhoseBackupStays(t *testing.T) {
	inMemory(t, refuseReplace(false), func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("a", []byte("new"), time.Now())
		s.Files().Write("b", []byte("old"), time.Now())
		n := 0
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if rename(op) && op.Step == memconn.StepRequest {
				if n++; n > 2 {
					return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindPermission}
				}
			}
			return memconn.Fault{}
		})
		err := c.Rename(t.Context(), "a", "b")
		var e *ftpx.Error
		if !errors.As(err, &e) || e.Outcome != ftpx.Unknown || !errors.Is(err, fs.ErrPermission) {
			t.Fatal(err)
		}
		for _, p := range s.Files().Paths() {
			if got, _ := s.Files().Read(p); string(got) == "old" {
				if !strings.Contains(err.Error(), p) {
					t.Errorf("%v does not name %s", err, p)
				}
				return
			}
		}
		t.Error("the old file is lost")
	})
}

// A server to which a and A are one name.
func TestRenameToAnotherCase(t *testing.T) {
	inMemory(t, refuseReplace(false), func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("a", []byte("x"), time.Now())
		s.Files().Write("A", []byte("x"), time.Now())
		s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if rename(op) && op.Path == "A" && op.Step == memconn.StepReply {
				s.Files().Remove("a") // it is the same, and has gone with it
			}
			return memconn.Fault{}
		})
		if err := c.Rename(t.Context(), "a", "A"); err != nil {
			t.Error(err)
		}
		wantOnDisk(t, s, map[string][]byte{"A": []byte("x")})
	})
}

// Each operation of a replacement broken in each way, one after the other, and
// each two renames that follow on each other: both contents are there at every
// moment, a nil error means done and tidy, and one means neither lost.
func TestRenameSweep(t *testing.T) {
	kinds := []transport.Kind{transport.KindRefused, transport.KindTemporary, transport.KindPermission, transport.KindExist}
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		for _, do := range memconn.Actions() {
			for n := 0; n < 60; n++ {
				unbroken := false
				synctest.Test(t, func(t *testing.T) {
					caps := memconn.DefaultCaps(p)
					s := memconn.New(memconn.Options{Caps: &caps, RefuseReplace: true})
					opts := ftpx.Options{Protocols: []ftpx.Protocol{p}}
					ftpx.SetConnect(&opts, s.Dial)
					c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					s.Files().Write("a", []byte("new"), time.Now())
					s.Files().Write("b", []byte("old"), time.Now())
					at, hit, renamed := -1, false, false
					s.Inject(func(op memconn.OpInfo) memconn.Fault {
						for _, want := range []string{"new", "old"} {
							if !renamed && !holds(s, want) {
								t.Errorf("%v %v at %d: %q is under no name before %+v", p, do, n, want, op)
							}
						}
						b, _ := s.Files().Read("b")
						renamed = renamed || string(b) == "new"
						if at++; at == n {
							hit = true
							return memconn.Fault{Do: do, Kind: kinds[n%len(kinds)]}
						}
						return memconn.Fault{}
					})
					err = c.Rename(t.Context(), "a", "b")
					s.Inject(nil)
					unbroken = !hit
					a, isA := s.Files().Read("a")
					b, _ := s.Files().Read("b")
					if err == nil {
						if isA || string(b) != "new" || !hit && len(s.Files().Paths()) != 1 {
							t.Errorf("%v %v at %d: done, and on the disk are %q", p, do, n, s.Files().Paths())
						}
						for _, name := range s.Files().Paths() {
							if name != "b" && !strings.HasSuffix(name, ".bak") {
								t.Errorf("%v %v at %d: on the disk are %q", p, do, n, s.Files().Paths())
							}
						}
						return
					}
					var e *ftpx.Error
					if !errors.As(err, &e) {
						t.Fatal(err)
					}
					if !holds(s, "new") {
						t.Errorf("%v %v at %d: the file is lost: %v", p, do, n, err)
					}
					whole := bytes.Equal(a, []byte("new")) && bytes.Equal(b, []byte("old"))
					if e.Outcome == ftpx.NotDone && !whole && do != memconn.Refuse { // whose reply lies
						t.Errorf("%v %v at %d: not done, and on the disk are %q: %v", p, do, n, s.Files().Paths(), err)
					}
					if do != memconn.Refuse {
						t.Errorf("%v %v at %d: %v", p, do, n, err)
					}
				})
				if unbroken {
					break
				}
			}
		}
	}
}

func holds(s *memconn.Server, want string) bool {
	for _, name := range s.Files().Paths() {
		if got, _ := s.Files().Read(name); string(got) == want {
			return true
		}
	}
	return false
}
