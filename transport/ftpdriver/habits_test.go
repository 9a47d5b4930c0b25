package ftpdriver

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A habit is what a server does unlike others, as a change of one that does all.
type habit func(f *fake)

// instead has the fake give another answer than f's to some arguments of a command.
func instead(f *fake, verb string, answer func(s *session, arg, was string) string) {
	do := f.on[verb]
	if do == nil {
		do = defaults[verb]
	}
	f.on[verb] = func(s *session, arg string) string { return answer(s, arg, do(s, arg)) }
}

// replaced gives an answer that begins with from another beginning.
func replaced(verb, from, to string) habit {
	return func(f *fake) {
		instead(f, verb, func(_ *session, _, was string) string {
			if rest, ok := strings.CutPrefix(was, from); ok {
				return to + rest
			}
			return was
		})
	}
}

func answers(verb, answer string) habit {
	return func(f *fake) { f.on[verb] = always(answer) }
}

// denied has no reply of a command but a refusal, of names for which no is true.
func denied(no func(name string) bool, answer string, verbs ...string) habit {
	return func(f *fake) {
		for _, verb := range verbs {
			do := f.on[verb]
			if do == nil {
				do = defaults[verb]
			}
			f.on[verb] = func(s *session, name string) string {
				if no(name) {
					return answer
				}
				return do(s, name)
			}
		}
	}
}

// all has several habits.
func all(habits ...habit) habit {
	return func(f *fake) {
		for _, h := range habits {
			h(f)
		}
	}
}

// inWords refuses whatever is missing in other words.
func inWords(answer string) habit {
	return func(f *fake) {
		for _, verb := range []string{"MLST", "SIZE", "MDTM", "CWD", "RETR"} {
			instead(f, verb, func(_ *session, _, was string) string {
				if strings.HasPrefix(was, "550 ") {
					return answer
				}
				return was
			})
		}
	}
}

func isPath(name string) bool { return strings.Contains(name, "/") && name != "/home" }

var habits = map[string]habit{
	"227 to EPSV":         func(f *fake) { f.on["EPSV"] = f.on["PASV"] },
	"200 to EPSV":         replaced("EPSV", "229", "200"),
	"no port in EPSV":     answers("EPSV", "229 Entering Extended Passive Mode"),
	"no EPSV":             answers("EPSV", "500 what?"),
	"EPSV for nobody":     answers("EPSV", "522 Network protocol not supported, use (1)"),
	"a dead port of EPSV": func(f *fake) { f.on["EPSV"] = func(s *session, _ string) string { s.dead(); return "229 ok (|||1|)" } },
	"spaces in facts": func(f *fake) {
		f.on["MLSD"] = lists(f, "type=%s;UNIX.groupname=domain users;size=%d;UNIX.mode=0600; %s\r\n", "file", "dir")
	},
	"no semicolon":      func(f *fake) { f.on["MLSD"] = lists(f, "type=%s;size=%d %s\r\n", "file", "dir") },
	"no MLSD":           answers("MLSD", "502 no"),
	"MLSD is unknown":   answers("MLSD", "500 what?"),
	"MLST denies files": func(f *fake) { instead(f, "MLST", func(_ *session, _, was string) string { return denyFile(was) }) },
	"MLST is unknown":   answers("MLST", "500 what?"),
	"MLST without a type": func(f *fake) {
		instead(f, "MLST", func(_ *session, _, was string) string { return strings.Replace(was, "type=file;", "", 1) })
	},
	"no size of nothing":      replaced("SIZE", "213 0", "213 File status"),
	"no SIZE":                 answers("SIZE", "502 no"),
	"a size of folders":       func(f *fake) { f.on["SIZE"] = sizesAll(f) },
	"no SIZE or MDTM":         all(answers("SIZE", "502 no"), answers("MDTM", "502 no")),
	"no SIZE in ASCII":        all(answers("SIZE", "550 SIZE not allowed in ASCII"), answers("MDTM", "502 no")),
	"nothing looks at files":  all(answers("MLST", "502 no"), answers("SIZE", "502 no"), answers("MDTM", "500 what?")),
	"German":                  inWords("550 Datei nicht gefunden"),
	"few words":               inWords("550 Failed"),
	"denied, not missing":     inWords("550 Access is denied."),
	"few words and no MLST":   all(answers("MLST", "502 no"), inWords("550 Requested action not taken")),
	"no CWD":                  answers("CWD", "550 Permission denied"),
	"no CWD and no MLSD":      all(answers("CWD", "550 Permission denied"), answers("MLSD", "502 no")),
	"no MDTM":                 answers("MDTM", "500 what?"),
	"a date of MDTM":          replaced("MDTM", "213 20260102030405", "213 Jan 2 2026"),
	"no path in transfers":    denied(isPath, "550 Permission denied", "STOR", "RETR"),
	"no path at all":          denied(isPath, "550 Permission denied", "STOR", "RETR", "CWD"),
	"FEAT from 221 to 211":    replaced("FEAT", "211-", "221-"),
	"no FEAT":                 answers("FEAT", "502 no"),
	"FEAT of one line":        answers("FEAT", "211 none"),
	"250 at the end":          ends("250 "),
	"200 at the end":          ends("200 "),
	"two lines at the end":    ends("226-bytes moved: \r\n226 "),
	"no PBSZ":                 answers("PBSZ", "503 no"),
	"234 to PROT":             replaced("PROT", "200", "234"),
	"no OPTS":                 answers("OPTS", "501 no"),
	"no -a":                   denied(func(arg string) bool { return arg != "" }, "550 -a: No such file or directory", "LIST"),
	"LIST in DOS form":        func(f *fake) { f.on["LIST"] = lists(f, "01-02-26  03:04PM %14s %d %s\r\n", "", "<DIR>") },
	"a greeting of Microsoft": func(f *fake) { f.greeting = "220 Microsoft FTP Service" },
}

