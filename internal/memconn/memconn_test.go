package memconn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const chunk = 10

// flavours runs a test as FTP and as SFTP, each in a bubble of its own.
func flavours(t *testing.T, f func(t *testing.T, p transport.Protocol)) {
	for _, p := range []transport.Protocol{transport.SFTP, transport.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, p) })
		})
	}
}

func dial(t *testing.T, s *Server, p transport.Protocol) transport.Calls {
	t.Helper()
	c, err := s.Dial(t.Context(), &transport.Endpoint{Protocol: p, Host: "h"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return transport.Calls{Conn: c}
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%251) + 1
	}
	return b
}

// at answers the nth operation of a step, from 0, after the injector was set.
func at(step Step, n int, f Fault) Injector {
	return func(op OpInfo) Fault {
		if op.Step != step {
			return Fault{}
		}
		if n--; n == -1 {
			return f
		}
		return Fault{}
	}
}

func file(t *testing.T, s *Server, p string) []byte {
	t.Helper()
	data, ok := s.Files().Read(p)
	if !ok {
		t.Fatalf("there is no %q, only %q", p, s.Files().Paths())
	}
	return data
}

// want checks an error's kind and what else the contract says of it.
func want(t *testing.T, err error, kind transport.Kind, acted bool) {
	t.Helper()
	var te *transport.Error
	if !errors.As(err, &te) || te.Kind != kind || te.MayHaveActed != acted {
		t.Errorf("error %v (%v), want %v, MayHaveActed %v", err, transport.KindOf(err), kind, acted)
	}
}

func TestStoreFaults(t *testing.T) {
	// Five chunks; the fault strikes the third.
	data := pattern(5 * chunk)
	zeros := make([]byte, chunk)
	for _, tt := range []struct {
		fault     Fault
		kind      transport.Kind // KindUnknown for success
		usable    bool
		ftp, sftp []byte // what is on the server
		acked     int64  // over SFTP
		moved     int64  // told to Progress
	}{
		{fault: Fault{Do: Unsent}, kind: transport.KindLost, ftp: data[:20], sftp: data[:20], acked: 20, moved: 20},
		{fault: Fault{Do: LostBefore}, kind: transport.KindLost, ftp: data[:20], sftp: data[:20], acked: 20, moved: 30},
		{fault: Fault{Do: LostBefore, Bytes: 15}, kind: transport.KindLost, ftp: data[:5], sftp: data[:5], acked: 5, moved: 30},
		{fault: Fault{Do: LostAfter}, kind: transport.KindLost, ftp: data[:30], sftp: data[:30], acked: 20, moved: 30},
		{fault: Fault{Do: Stall}, kind: transport.KindStalled, ftp: data[:20], sftp: data[:20], acked: 20, moved: 20},
		{fault: Fault{Do: ShortWrite}, kind: transport.KindLost, ftp: data[:25], sftp: data[:25], acked: 20, moved: 30},
		{fault: Fault{Do: ShortWrite, Bytes: 3}, kind: transport.KindLost, ftp: data[:23], sftp: data[:23], acked: 20, moved: 30},
		{fault: Fault{Do: CutShort}, usable: true, ftp: data[:20], sftp: data[:20], acked: 50, moved: 50},
		{fault: Fault{Do: Garbage}, kind: transport.KindProtocol, ftp: data[:30], sftp: data[:30], acked: 20, moved: 30},
		{fault: Fault{Do: Refuse, Kind: transport.KindNoSpace}, kind: transport.KindNoSpace, usable: true, ftp: data[:20], sftp: data[:20], acked: 20, moved: 30},
		{fault: Fault{Do: Hole}, kind: transport.KindLost, ftp: data[:20], acked: 20, moved: 40,
			sftp: slices.Concat(data[:20], zeros, data[30:40])},
		{fault: Fault{Do: Hole, Bytes: 1000}, kind: transport.KindLost, ftp: data[:20], acked: 20, moved: 50,
			sftp: slices.Concat(data[:20], zeros, data[30:50])},
		{fault: Fault{Do: LateWrites, Bytes: 15}, kind: transport.KindLost, ftp: data[:20], sftp: data[:20], acked: 20, moved: 45},
	} {
		name := fmt.Sprintf("%v %d", tt.fault.Do, tt.fault.Bytes)
		t.Run(name, func(t *testing.T) {
			flavours(t, func(t *testing.T, p transport.Protocol) {
				s := New(Options{Chunk: chunk})
				c := dial(t, s, p)
				s.Inject(at(StepData, 2, tt.fault))
				var moved int64
				n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Progress: func(n int64) { moved += n }})
				content, acked, told := tt.sftp, tt.acked, tt.moved
				if p != transport.SFTP {
					content, acked = tt.ftp, 0
					if tt.fault.Do == Hole {
						told = 30
					}
				}
				if tt.kind == transport.KindUnknown {
					if err != nil || n != int64(len(data)) {
						t.Errorf("%d, %v", n, err)
					}
				} else {
					want(t, err, tt.kind, !tt.usable)
					if n != acked {
						t.Errorf("n = %d, want %d", n, acked)
					}
				}
				if got := file(t, s, "f"); !bytes.Equal(got, content) {
					t.Errorf("the server has %v, want %v", got, content)
				}
				if moved != told {
					t.Errorf("progress of %d bytes, want %d", moved, told)
				}
				if c.Usable() != tt.usable {
					t.Errorf("usable: %v", c.Usable())
				}
			})
		})
	}
}

