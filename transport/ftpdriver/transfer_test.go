package ftpdriver

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// A 425 after the 150, which only the final reply shows, is ProFTPD's refusal of
// a data connection that does not resume the TLS session.
func TestRefusalAfter150(t *testing.T) {
	t.Parallel()
	refuse := func(s *session, _ string) string {
		s.say("150 Opening BINARY mode data connection")
		conn := s.accept()
		_ = conn.SetDeadline(time.Now())
		_ = conn.Close()
		return "425 Unable to build data connection: Operation not permitted"
	}
	for _, p := range protocols {
		ep, _ := startFake(t, p, func(f *fake) {
			f.on["STOR"], f.on["RETR"], f.on["MLSD"] = refuse, refuse, refuse
			f.feat = []string{"MLST type*;"}
		})
		c := dial(t, ep)
		_, err := c.Store(t.Context(), "f", 0, bytes.NewReader(random(1<<20)), nil)
		wantKind(t, err, transport.KindLost, 425)
		_, err = c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
		wantKind(t, err, transport.KindLost, 425)
		err = c.List(t.Context(), ".", func(transport.Entry) bool { return true })
		wantKind(t, err, transport.KindLost, 425)
		if !c.Usable() {
			t.Error("every reply was read, and the session is given up")
		}
	}
}

// Where no session can ever be resumed, another try is no use, and the error
// says what to do.
func TestNoTickets(t *testing.T) {
	t.Parallel()
	ep, _ := startFake(t, transport.FTPS, func(f *fake) {
		f.config.SessionTicketsDisabled = true
		f.on["STOR"] = func(s *session, name string) string {
			s.take(name)
			return "522 SSL connection failed: session reuse required"
		}
	})
	c := dial(t, ep)
	_, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
	wantKind(t, err, transport.KindUnsupported, 522)
	if !strings.Contains(err.Error(), "TLSSessionTickets") {
		t.Error(err)
	}
}

