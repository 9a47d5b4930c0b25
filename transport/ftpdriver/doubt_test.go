package ftpdriver

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestMLSTDeniesFiles: a server that answers 550 to MLST of every file, and a size to SIZE,
// is not believed where the batch shows that there is one, or where it is all that is
// asked; it costs nothing where MLST has described a file.
func TestMLSTDeniesFiles(t *testing.T) {
	denies := func(f *fake) {
		f.feat = []string{"MLST type*;size*;"}
		folders(f, "/home/d")
		f.files["/home/f"], f.files["f"] = []byte("file"), []byte("file")
		f.on["MLST"] = func(_ *session, name string) string {
			if name == "d" {
				return "250-\r\n type=dir; d\r\n250 End"
			}
			return "550 No such file or directory"
		}
		f.on["STOR"] = func(s *session, name string) string {
			said := s.take(name)
			s.files["/home/"+name] = s.files[name]
			return said
		}
	}
	for _, serial := range []bool{false, true} {
		for _, p := range protocols {
			t.Run(fmt.Sprint(p, " serial ", serial), func(t *testing.T) {
				for name, look := range map[string]func(c *tconn) (transport.Entry, error){
					"alone": func(c *tconn) (transport.Entry, error) { return c.Stat(t.Context(), "f") },
					"with a download": func(c *tconn) (transport.Entry, error) {
						var got bytes.Buffer
						s, get := &transport.Stat{Path: "f"}, &transport.Retrieve{Path: "f", Dst: &got}
						get.If = func() bool { return s.Err == nil }
						err := c.do(t.Context(), s, get)
						if got.String() != "file" {
							t.Errorf("got %q", got.String())
						}
						return s.Entry, err
					},
					"behind an upload": func(c *tconn) (transport.Entry, error) {
						s := &transport.Stat{Path: "g"}
						err := c.do(t.Context(), &transport.Store{Path: "g", Src: strings.NewReader("data"), Size: 4}, s)
						return s.Entry, err
					},
				} {
					ep, f := startFake(t, p, denies)
					c := dial(t, ep)
					c.serial = serial
					if e, err := look(c); err != nil || e.Size != 4 || e.Type != transport.TypeFile {
						t.Errorf("%s: %+v, %v", name, e, err)
					}
					f.forget()
					if e, err := dial(t, ep).Stat(t.Context(), "f"); err != nil || e.Size != 4 || f.count("MLST") > 0 {
						t.Errorf("%s, on the next connection: %+v, %v, %q", name, e, err, f.got())
					}
				}
			})
		}
	}
}

