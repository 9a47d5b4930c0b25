package ftpdriver

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestFoldersThatHaveASize: what CWD enters is a folder whatever SIZE says, by every way
// of asking, and a CWD that enters everything shows none.
func TestFoldersThatHaveASize(t *testing.T) {
	sized := func(f *fake) {
		f.on["SIZE"] = func(_ *session, name string) string {
			if name == "no" {
				return "550 No such file"
			}
			return "213 4096"
		}
		f.on["RETR"] = func(s *session, _ string) string { return s.send(bytes.Repeat([]byte("x"), 4096)) }
	}
	for name, c := range map[string]struct {
		change  func(f *fake)
		path    string
		typ     transport.EntryType
		missing bool
	}{
		"a folder":           {path: "d", typ: transport.TypeDir},
		"a file":             {path: "f", typ: transport.TypeFile},
		"nothing":            {path: "no", missing: true},
		"MLST without types": {change: func(f *fake) { f.feat = []string{"MLST size*;"}; f.on["MLST"] = facts("size=4096;") }, path: "d", typ: transport.TypeDir},
		"not to be entered":  {change: func(f *fake) { f.on["CWD"] = always("550 d: Permission denied") }, path: "d", typ: transport.TypeUnknown},
		// z/OS: every name is the beginning of others.
		"all are entered, a file": {change: enterAll, path: "f", typ: transport.TypeFile},
		"all are entered, none":   {change: enterAll, path: "no", missing: true},
		"as z/OS refuses": {change: func(f *fake) { enterAll(f); f.on["SIZE"] = always("502 SIZE is not for data sets") }, path: "no",
			missing: true},
	} {
		for _, serial := range []bool{false, true} {
			t.Run(fmt.Sprint(name, serial), func(t *testing.T) {
				ep, _ := startFake(t, transport.FTP, func(f *fake) {
					folders(f, "/home/d")
					sized(f)
					if c.change != nil {
						c.change(f)
					}
				})
				conn := dial(t, ep)
				conn.serial = serial
				check := func(way string, e transport.Entry, err error) {
					t.Helper()
					if c.missing != (transport.KindOf(err) == transport.KindNotExist) || !c.missing && (err != nil || e.Type != c.typ || e.IsDir() && e.Size != -1) {
						t.Errorf("%s: %+v, %v", way, e, err)
					}
				}
				e, err := conn.Stat(t.Context(), c.path)
				check("Stat", e, err)
				stat := &transport.Stat{Path: c.path}
				_ = conn.do(t.Context(), &transport.Stat{Path: "none"}, stat)
				check("among others", stat.Entry, stat.Err)
				var got bytes.Buffer
				stat = &transport.Stat{Path: c.path}
				get := &transport.Retrieve{Path: c.path, Dst: &got}
				get.If = func() bool {
					check("before RETR", stat.Entry, stat.Err)
					return stat.Err == nil && stat.Entry.Type == transport.TypeFile
				}
				_ = conn.do(t.Context(), stat, get)
				check("with RETR", stat.Entry, stat.Err)
				if c.missing {
					return
				}
				switch {
				case c.typ != transport.TypeFile && (get.Err != transport.ErrSkipped || got.Len() > 0):
					t.Errorf("%d bytes, %v: what is no file, or need not be one, was fetched", got.Len(), get.Err)
				case c.typ == transport.TypeFile && (get.Err != nil || got.Len() != 4096):
					t.Errorf("%d bytes, %v", got.Len(), get.Err)
				}
				// It is at home, and whole.
				if e, err := conn.Stat(t.Context(), c.path); err != nil || e.Type != c.typ {
					t.Errorf("afterwards: %+v, %v", e, err)
				}
			})
		}
	}
}

func facts(facts string) func(*session, string) string {
	return func(_ *session, name string) string { return "250-there\r\n " + facts + " " + name + "\r\n250 end" }
}

func enterAll(f *fake) {
	where := "/home"
	f.on["CWD"] = func(_ *session, name string) string {
		if where += "." + name; name[0] == '/' {
			where = name
		}
		return "250 the working directory is " + where
	}
	f.on["PWD"] = func(*session, string) string { return `257 "` + where + `"` }
}

