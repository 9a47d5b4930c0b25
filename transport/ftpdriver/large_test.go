package ftpdriver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// dialsWhen makes the data connections of ep wait for may.
func dialsWhen(ep *transport.Endpoint, may <-chan struct{}) {
	control := ep.Addr()
	ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != control {
			select {
			case <-may:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
}

// TestLargeStoreDialsWhileSTOR: STOR is there before the data connection is.
func TestLargeStoreDialsWhileSTOR(t *testing.T) {
	big := random(200 << 10)
	for offset, turns := range map[int64]string{0: "EPSV, STOR", 5: "EPSV, REST, STOR"} {
		for _, p := range protocols {
			t.Run(fmt.Sprint(p, " from ", offset), func(t *testing.T) {
				asked := make(chan struct{})
				ep, f := startFake(t, p, func(f *fake) {
					f.files["f"] = []byte("hello")
					f.on["REST"] = func(s *session, n string) string { s.rest, _ = strconv.Atoi(n); return "350 from there" }
					f.on["STOR"] = func(s *session, name string) string { close(asked); return s.take(name) }
				})
				ep.ConnectTimeout = 3 * time.Second
				dialsWhen(ep, asked)
				c := dial(t, ep)
				f.forget()
				var told int64
				n, err := c.Store(t.Context(), "f", offset, bytes.NewReader(big), &transport.IO{Size: int64(len(big)), Progress: func(n int64) { told += n }})
				if err != nil || n != int64(len(big)) || told != n {
					t.Fatalf("%d, told %d: %v", n, told, err)
				}
				if want := append([]byte("hello")[:offset], big...); !bytes.Equal(f.file("f"), want) {
					t.Error("the file is not what was sent")
				}
				if got := f.inTurns(); got != turns {
					t.Errorf("%q, want %q", got, turns)
				}
				if err := c.Ping(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestLargeStoreRefused: a refusal is told at once, although the data connection is still
// being dialled, and finds the source untouched.
func TestLargeStoreRefused(t *testing.T) {
	for _, p := range protocols {
		for _, offset := range []int64{0, 5} {
			for _, answer := range []string{"553 Could not create file.", "425 no data connection", "421 Goodbye.", "226 done", hangUp} {
				for _, reached := range []bool{false, true} {
					t.Run(fmt.Sprint(p, " ", answer, " from ", offset, " reached ", reached), func(t *testing.T) {
						may := make(chan struct{})
						if reached {
							close(may)
						}
						ep, f := startFake(t, p, func(f *fake) { f.on["STOR"] = always(answer) })
						dialsWhen(ep, may)
						c := dial(t, ep)
						begin := time.Now()
						src := bytes.NewReader(random(100 << 10))
						n, err := c.Store(t.Context(), "f", offset, src, &transport.IO{Size: src.Size(), Progress: func(int64) { t.Error("progress") }})
						var te *transport.Error
						if !errors.As(err, &te) || n != 0 || te.Kind == transport.KindCanceled || te.Kind == transport.KindTimeout {
							t.Fatal(n, err)
						}
						if answer == hangUp && te.Kind != transport.KindLost || answer != hangUp && !strings.HasPrefix(answer, strconv.Itoa(te.Code)) {
							t.Errorf("%+v", te)
						}
						if src.Len() != int(src.Size()) {
							t.Error("the source was read")
						}
						if took := time.Since(begin); took > ep.WithDefaults().ConnectTimeout/2 {
							t.Errorf("it took %v", took)
						}
						if answer[0] == '5' && (!c.Usable() || c.Ping(t.Context()) != nil) {
							t.Error("the session is given up")
						}
						if n := f.count("EPSV"); n != 1 {
							t.Errorf("%q", f.got())
						}
					})
				}
			}
		}
	}
}

// TestRefusedRESTSendsNoSTOR: which would empty the file. Whatever is said to REST but 350
// is a refusal; where it may have meant yes, no later file begins there.
func TestRefusedRESTSendsNoSTOR(t *testing.T) {
	for _, answer := range []string{"502 no", "500 what?", "501 no", "503 Bad sequence of commands", "504 no", "550 REST is not permitted",
		"553 no", "450 no", "200 restarting at 5", "250 ok", "331 go on"} {
		for _, serial := range []bool{false, true} {
			ep, f := startFake(t, transport.FTP, func(f *fake) { f.on["REST"] = always(answer) })
			c := dial(t, ep)
			c.serial = serial
			_, err := c.Store(t.Context(), "f", 5, bytes.NewReader(random(100)), nil)
			code, _ := strconv.Atoi(answer[:3])
			wantKind(t, err, transport.KindRestart, code)
			if n := f.count("STOR"); n != 0 || c.Usable() != (code >= 400) {
				t.Errorf("%q, usable: %v", f.got(), c.Usable())
			}
		}
	}
}

// TestSlowDataConnection: a server that says nothing before the data connection is there
// does not hold the file, and what bounds its silence does not bound the transfer.
func TestSlowDataConnection(t *testing.T) {
	const silence = 100 * time.Millisecond
	for _, p := range protocols {
		t.Run(p.String(), func(t *testing.T) {
			may := make(chan struct{})
			ep, f := startFake(t, p, func(f *fake) {
				f.on["STOR"] = func(s *session, name string) string {
					time.AfterFunc(3*silence, func() { close(may) })
					conn := s.accept()
					if conn == nil {
						return "425 no data connection"
					}
					s.say("150 go ahead")
					data, err := io.ReadAll(conn)
					s.mu.Lock()
					s.files[name] = data
					s.mu.Unlock()
					if _ = conn.Close(); err != nil {
						return "426 Failure reading network stream."
					}
					return "226 done"
				}
			})
			dialsWhen(ep, may)
			c := dial(t, ep)
			c.ctl.silence = silence
			slow := readerFunc(func(p []byte) (int, error) { time.Sleep(3 * silence); return 0, io.EOF })
			src := io.MultiReader(strings.NewReader("hello"), slow)
			if n, err := c.Store(t.Context(), "f", 0, src, nil); err != nil || n != 5 || string(f.file("f")) != "hello" {
				t.Errorf("%d, %v", n, err)
			}
		})
	}
}

// TestNoLimitIsLeftBehind: what bounds the wait for STOR may be set when that is over.
func TestNoLimitIsLeftBehind(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, nil)
	c := dial(t, ep)
	c.ctl.silence = 1
	c.ctl.dials(time.Minute)
	c.ctl.dialled()
	c.ctl.dials(0)
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestPrefetchedPortIsGone: a port that was asked for in advance and cannot be had any more costs
// another one, and none is asked for in advance again.
func TestPrefetchedPortIsGone(t *testing.T) {
	big := random(100 << 10)
	forget := func(s *session) { _ = s.data.Close() }
	for name, c := range map[string]struct {
		offset int64
		gone   func(s *session)
		answer string // to the STOR that finds it gone
	}{
		"closed":           {gone: forget},
		"closed, resuming": {gone: forget, offset: 5},
		"forgotten":        {gone: func(*session) {}, answer: "425 Use PORT or PASV first."},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				first := true
				ep, f := startFake(t, p, func(f *fake) {
					f.files["g"] = []byte("hello")
					f.on["REST"] = func(s *session, n string) string { s.rest, _ = strconv.Atoi(n); return "350 from there" }
					f.on["EPSV"] = func(s *session, arg string) string {
						answer := defaults["EPSV"](s, arg)
						if f.count("EPSV") == 1 {
							c.gone(s)
						}
						return answer
					}
					f.on["STOR"] = func(s *session, name string) string {
						was := first
						first = false
						if was && c.answer != "" {
							return c.answer
						}
						return s.take(name)
					}
				})
				conn := dial(t, ep)
				store := &transport.Store{Path: "g", Offset: c.offset, Src: bytes.NewReader(big)}
				store.If = func() bool {
					if conn.prefetchedPort == 0 {
						t.Error("no port was asked for")
					}
					return true
				}
				if err := conn.do(t.Context(), &transport.Stat{Path: "g"}, store); err != nil || store.Stored != int64(len(big)) {
					t.Fatalf("%d, %v, %q", store.Stored, err, f.inTurns())
				}
				if want := append([]byte("hello")[:c.offset], big...); !bytes.Equal(f.file("g"), want) {
					t.Error("the file is not what was sent")
				}
				if f.count("EPSV") != 2 || !conn.lacks(lacksIdlePort) || !conn.Usable() {
					t.Errorf("%q, noted: %v", f.inTurns(), conn.lacks(lacksIdlePort))
				}
			})
		}
	}
}

// TestRESTIsNotLeftBehind: where REST was taken and its data connection is not had, no
// later file begins there. If STOR has not been sent the session ends.
func TestRESTIsNotLeftBehind(t *testing.T) {
	refused := make(chan struct{})
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["REST"] = func(*session, string) string { <-refused; return "350 from there" }
	})
	control := ep.Addr()
	ep.Learned.Note(control, reachedEPSV, true) // else another port would be tried
	var once sync.Once
	ep.Dial = func(ctx context.Context, network, addr string) (_ net.Conn, err error) {
		if addr != control {
			once.Do(func() {
				err = fmt.Errorf("no route to %s", addr)
				close(refused)
			})
		}
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	c := dial(t, ep)
	n, err := c.Store(t.Context(), "f", 5, strings.NewReader("world"), nil)
	if n != 0 || err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("%d, %v", n, err)
	}
	if f.count("STOR") == 0 {
		wantBroken(t, c, f)
		return
	}
	// The reply to REST was read before the dialling was known to have failed. STOR has
	// taken the offset then, or the session has ended.
	if !c.Usable() {
		return
	}
	if n, err := c.Store(t.Context(), "g", 0, strings.NewReader("hello"), nil); n != 5 || err != nil || string(f.file("g")) != "hello" {
		t.Errorf("%d, %v: %q", n, err, f.file("g"))
	}
}

// TestEndOfALargeFileGoesBehindIt: vsftpd reads commands when a transfer is over, so that
// those for the end of the file need not wait for the 226.
func TestEndOfALargeFileGoesBehindIt(t *testing.T) {
	big := random(200 << 10)
	for answer, kind := range map[string]transport.Kind{"": transport.KindUnknown, "426 Failure reading network stream.": transport.KindLost, hangUp: transport.KindLost} {
		for _, p := range protocols {
			t.Run(fmt.Sprint(p, " ", answer), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.greeting = "220 (vsFTPd 3.0.3)"
					f.feat = []string{"MDTM", "SIZE"}
					f.on["MDTM"] = always("213 File modification time set.")
					f.on["STOR"] = func(s *session, name string) string {
						said := s.take(name)
						if name != "f" {
							return said
						}
						_ = s.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
						if _, err := s.r.Peek(1); err != nil { // until the next command has come
							t.Errorf("nothing came before the 226: %v", err)
						}
						_ = s.conn.SetReadDeadline(time.Time{})
						if answer != "" {
							return answer
						}
						return said
					}
				})
				c := dial(t, ep)
				f.forget()
				store := &transport.Store{Path: "f", Src: bytes.NewReader(big), Size: int64(len(big))}
				when := &transport.SetTime{Path: "f", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
				stat := &transport.Stat{Path: "f"}
				// The port that comes with them is that of the next file.
				next := &transport.Store{Path: "g", Src: bytes.NewReader(big)}
				next.If = func() bool { return kind == transport.KindUnknown }
				_ = c.do(t.Context(), store, when, stat, next)
				if kind != transport.KindUnknown {
					if transport.KindOf(store.Err) != kind || answer == hangUp && (when.Err == nil || stat.Err == nil) {
						t.Errorf("%v, %v, %v", store.Err, when.Err, stat.Err)
					}
					return
				}
				if store.Err != nil || store.Stored != int64(len(big)) || stat.Err != nil || stat.Entry.Size != store.Stored || when.Err != nil {
					t.Fatalf("%+v, %+v, %+v", store, when, stat)
				}
				if got, want := f.inTurns(), "EPSV, STOR MDTM SIZE MDTM EPSV, STOR"; got != want {
					t.Errorf("%q, want %q", got, want)
				}
				if next.Err != nil || !bytes.Equal(f.file("g"), big) {
					t.Error(next.Err)
				}
			})
		}
	}
}

// TestFinalReplyWithTheFirst: a server may have said it all before the file has left us.
func TestFinalReplyWithTheFirst(t *testing.T) {
	big := random(200 << 10)
	for _, end := range []string{"226 done", "552 Quota exceeded."} {
		t.Run(end, func(t *testing.T) {
			ep, _ := startFake(t, transport.FTP, func(f *fake) {
				f.greeting = "220 (vsFTPd 3.0.3)"
				f.on["STOR"] = func(s *session, name string) string {
					s.say("150 go ahead\r\n" + end + "\r\n")
					if conn := s.accept(); conn != nil {
						_, _ = io.Copy(io.Discard, conn)
						_ = conn.Close()
					}
					return ""
				}
			})
			c := dial(t, ep)
			store := &transport.Store{Path: "f", Src: bytes.NewReader(big), Size: int64(len(big))}
			_ = c.do(t.Context(), store, &transport.Stat{Path: "f"})
			err := store.Err
			if end == "226 done" && err != nil || end != "226 done" && transport.KindOf(err) != transport.KindQuota && transport.KindOf(err) != transport.KindNoSpace {
				t.Errorf("%v", err)
			}
			if err := c.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