// What comes after CutShort vanishes, whatever else happens to it.
func TestCutShortThenLost(t *testing.T) {
	for _, do := range []Action{LostAfter, ShortWrite, Garbage, Hole, LateWrites, Corrupt, Pass} {
		t.Run(do.String(), func(t *testing.T) {
			flavours(t, func(t *testing.T, p transport.Protocol) {
				data := pattern(5 * chunk)
				s := New(Options{Chunk: chunk})
				c := dial(t, s, p)
				n := 0
				s.Inject(func(op OpInfo) Fault {
					if op.Step != StepData {
						return Fault{}
					}
					n++
					return Fault{Do: map[int]Action{2: CutShort, 3: do}[n]}
				})
				_, _ = c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil)
				time.Sleep(time.Minute)
				if got := file(t, s, "f"); !bytes.Equal(got, data[:chunk]) {
					t.Errorf("the server has %d bytes, want %d", len(got), chunk)
				}
			})
		})
	}
}

func TestLateWrites(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		data := pattern(5 * chunk)
		s := New(Options{Chunk: chunk})
		s.Inject(at(StepData, 1, Fault{Do: LateWrites, Bytes: 20, For: 3 * time.Second}))
		if _, err := dial(t, s, p).Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err == nil {
			t.Fatal("no error")
		}
		// It goes on under another name: what is written is the file, not the name.
		if err := dial(t, s, p).Rename(t.Context(), "f", "g", false); err != nil {
			t.Fatal(err)
		}
		for i, size := range []int{10, 20, 30, 40, 40} {
			if got := file(t, s, "g"); !bytes.Equal(got, data[:size]) {
				t.Errorf("after %d s: %d bytes, want %d", i, len(got), size)
			}
			if s.Files().Pending().IsZero() != (i >= 3) {
				t.Errorf("after %d s: pending %v", i, s.Files().Pending())
			}
			time.Sleep(time.Second)
		}
	})
}