// TestListingsByPattern: a server that takes the path of MLSD for a pattern lists nothing,
// or something else, of a folder whose name is one. From inside it tells the truth.
func TestListingsByPattern(t *testing.T) {
	inside := []string{"type=file;size=1; one", "type=file;size=1; two"}
	for _, name := range []string{"[ temp ]", "a[1]", "what?", "st*r", "{a,b}", " front", "back ", "-a", "sub/[x]/y", "plain"} {
		for _, bare := range []string{"226 0 matches total", "150"} {
			t.Run(name+" "+bare, func(t *testing.T) {
				where := ""
				ep, _ := startFake(t, transport.FTP, func(f *fake) {
					folders(f, "/home/"+name)
					cwd := f.on["CWD"]
					f.on["CWD"] = func(s *session, to string) string {
						r := cwd(s, to)
						if r[0] == '2' {
							where = to
						}
						return r
					}
					f.feat = []string{"MLST type*;size*;"}
					f.on["MLSD"] = func(s *session, arg string) string {
						if arg == "" && where == name {
							return s.send([]byte(inside[0] + "\r\n" + inside[1] + "\r\n"))
						}
						if arg == "other" {
							return s.send([]byte("type=cdir; other\r\n"))
						}
						if bare != "150" {
							return bare
						}
						if name != "plain" { // the pattern matches another folder
							return s.send([]byte("type=file;size=1; other\r\n"))
						}
						return s.send(nil)
					}
				})
				conn := dial(t, ep)
				var got []string
				if name == "plain" && bare == "150" { // of other folders it says something
					if err := conn.List(t.Context(), "other", func(transport.Entry) bool { return true }); err != nil {
						t.Fatal(err)
					}
				}
				err := conn.List(t.Context(), name, func(e transport.Entry) bool { got = append(got, e.Name); return true })
				if err != nil || !slices.Equal(got, []string{"one", "two"}) {
					t.Errorf("%q, %v", got, err)
				}
				if where != "/home" {
					t.Errorf("it is in %q now", where)
				}
			})
		}
	}
}

// TestCWDIsProvenOnce: a name that cannot be there is tried after the first folder of a
// connection, and not again; never on a server of which it is known what CWD enters; and
// where it was entered, not on later connections either.
func TestCWDIsProvenOnce(t *testing.T) {
	for name, c := range map[string]struct {
		change func(f *fake)
		want   int // of two connections
	}{
		"folders": {want: 2},
		"vsftpd":  {change: func(f *fake) { f.greeting = "220 (vsFTPd 3.0.3)" }},
		"ProFTPD": {change: func(f *fake) { f.greeting = "220 ProFTPD Server (test)" }},
		"all":     {change: enterAll, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				folders(f, "/home/d")
				if c.change != nil {
					c.change(f)
				}
			})
			for range 2 {
				conn := dial(t, ep)
				for range 2 {
					e, err := conn.Stat(t.Context(), "d")
					if name == "all" {
						wantKind(t, err, transport.KindNotExist, 550)
					} else if err != nil || e.Type != transport.TypeDir || e.Size != -1 {
						t.Errorf("%+v, %v", e, err)
					}
				}
			}
			tried := slices.DeleteFunc(f.got(), func(line string) bool {
				return !strings.HasPrefix(line, "CWD ") || line == "CWD d" || line == "CWD /home"
			})
			if len(tried) != c.want {
				t.Errorf("%q, want %d", tried, c.want)
			}
		})
	}
}