// The server's reason for closing the data connection is better than ours.
func TestDefiniteReplyWins(t *testing.T) {
	for name, tt := range map[string]struct {
		reply string
		kind  transport.Kind
	}{
		"disk full": {"452 Insufficient storage space.", transport.KindNoSpace},
		"vsftpd":    {"451 Failure writing to local file.", transport.KindNoSpace},
		"quota":     {"552 Transfer aborted (quota)", transport.KindQuota},
		"reset":     {"426 Failure reading network stream.", transport.KindLost},
		"Pure-FTPd": {"451 Error during read from data connection", transport.KindLost},
	} {
		for _, p := range protocols {
			t.Run(name+"/"+p.String(), func(t *testing.T) {
				t.Parallel()
				ep, _ := startFake(t, p, func(f *fake) {
					f.on["STOR"] = func(s *session, _ string) string {
						s.say("150 go ahead")
						conn := s.accept()
						_, _ = io.ReadFull(conn, make([]byte, 100_000))
						_ = s.raw.SetLinger(0)
						_ = s.raw.Close()
						return tt.reply
					}
				})
				c := dial(t, ep)
				n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(random(8<<20)), nil)
				if te := wantKind(t, err, tt.kind, int(tt.reply[0]-'0')*100+int(tt.reply[1]-'0')*10+int(tt.reply[2]-'0')); te.MayHaveActed || n != 0 {
					t.Error(n, te)
				}
				if !c.Usable() {
					t.Error("the reply was read in full, and the session is given up")
				}
				if err := c.Ping(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A server that does not notice the reset does not get much time.
func TestNoReplyAfterReset(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["RETR"] = func(s *session, _ string) string {
			s.say("150 here it comes")
			conn := s.accept()
			_, _ = conn.Write([]byte("abc"))
			time.Sleep(50 * time.Millisecond)
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
			return ""
		}
	})
	ep.Stall = time.Minute
	c := dial(t, ep)
	c.ctl.grace = replyGrace
	begin := time.Now()
	_, err := c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
	wantKind(t, err, transport.KindLost, 0)
	if d := time.Since(begin); d > 10*replyGrace {
		t.Errorf("took %v", d)
	}
	wantBroken(t, c, f)
}

// Trap 1: if the source fails, a clean end would make the server keep the part
// for the whole.
func TestSourceFails(t *testing.T) {
	for _, p := range protocols {
		for _, size := range []int{0, 100, 3 << 20} {
			reset := make(chan error, 1)
			ep, _ := startFake(t, p, func(f *fake) {
				f.on["STOR"] = func(s *session, _ string) string {
					s.say("150 go ahead")
					_, err := io.Copy(io.Discard, s.accept())
					reset <- err
					return "426 Failure reading network stream."
				}
			})
			c := dial(t, ep)
			src := io.MultiReader(bytes.NewReader(random(size)), failing{fs.ErrPermission})
			n, err := c.Store(t.Context(), "f", 0, src, nil)
			if te := wantKind(t, err, transport.KindLocal, 426); n != 0 || !errors.Is(err, fs.ErrPermission) || te.MayHaveActed {
				t.Error(n, te)
			}
			if err := <-reset; err == nil {
				t.Errorf("%v, %d bytes: the server saw a clean end", p, size)
			}
			if !c.Usable() {
				t.Error("given up although the reply was read")
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// A file that cannot be read is the caller's own trouble, with sendfile too.
func TestFileFails(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		ep, _ := startFake(t, p, nil)
		c := dial(t, ep)
		dir, err := os.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		_, err = c.Store(t.Context(), "f", 0, dir, nil)
		if transport.KindOf(err) != transport.KindLocal {
			t.Errorf("%v: %v", p, err)
		}
		_, err = c.Store(t.Context(), "f", 0, io.LimitReader(dir, 10), nil)
		if transport.KindOf(err) != transport.KindLocal {
			t.Errorf("%v: %v", p, err)
		}
	}
}

func TestDestinationFails(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		ep, f := startFake(t, p, func(f *fake) { f.files["f"] = random(3 << 20) })
		c := dial(t, ep)
		n, err := c.Retrieve(t.Context(), "f", 0, failing{fs.ErrPermission}, nil)
		// The server says 426, or 226 where its kernel had taken all.
		if transport.KindOf(err) != transport.KindLocal || n != 0 || !errors.Is(err, fs.ErrPermission) {
			t.Error(n, err)
		}
		var b bytes.Buffer
		if _, err := c.Retrieve(t.Context(), "f", 0, &b, nil); err != nil || !bytes.Equal(b.Bytes(), f.file("f")) {
			t.Error(err)
		}
	}
}

// Trap 4: a STOR that is not answered is most likely locked by an older session.
func TestLocked(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) { f.on["STOR"] = always("") })
	ep.Stall = 500 * time.Millisecond
	for offset := int64(0); offset <= 5; offset += 5 {
		c := dial(t, ep)
		begin := time.Now()
		_, err := c.Store(t.Context(), "f", offset, strings.NewReader("x"), nil)
		if te := wantKind(t, err, transport.KindLocked, 0); !te.MayHaveActed || te.Op != "STOR" || time.Since(begin) > 2*time.Second {
			t.Error(time.Since(begin), te)
		}
		wantBroken(t, c, f)
	}
	if d := lockedAfter(time.Minute); d != 6*time.Second {
		t.Error(d)
	}
	if d := lockedAfter(-1); d != 6*time.Second {
		t.Error(d)
	}
}

// Trap 3: who does not go on from an offset says so in many ways, permanently.
func TestRestartRefused(t *testing.T) {
	for _, tt := range []struct {
		rest, stor string
		kind       transport.Kind
	}{
		{"502 Command not implemented.", "", transport.KindRestart},
		{"501 no", "", transport.KindRestart},
		{"550 no", "", transport.KindRestart},
		{"421 Service not available", "", transport.KindBusy},
		{"", "451 f: Append/Restart not permitted, try again", transport.KindRestart},
		{"", "451 Requested action aborted. Local error in processing.", transport.KindRestart},
		{"", "550 no", transport.KindRestart},
		{"", "554 f: invalid REST argument", transport.KindRestart},
		{"", "550 f: Permission denied", transport.KindPermission},
		{"", "550 f: No such file or directory", transport.KindNotExist},
		{"", "451 Failure writing to local file.", transport.KindNoSpace},
		{"", "452 Insufficient storage space.", transport.KindNoSpace},
		{"", "552 quota exceeded", transport.KindQuota},
		{"", "451 Sorry, the maximum number of data transfers (2) from your host are currently being used.", transport.KindBusy},
		{"", "425 no data connection", transport.KindLost},
	} {
		ep, f := startFake(t, transport.FTP, func(f *fake) {
			f.files["f"] = []byte("hello world")
			if tt.rest != "" {
				f.on["REST"] = always(tt.rest)
			}
			if tt.stor != "" {
				f.on["STOR"] = always(tt.stor)
			}
		})
		c := dial(t, ep)
		n, err := c.Store(t.Context(), "f", 5, strings.NewReader("x"), nil)
		code := int(max(tt.rest, tt.stor)[0]-'0')*100 + int(max(tt.rest, tt.stor)[1]-'0')*10 + int(max(tt.rest, tt.stor)[2]-'0')
		wantKind(t, err, tt.kind, code)
		if n != 0 || string(f.file("f")) != "hello world" {
			t.Error(n)
		}
		if tt.stor == "" {
			continue
		}
		_, err = c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
		if k := transport.KindOf(err); tt.kind == transport.KindRestart && code < 554 && k == transport.KindRestart && !strings.Contains(tt.stor, "Restart") {
			t.Errorf("%q without an offset is %q", tt.stor, k)
		}
	}
}

// What a server says when it has taken some of it is about that, and not about the offset.
func TestRestartTaken(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.files["f"] = []byte("hello world")
		f.on["STOR"] = func(s *session, _ string) string {
			s.say("150 go ahead")
			if conn := s.accept(); conn != nil {
				_, _ = io.ReadFull(conn, make([]byte, 100_000))
				_ = conn.Close()
			}
			return "451 Requested action aborted. Local error in processing."
		}
	})
	_, err := dial(t, ep).Store(t.Context(), "f", 5, bytes.NewReader(random(10<<20)), nil)
	wantKind(t, err, transport.KindTemporary, 451)
}

func TestRetrieveRestartRefused(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.files["f"] = []byte("hello")
		f.on["REST"] = always("502 no")
	})
	c := dial(t, ep)
	_, err := c.Retrieve(t.Context(), "f", 3, io.Discard, nil)
	if te := wantKind(t, err, transport.KindRestart, 502); te.Op != "REST" {
		t.Error(te)
	}
	ep, _ = startFake(t, transport.FTP, func(f *fake) { f.on["RETR"] = always("554 Restart offset 10 is too large for file size 5.") })
	c = dial(t, ep)
	_, err = c.Retrieve(t.Context(), "f", 10, io.Discard, nil)
	wantKind(t, err, transport.KindRestart, 554)
}