func TestRetrieveFaults(t *testing.T) {
	data := pattern(5 * chunk)
	bad := bytes.Clone(data)
	bad[20] ^= 0xff
	for _, tt := range []struct {
		fault  Fault
		kind   transport.Kind
		sftp   transport.Kind // where it differs
		usable bool
		got    []byte
	}{
		{fault: Fault{Do: Unsent}, kind: transport.KindLost, got: data[:20]},
		{fault: Fault{Do: LostBefore}, kind: transport.KindLost, got: data[:20]},
		{fault: Fault{Do: LostAfter}, kind: transport.KindLost, got: data[:30]},
		{fault: Fault{Do: Stall}, kind: transport.KindStalled, got: data[:20]},
		{fault: Fault{Do: ShortWrite, Bytes: 1}, kind: transport.KindLost, got: data[:21]},
		{fault: Fault{Do: CutShort}, sftp: transport.KindTruncated, usable: true, got: data[:20]},
		{fault: Fault{Do: Corrupt}, usable: true, got: bad},
		{fault: Fault{Do: Garbage}, kind: transport.KindProtocol, got: data[:20]},
		{fault: Fault{Do: Refuse, Kind: transport.KindLost}, kind: transport.KindLost, usable: true, got: data[:20]},
		{fault: Fault{Do: Hole}, kind: transport.KindLost, got: data[:20]},
	} {
		t.Run(tt.fault.Do.String(), func(t *testing.T) {
			flavours(t, func(t *testing.T, p transport.Protocol) {
				s := New(Options{Chunk: chunk})
				s.Files().Write("f", data, time.Now())
				c := dial(t, s, p)
				s.Inject(at(StepData, 2, tt.fault))
				var out bytes.Buffer
				n, err := c.Retrieve(t.Context(), "f", 0, &out, nil)
				kind := tt.kind
				if p == transport.SFTP && tt.sftp != 0 {
					kind = tt.sftp
				}
				if kind == transport.KindUnknown {
					if err != nil {
						t.Error(err)
					}
				} else {
					want(t, err, kind, false)
				}
				if n != int64(out.Len()) || !bytes.Equal(out.Bytes(), tt.got) {
					t.Errorf("n = %d, got %v, want %v", n, out.Bytes(), tt.got)
				}
				if c.Usable() != tt.usable {
					t.Errorf("usable: %v", c.Usable())
				}
			})
		})
	}
}

func TestRequestFaults(t *testing.T) {
	for _, tt := range []struct {
		step   Step
		fault  Fault
		kind   transport.Kind
		told   bool // MayHaveActed
		acted  bool
		usable bool
	}{
		{StepRequest, Fault{Do: Unsent}, transport.KindLost, false, false, false},
		{StepRequest, Fault{Do: LostBefore}, transport.KindLost, true, false, false},
		{StepRequest, Fault{Do: LostAfter}, transport.KindLost, true, true, false},
		{StepRequest, Fault{Do: Stall}, transport.KindStalled, true, false, false},
		{StepRequest, Fault{Do: Garbage}, transport.KindProtocol, true, true, false},
		{StepRequest, Fault{Do: Refuse, Kind: transport.KindPermission}, transport.KindPermission, false, false, true},
		{StepRequest, Fault{Do: Refuse, Code: 421, Kind: transport.KindBusy}, transport.KindBusy, false, false, false},
		{StepReply, Fault{Do: LostBefore}, transport.KindLost, true, true, false},
		{StepReply, Fault{Do: LostAfter}, transport.KindUnknown, false, true, false},
		{StepReply, Fault{Do: Stall}, transport.KindStalled, true, true, false},
		{StepReply, Fault{Do: Garbage}, transport.KindProtocol, true, true, false},
		{StepReply, Fault{Do: Refuse, Kind: transport.KindTemporary}, transport.KindTemporary, false, true, true},
	} {
		t.Run(tt.step.String()+" "+tt.fault.Do.String(), func(t *testing.T) {
			flavours(t, func(t *testing.T, p transport.Protocol) {
				s := New(Options{})
				c := dial(t, s, p)
				s.Inject(at(tt.step, 0, tt.fault))
				begin := time.Now()
				err := c.Mkdir(t.Context(), "d")
				if tt.kind == transport.KindUnknown {
					if err != nil {
						t.Error(err)
					}
				} else {
					want(t, err, tt.kind, tt.told)
				}
				if acted := slices.Contains(s.Files().Paths(), "d/"); acted != tt.acted {
					t.Errorf("acted: %v", acted)
				}
				if c.Usable() != tt.usable {
					t.Errorf("usable: %v", c.Usable())
				}
				if d := time.Since(begin); (d == transport.DefaultStall) != (tt.kind == transport.KindStalled) {
					t.Errorf("took %v", d)
				}
				if !tt.usable {
					want(t, c.Ping(t.Context()), transport.KindLost, false)
				}
			})
		})
	}
}

