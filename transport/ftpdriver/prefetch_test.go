package ftpdriver

import (
	"bytes"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestStatsInOneWrite: several names are looked at in one round trip, each as Stat does it, and
// from the login folder, and the port for what follows is asked for with them.
func TestStatsInOneWrite(t *testing.T) {
	mlst := func(f *fake) {
		f.feat = append(f.feat, "MLST type*;size*;")
		f.on["MLST"] = func(_ *session, name string) string {
			facts := map[string]string{"f": "type=file;size=4;", "d": "type=dir;", "link": "type=OS.unix=symlink;size=1;"}[name]
			if facts == "" {
				return "550 No such file"
			}
			return "250-there\r\n " + facts + " " + name + "\r\n250 end"
		}
	}
	const plain = "SIZE MDTM CWD CWD"
	for name, c := range map[string]struct {
		change func(f *fake)
		conn   func(c *tconn)
		names  string
		store  bool
		want   string // for each name its size, "dir", or the kind of its error
		turns  string
		lost   bool
	}{
		"missing":      {names: "a b", store: true, want: "not found,not found", turns: plain + " " + plain + " EPSV"},
		"one":          {names: "f", store: true, want: "4", turns: plain + " EPSV"},
		"no store":     {names: "a b", want: "not found,not found", turns: plain + " " + plain},
		"folder first": {names: "d f d/g g", store: true, want: "dir,4,5,not found", turns: strings.Repeat(plain+" ", 4) + "EPSV"},
		"home unknown": {conn: func(c *tconn) { c.home = "" }, names: "d f g", store: true, want: "dir,4,not found", turns: "PWD, " + strings.Repeat(plain+" ", 3) + "EPSV"},
		"no home": {change: func(f *fake) { f.on["PWD"] = always("502 no") }, names: "f g", store: true,
			want: "4,unsupported", turns: "PWD, SIZE MDTM PWD CWD, SIZE MDTM PWD CWD"},
		"bad names":       {names: "\n \x00"},
		"serial":          {conn: func(c *tconn) { c.serial = true }, names: "d f g", store: true, want: "dir,4,not found", turns: "SIZE, MDTM, CWD, CWD, CWD, SIZE, MDTM, CWD, SIZE, MDTM, CWD"},
		"late host":       {conn: func(c *tconn) { c.lacksNow(lacksIdlePort) }, names: "f", store: true, want: "4", turns: plain},
		"MLST":            {change: mlst, names: "f d x", store: true, want: "4,dir,not found", turns: "MLST MLST MLST EPSV"},
		"a link":          {change: func(f *fake) { mlst(f); f.files["/home/link"] = []byte("linked") }, names: "link f", store: true, want: "6,4", turns: "MLST MLST EPSV, SIZE MDTM PWD CWD"},
		"no MLST":         {change: func(f *fake) { mlst(f); f.on["MLST"] = always("500 what?") }, names: "d f", store: true, want: "dir,4", turns: "MLST MLST EPSV, SIZE MDTM PWD CWD, CWD CWD, SIZE MDTM CWD"},
		"goodbye":         {change: func(f *fake) { f.on["CWD"] = always("421 bye") }, names: "f g", store: true, want: "server busy,server busy", lost: true},
		"goodbye at last": {change: func(f *fake) { f.on["EPSV"] = always("421 bye") }, names: "f g", store: true, want: "4,not found", lost: true},
		"hangs up":        {change: func(f *fake) { f.on["MDTM"] = always(hangUp) }, names: "f g", store: true, want: "connection lost,connection lost", lost: true},
		"EPSV refused":    {change: func(f *fake) { f.on["EPSV"] = always("500 what?") }, names: "f g", store: true, want: "4,not found", turns: plain + " " + plain + " EPSV"},
		"no way back": {change: func(f *fake) {
			cwd := f.on["CWD"]
			f.on["CWD"] = func(s *session, name string) string {
				if name == "/home" {
					return "550 no"
				}
				return cwd(s, name)
			}
		}, names: "f d g", want: "4,refused,refused", lost: true},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.feat = []string{"UTF8"}
					f.files["/home/f"], f.files["/home/d/g"] = []byte("file"), []byte("inner")
					folders(f, "/home/d")
					if c.change != nil {
						c.change(f)
					}
				})
				conn := dial(t, ep)
				if c.conn != nil {
					c.conn(conn)
				}
				f.forget()
				names := strings.Split(c.names, " ")
				var found []*transport.Stat
				var reqs []transport.Request
				for _, name := range names {
					found = append(found, &transport.Stat{Path: name})
					reqs = append(reqs, found[len(found)-1])
				}
				store := &transport.Store{Path: "g", Src: strings.NewReader("")}
				if store.If = func() bool { return false }; c.store {
					reqs = append(reqs, store)
				}
				serr := conn.Do(t.Context(), transport.NewBatch(reqs...))
				if c.lost != (serr != nil) && name != "goodbye at last" {
					t.Errorf("the session: %v", serr)
				}
				var got []string
				for i, l := range found {
					var te *transport.Error
					switch {
					case l.Err != nil:
						if !errors.As(l.Err, &te) || te.Path != names[i] {
							t.Errorf("%s: %v", names[i], l.Err)
							continue
						}
						got = append(got, te.Kind.String())
					case l.Entry.IsDir():
						got = append(got, "dir")
					default:
						got = append(got, string('0'+rune(l.Entry.Size)))
					}
					if l.Err == nil && !strings.HasSuffix(names[i], l.Entry.Name) {
						t.Errorf("%s: %+v", names[i], l.Entry)
					}
				}
				if s := strings.Join(got, ","); c.want != "" && s != c.want {
					t.Errorf("%q, want %q", s, c.want)
				}
				if s := f.inTurns(); c.turns != "" && s != c.turns {
					t.Errorf("%q, want %q", s, c.turns)
				}
				if conn.Usable() == c.lost {
					t.Errorf("usable: %v", conn.Usable())
				}
				if c.lost {
					return
				}
				// Each is what Stat says, and Stat is where it was.
				for i, l := range found {
					e, err := conn.Stat(t.Context(), names[i])
					if e != l.Entry || (err == nil) != (l.Err == nil) || transport.KindOf(err) != transport.KindOf(l.Err) || errors.Is(err, fs.ErrNotExist) != errors.Is(l.Err, fs.ErrNotExist) {
						t.Errorf("%s: %+v, %v, and Stat: %+v, %v", names[i], l.Entry, l.Err, e, err)
					}
				}
			})
		}
	}
}