func ends(code string) habit {
	return func(f *fake) {
		for _, verb := range []string{"STOR", "RETR", "LIST", "MLSD"} {
			replaced(verb, "226 ", code)(f)
		}
	}
}

func denyFile(was string) string {
	if strings.Contains(was, "type=file") {
		return "550 No such file or directory"
	}
	return was
}

// dead has nobody listen for data.
func (s *session) dead() {
	if s.data != nil {
		_ = s.data.Close()
		s.data = nil
	}
}

// lists has a listing of the folder in which the session is, or of its argument, in a form.
func lists(f *fake, form, file, dir string) func(*session, string) string {
	return func(s *session, arg string) string {
		where := strings.Trim(strings.Fields(f.on["PWD"](s, ""))[1], `"`)
		if arg = strings.TrimSpace(strings.TrimPrefix(arg, "-a")); arg != "" && arg != "." {
			where = path.Join(where, arg)
		}
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(s.files)) {
			if path.Dir(name) == where {
				fmt.Fprintf(&b, form, file, len(s.files[name]), path.Base(name))
			}
		}
		if where == "/home/in" {
			fmt.Fprintf(&b, form, dir, 0, "deep")
		}
		return s.send([]byte(strings.ReplaceAll(b.String(), "<DIR> 0 ", "<DIR>          ")))
	}
}

// sizesAll is SIZE of a server that tells the size of folders as well.
func sizesAll(f *fake) func(*session, string) string {
	size := f.on["SIZE"]
	return func(s *session, name string) string {
		if strings.HasSuffix(name, "deep") {
			return "213 4096"
		}
		return size(s, name)
	}
}

// allround is a server that does everything.
func allround(f *fake) {
	pathless(f)
	f.on["PASV"] = defaults["PASV"]
	f.feat = []string{"MLST type*;size*;", "SIZE", "MDTM", "UTF8"}
	size, cwd := f.on["SIZE"], f.on["CWD"]
	f.on["MDTM"] = func(s *session, name string) string {
		if was := size(s, name); strings.HasPrefix(was, "213") {
			return "213 20260102030405"
		}
		return "550 no"
	}
	f.on["MLST"] = func(s *session, name string) string {
		if was := size(s, name); strings.HasPrefix(was, "213") {
			return "250-\r\n type=file;size=" + was[4:] + ";modify=20260102030405; " + name + "\r\n250 End"
		}
		where := strings.Trim(strings.Fields(f.on["PWD"](s, ""))[1], `"`)
		if !strings.HasPrefix(cwd(s, name), "250") {
			return "550 No such file or directory"
		}
		cwd(s, where)
		return "250-\r\n type=dir; " + name + "\r\n250 End"
	}
	f.on["MLSD"] = lists(f, "type=%s;size=%d; %s\r\n", "file", "dir")
	f.on["LIST"] = lists(f, "%srw-r--r-- 1 a b %d Jan 2 2026 %s\r\n", "-", "d")
}