// TestMLSTIsBelieved: a refusal costs nothing more where both say no, before an upload, or
// where MLST has described a file on an earlier connection.
func TestMLSTIsBelieved(t *testing.T) {
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"MLST type*;size*;"}
		f.files["f"] = []byte("file")
		f.on["MLST"] = func(_ *session, name string) string {
			if name == "f" {
				return "250-\r\n type=file;size=4; f\r\n250 End"
			}
			return "550 No such file or directory"
		}
	})
	turns := func(want string, reqs ...transport.Request) {
		t.Helper()
		c := dial(t, ep)
		f.forget()
		_ = c.Do(t.Context(), transport.NewBatch(reqs...))
		if got := f.inTurns(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	missing := func() transport.Request { return &transport.Stat{Path: "none"} }
	never := func() *transport.Retrieve {
		get := &transport.Retrieve{Path: "none", Dst: new(bytes.Buffer)}
		get.If = func() bool { return false }
		return get
	}
	turns("MLST, SIZE MDTM PWD CWD", missing())
	turns("EPSV, MLST RETR", missing(), never())
	turns("MLST MLST EPSV, STOR, MLST", missing(), &transport.Stat{Path: "f"}, &transport.Store{Path: "g", Src: strings.NewReader("x")}, missing())
	turns("MLST", missing())
}

// TestSizeMakesNoSense: ftp-srv answers SIZE of an empty file with the words for 213. What
// is listed tells then.
func TestSizeMakesNoSense(t *testing.T) {
	for name, c := range map[string]struct {
		list  map[string]string // by the folder in which, and of what
		size  int64
		fails bool
	}{
		"listed by name": {list: map[string]string{"/home e": "-rw-r--r-- 1 a b 0 Jan 2 2026 e\r\n"}},
		"with its path":  {list: map[string]string{"/home e": "-rw-r--r-- 1 a b 7 Jan 2 2026 /home/e\r\n"}, size: 7},
		"in its folder":  {list: map[string]string{"/home -a": "drwxr-xr-x 1 a b 0 Jan 2 2026 e2\r\n-rw-r--r-- 1 a b 0 Jan 2 2026 e\r\n"}},
		"of another":     {list: map[string]string{"/home e": "-rw-r--r-- 1 a b 3 Jan 2 2026 x\r\n"}, fails: true},
		"nowhere":        {fails: true},
	} {
		for _, p := range protocols {
			for _, serial := range []bool{false, true} {
				t.Run(fmt.Sprint(name, " ", p, " serial ", serial), func(t *testing.T) {
					ep, _ := startFake(t, p, func(f *fake) {
						folders(f, "/home/d")
						f.on["MDTM"] = always("213 20260102030405")
						f.on["SIZE"] = func(_ *session, name string) string {
							if name == "e" || name == "/home/e" {
								return "213 File status"
							}
							return "550 no"
						}
						f.on["LIST"] = func(s *session, arg string) string {
							where := strings.Fields(f.on["PWD"](s, ""))[1]
							return s.send([]byte(c.list[strings.Trim(where, `"`)+" "+arg]))
						}
					})
					conn := dial(t, ep)
					conn.serial = serial
					look := func(reqs ...transport.Request) {
						t.Helper()
						s := reqs[0].(*transport.Stat)
						_ = conn.Do(t.Context(), transport.NewBatch(reqs...))
						if c.fails {
							wantKind(t, s.Err, transport.KindProtocol, 213)
						} else if s.Err != nil || s.Entry.Size != c.size || s.Entry.Type != transport.TypeFile || !s.Entry.TimeExact || s.Entry.Name != "e" {
							t.Errorf("%+v, %v", s.Entry, s.Err)
						}
					}
					look(&transport.Stat{Path: "e"})
					if c.fails {
						return
					}
					look(&transport.Stat{Path: "e"}, &transport.Stat{Path: "d"}, &transport.Ping{})
					if err := conn.Ping(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// TestMLSDIsRefused: a refusal of MLSD is refuted by a CWD that enters the folder, on a host
// where MLSD has listed nothing yet. Then it is asked from inside, and LIST after it.
func TestMLSDIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		inside string // what MLSD says there
		turns  string // of the second listing
	}{
		"of a path":     {turns: "EPSV, MLSD, CWD, EPSV, MLSD, CWD"},
		"of everything": {inside: "550 no", turns: "CWD, EPSV, LIST, CWD"},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					folders(f, "/home/d")
					f.feat = []string{"MLST type*;"}
					f.on["MLSD"] = func(s *session, arg string) string {
						switch {
						case arg != "":
							return "550 " + arg + ": Permission denied"
						case c.inside != "":
							return c.inside
						}
						return s.send([]byte("type=file;size=1; f\r\n"))
					}
					f.on["LIST"] = func(s *session, _ string) string { return s.send([]byte("-rw-r--r-- 1 a b 1 Jan 2 2026 f\r\n")) }
				})
				conn := dial(t, ep)
				for range 2 {
					f.forget()
					names := ""
					if err := conn.List(t.Context(), "d", func(e transport.Entry) bool { names += e.Name; return true }); err != nil || names != "f" {
						t.Fatalf("%q, %v, %q", names, err, f.inTurns())
					}
				}
				if got := f.inTurns(); got != c.turns {
					t.Errorf("%q, want %q", got, c.turns)
				}
				if err := conn.List(t.Context(), "none", nil); transport.KindOf(err) != transport.KindPermission && transport.KindOf(err) != transport.KindNotExist || !conn.Usable() {
					t.Error(err)
				}
			})
		}
	}
	// A folder that may be entered and not be listed is not empty, whatever LIST says of it,
	// and says nothing of MLSD.
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		folders(f, "/home/d")
		f.feat = []string{"MLST type*;"}
		f.on["MLSD"] = always("550 Permission denied")
	})
	conn := dial(t, ep)
	for range 2 {
		if err := conn.List(t.Context(), "d", nil); transport.KindOf(err) != transport.KindPermission || !strings.Contains(err.Error(), "MLSD") || !conn.Usable() {
			t.Error(err)
		}
	}
	if f.count("MLSD") != 4 {
		t.Errorf("%q", f.got())
	}
	// Where MLSD has listed something a refusal is one, and costs nothing more.
	ep, f = startFake(t, transport.FTP, func(f *fake) {
		folders(f, "/home/d")
		f.feat = []string{"MLST type*;"}
		f.on["MLSD"] = func(s *session, arg string) string {
			if arg == "d" {
				return "550 Permission denied"
			}
			return s.send([]byte("type=file;size=1; f\r\n"))
		}
	})
	conn = dial(t, ep)
	if err := conn.List(t.Context(), "e", func(transport.Entry) bool { return true }); err != nil {
		t.Fatal(err)
	}
	f.forget()
	if err := conn.List(t.Context(), "d", nil); transport.KindOf(err) != transport.KindPermission || f.inTurns() != "EPSV, MLSD" {
		t.Errorf("%v, %q", err, f.inTurns())
	}
}