// What does not change anything is never said to have acted.
func TestReadsNeverAct(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{})
		for _, step := range []Step{StepRequest, StepReply} {
			c := dial(t, s, p)
			s.Inject(at(step, 0, Fault{Do: LostBefore}))
			_, err := c.Stat(t.Context(), ".")
			want(t, err, transport.KindLost, false)
		}
	})
}

func TestFinalReply(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		data := pattern(3 * chunk)
		s := New(Options{Chunk: chunk})
		c := dial(t, s, p)
		s.Inject(at(StepReply, 1, Fault{Do: LostBefore}))
		n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil)
		want(t, err, transport.KindLost, true)
		if claimed := int64(0); p == transport.SFTP {
			claimed = 30
			if n != claimed {
				t.Errorf("n = %d, want %d", n, claimed)
			}
		} else if n != claimed {
			t.Errorf("n = %d, want %d", n, claimed)
		}
		if !bytes.Equal(file(t, s, "f"), data) {
			t.Error("the file is not whole")
		}
	})
}

func TestDialFaults(t *testing.T) {
	for _, tt := range []struct {
		name     string
		set      func(*Server)
		kind     transport.Kind
		answered bool
		took     time.Duration
	}{
		{"up", func(*Server) {}, 0, true, 200 * time.Millisecond},
		{"refused", func(s *Server) { s.SetDown(transport.KindUnreachable) }, transport.KindUnreachable, false, 100 * time.Millisecond},
		{"black hole", func(s *Server) { s.SetDown(transport.KindTimeout) }, transport.KindTimeout, false, 5 * time.Second},
		{"silent", func(s *Server) { s.SetSilent(true) }, transport.KindTimeout, false, 5 * time.Second},
		{"login", func(s *Server) { s.SetDown(transport.KindAuth) }, transport.KindAuth, true, 100 * time.Millisecond},
		{"host key", func(s *Server) { s.SetDown(transport.KindHostKey) }, transport.KindHostKey, true, 100 * time.Millisecond},
		{"full", func(s *Server) { s.SetDown(transport.KindBusy) }, transport.KindBusy, true, 100 * time.Millisecond},
		{"garbage", func(s *Server) { s.Inject(FailNth(0, Fault{Do: Garbage})) }, transport.KindNotOffered, true, 100 * time.Millisecond},
		{"reset", func(s *Server) { s.Inject(FailNth(0, Fault{Do: LostBefore})) }, transport.KindLost, false, 100 * time.Millisecond},
		{"password", func(s *Server) { s.opts.Password = "right" }, transport.KindAuth, true, 200 * time.Millisecond},
		{"up again", func(s *Server) { s.SetDown(transport.KindUnreachable); s.SetDown(0) }, 0, true, 200 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			flavours(t, func(t *testing.T, p transport.Protocol) {
				s := New(Options{RoundTrip: 100 * time.Millisecond})
				tt.set(s)
				answered := false
				begin := time.Now()
				c, err := s.Dial(t.Context(), &transport.Endpoint{Protocol: p, Host: "h", Password: "wrong",
					ConnectTimeout: 5 * time.Second, Answered: func() { answered = true }})
				if tt.kind == 0 {
					if err != nil {
						t.Fatal(err)
					}
					c.Close()
				} else {
					want(t, err, tt.kind, false)
				}
				if answered != tt.answered {
					t.Errorf("answered: %v", answered)
				}
				if d := time.Since(begin); d.Round(time.Millisecond) != tt.took {
					t.Errorf("took %v, want %v", d, tt.took)
				}
			})
		})
	}
}

func TestDialCanceled(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{})
		s.SetDown(transport.KindTimeout)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		_, err := s.Dial(ctx, &transport.Endpoint{Protocol: p, Host: "h"})
		want(t, err, transport.KindCanceled, false)
		if !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestHostAndProtocol(t *testing.T) {
	files := NewFiles()
	h := Host{
		transport.SFTP: New(Options{Protocol: transport.SFTP, Files: files}),
		transport.FTP:  New(Options{Protocol: transport.FTPS, Files: files}),
	}
	ep := func(p transport.Protocol) *transport.Endpoint { return &transport.Endpoint{Protocol: p, Host: "h"} }
	conn, err := h.Dial(t.Context(), ep(transport.SFTP))
	if err != nil {
		t.Fatal(err)
	}
	c := transport.Calls{Conn: conn}
	if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	if data, _ := files.Read("/f"); string(data) != "x" {
		t.Errorf("%q", data)
	}
	_, err = h.Dial(t.Context(), ep(transport.FTPS))
	want(t, err, transport.KindUnreachable, false)
	_, err = h.Dial(t.Context(), ep(transport.FTP))
	want(t, err, transport.KindNotOffered, false)
}

