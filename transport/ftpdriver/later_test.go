package ftpdriver

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func settled(t testing.TB, l *Late) error {
	t.Helper()
	select {
	case <-l.Done():
		return l.Err()
	default:
		t.Fatal("the rename is not settled")
		return nil
	}
}

func later(t testing.TB, c *Conn, from, to string) *Late {
	t.Helper()
	l, ok := c.RenameLater(from, to)
	if !ok {
		t.Fatal("it was not taken")
	}
	return l
}

// TestRenameLater: a rename goes out with what comes next, whatever that is, and
// before it.
func TestRenameLater(t *testing.T) {
	type next struct {
		do   func(c *Conn) error
		want string // the order on the control connection
	}
	small := func(c *Conn) error {
		_, err := c.Store(t.Context(), "g", 0, strings.NewReader("small"), &IO{Size: 5, Finish: &Finish{More: true}})
		return err
	}
	big := func(c *Conn) error {
		_, err := c.Store(t.Context(), "g", 0, strings.NewReader(strings.Repeat("x", 100<<10)), &IO{Size: 100 << 10})
		return err
	}
	for name, n := range map[string]next{
		"small file": {small, "EPSV RNFR RNTO STOR SIZE EPSV"},
		"large file": {big, "RNFR RNTO EPSV STOR"},
		"small file, port known": {func(c *Conn) error {
			c.aheadPort = 0
			return errors.Join(small(c), func() error { later(t, c, "f", "f2"); return small(c) }())
		}, "EPSV RNFR RNTO STOR SIZE EPSV RNFR RNTO STOR SIZE EPSV"},
		"source that waits": {func(c *Conn) error {
			_, err := c.Store(t.Context(), "g", 0, waitsFor{strings.NewReader("small"), c}, &IO{Size: 5})
			return err
		}, "RNFR RNTO EPSV STOR"},
		"look":  {func(c *Conn) error { _, err := c.Stat(t.Context(), "f"); return err }, "RNFR RNTO SIZE MDTM PWD CWD"},
		"flush": {func(c *Conn) error { return c.Flush(t.Context()) }, "RNFR RNTO"},
		"nothing of its own": {func(c *Conn) error {
			_, err := c.Store(t.Context(), "g", 0, failsWith{fs.ErrClosed}, &IO{Size: 5})
			if transport.KindOf(err) != transport.KindLocal {
				t.Error(err)
			}
			return c.Flush(t.Context())
		}, ""},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) { f.files["f"] = []byte("1") })
				c := dial(t, ep)
				f.mu.Lock()
				f.received = nil
				f.mu.Unlock()
				l := later(t, c, "f.part", "f")
				if _, again := c.RenameLater("g", "h"); again {
					t.Error("two are queued")
				}
				if err := n.do(c); err != nil {
					t.Fatal(err)
				}
				if err := settled(t, l); err != nil {
					t.Error(err)
				}
				f.mu.Lock()
				defer f.mu.Unlock()
				var verbs []string
				for _, line := range f.received {
					verbs = append(verbs, verbOf(line))
				}
				if got := strings.Join(verbs, " "); n.want != "" && got != n.want {
					t.Errorf("%q, want %q", got, n.want)
				}
				if i := slices.Index(f.received, "RNFR f.part"); i < 0 || f.received[i+1] != "RNTO f" {
					t.Errorf("%q", f.received)
				}
			})
		}
	}
}

// waitsFor is a source that has nothing until the rename has been sent.
type waitsFor struct {
	io.Reader
	c *Conn
}

func (w waitsFor) Read(p []byte) (int, error) {
	if w.c.carried != nil {
		return 0, errors.New("it would wait for ever")
	}
	return w.Reader.Read(p)
}

// TestRenameLaterFails: whose reply is lost may have acted, what has not been sent has
// not, and the failure of one is not that of the other.
func TestRenameLaterFails(t *testing.T) {
	store := func(c *Conn) error {
		_, err := c.Store(t.Context(), "g", 0, strings.NewReader("small"), &IO{Size: 5})
		return err
	}
	for name, c := range map[string]struct {
		rnfr, rnto, stor string
		kind             transport.Kind // of the rename
		acted, stores    bool
	}{
		"refused at once":   {rnfr: "550 Failed to open file.", rnto: "503 RNFR required first.", kind: transport.KindNotExist, stores: true},
		"refused":           {rnto: "553 Rename failed.", kind: transport.KindName, stores: true},
		"reply lost":        {rnto: hangUp, kind: transport.KindLost, acted: true},
		"lost before":       {rnfr: hangUp, kind: transport.KindLost, acted: true},
		"the store refused": {stor: "553 Could not create file.", kind: transport.KindUnknown},
		"lost after":        {stor: hangUp, kind: transport.KindUnknown},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, _ := startFake(t, p, func(f *fake) {
					for verb, answer := range map[string]string{"RNFR": c.rnfr, "RNTO": c.rnto, "STOR": c.stor} {
						if answer != "" {
							f.on[verb] = func(*session, string) string { return answer }
						}
					}
				})
				conn := dial(t, ep)
				l := later(t, conn, "f.part", "f")
				if err := store(conn); (err == nil) != c.stores {
					t.Errorf("store: %v", err)
				}
				err := settled(t, l)
				if c.kind == transport.KindUnknown {
					if err != nil {
						t.Error(err)
					}
					return
				}
				var te *transport.Error
				if !errors.As(err, &te) || te.Kind != c.kind || te.MayHaveActed != c.acted {
					t.Errorf("%+v", te)
				}
			})
		}
	}
}

// TestRenameLaterUnsent: a connection that ends before it sends the rename says so, and
// one that is taken back is not sent.
func TestRenameLaterUnsent(t *testing.T) {
	ep, f := startFake(t, transport.FTP, nil)
	c := dial(t, ep)
	l := later(t, c, "f.part", "f")
	if !l.Withdraw() || l.Withdraw() {
		t.Error("it is taken back once")
	}
	l = later(t, c, "f.part", "f")
	_ = c.Close()
	var te *transport.Error
	if err := settled(t, l); !errors.As(err, &te) || te.Kind != transport.KindLost || te.MayHaveActed || l.Withdraw() {
		t.Errorf("%v", err)
	}
	if n := f.count("RNFR"); n != 0 {
		t.Errorf("RNFR %d times", n)
	}
	if _, ok := c.RenameLater("a", "b"); ok {
		t.Error("a closed connection took one")
	}
	if c = dial(t, ep); c != nil {
		if _, ok := c.RenameLater("a\r\nDELE b", "b"); ok {
			t.Error("a line end was taken")
		}
	}
}

// TestOthersRenameIsNotCharged: an operation whose connection was lost with another's
// rename has sent nothing.
func TestOthersRenameIsNotCharged(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, func(f *fake) { f.on["RNTO"] = always(hangUp) })
		c := dial(t, ep)
		l := later(t, c, "f.part", "f")
		err := c.Remove(t.Context(), "g")
		var te *transport.Error
		if !errors.As(err, &te) || te.Op != "DELE" || te.Path != "g" || te.Kind != transport.KindLost || te.MayHaveActed {
			t.Errorf("%v: %+v", p, err)
		}
		if err := settled(t, l); !errors.As(err, &te) || !te.MayHaveActed {
			t.Errorf("%v: %v", p, err)
		}
		if n := f.count("DELE"); n != 0 {
			t.Errorf("%v: DELE %d times", p, n)
		}
	}
}
