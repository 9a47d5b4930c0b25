package ftpdriver

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// handsOver carries out a batch that ends with a rename, to be sent by the batch of next,
// and returns the results of both.
func (c *tconn) handsOver(t testing.TB, next ...transport.Request) (rename *transport.Rename, first, second error) {
	t.Helper()
	rename = &transport.Rename{From: "f.part", To: "f"}
	var done <-chan error
	rename.If, done = c.followed(t, next...)
	first = c.do(t.Context(), rename)
	return rename, first, <-done
}

// TestRenameWithTheNextBatch: the rename at the end of a batch goes out with what waits,
// whatever that is, and before it.
func TestRenameWithTheNextBatch(t *testing.T) {
	small := func() transport.Request {
		return &transport.Store{Path: "g", Src: strings.NewReader("small"), Size: 5}
	}
	big := func() transport.Request {
		return &transport.Store{Path: "g", Src: strings.NewReader(strings.Repeat("x", 100<<10)), Size: 100 << 10}
	}
	stat := func(path string) transport.Request { return &transport.Stat{Path: path} }
	for name, n := range map[string]struct {
		conn func(c *tconn)
		next []transport.Request
		want string
		at   int // the turn of the rename
	}{
		"small file":        {next: []transport.Request{small(), stat("g")}, want: "RNFR RNTO EPSV, STOR, SIZE MDTM EPSV"},
		"large file":        {next: []transport.Request{big()}, want: "RNFR RNTO EPSV, STOR"},
		"from an offset":    {next: []transport.Request{&transport.Store{Path: "f", Offset: 1, Src: strings.NewReader("x")}}, want: "RNFR RNTO EPSV, REST, STOR"},
		"source that waits": {next: []transport.Request{&transport.Store{Path: "g", Src: io.MultiReader(strings.NewReader("small")), Size: 5}}, want: "RNFR RNTO EPSV, STOR"},
		"a look":            {next: []transport.Request{stat("d")}, want: "RNFR RNTO SIZE MDTM PWD CWD, CWD CWD"},
		"looks and a file":  {conn: func(c *tconn) { c.home = "/home" }, next: []transport.Request{stat("f"), stat("d"), wanted(big())}, want: "RNFR RNTO SIZE MDTM CWD CWD SIZE MDTM CWD CWD EPSV, STOR"},
		"a download":        {next: []transport.Request{stat("f"), wanted(&transport.Retrieve{Path: "f", Dst: io.Discard})}, want: "RNFR RNTO EPSV, PWD, SIZE MDTM CWD CWD RETR"},
		"a change":          {next: []transport.Request{&transport.Remove{Path: "x"}}, want: "RNFR RNTO, DELE"},
		"a folder":          {next: []transport.Request{&transport.List{Path: "d", Yield: func(transport.Entry) bool { return true }}}},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.files["f"] = []byte("1")
					f.on["CWD"] = func(_ *session, name string) string {
						if name == "d" || name == "/home" {
							return "250 there"
						}
						return "550 No such folder"
					}
				})
				c := dial(t, ep)
				if n.conn != nil {
					n.conn(c)
				}
				f.forget()
				for _, q := range n.next {
					if s, ok := q.(*transport.Store); ok {
						s.Src = rewound(t, s.Src, name != "source that waits")
					}
				}
				rename, first, second := c.handsOver(t, n.next...)
				if first != nil || second != nil || rename.Err != nil {
					t.Fatal(first, second, rename.Err)
				}
				if got := f.inTurns(); n.want != "" && got != n.want || !strings.HasPrefix(got, "RNFR RNTO") {
					t.Errorf("%q, want %q", got, n.want)
				}
				if got := f.got(); got[0] != "RNFR f.part" || got[1] != "RNTO f" {
					t.Errorf("%q", got)
				}
			})
		}
	}
}

// rewound returns a source of the same content that can be read again.
func rewound(t testing.TB, src io.Reader, atOnce bool) io.Reader {
	t.Helper()
	if r, ok := src.(*strings.Reader); ok && atOnce {
		_, _ = r.Seek(0, io.SeekStart)
		return r
	}
	return io.MultiReader(strings.NewReader("small"))
}