func TestMaxConns(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{MaxConns: 2, Linger: time.Minute})
		a := dial(t, s, p)
		b := dial(t, s, p)
		ep := &transport.Endpoint{Protocol: p, Host: "h"}
		_, err := s.Dial(t.Context(), ep)
		want(t, err, transport.KindBusy, false)
		a.Close()
		dial(t, s, p)
		if s.Cut() != 2 || b.Usable() {
			t.Error("Cut left something")
		}
		// The server has not noticed that they are gone.
		_, err = s.Dial(t.Context(), ep)
		want(t, err, transport.KindBusy, false)
		time.Sleep(time.Minute)
		dial(t, s, p)
		if st := s.Stats(); st.Dials != 6 || st.Logins != 4 || st.Open != 1 || st.MostOpen != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestTime(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{RoundTrip: 100 * time.Millisecond, Rate: 1000, Chunk: 100})
		c := dial(t, s, p)
		begin := time.Now()
		if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(pattern(5000)), nil); err != nil {
			t.Fatal(err)
		}
		most := 5200 * time.Millisecond
		if d := time.Since(begin); d < 5100*time.Millisecond || d > most {
			t.Errorf("took %v", d)
		}
		// Cancelled in the middle of a round trip.
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		defer cancel()
		begin = time.Now()
		err := c.Mkdir(ctx, "d")
		want(t, err, transport.KindCanceled, true)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 60*time.Millisecond || c.Usable() {
			t.Error(err, time.Since(begin), c.Usable())
		}
	})
}

func TestMinRate(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{Rate: 100, Chunk: 100})
		conn, err := s.Dial(t.Context(), &transport.Endpoint{Protocol: p, Host: "h", Stall: 10 * time.Second, MinRate: 101})
		if err != nil {
			t.Fatal(err)
		}
		c := transport.Calls{Conn: conn}
		begin := time.Now()
		_, err = c.Store(t.Context(), "f", 0, bytes.NewReader(pattern(5000)), nil)
		want(t, err, transport.KindStalled, true)
		if time.Since(begin) != 10*time.Second {
			t.Error(time.Since(begin))
		}
	})
}

// Close, Cut and the end of the context free a stalled call.
func TestStallEnds(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{})
		for name, end := range map[string]func(transport.Conn, context.CancelFunc){
			"close": func(c transport.Conn, _ context.CancelFunc) { c.Close() },
			"cut":   func(transport.Conn, context.CancelFunc) { s.Cut() },
			"ctx":   func(_ transport.Conn, cancel context.CancelFunc) { cancel() },
		} {
			s.SetSilent(false)
			conn, err := s.Dial(t.Context(), &transport.Endpoint{Protocol: p, Host: "h", Stall: -1})
			if err != nil {
				t.Fatal(err)
			}
			c := transport.Calls{Conn: conn}
			s.SetSilent(true)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- c.Mkdir(ctx, "d") }()
			time.Sleep(time.Hour)
			end(c, cancel)
			synctest.Wait()
			select {
			case err := <-done:
				kind := transport.KindLost
				if name == "ctx" {
					kind = transport.KindCanceled
				}
				want(t, err, kind, true)
			default:
				t.Fatalf("%s does not free the call", name)
			}
			cancel()
		}
	})
}

func TestIdleTimeout(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{IdleTimeout: time.Minute})
		c := dial(t, s, p)
		for range 3 {
			time.Sleep(59 * time.Second)
			if err := c.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if c.Usable() != (p != transport.SFTP) {
			t.Error("usable:", c.Usable())
		}
		want(t, c.Mkdir(t.Context(), "d"), transport.KindLost, false)
	})
}

