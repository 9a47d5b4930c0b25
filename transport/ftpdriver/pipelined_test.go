package ftpdriver

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestEndsWithStore: what follows a small file is sent to ProFTPD with STOR. One that
// refuses it is asked again, as are none after it.
func TestEndsWithStore(t *testing.T) {
	for _, reads := range []string{"later", "at once", "at once and acts"} {
		t.Run(reads, func(t *testing.T) {
			waits := true
			ep, f := startFake(t, transport.FTPS, func(f *fake) {
				f.greeting = "220 ProFTPD Server (test)"
				f.on["STOR"] = func(s *session, name string) string {
					answer := s.take(name)
					if !waits {
						return answer
					}
					_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
					if _, err := s.r.Peek(1); err != nil {
						t.Error("nothing came before the reply")
						return answer
					}
					_ = s.conn.SetReadDeadline(time.Time{})
					for reads != "later" {
						line, err := s.r.ReadString('\n')
						if err != nil {
							return hangUp
						}
						switch line = strings.TrimSpace(line); {
						case verbOf(line) == "EPSV":
							s.say("450 EPSV: data transfer in progress")
							waits = false
							return answer
						case reads == "at once":
							s.say("450 " + verbOf(line) + ": data transfer in progress")
						default:
							s.say("213 1") // a size, and not the last one
						}
					}
					return answer
				}
			})
			c := dial(t, ep)
			for i := range 3 {
				store := &transport.Store{Path: "f", Src: strings.NewReader("small"), Size: 5}
				stat := &transport.Stat{Path: "f"}
				if err := c.do(t.Context(), store, stat, more()); err != transport.ErrSkipped || store.Stored != 5 {
					t.Fatal(i, store.Stored, err)
				}
				if stat.Err != nil || stat.Entry.Size != 5 || string(f.file("f")) != "small" {
					t.Errorf("%d: %+v", i, stat)
				}
			}
			for range 20 {
				c.countPipelined(true)
			}
			if c.readsLater(nil, nil) {
				t.Error("it is tried in vain for ever")
			}
		})
	}
}

// more is a transfer that is to follow, and then does not.
func more() transport.Request {
	q := &transport.Retrieve{Path: "f", Dst: io.Discard}
	q.If = func() bool { return false }
	return q
}