// 226 over a truncated file cannot be seen here: n is honest and the caller compares.
func TestEarlyFIN(t *testing.T) {
	t.Parallel()
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.on["RETR"] = func(s *session, _ string) string { return s.send(random(40_000)) }
	})
	c := dial(t, ep)
	if n, err := c.Retrieve(t.Context(), "f", 0, io.Discard, &transport.IO{Size: 102_400}); n != 40_000 || err != nil {
		t.Error(n, err)
	}
}

func TestFinalReplyMissing(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, func(f *fake) {
			f.files["f"] = []byte("hello")
			f.on["RETR"] = func(s *session, name string) string { s.send(s.files[name]); return hangUp }
			f.on["STOR"] = func(s *session, name string) string { s.take(name); return hangUp }
		})
		c := dial(t, ep)
		n, err := c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
		if te := wantKind(t, err, transport.KindLost, 0); n != 5 || te.MayHaveActed {
			t.Error(n, te)
		}
		wantBroken(t, c, f)
		c = dial(t, ep)
		n, err = c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
		if te := wantKind(t, err, transport.KindLost, 0); n != 0 || !te.MayHaveActed {
			t.Error(n, te)
		}
		wantBroken(t, c, f)
	}
}

// Pure-FTPd ends a RETR that was cut off with a 150 of one known form.
func TestPureFTPdEnd(t *testing.T) {
	for final, kept := range map[string]bool{"150 0.001 seconds (measured here), 86.44 Mbytes per second": true, "150 Accepted data connection": false} {
		ep, _ := startFake(t, transport.FTP, func(f *fake) {
			f.on["RETR"] = func(s *session, _ string) string {
				s.say("150-Accepted data connection\r\n150 30720.0 kbytes to download")
				conn := s.accept()
				_, _ = conn.Write(random(5_000_000))
				_ = conn.Close()
				return final
			}
		})
		c := dial(t, ep)
		if n, err := c.Retrieve(t.Context(), "f", 0, io.Discard, &transport.IO{Limit: 1000}); n != 1000 || err != nil || c.Usable() != kept {
			t.Errorf("%s: %d, %v, usable %v", final, n, err, c.Usable())
		}
		c = dial(t, ep)
		_, err := c.Retrieve(t.Context(), "f", 0, failing{io.ErrShortBuffer}, nil)
		wantKind(t, err, transport.KindLocal, 0)
		c = dial(t, ep)
		_, err = c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
		te := wantKind(t, err, transport.KindLost, 150)
		if c.Usable() != kept {
			t.Error(c.Usable(), te)
		}
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	hang := func(s *session, _ string) string {
		s.say("150 wait")
		conn := s.accept()
		_, _ = io.ReadFull(conn, make([]byte, 10))
		return ""
	}
	calls := map[string]func(ctx context.Context, c *tconn) error{
		"STOR": func(ctx context.Context, c *tconn) error {
			_, err := c.Store(ctx, "f", 0, neverEnding{}, nil)
			return err
		},
		"RETR": func(ctx context.Context, c *tconn) error {
			_, err := c.Retrieve(ctx, "f", 0, io.Discard, nil)
			return err
		},
		"MLSD": func(ctx context.Context, c *tconn) error {
			return c.List(ctx, ".", func(transport.Entry) bool { return true })
		},
		"NOOP": func(ctx context.Context, c *tconn) error { return c.Ping(ctx) },
		"EPSV": func(ctx context.Context, c *tconn) error {
			_, err := c.Store(ctx, "f", 0, neverEnding{}, nil)
			return err
		},
	}
	for verb, call := range calls {
		for _, p := range protocols {
			for _, how := range []string{"canceled", "stalled"} {
				t.Run(verb+"/"+p.String()+"/"+how, func(t *testing.T) {
					t.Parallel()
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					kind, why := transport.KindStalled, transport.ErrStalled
					if how == "canceled" {
						kind, why = transport.KindCanceled, errors.New("the program ends")
					}
					ep, f := startFake(t, p, func(f *fake) {
						f.feat = []string{"MLST type*;"}
						answer := hang
						if verb == "NOOP" || verb == "EPSV" {
							answer = always("")
						}
						f.on[verb] = func(s *session, arg string) string {
							if how == "canceled" { // when it is under way, however long the login took
								time.AfterFunc(200*time.Millisecond, func() { cancel(why) })
							}
							return answer(s, arg)
						}
					})
					if how == "stalled" {
						ep.Stall = 400 * time.Millisecond
					}
					c := dial(t, ep)
					begin := time.Now()
					err := call(ctx, c)
					wantKind(t, err, kind, 0)
					if d := time.Since(begin); !errors.Is(err, why) || d > 3*time.Second {
						t.Errorf("after %v: %v", d, err)
					}
					wantBroken(t, c, f)
				})
			}
		}
	}
}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

// Once all is written, the kernel still has megabytes to send. That they drain is
// no stall, although the program is only waiting for the 226.
func TestSlowDrainIsNoStall(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			const size, step = 2 << 20, 64 << 10
			ep, f := startFake(t, p, func(f *fake) {
				f.on["STOR"] = func(s *session, name string) string {
					s.say("150 go ahead")
					conn := s.accept()
					// What lies in the server's kernel has been acknowledged and
					// is nobody's progress.
					_ = s.raw.SetReadBuffer(64 << 10)
					var all bytes.Buffer
					for {
						n, err := io.CopyN(&all, conn, step)
						if err != nil || n == 0 {
							if err != io.EOF {
								t.Error(err)
							}
							break
						}
						time.Sleep(150 * time.Millisecond)
					}
					_ = conn.Close()
					s.mu.Lock()
					s.files[name] = all.Bytes()
					s.mu.Unlock()
					return "226 done"
				}
			})
			ep.Stall = 1500 * time.Millisecond
			c := dial(t, ep)
			data := random(size)
			begin := time.Now()
			if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil || n != size {
				t.Fatalf("after %v: %d, %v", time.Since(begin), n, err)
			}
			if d := time.Since(begin); d < 2*ep.Stall {
				t.Errorf("took %v only: this shows nothing", d)
			}
			if !bytes.Equal(f.file("f"), data) {
				t.Errorf("%d bytes, not what was sent", len(f.file("f")))
			}
		})
	}
}

