package ftpdriver

import (
	"fmt"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRefusalInUnknownWords: what a refusal in words that nobody knows means is found out
// in a listing, once; a folder that may not be entered is there all the same, whatever is
// said of it.
func TestRefusalInUnknownWords(t *testing.T) {
	for _, answer := range []string{"550 Datei nicht gefunden", "550 Failed", "550 File unavailable", "550 Requested action not taken",
		"550 Can't stat file", "550 Not a plain file", "550 Unable to access", "550 Access is denied."} {
		for _, mlst := range []bool{true, false} {
			t.Run(fmt.Sprint(answer, " MLST ", mlst), func(t *testing.T) {
				t.Parallel()
				ep, f := startFake(t, transport.FTP, func(f *fake) {
					allround(f)
					inWords(answer)(f)
					f.files["/home/f"] = []byte("file")
					if !mlst {
						answers("MLST", "502 no")(f)
					}
					list := f.on["LIST"]
					f.on["LIST"] = func(s *session, arg string) string {
						if arg == "-a" || arg == "" {
							return s.send([]byte("drwx------ 1 a b 0 Jan 2 2026 shut\r\n-rw-r--r-- 1 a b 4 Jan 2 2026 f\r\n"))
						}
						return list(s, arg)
					}
				})
				c := dial(t, ep)
				if e, err := c.Stat(t.Context(), "shut"); err != nil || e.Type != transport.TypeDir {
					t.Errorf("a folder that may not be entered: %+v, %v", e, err)
				}
				for _, name := range []string{"none", "none as well"} {
					f.forget()
					if e, err := c.Stat(t.Context(), name); transport.KindOf(err) != transport.KindNotExist || !c.Usable() {
						t.Errorf("%+v, %v", e, err)
					}
				}
				if kind := transport.KindOfReply("MLST", 550, answer[4:]); f.count("LIST") > 0 && kind == transport.KindRefused {
					t.Errorf("asked again: %q", f.inTurns())
				}
				if e, err := c.Stat(t.Context(), "f"); err != nil || e.Size != 4 {
					t.Errorf("%+v, %v", e, err)
				}
				if c.noMLST == mlst && mlst {
					t.Error("MLST is given up, which describes files")
				}
			})
		}
	}
}

// TestRefusalWithoutListing: where nothing can be listed either, the server's word stands.
func TestRefusalWithoutListing(t *testing.T) {
	for answer, want := range map[string]transport.Kind{"550 Failed": transport.KindNotExist, "550 Permission denied": transport.KindPermission} {
		ep, _ := startFake(t, transport.FTP, func(f *fake) {
			allround(f)
			inWords(answer)(f)
			answers("LIST", "550 Permission denied")(f)
		})
		if e, err := dial(t, ep).Stat(t.Context(), "none"); transport.KindOf(err) != want {
			t.Errorf("%s: %+v, %v", answer, e, err)
		}
	}
}