// TestFolderOfSmallFiles: where two batches take turns, a small file costs one round
// trip, with all that belongs to it.
func TestFolderOfSmallFiles(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, func(f *fake) {
			f.greeting, f.feat = "220 (vsFTPd 3.0.3)", []string{"MDTM"}
			f.on["MDTM"] = always("213 File modification time set.")
		})
		c := dial(t, ep)
		f.forget()
		batch := func(name string) []transport.Request {
			rename := &transport.Rename{From: name + ".part", To: name}
			rename.If = func() bool { return true }
			return []transport.Request{
				&transport.Store{Path: name + ".part", Src: strings.NewReader("small"), Size: 5},
				&transport.SetTime{Path: name + ".part", Time: time.Unix(1e9, 0)},
				&transport.Stat{Path: name + ".part"},
				rename,
			}
		}
		third := batch("h")
		second := batch("g")
		var last <-chan error
		// The first is over when the second has begun, so that there is room for a third.
		over := make(chan struct{})
		second[3].Common().If = func() bool {
			<-over
			var begin func() bool
			begin, last = c.followed(t, third...)
			return begin()
		}
		first := batch("f")
		begin, done := c.followed(t, second...)
		first[0].Common().If = begin
		if err := c.do(t.Context(), first...); err != nil {
			t.Fatal(err)
		}
		close(over)
		if err := errors.Join(<-done, <-last); err != nil {
			t.Fatal(err)
		}
		const ends = "STOR MDTM SIZE MDTM"
		// Of the third it is not known in time that it begins with a transfer, but likely:
		// a file that came after another has one come after it.
		want := "EPSV, " + ends + " EPSV, RNFR RNTO " + ends + " EPSV, RNFR RNTO " + ends + " EPSV, RNFR RNTO"
		if got := f.inTurns(); got != want {
			t.Errorf("%v: %q, want %q", p, got, want)
		}
	}
}

// TestRenameWithTheNextBatchFails: whose reply is lost may have acted, what has not been
// sent has not, and the failure of one is not that of the other.
func TestRenameWithTheNextBatchFails(t *testing.T) {
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
		for _, port := range []bool{false, true} { // known
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
					if port {
						put := &transport.Store{Path: "x"}
						put.If = func() bool { return false }
						_ = conn.do(t.Context(), &transport.Stat{Path: "x"}, put)
						if !conn.hasPort() {
							t.Fatal("the port is not known")
						}
					}
					store := &transport.Store{Path: "g", Src: strings.NewReader("small"), Size: 5}
					rename, first, second := conn.handsOver(t, store)
					if (second == nil) != c.stores {
						t.Errorf("store: %v", second)
					}
					if c.kind == transport.KindUnknown {
						if first != nil || rename.Err != nil {
							t.Error(first, rename.Err)
						}
						return
					}
					var te *transport.Error
					if !errors.As(rename.Err, &te) || te.Kind != c.kind || te.MayHaveActed != c.acted {
						t.Errorf("%+v", te)
					}
					lost := c.kind == transport.KindLost
					if !lost {
						return
					}
					if asked := port; asked != (store.Err != transport.ErrUnsent) {
						t.Errorf("sent with it: %v, and the store's result is %v", asked, store.Err)
					}
					if errors.As(second, &te) && te.MayHaveActed != port {
						t.Errorf("%+v", te)
					}
				})
			}
		}
	}
}

// TestRenameUnsent: where nobody waits it is sent at once; where the session has ended
// before, it has not acted; and what must not be sent is not.
func TestRenameUnsent(t *testing.T) {
	ep, f := startFake(t, transport.FTP, nil)
	c := dial(t, ep)
	if err := c.Rename(t.Context(), "f.part", "f", true); err != nil || f.count("RNFR") != 1 {
		t.Error(err)
	}
	rename := &transport.Rename{From: "f.part", To: "f"}
	rename.If = func() bool { return c.Close() == nil }
	err := c.do(t.Context(), rename)
	var te *transport.Error
	if !errors.As(err, &te) || te.Kind != transport.KindLost || te.MayHaveActed {
		t.Errorf("%v", err)
	}
	if n := f.count("RNFR"); n != 1 {
		t.Errorf("RNFR %d times", n)
	}
	c = dial(t, ep)
	wantKind(t, c.Rename(t.Context(), "a\r\nDELE b", "b", true), transport.KindInvalid, 0)
}

