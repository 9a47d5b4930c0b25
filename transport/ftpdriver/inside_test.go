package ftpdriver

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// pathless makes a server of f that takes names of the folder it is in alone, for the
// commands named. Its files are kept by their full paths.
func pathless(f *fake, verbs ...string) {
	where := "/home"
	tree := []string{"/", "/home", "/home/in", "/home/in/deep"}
	f.on["PWD"] = func(*session, string) string { return `257 "` + where + `" is where you are` }
	abs := func(name string) string {
		if strings.HasPrefix(name, "/") {
			return path.Clean(name)
		}
		return path.Join(where, name)
	}
	f.on["CWD"] = func(_ *session, name string) string {
		if name = abs(name); !slices.Contains(tree, name) {
			return "550 No such folder."
		}
		where = name
		return "250 there"
	}
	for _, verb := range []string{"STOR", "RETR", "SIZE", "DELE", "CWD"} {
		do := f.on[verb]
		if do == nil {
			do = defaults[verb]
		}
		f.on[verb] = func(s *session, name string) string {
			if strings.Contains(name, "/") && name != "/home" && slices.Contains(verbs, verb) {
				return "550 " + name + ": Permission denied."
			}
			return do(s, abs(name))
		}
	}
	from := ""
	f.on["RNFR"] = func(_ *session, name string) string { from = abs(name); return "350 to?" }
	f.on["RNTO"] = func(s *session, name string) string {
		s.files[abs(name)] = s.files[from]
		delete(s.files, from)
		return "250 moved"
	}
}

// TestPathsAreRefused: a server that takes no path in STOR and RETR is gone into the
// folder of, and what it takes is remembered.
func TestPathsAreRefused(t *testing.T) {
	for name, verbs := range map[string][]string{
		"STOR and RETR":     {"STOR", "RETR"},
		"CWD as well":       {"STOR", "RETR", "CWD"},
		"SIZE and DELE too": {"STOR", "RETR", "SIZE", "DELE"},
	} {
		for _, folder := range []string{"in", "/home/in", "in/deep"} {
			for _, size := range []int{5, 100 << 10} {
				for _, serial := range []bool{false, true} {
					for _, p := range protocols {
						if folder == "/home/in" && name == "CWD as well" {
							continue // nobody says that "/" is above the login folder
						}
						t.Run(fmt.Sprint(name, " ", folder, " ", size, " serial ", serial, " ", p), func(t *testing.T) {
							ep, f := startFake(t, p, func(f *fake) { pathless(f, verbs...) })
							data := random(size)
							for i := range 2 {
								c := dial(t, ep)
								c.serial = serial
								f.forget()
								part, dest := folder+"/.part", fmt.Sprint(folder, "/x", i)
								moved, stat := int64(0), &transport.Stat{Path: part}
								put := &transport.Store{Path: part, Src: bytes.NewReader(data), Size: int64(size), Progress: func(n int64) { moved += n }}
								if err := c.do(t.Context(), put, stat, &transport.Rename{From: part, To: dest}); err != nil || put.Stored != int64(size) || moved != int64(size) || stat.Entry.Size != int64(size) {
									t.Fatalf("%v, %d stored, %d moved, %+v, %q", err, put.Stored, moved, stat.Entry, f.got())
								}
								var got bytes.Buffer
								get := &transport.Retrieve{Path: dest, Dst: &got}
								if err := c.do(t.Context(), get); err != nil || !bytes.Equal(got.Bytes(), data) || get.Received != int64(size) {
									t.Fatalf("%v, %d bytes, %q", err, got.Len(), f.got())
								}
								if name := path.Join("/home", strings.TrimPrefix(dest, "/home/")); !bytes.Equal(f.file(name), data) || put.Path != part {
									t.Errorf("%q is not there", name)
								}
								if refused := slices.Contains(f.got(), "STOR "+part); refused != (i == 0) {
									t.Errorf("connection %d: %q", i, f.got())
								}
								if err := c.Remove(t.Context(), folder+"/y"); err != nil || !c.Usable() {
									t.Error(err)
								}
							}
							c := dial(t, ep)
							for _, missing := range []string{folder + "/none", "none/x"} {
								if _, err := c.Stat(t.Context(), missing); transport.KindOf(err) != transport.KindNotExist || !strings.Contains(err.Error(), missing) || !c.Usable() {
									t.Errorf("%s: %v", missing, err)
								}
							}
							var got bytes.Buffer
							if err := c.do(t.Context(), &transport.Retrieve{Path: folder + "/x0", Dst: &got}); err != nil || !bytes.Equal(got.Bytes(), data) {
								t.Errorf("%v, %d bytes", err, got.Len())
							}
						})
					}
				}
			}
		}
	}
}

// TestPathsAreRefusedToReaders: a download finds it out as well.
func TestPathsAreRefusedToReaders(t *testing.T) {
	for _, serial := range []bool{false, true} {
		ep, f := startFake(t, transport.FTP, func(f *fake) {
			pathless(f, "STOR", "RETR")
			f.files["/home/in/x"] = []byte("hello")
		})
		c := dial(t, ep)
		c.serial = serial
		var got bytes.Buffer
		s, get := &transport.Stat{Path: "in/x"}, &transport.Retrieve{Path: "in/x", Dst: &got, Limit: 3}
		if err := c.do(t.Context(), s, get); err != nil || got.String() != "hel" || get.Received != 3 || s.Entry.Size != 5 {
			t.Errorf("%q, %v, %+v, %q", got.String(), err, s.Entry, f.got())
		}
	}
}

// TestRefusedForGood: what is refused inside too stays refused in the words that came
// first, and costs nothing more once a path was taken.
func TestRefusedForGood(t *testing.T) {
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		pathless(f)
		store := f.on["STOR"]
		f.on["STOR"] = func(s *session, name string) string {
			if path.Base(name) == "no" {
				return "553 " + name + ": no"
			}
			return store(s, name)
		}
	})
	refused := func(want string) {
		t.Helper()
		c := dial(t, ep)
		f.forget()
		err := c.do(t.Context(), &transport.Store{Path: "in/no", Src: strings.NewReader("x"), Size: 1})
		if te := wantKind(t, err, transport.KindName, 553); te.Path != "in/no" || te.Op != "STOR" || !strings.Contains(te.Error(), "in/no: no") || !c.Usable() {
			t.Error(te)
		}
		if got := f.inTurns(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	refused("EPSV, STOR, PWD, CWD, EPSV, STOR, CWD")
	if err := dial(t, ep).do(t.Context(), &transport.Store{Path: "in/yes", Src: strings.NewReader("x"), Size: 1}); err != nil {
		t.Fatal(err)
	}
	refused("EPSV, STOR")
}