// A PASV address of somewhere else is ignored, EPSV unknown is remembered.
func TestPASV(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) { f.on["EPSV"] = always("500 what?") })
	c := dial(t, ep)
	for range 3 {
		if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if f.count("EPSV") != 1 || f.count("PASV") != 3 {
		t.Errorf("%q", f.got())
	}
}

// That a data connection fails says nothing about EPSV, once one of its ports was reached:
// by this connection or by one before it.
func TestEPSVSurvives(t *testing.T) {
	t.Parallel()
	bad := false
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.on["EPSV"] = func(s *session, arg string) string {
			answer := defaults["EPSV"](s, arg)
			if bad {
				_ = s.data.Close()
			}
			bad = false
			return answer
		}
	})
	store := func(c *tconn) error {
		_, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
		return err
	}
	c := dial(t, ep)
	if err := store(c); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		bad = true
		if te := wantKind(t, store(c), transport.KindUnreachable, 0); te.MayHaveActed {
			t.Error(te)
		}
		if err := store(c); err != nil {
			t.Fatal(err)
		}
		c = dial(t, ep)
	}
	if f.count("PASV") != 0 || f.count("EPSV") != 5 {
		t.Errorf("%q", f.got())
	}
}

func TestPassiveRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		epsv, pasv string
		kind       transport.Kind
		code       int
	}{
		"busy":               {"425 no", "421 Too many connections", transport.KindBusy, 421},
		"neither":            {"500 no", "502 no", transport.KindUnsupported, 500},
		"no port":            {"229 (|||0|)", "502 no", transport.KindProtocol, 0},
		"no sense":           {"229 port 1234", "502 no", transport.KindProtocol, 0},
		"PASV no sense":      {"500 no", "227 (1,2,3,4)", transport.KindProtocol, 0},
		"no way makes sense": {"229 port 1234", "227 port 1234", transport.KindProtocol, 0},
		"stale":              {"226 done", "", transport.KindProtocol, 226},
	} {
		ep, _ := startFake(t, transport.FTP, func(f *fake) { f.on["EPSV"], f.on["PASV"] = always(tt.epsv), always(tt.pasv) })
		c := dial(t, ep)
		_, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
		t.Log(name, err)
		wantKind(t, err, tt.kind, tt.code)
	}
}