// TestWaiterIsCanceled: a batch that waits for the session ends with its context, has
// sent nothing, and leaves the session as it is.
func TestWaiterIsCanceled(t *testing.T) {
	ep, f := startFake(t, transport.FTP, func(f *fake) { f.files["f"] = []byte("f") })
	c := dial(t, ep)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	rename := &transport.Rename{From: "f.part", To: "f"}
	ping := &transport.Ping{}
	ping.If = func() bool {
		go func() { done <- c.Calls.Remove(ctx, "x") }()
		for {
			c.mu.Lock()
			waits := c.next != nil
			c.mu.Unlock()
			if waits {
				break
			}
			time.Sleep(time.Millisecond) // nothing else tells that it waits
		}
		cancel()
		wantKind(t, <-done, transport.KindCanceled, 0)
		return true
	}
	if err := c.do(t.Context(), ping, rename); err != nil || !c.Usable() || f.count("DELE") > 0 {
		t.Error(err, f.got())
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCarrierIsCanceled: a batch that is canceled when it has sent another's rename ends
// the session, and the other has perhaps acted.
func TestCarrierIsCanceled(t *testing.T) {
	asked := make(chan struct{})
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["RNTO"] = func(*session, string) string { close(asked); return "" }
	})
	c := dial(t, ep)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	rename := &transport.Rename{From: "f.part", To: "f"}
	done := make(chan error, 1)
	rename.If = func() bool {
		go func() { done <- c.Calls.Remove(ctx, "x") }()
		for waits := false; !waits; time.Sleep(time.Millisecond) { // nothing else tells that it waits
			c.mu.Lock()
			waits = c.next != nil
			c.mu.Unlock()
		}
		return true
	}
	err := c.do(t.Context(), rename)
	if te := wantKind(t, err, transport.KindLost, 0); !te.MayHaveActed || te.Op != "RNTO" {
		t.Error(te)
	}
	if te := wantKind(t, <-done, transport.KindCanceled, 0); te.MayHaveActed || te.Op != "DELE" {
		t.Error(te)
	}
	wantBroken(t, c, f)
}

// TestHanderOverIsCanceled: a batch that is canceled while another sends its rename ends
// the session at once.
func TestHanderOverIsCanceled(t *testing.T) {
	asked := make(chan struct{})
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["RNTO"] = func(*session, string) string { close(asked); return "" }
	})
	c := dial(t, ep)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	rename := &transport.Rename{From: "f.part", To: "f"}
	var done <-chan error
	rename.If, done = c.followed(t, &transport.Remove{Path: "x"})
	err := c.do(ctx, rename)
	if te := wantKind(t, err, transport.KindCanceled, 0); !te.MayHaveActed || te.Op != "RNTO" {
		t.Error(te)
	}
	if te := wantKind(t, <-done, transport.KindLost, 0); te.MayHaveActed {
		t.Error(te)
	}
	wantBroken(t, c, f)
}

// TestOthersRenameIsNotCharged: a batch whose session was lost with another's rename has
// sent nothing.
func TestOthersRenameIsNotCharged(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, func(f *fake) { f.on["RNTO"] = always(hangUp) })
		c := dial(t, ep)
		rename, _, err := c.handsOver(t, &transport.Remove{Path: "g"})
		var te *transport.Error
		if !errors.As(err, &te) || te.Op != "DELE" || te.Path != "g" || te.Kind != transport.KindLost || te.MayHaveActed {
			t.Errorf("%v: %+v", p, err)
		}
		if !errors.As(rename.Err, &te) || !te.MayHaveActed {
			t.Errorf("%v: %v", p, rename.Err)
		}
		if n := f.count("DELE"); n != 0 {
			t.Errorf("%v: DELE %d times", p, n)
		}
	}
}