// TestEndsHideNoFailure: the reply to a command that was carried out during the
// transfer is not that to STOR.
func TestEndsHideNoFailure(t *testing.T) {
	for _, end := range []string{"552 Quota exceeded.", "200 fine", hangUp} {
		t.Run(end, func(t *testing.T) {
			ep, _ := startFake(t, transport.FTPS, func(f *fake) {
				f.greeting = "220 ProFTPD Server (test)"
				f.on["STOR"] = func(s *session, name string) string {
					_ = s.take(name)
					for {
						line, err := s.r.ReadString('\n')
						if err != nil {
							return hangUp
						}
						if verbOf(strings.TrimSpace(line)) == "EPSV" {
							s.say("229 (|||1|)")
							return end
						}
						s.say("213 5")
					}
				}
			})
			c := dial(t, ep)
			store := &transport.Store{Path: "f", Src: strings.NewReader("small"), Size: 5}
			_ = c.do(t.Context(), store, &transport.Stat{Path: "f"}, more())
			n, err := store.Stored, store.Err
			if err == nil || n != 0 {
				t.Errorf("%d, %v", n, err)
			}
			if strings.HasPrefix(end, "552") && transport.KindOf(err) != transport.KindQuota && transport.KindOf(err) != transport.KindNoSpace {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestPortWithRetrieve: ProFTPD is asked for the port for the next file with RETR. One
// that reads it too soon costs nothing but the question.
func TestPortWithRetrieve(t *testing.T) {
	for reads, want := range map[string]struct {
		turns string
		kind  transport.Kind
	}{
		"later":         {turns: "PWD EPSV, SIZE MDTM CWD CWD RETR EPSV, SIZE MDTM CWD CWD RETR EPSV"},
		"at once":       {turns: "PWD EPSV, SIZE MDTM CWD CWD RETR EPSV, EPSV, SIZE MDTM CWD CWD RETR EPSV"},
		"and fails":     {kind: transport.KindLost},
		"and hangs up":  {kind: transport.KindLost},
		"and says what": {kind: transport.KindProtocol},
	} {
		t.Run(reads, func(t *testing.T) {
			ep, f := startFake(t, transport.FTPS, func(f *fake) {
				f.greeting = "220 ProFTPD Server (test)"
				f.files["f"] = []byte("content")
				give := defaults["RETR"]
				f.on["RETR"] = func(s *session, name string) string {
					answer := give(s, name)
					_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
					if _, err := s.r.Peek(1); err != nil {
						t.Error("nothing came before the reply")
						return answer
					}
					_ = s.conn.SetReadDeadline(time.Time{})
					if reads == "later" {
						return answer
					}
					if _, err := s.r.ReadString('\n'); err != nil {
						return hangUp
					}
					f.mu.Lock()
					f.turns[len(f.turns)-1] += " EPSV"
					f.mu.Unlock()
					s.say("450 EPSV: data transfer in progress")
					switch reads {
					case "and fails":
						return "426 Failure writing network stream."
					case "and hangs up":
						return hangUp
					case "and says what":
						return "200 fine"
					}
					return answer
				}
			})
			c := dial(t, ep)
			f.forget()
			for range 2 {
				var got strings.Builder
				get := &transport.Retrieve{Path: "f", Dst: &got}
				get.If = func() bool { return true }
				_ = c.do(t.Context(), &transport.Stat{Path: "f"}, get, more())
				err := get.Err
				if want.kind != transport.KindUnknown {
					if transport.KindOf(err) != want.kind {
						t.Errorf("%v", err)
					}
					return
				}
				if err != nil || got.String() != "content" {
					t.Fatalf("%q, %v", got.String(), err)
				}
			}
			if got := f.inTurns(); got != want.turns {
				t.Errorf("%q, want %q", got, want.turns)
			}
		})
	}
}

// TestEndsAreReadAtOnce: what is longer than ProFTPD takes from its socket at once is
// not sent with STOR.
func TestEndsAreReadAtOnce(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, func(f *fake) { f.greeting = "220 ProFTPD Server (test)" })
		c := dial(t, ep)
		f.forget()
		for _, name := range []string{"f", strings.Repeat("f", c.traits.oneRead/2)} {
			store := &transport.Store{Path: name, Src: strings.NewReader("small"), Size: 5}
			next := &transport.Store{Path: "g"}
			next.If = func() bool { return false }
			if c.do(t.Context(), store, &transport.Stat{Path: name}, next) != transport.ErrSkipped || store.Err != nil {
				t.Fatal(p, store.Err)
			}
		}
		if got, want := f.inTurns(), "EPSV, STOR SIZE MDTM EPSV, STOR, SIZE MDTM EPSV"; got != want {
			t.Errorf("%v: %q, want %q", p, got, want)
		}
	}
}

// TestDownloadEndsOurs: ProFTPD, which waits for the end of our direction before it says
// that a small file has been sent, has that before it sends the file, and nothing else
// that it would leave unread.
func TestDownloadEndsOurs(t *testing.T) {
	for _, p := range protocols {
		t.Run(p.String(), func(t *testing.T) {
			ep, _ := startFake(t, p, func(f *fake) {
				f.greeting = "220 ProFTPD Server (test)"
				f.files["f"] = []byte("content")
				f.on["RETR"] = func(s *session, name string) string {
					s.say("150 here it comes")
					conn := s.accept()
					if conn == nil {
						return "425 no data connection"
					}
					if secure, ok := conn.(*tls.Conn); ok {
						if err := secure.Handshake(); err != nil {
							return "425 " + err.Error()
						}
					}
					_ = s.raw.SetReadDeadline(time.Now().Add(10 * time.Second))
					if rest, err := io.ReadAll(s.raw); err != nil || len(rest) > 0 {
						t.Errorf("%d bytes and %v before the file", len(rest), err)
					}
					_, _ = conn.Write(s.file(name))
					_ = conn.Close()
					return "226 done"
				}
			})
			c := dial(t, ep)
			var got strings.Builder
			get := &transport.Retrieve{Path: "f", Dst: &got}
			get.If = func() bool { return true }
			if err := c.do(t.Context(), &transport.Stat{Path: "f"}, get); err != nil || got.String() != "content" {
				t.Errorf("%q, %v", got.String(), err)
			}
		})
	}
}

// TestEndsUnread: a server that has not read what was sent with a transfer is not sent
// so much at once again.
func TestEndsUnread(t *testing.T) {
	ep, _ := startFake(t, transport.FTPS, func(f *fake) {
		f.greeting = "220 ProFTPD Server (test)"
		f.on["SIZE"] = func(s *session, _ string) string {
			_, _ = io.Copy(io.Discard, s.r)
			return hangUp
		}
	})
	ep.Stall = 300 * time.Millisecond
	c := dial(t, ep)
	store := &transport.Store{Path: "f", Src: strings.NewReader("small"), Size: 5}
	stat := &transport.Stat{Path: "f"}
	err := c.do(t.Context(), store, stat, more())
	if c.Usable() || stat.Err == nil || store.Err != nil || err == nil {
		t.Errorf("%v, %+v, %+v", err, store, stat)
	}
	if !c.lacks(lacksPipelining) {
		t.Errorf("it is not remembered: %v", err)
	}
}