func TestPRET(t *testing.T) {
	t.Parallel()
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"PRET"}
		f.on["PRET"] = func(_ *session, arg string) string {
			if arg == "RETR no" {
				return "550 no such file"
			}
			return "200 ok"
		}
	})
	c := dial(t, ep)
	if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(f.got(), ","); !strings.Contains(got, "PRET STOR f,EPSV,STOR f") || f.count("PRET") != 1 {
		t.Error(got)
	}
	_, err := c.Retrieve(t.Context(), "no", 0, io.Discard, nil)
	if te := wantKind(t, err, transport.KindNotExist, 550); te.Op != "RETR" {
		t.Error(te)
	}
}

// io.Copy must hand a file to the data connection as it is, or sendfile is lost:
// os.File.WriteTo and a wrapped source would both prevent it.
func TestFileReachesTheSocket(t *testing.T) {
	file, err := os.Open(write(t, filepath.Join(t.TempDir(), "f"), random(100)))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	op := wire.StartOp(t.Context(), wire.Watch{})
	defer op.End(nil)
	for name, src := range map[string]io.Reader{"file": file, "part of a file": io.LimitReader(file, 50)} {
		var sink readerFrom
		if _, err := io.Copy(&sink, sourceOf(op, src)); err != nil {
			t.Fatal(err)
		}
		lr, ok := sink.got.(*io.LimitedReader)
		if !ok || lr.R != io.Reader(file) {
			t.Errorf("%s arrives as %T", name, sink.got)
		}
	}
	var _ io.ReaderFrom = (*dataConn)(nil)
	var _ io.ReaderFrom = (*wire.Wire)(nil)
}

type readerFrom struct{ got io.Reader }

func (*readerFrom) Write([]byte) (int, error) { return 0, errors.New("Write instead of ReadFrom") }
func (r *readerFrom) ReadFrom(src io.Reader) (int64, error) {
	r.got = src
	return 0, nil
}