// TestRetrieveWithoutWayHome: RETR is not sent with a Stat that cannot be asked in the
// same write, and nothing of it is taken in a folder that could not be left.
func TestRetrieveWithoutWayHome(t *testing.T) {
	for name, c := range map[string]struct {
		verb, answer string
		path         string
		err          error // of Retrieve
		turns        string
		lost         bool
	}{
		"no PWD":      {verb: "PWD", answer: "502 no", path: "f", turns: "PWD EPSV, SIZE MDTM PWD CWD, RETR"},
		"no way back": {verb: "CWD", answer: "550 no", path: "d", err: transport.ErrUnsent, lost: true, turns: "PWD EPSV, SIZE MDTM CWD CWD RETR"},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.files["/home/f"] = []byte("file")
					folders(f, "/home/d")
					other := f.on[c.verb]
					f.on[c.verb] = func(s *session, arg string) string {
						if arg == "d" || arg == "f" {
							return other(s, arg)
						}
						if c.lost {
							_, _ = s.r.Peek(len("RETR d\r\n")) // it comes with what ends the session
						}
						return c.answer
					}
					f.on["RETR"] = func(s *session, _ string) string {
						if c.lost { // nobody comes for it
							s.say("150 here it comes")
							return hangUp
						}
						return s.send([]byte("file"))
					}
				})
				conn := dial(t, ep)
				f.forget()
				var got bytes.Buffer
				asked := 0
				get := &transport.Retrieve{Path: c.path, Dst: &got}
				get.If = func() bool { asked++; return true }
				_ = conn.do(t.Context(), &transport.Stat{Path: c.path}, get)
				if get.Err != c.err || (got.Len() > 0) != (c.err == nil) || (asked == 1) != (c.err == nil) {
					t.Errorf("%d bytes, %v, asked %d times", got.Len(), get.Err, asked)
				}
				if c.lost {
					f.stop() // when it has read what there is
				}
				if turns := f.inTurns(); turns != c.turns || conn.Usable() == c.lost {
					t.Errorf("%q, want %q; usable: %v", turns, c.turns, conn.Usable())
				}
			})
		}
	}
}

// TestEmptyFolder: an empty listing is believed, unless the server says something of other
// empty folders, or had nothing to send, or the path has something in it that it may not
// take as it is. Then it is asked again from inside.
func TestEmptyFolder(t *testing.T) {
	const inside = ", CWD, EPSV, MLSD, CWD"
	for name, c := range map[string]struct {
		path    string
		answers []string // "226" for a reply without data
		turns   string
	}{
		"nothing":            {answers: []string{"", ""}, turns: "EPSV, MLSD, EPSV, MLSD"},
		"a name with spaces": {path: "d/a b", answers: []string{"", "type=file; g\r\n"}, turns: "EPSV, MLSD, PWD" + inside},
		"and it is empty":    {path: "d/a b", answers: []string{"type=file; f\r\n", "", ""}, turns: "EPSV, MLSD, EPSV, MLSD, PWD" + inside},
		"itself":             {answers: []string{"type=cdir; .\r\n", "type=pdir; ..\r\n"}, turns: "EPSV, MLSD, EPSV, MLSD"},
		"itself, nothing":    {answers: []string{"type=cdir; .\r\n", "", ""}, turns: "EPSV, MLSD, EPSV, MLSD, PWD" + inside},
		"unsent":             {answers: []string{"226 0 matches", "226 0 matches"}, turns: "EPSV, MLSD, PWD" + inside},
		"unsent, not true":   {answers: []string{"226 0 matches", "type=file; g\r\n"}, turns: "EPSV, MLSD, PWD" + inside},
	} {
		t.Run(name, func(t *testing.T) {
			n := 0
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				folders(f, "/home/d", "/home/d/a b")
				f.feat = []string{"MLST type*;"}
				f.on["MLSD"] = func(s *session, _ string) string {
					answer := c.answers[min(n, len(c.answers)-1)]
					if n++; strings.HasPrefix(answer, "226") {
						return answer
					}
					return s.send([]byte(answer))
				}
			})
			conn := dial(t, ep)
			f.forget()
			path, names := cmp.Or(c.path, "d"), ""
			for n < len(c.answers) {
				if err := conn.List(t.Context(), path, func(e transport.Entry) bool { names += e.Name; return true }); err != nil {
					t.Fatal(err)
				}
			}
			if want := strings.Join(c.answers, ""); len(names) != strings.Count(want, "=file") {
				t.Errorf("%q of %q", names, want)
			}
			if got := f.inTurns(); got != c.turns {
				t.Errorf("%q, want %q", got, c.turns)
			}
		})
	}
}