// TestPortAskedWithStat: a Store finds the port there; whatever else comes, or comes
// too late, is none the worse for it.
func TestPortAskedWithStat(t *testing.T) {
	big := random(100 << 10)
	store := func(c *tconn) error {
		_, err := c.Store(t.Context(), "g", 0, bytes.NewReader(big), &transport.IO{Size: int64(len(big))})
		return err
	}
	prefetchNow := func(c *tconn) error {
		stat, put := &transport.Stat{Path: "f"}, &transport.Store{Path: "g"}
		put.If = func() bool { return false }
		return errors.Join(c.Do(t.Context(), transport.NewBatch(stat, put)), stat.Err)
	}
	for name, n := range map[string]struct {
		do    func(c *tconn) error
		turns string
	}{
		"store":    {store, "STOR"},
		"too late": {func(c *tconn) error { c.prefetchedAt = c.prefetchedAt.Add(-2 * prefetchedFor); return store(c) }, "EPSV, STOR"},
		"another look": {func(c *tconn) error {
			_, err := c.Stat(t.Context(), "f")
			return errors.Join(err, c.Remove(t.Context(), "f"), store(c))
		}, "SIZE MDTM PWD CWD, DELE, STOR"},
		"again": {func(c *tconn) error { return errors.Join(prefetchNow(c), store(c), store(c)) },
			"PWD, SIZE MDTM CWD CWD EPSV, STOR, EPSV, STOR"},
		"retrieve": {func(c *tconn) error {
			var got bytes.Buffer
			_, err := c.Retrieve(t.Context(), "f", 0, &got, nil)
			return errors.Join(err, store(c))
		}, "RETR, EPSV, STOR"},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) { f.files["f"] = []byte("file") })
				c := dial(t, ep)
				if name != "again" { // which finds it unknown
					if err := prefetchNow(c); err != nil {
						t.Fatal(err)
					}
				}
				if name == "another look" {
					c.home = ""
				}
				f.forget()
				if err := n.do(c); err != nil {
					t.Fatal(err)
				}
				if got := f.inTurns(); got != n.turns {
					t.Errorf("%q, want %q", got, n.turns)
				}
				if !bytes.Equal(f.file("g"), big) {
					t.Error("the file is not what was sent")
				}
			})
		}
	}
}