func TestLock(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{LockFor: time.Minute})
		s.Inject(at(StepData, 0, Fault{Do: Stall}))
		_, err := dial(t, s, p).Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
		want(t, err, transport.KindStalled, true)
		// 30 s have gone by; the lock holds for 30 more.
		conn, err := s.Dial(t.Context(), &transport.Endpoint{Protocol: p, Host: "h", Stall: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		c := transport.Calls{Conn: conn}
		_, err = c.Store(t.Context(), "f", 0, strings.NewReader("x"), nil)
		want(t, err, transport.KindLocked, true)
		begin := time.Now()
		if _, err = dial(t, s, p).Store(t.Context(), "f", 0, strings.NewReader("x"), nil); err != nil {
			t.Error(err)
		}
		if time.Since(begin) != 20*time.Second {
			t.Error(time.Since(begin))
		}
	})
}

func TestRestart(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{})
		s.Files().Write("f", []byte("0123456789"), time.Now())
		c := dial(t, s, p)
		for _, tt := range []struct {
			offset int64
			want   string
		}{{10, "0123456789ab"}, {2, "01ab456789ab"}, {14, "01ab456789ab\x00\x00ab"}, {0, "ab"}} {
			if _, err := c.Store(t.Context(), "f", tt.offset, strings.NewReader("ab"), nil); err != nil {
				t.Fatal(err)
			}
			if got := string(file(t, s, "f")); got != tt.want {
				t.Errorf("at %d: %q, want %q", tt.offset, got, tt.want)
			}
		}
		s.opts.NoRestart = true
		_, err := c.Store(t.Context(), "f", 2, strings.NewReader("ab"), nil)
		want(t, err, transport.KindRestart, false)
	})
}

func TestVague(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{Vague: true})
		s.Files().Write("d/f", nil, time.Now())
		c := dial(t, s, p)
		kind := transport.KindTemporary
		if p != transport.SFTP {
			kind = transport.KindRefused
		}
		want(t, c.Mkdir(t.Context(), "d"), kind, false)
		want(t, c.Rmdir(t.Context(), "d"), kind, false)
		_, err := c.Store(t.Context(), "no/f", 0, strings.NewReader(""), nil)
		if p == transport.SFTP {
			kind = transport.KindNotExist
		}
		want(t, err, kind, false)
	})
}

// A replace that is promised and refused, as servers do that have not shown it yet.
func TestReplace(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		s := New(Options{})
		c := dial(t, s, p)
		put := func() {
			s.Files().Write("a", []byte("a"), time.Now())
			s.Files().Write("b", []byte("b"), time.Now())
		}
		put()
		if err := c.Rename(t.Context(), "a", "b", true); err != nil || string(file(t, s, "b")) != "a" {
			t.Error(err)
		}
		put()
		if err := c.Rename(t.Context(), "a", "b", false); (err == nil) != (p != transport.SFTP) {
			t.Error(err)
		}
		put()
		s.opts.RefuseReplace = true
		want(t, c.Rename(t.Context(), "a", "b", true), transport.KindExist, false)
	})
}

// The codes and texts of refusals mean the kind that they stand for.
func TestReplies(t *testing.T) {
	for kind, reply := range replies {
		if got := transport.KindOfReply("STOR", reply.Code, reply.Msg); got != kind {
			t.Errorf("%v: %d %s is taken for %v", kind, reply.Code, reply.Msg, got)
		}
		err := no(kind, "why").error(&transport.Endpoint{Protocol: transport.FTP}, "STOR", "f")
		var te *textproto.Error
		if !errors.As(err, &te) || transport.KindOfReply("STOR", te.Code, te.Msg) != kind {
			t.Errorf("%v: %v", kind, err)
		}
	}
	err := newRefusal(transport.KindBusy, Fault{Code: 421, Text: "Try again in 30 seconds"}).error(&transport.Endpoint{Protocol: transport.FTP}, "PASS", "")
	if err.Code != 421 || err.RetryAfter != 30*time.Second {
		t.Errorf("%+v", err)
	}
	if !errors.Is(noSuch.error(&transport.Endpoint{Protocol: transport.SFTP}, "SSH_FXP_STAT", "f"), fs.ErrNotExist) {
		t.Error("not fs.ErrNotExist")
	}
}