// retried does something again on a new connection, as whoever uses a connection does,
// where it failed in a way that may pass.
func retried(t *testing.T, ep *transport.Endpoint, do func(c *tconn) error) {
	t.Helper()
	var err error
	for range 3 {
		c := dial(t, ep)
		err = do(c)
		usable := c.Usable()
		_ = c.Close()
		if err == nil {
			if !usable {
				t.Error("done, and the session is given up")
			}
			return
		}
		switch transport.KindOf(err) {
		case transport.KindNotExist, transport.KindPermission, transport.KindName, transport.KindUnsupported, transport.KindRefused, transport.KindStalled:
			t.Error(err)
			return
		}
	}
	t.Error(err)
}

// useAll uses a server in all ways and compares what comes of it.
func useAll(t *testing.T, ep *transport.Endpoint, f *fake) {
	for i, size := range []int{0, 5, 100 << 10} {
		data, name := random(size), fmt.Sprint("in/f", i)
		retried(t, ep, func(c *tconn) error {
			put, look := &transport.Store{Path: name, Src: bytes.NewReader(data), Size: int64(size)}, &transport.Stat{Path: name}
			err := c.do(t.Context(), put, look)
			if err == nil && (put.Stored != int64(size) || look.Entry.Size != int64(size) && look.Entry.Size >= 0 || look.Entry.Type != transport.TypeFile) {
				t.Errorf("%d stored, %+v", put.Stored, look.Entry)
			}
			return err
		})
		if !bytes.Equal(f.file("/home/"+name), data) {
			t.Errorf("%s is not what was sent", name)
		}
		retried(t, ep, func(c *tconn) error {
			var got bytes.Buffer
			look, get := &transport.Stat{Path: name}, &transport.Retrieve{Path: name, Dst: &got}
			get.If = func() bool { return look.Err == nil }
			err := c.do(t.Context(), look, get)
			if err == nil && !bytes.Equal(got.Bytes(), data) {
				t.Errorf("%d bytes of %d came", got.Len(), size)
			}
			return err
		})
	}
	retried(t, ep, func(c *tconn) error {
		var names []string
		err := c.List(t.Context(), "in", func(e transport.Entry) bool {
			names = append(names, fmt.Sprint(e.Name, " ", e.Size, " ", e.Type == transport.TypeDir, " ", e.TimeExact && e.ModTime.IsZero()))
			return true
		})
		slices.Sort(names)
		if want := "deep -1 true false,f0 0 false false,f1 5 false false,f2 102400 false false"; err == nil && strings.Join(names, ",") != want {
			t.Errorf("%q", names)
		}
		return err
	})
	retried(t, ep, func(c *tconn) error {
		e, err := c.Stat(t.Context(), "in/deep")
		if err == nil && e.Type != transport.TypeDir {
			t.Errorf("a folder is %+v", e)
		}
		return err
	})
	c := dial(t, ep)
	if e, err := c.Stat(t.Context(), "in/none"); transport.KindOf(err) != transport.KindNotExist || !c.Usable() {
		t.Errorf("%+v, %v", e, err)
	}
}

// TestHabits: a server with each habit can be used in all ways, in clear and under TLS.
func TestHabits(t *testing.T) {
	for name, h := range habits {
		for _, p := range []transport.Protocol{transport.FTP, transport.FTPS} {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				t.Parallel()
				ep, f := startFake(t, p, func(f *fake) { allround(f); h(f) })
				useAll(t, ep, f)
			})
		}
	}
}

// TestPairsOfHabits: so can one with two of them. Which they are a seed tells.
func TestPairsOfHabits(t *testing.T) {
	names := slices.Sorted(maps.Keys(habits))
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		a, b := names[r.IntN(len(names))], names[r.IntN(len(names))]
		t.Run(fmt.Sprint(seed, " ", a, " and ", b), func(t *testing.T) {
			t.Parallel()
			ep, f := startFake(t, protocols[seed%2], func(f *fake) { allround(f); habits[a](f); habits[b](f) })
			useAll(t, ep, f)
		})
	}
}
