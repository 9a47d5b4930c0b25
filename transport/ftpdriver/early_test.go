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
				finish := &Finish{More: true}
				n, err := c.Store(t.Context(), "f", 0, strings.NewReader("small"), &IO{Size: 5, Finish: finish})
				if err != nil || n != 5 {
					t.Fatal(i, n, err)
				}
				if finish.Entry == nil || finish.Entry.Size != 5 || string(f.file("f")) != "small" {
					t.Errorf("%d: %+v", i, finish.Entry)
				}
			}
			for range 20 {
				earlyOdds.count(c.addr, true)
			}
			if c.readsLater(nil, nil) {
				t.Error("it is tried in vain for ever")
			}
		})
	}
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
			n, err := c.Store(t.Context(), "f", 0, strings.NewReader("small"), &IO{Size: 5, Finish: &Finish{More: true}})
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
				_, err := c.RetrieveLook(t.Context(), "f", &got, nil, true, func(transport.Entry) error { return nil })
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
		for _, name := range []string{"f", strings.Repeat("f", oneRead/2)} {
			if _, err := c.Store(t.Context(), name, 0, strings.NewReader("small"), &IO{Size: 5, Finish: &Finish{More: true}}); err != nil {
				t.Fatal(p, err)
			}
		}
		if got, want := f.inTurns(), "EPSV, STOR SIZE EPSV, STOR, SIZE EPSV"; got != want {
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
			if _, err := c.RetrieveLook(t.Context(), "f", &got, nil, true, func(transport.Entry) error { return nil }); err != nil || got.String() != "content" {
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
	f := &Finish{More: true}
	_, err := c.Store(t.Context(), "f", 0, strings.NewReader("small"), &IO{Size: 5, Finish: f})
	if c.Usable() || f.Entry != nil {
		t.Errorf("%v, %+v", err, f.Entry)
	}
	if !serialHosts.has(c.addr) {
		t.Errorf("it is not remembered: %v", err)
	}
}