// Operations are numbered without a gap, and failing one after the other comes
// to an end.
func TestSweep(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		data := pattern(3 * chunk)
		attempt := func(s *Server) error {
			conn, err := s.Dial(t.Context(), &transport.Endpoint{Protocol: p, Host: "h"})
			if err != nil {
				return err
			}
			c := transport.Calls{Conn: conn}
			defer c.Close()
			if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil {
				return err
			}
			if err := c.Rename(t.Context(), "f", "g", true); err != nil {
				return err
			}
			var out bytes.Buffer
			_, err = c.Retrieve(t.Context(), "g", 0, &out, nil)
			if err == nil && !bytes.Equal(out.Bytes(), data) {
				return errors.New("other bytes came back")
			}
			return err
		}
		for _, do := range Actions() {
			failed := 0
			for n := 0; ; n++ {
				if n > 100 {
					t.Fatalf("%v: no end", do)
				}
				s := New(Options{Chunk: chunk})
				var ops []OpInfo
				struck := false
				s.Inject(func(op OpInfo) Fault {
					if op.N != len(ops) {
						t.Errorf("operation %d has number %d", len(ops), op.N)
					}
					ops = append(ops, op)
					if op.N == n {
						struck = true
						return Fault{Do: do}
					}
					return Fault{}
				})
				if attempt(s) != nil {
					failed++
				}
				if !struck {
					break
				}
			}
			if failed == 0 {
				t.Errorf("%v never made anything fail", do)
			}
		}
	})
}

// A reply that is lost after a limit was reached costs the connection, not the
// bytes; with CutCosts every cut does.
func TestLimitThenLost(t *testing.T) {
	flavours(t, func(t *testing.T, p transport.Protocol) {
		data := pattern(5 * chunk)
		for _, opts := range []Options{{Chunk: chunk}, {Chunk: chunk, CutCosts: true}} {
			s := New(opts)
			s.Files().Write("d/f", data, time.Now())
			s.Files().Write("d/g", data, time.Now())
			cut := func(what string, f func(c transport.Calls) error) {
				c := dial(t, s, p)
				if !opts.CutCosts && what == "limit" {
					s.Inject(at(StepReply, 1, Fault{Do: LostBefore}))
				}
				if err := f(c); err != nil && transport.KindOf(err) != transport.KindLocal {
					t.Errorf("%s: %v", what, err)
				}
				s.Inject(nil)
				costs := p != transport.SFTP && (opts.CutCosts || what == "limit")
				if c.Usable() == costs {
					t.Errorf("%s, CutCosts %v: usable %v", what, opts.CutCosts, c.Usable())
				}
			}
			cut("limit", func(c transport.Calls) error {
				n, err := c.Retrieve(t.Context(), "d/f", 0, io.Discard, &transport.IO{Limit: 15})
				if n != 15 {
					t.Errorf("n = %d", n)
				}
				return err
			})
			cut("list", func(c transport.Calls) error {
				return c.List(t.Context(), "d", func(transport.Entry) bool { return false })
			})
			cut("source", func(c transport.Calls) error {
				_, err := c.Store(t.Context(), "new", 0, readerFunc(func([]byte) (int, error) { return 0, errors.New("own") }), nil)
				return err
			})
			c := dial(t, s, p)
			if n, err := c.Retrieve(t.Context(), "d/f", 0, io.Discard, &transport.IO{Limit: 50}); n != 50 || err != nil || !c.Usable() {
				t.Errorf("a limit at the end: %d, %v, usable %v", n, err, c.Usable())
			}
		}
	})
}

// Two calls at once on one connection are a mistake of the caller.
func TestOneOwner(t *testing.T) {
	s := New(Options{})
	c := dial(t, s, transport.FTP)
	defer func() {
		if r := fmt.Sprint(recover()); !strings.Contains(r, "Do was called while 1 batches") {
			t.Error(r)
		}
	}()
	_, _ = c.Store(t.Context(), "f", 0, readerFunc(func([]byte) (int, error) {
		_ = c.Ping(t.Context())
		return 0, io.EOF
	}), nil)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
