package ftpdriver

import (
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// folders makes a fake know where it is: CWD goes to folders, and names are relative
// to where it is.
func folders(f *fake, names ...string) {
	where := "/home"
	abs := func(name string) string {
		if name[0] == '/' {
			return name
		}
		return where + "/" + name
	}
	f.on["PWD"] = func(*session, string) string { return `257 "` + where + `" is where you are` }
	f.on["CWD"] = func(_ *session, name string) string {
		if name = abs(name); name != "/home" && !slices.Contains(names, name) {
			return "550 Failed to change directory."
		}
		where = name
		return "250 there"
	}
	size := defaults["SIZE"]
	f.on["SIZE"] = func(s *session, name string) string { return size(s, abs(name)) }
}

// blind has neither SIZE nor MDTM, and a listing.
func blind(listing string) habit {
	return all(answers("SIZE", "502 no"), answers("MDTM", "502 no"), func(f *fake) {
		f.on["LIST"] = func(s *session, _ string) string { return s.send([]byte(listing)) }
	})
}

// TestStatPlain: without MLST a name is looked at in one round trip, and a folder in
// two, whatever it is.
func TestStatPlain(t *testing.T) {
	with := func(verb, answer string) func(f *fake) { return func(f *fake) { f.on[verb] = always(answer) } }
	for name, c := range map[string]struct {
		change func(f *fake)
		path   string
		serial bool
		typ    transport.EntryType
		kind   transport.Kind
		code   int
		lost   bool
		turns  string
	}{
		"file":               {path: "f", typ: transport.TypeFile, turns: "SIZE MDTM PWD CWD"},
		"missing":            {path: "no", kind: transport.KindNotExist, code: 550, turns: "SIZE MDTM PWD CWD"},
		"folder":             {path: "d", typ: transport.TypeDir, turns: "SIZE MDTM PWD CWD, CWD CWD"},
		"file, serial":       {path: "f", serial: true, typ: transport.TypeFile, turns: "SIZE, MDTM, PWD, CWD"},
		"folder, serial":     {path: "d", serial: true, typ: transport.TypeDir, turns: "SIZE, MDTM, PWD, CWD, CWD, CWD"},
		"folder with a size": {change: with("SIZE", "213 4096"), path: "d", typ: transport.TypeDir, turns: "SIZE MDTM PWD CWD, CWD CWD"},
		"no SIZE":            {change: func(f *fake) { with("SIZE", "502 no")(f); with("MDTM", "213 20260102030405")(f) }, path: "f", typ: transport.TypeFile, turns: "SIZE MDTM PWD CWD"},
		"listed":             {change: blind("-rw-r--r-- 1 a b 4 Jan 2 2026 f\r\n"), path: "f", typ: transport.TypeFile, turns: "SIZE MDTM PWD CWD, EPSV, LIST"},
		"not listed":         {change: blind("-rw-r--r-- 1 a b 4 Jan 2 2026 g\r\n"), path: "no", kind: transport.KindNotExist},
		"a listed folder":    {change: blind("drwxr-xr-x 1 a b 4 Jan 2 2026 shut\r\n"), path: "shut", typ: transport.TypeDir},
		"no listing":         {change: func(f *fake) { blind("")(f); with("LIST", "502 no")(f) }, path: "f", kind: transport.KindUnsupported, code: 502},
		"busy":               {change: with("MDTM", "450 busy"), path: "no", kind: transport.KindTemporary, code: 450, turns: "SIZE MDTM PWD CWD"},
		"busy folder":        {change: with("MDTM", "450 busy"), path: "d", kind: transport.KindTemporary, code: 450, turns: "SIZE MDTM PWD CWD, CWD CWD"},
		"not logged in":      {change: with("SIZE", "530 Please login with USER and PASS."), path: "no", kind: transport.KindProtocol, code: 530, lost: true},
		"no session":         {change: with("SIZE", "530 no"), path: "no", kind: transport.KindAuth, code: 530},
		"goodbye":            {change: with("SIZE", "421 bye"), path: "no", kind: transport.KindBusy, code: 421, lost: true},
		"goodbye at CWD":     {change: with("CWD", "421 bye"), path: "no", kind: transport.KindBusy, code: 421, lost: true},
		"no PWD, missing":    {change: with("PWD", "502 no"), path: "no", kind: transport.KindUnsupported, code: 502, turns: "SIZE MDTM PWD CWD"},
		"no PWD, file":       {change: with("PWD", "502 no"), path: "f", typ: transport.TypeFile, turns: "SIZE MDTM PWD CWD"},
		// It is somewhere, and nobody knows the way back.
		"no PWD, folder":  {change: with("PWD", "502 no"), path: "d", kind: transport.KindUnsupported, code: 502, lost: true, turns: "SIZE MDTM PWD CWD"},
		"odd PWD, folder": {change: with("PWD", "257 here"), path: "d", kind: transport.KindProtocol, lost: true, turns: "SIZE MDTM PWD CWD"},
		"no way back": {change: func(f *fake) {
			cwd := f.on["CWD"]
			f.on["CWD"] = func(s *session, name string) string {
				if name == "/home" {
					return "550 no"
				}
				return cwd(s, name)
			}
		}, path: "d", kind: transport.KindRefused, code: 550, lost: true, turns: "SIZE MDTM PWD CWD, CWD CWD"},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.files["/home/f"] = []byte("file")
					folders(f, "/home/d")
					if c.change != nil {
						c.change(f)
					}
				})
				conn := dial(t, ep)
				conn.serial = c.serial
				f.forget()
				e, err := conn.Stat(t.Context(), c.path)
				if c.kind != transport.KindUnknown {
					wantKind(t, err, c.kind, c.code)
				} else if err != nil || e.Type != c.typ || e.Name != c.path {
					t.Errorf("%+v, %v", e, err)
				}
				if got := f.inTurns(); c.turns != "" && got != c.turns {
					t.Errorf("%q, want %q", got, c.turns)
				}
				if conn.Usable() == c.lost {
					t.Errorf("usable: %v, after %v", conn.Usable(), err)
				}
				if c.lost || c.change != nil {
					return
				}
				// It is back at home, and knows it.
				f.forget()
				if e, err := conn.Stat(t.Context(), "f"); err != nil || e.Size != 4 {
					t.Errorf("afterwards: %+v, %v", e, err)
				}
				if got := f.inTurns(); !c.serial && got != "SIZE MDTM CWD" {
					t.Errorf("afterwards: %q", got)
				}
			})
		}
	}
}
