package sftpdriver

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func withLimits(f *fake) { f.extensions["limits@openssh.com"] = "1" }

func TestStoreAndRetrieve(t *testing.T) {
	for _, limits := range []bool{false, true} {
		f := newFake(t, func(f *fake) {
			if limits {
				withLimits(f)
			}
		})
		c := f.dial(nil)
		for _, size := range []int{0, 1, 1000, safePacket - 1, safePacket, safePacket + 1, largestPacket, largestPacket + 1, 3_000_000} {
			data := make([]byte, size)
			for i := range data {
				data[i] = byte(i*7 + i>>8)
			}
			var up, down int64
			n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Progress: func(n int64) { up += n }})
			if err != nil || n != int64(size) || up != n || !bytes.Equal(f.get("f"), data) {
				t.Fatal(limits, size, n, up, err)
			}
			for _, opt := range []*transport.IO{nil, {Size: int64(size)}, {Size: int64(size) + 5_000_000}, {Size: 1}, {Progress: func(n int64) { down += n }}} {
				var out bytes.Buffer
				n, err = c.Retrieve(t.Context(), "f", 0, &out, opt)
				if err != nil || n != int64(size) || !bytes.Equal(out.Bytes(), data) {
					t.Fatal(limits, size, n, err)
				}
			}
			if down != int64(size) {
				t.Fatal("progress", down, size)
			}
		}
	}
}

func TestStoreGoesOnFromOffset(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	f.put("f", []byte("0123456789"))
	if n, err := c.Store(t.Context(), "f", 10, bytes.NewReader(make([]byte, 100_000)), nil); err != nil || n != 100_000 {
		t.Fatal(n, err)
	}
	if got := f.get("f"); len(got) != 100_010 || string(got[:10]) != "0123456789" {
		t.Fatal(len(got))
	}
	_, err := c.Store(t.Context(), "gone", 10, bytes.NewReader(nil), nil)
	wantKind(t, err, transport.KindNotExist)
	if f.get("gone") != nil {
		t.Error("a file with a hole was created")
	}
}

// TestTrap8WriteFailsInTheMiddle: writes overlap, so the file may be longer
// than what is acknowledged without a gap, and have a hole.
func TestTrap8WriteFailsInTheMiddle(t *testing.T) {
	for _, limits := range []bool{false, true} {
		for _, failing := range []int64{0, 1, 5, 13} {
			t.Run(fmt.Sprint(limits, failing), func(t *testing.T) {
				const start = 10
				var packet int64
				f := newFake(t, func(f *fake) {
					if limits {
						withLimits(f)
					}
					f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
						if typ != 6 {
							return false
						}
						r.string()
						if off := int64(r.uint64()); off != start+failing*packet {
							return false
						}
						s.status(id, fxFailure, "Failure")
						return true
					}
				})
				f.put("f", []byte("0123456789"))
				c := f.dial(nil)
				packet = safePacket
				if limits {
					packet = largestPacket
				}
				data := bytes.Repeat([]byte("data"), int(20*packet)/4)
				n, err := c.Store(t.Context(), "f", start, bytes.NewReader(data), nil)
				kind := transport.KindTemporary
				if failing == 0 {
					kind = transport.KindRestart // it may be the offset that it does not take
				}
				te := wantKind(t, err, kind)
				if te.Op != "SSH_FXP_WRITE" || te.Code != fxFailure || te.MayHaveActed {
					t.Errorf("%+v", te)
				}
				if n != failing*packet {
					t.Errorf("n = %d, acknowledged without a gap are %d", n, failing*packet)
				}
				if got := f.get("f"); int64(len(got)) != start+n || !bytes.Equal(got[start:], data[:n]) {
					t.Errorf("the file holds %d bytes and was not cut back to %d", len(got), start+n)
				}
				if !c.Usable() {
					t.Error("a refused write is no reason to give the connection up")
				}
			})
		}
	}
}

// TestTrap8ConnectionLostInTheMiddle: n is what was acknowledged, although the
// file on the server may be longer.
func TestTrap8ConnectionLostInTheMiddle(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
			if typ != 6 {
				return false
			}
			r.string()
			switch off := r.uint64(); {
			case off == 7*safePacket:
				return true // never answered
			case off == 30*safePacket:
				// Not Close, which would reset what has not been read, and take
				// answers that are on their way along.
				_ = s.conn.(*net.TCPConn).CloseWrite()
				return true
			}
			return false
		}
	})
	c := f.dial(nil)
	n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(make([]byte, 100*safePacket)), nil)
	te := wantKind(t, err, transport.KindLost)
	if !te.MayHaveActed || n != 7*safePacket {
		t.Errorf("n = %d, %+v", n, te)
	}
	if len(f.get("f")) <= int(n) {
		t.Error("the test shows nothing: no bytes beyond the acknowledged ones")
	}
	if int64(len(f.get("f")))-n > c.Info().Caps.WriteWindow {
		t.Errorf("%d bytes beyond the acknowledged prefix, more than WriteWindow", int64(len(f.get("f")))-n)
	}
	if c.Usable() {
		t.Error("usable after its end")
	}
	_, err = c.Stat(t.Context(), "f")
	wantKind(t, err, transport.KindLost)
}

func TestStoreSourceFails(t *testing.T) {
	for _, size := range []int{0, 1000, 500_000} {
		f := newFake(t, nil)
		c := f.dial(nil)
		bad := errors.New("bad sector")
		n, err := c.Store(t.Context(), "f", 0, io.MultiReader(bytes.NewReader(make([]byte, size)), errReader{bad}), nil)
		wantKind(t, err, transport.KindLocal)
		if !errors.Is(err, bad) || n != int64(size) || len(f.get("f")) != size || !c.Usable() {
			t.Error(size, n, err, len(f.get("f")), c.Usable())
		}
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// TestStoreCloseFails: a network file system may say only at the close that it
// could not keep what it had acknowledged.
func TestStoreCloseFails(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
			if typ == fxpClose {
				s.status(id, fxFailure, "Disk quota exceeded")
			}
			return typ == fxpClose
		}
	})
	c := f.dial(nil)
	n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(make([]byte, 500_000)), nil)
	te := wantKind(t, err, transport.KindQuota)
	if n != 0 || te.Op != "SSH_FXP_CLOSE" {
		t.Error(n, te.Op)
	}
}

// TestTrap14ShortReads: a server that answers with less than was asked for, as
// pkg/sftp's own does above 32 KiB.
func TestTrap14ShortReads(t *testing.T) {
	for _, most := range []int{1000, safePacket - 1, safePacket, 100_000} {
		f := newFake(t, func(f *fake) { withLimits(f); f.maxRead = most })
		c := f.dial(nil)
		data := randomBytes(1_500_000)
		f.put("f", data)
		var out bytes.Buffer
		n, err := c.Retrieve(t.Context(), "f", 3, &out, nil)
		if err != nil || n != int64(len(data)-3) || !bytes.Equal(out.Bytes(), data[3:]) {
			t.Fatal(most, n, err)
		}
	}
}

// TestTrap14EarlyEnd: the server says that the file ends where it does not.
func TestTrap14EarlyEnd(t *testing.T) {
	f := newFake(t, func(f *fake) {
		f.onPacket = func(s *fakeSession, typ byte, id uint32, r *reader) bool {
			if typ != fxpRead {
				return false
			}
			r.string()
			if r.uint64() < 10*safePacket {
				return false
			}
			s.status(id, fxEOF, "")
			return true
		}
	})
	c := f.dial(nil)
	f.put("f", make([]byte, 40*safePacket))
	n, err := c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
	wantKind(t, err, transport.KindTruncated)
	if n != 10*safePacket || !c.Usable() {
		t.Error(n, c.Usable())
	}
}

func TestRetrieveDestinationFails(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	f.put("f", make([]byte, 5_000_000))
	full := errors.New("disk full")
	n, err := c.Retrieve(t.Context(), "f", 0, &shortWriter{left: 100_000, err: full}, nil)
	wantKind(t, err, transport.KindLocal)
	if !errors.Is(err, full) || n != 100_000 || !c.Usable() {
		t.Fatal(n, err)
	}
	// Answers that nobody wants any more do not disturb what follows.
	for range 20 {
		if _, err := c.Stat(t.Context(), "f"); err != nil {
			t.Fatal(err)
		}
		if err := c.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

type shortWriter struct {
	left int
	err  error
}

func (w *shortWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		n := w.left
		w.left = 0
		return n, w.err
	}
	w.left -= len(p)
	return len(p), nil
}

// stallDial gives an endpoint sockets that can be stalled.
func stallDial(ep *transport.Endpoint) *atomic.Pointer[stallable] {
	var last atomic.Pointer[stallable]
	ep.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		s := newStallable(c)
		last.Store(s)
		return s, nil
	}
	return &last
}

// slack is for a machine that has other things to do: what these tests look
// for does not end at all.
const slack = 2 * time.Second

// TestTrap9NothingHangs: every call, and Close, returns on a line on which
// nothing passes any more, within one and a half stall times.
func TestTrap9NothingHangs(t *testing.T) {
	const stall = 400 * time.Millisecond
	ops := map[string]func(ctx context.Context, c *client, s *stallable) error{
		"Store": func(ctx context.Context, c *client, s *stallable) error {
			_, err := c.Store(ctx, "new", 0, &triggered{r: zeros{}, after: 3 << 20, do: s.stall}, nil)
			return err
		},
		"Retrieve": func(ctx context.Context, c *client, s *stallable) error {
			_, err := c.Retrieve(ctx, "f", 0, &triggeredWriter{after: 3 << 20, do: s.stall}, nil)
			return err
		},
		"Stat": func(ctx context.Context, c *client, s *stallable) error {
			s.stall()
			_, err := c.Stat(ctx, "f")
			return err
		},
		"Ping":  func(ctx context.Context, c *client, s *stallable) error { s.stall(); return c.Ping(ctx) },
		"Mkdir": func(ctx context.Context, c *client, s *stallable) error { s.stall(); return c.Mkdir(ctx, "d") },
		"List": func(ctx context.Context, c *client, s *stallable) error {
			s.stall()
			return c.List(ctx, ".", func(transport.Entry) bool { return true })
		},
		"Remove": func(ctx context.Context, c *client, s *stallable) error { s.stall(); return c.Remove(ctx, "f") },
		"Rename": func(ctx context.Context, c *client, s *stallable) error {
			s.stall()
			return c.Rename(ctx, "f", "g", true)
		},
	}
	for _, how := range []string{"stall", "cancel", "close"} {
		for name, op := range ops {
			t.Run(how+"/"+name, func(t *testing.T) {
				t.Parallel()
				f := newFake(t, withLimits)
				f.put("f", make([]byte, 12<<20))
				var last *atomic.Pointer[stallable]
				c := f.dial(func(ep *transport.Endpoint) {
					last = stallDial(ep)
					if ep.Stall = time.Minute; how == "stall" {
						ep.Stall = stall
					}
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want := transport.KindStalled
				switch how {
				case "cancel":
					want = transport.KindCanceled
					time.AfterFunc(stall/2, cancel)
				case "close":
					want = transport.KindLost
					time.AfterFunc(stall/2, func() { _ = c.Close() })
				}
				begin := time.Now()
				err := op(ctx, c, last.Load())
				if at := last.Load().at.Load(); at != nil {
					begin = *at
				}
				if d := time.Since(begin); d > stall*3/2+slack {
					t.Errorf("returned after %v", d)
				}
				te := wantKind(t, err, want)
				acts := name == "Store" || name == "Mkdir" || name == "Remove" || name == "Rename"
				if te.MayHaveActed != acts {
					t.Errorf("MayHaveActed = %v", te.MayHaveActed)
				}
				if c.Usable() {
					t.Error("usable")
				}
				begin = time.Now()
				_ = c.Close()
				if d := time.Since(begin); d > slack {
					t.Errorf("Close took %v", d)
				}
			})
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

type triggered struct {
	r     io.Reader
	after int
	do    func()
}

func (t *triggered) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if t.after > 0 && t.after <= n {
		t.do()
	}
	t.after -= n
	return n, err
}

type triggeredWriter struct {
	after int
	do    func()
}

func (t *triggeredWriter) Write(p []byte) (int, error) {
	if t.after > 0 && t.after <= len(p) {
		t.do()
	}
	t.after -= len(p)
	return len(p), nil
}

// TestSlowSourceIsNoStall: the line is silent because the caller is.
func TestSlowSourceIsNoStall(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(func(ep *transport.Endpoint) { ep.Stall = 100 * time.Millisecond })
	slow := io.MultiReader(bytes.NewReader(make([]byte, 100_000)), &sleeper{d: 400 * time.Millisecond}, bytes.NewReader(make([]byte, 100_000)))
	if n, err := c.Store(t.Context(), "f", 0, slow, nil); err != nil || n != 200_000 {
		t.Fatal(n, err)
	}
	if n, err := c.Retrieve(t.Context(), "f", 0, &sleeper{d: 50 * time.Millisecond}, nil); err != nil || n != 200_000 {
		t.Fatal(n, err)
	}
	f.put("g", nil)
	n := 0
	if err := c.List(t.Context(), ".", func(transport.Entry) bool { time.Sleep(300 * time.Millisecond); n++; return true }); err != nil || n != 2 {
		t.Fatal(n, err)
	}
}

type sleeper struct{ d time.Duration }

func (s *sleeper) Read([]byte) (int, error)    { time.Sleep(s.d); return 0, io.EOF }
func (s *sleeper) Write(p []byte) (int, error) { time.Sleep(s.d); return len(p), nil }

// TestPipeKeepsOrder mixes pkg/sftp's requests with our own, from two sides.
func TestPipeKeepsOrder(t *testing.T) {
	f := newFake(t, withLimits)
	c := f.dial(nil)
	f.put("f", randomBytes(2_000_000))
	done := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < 200 && err == nil; i++ {
			_, err = c.lib.client.RealPath(".")
		}
		done <- err
	}()
	for range 5 {
		var out bytes.Buffer
		if _, err := c.Retrieve(t.Context(), "f", 0, &out, nil); err != nil || !bytes.Equal(out.Bytes(), f.get("f")) {
			t.Fatal(err)
		}
		if _, err := c.Store(t.Context(), "g", 0, bytes.NewReader(out.Bytes()), nil); err != nil || !bytes.Equal(f.get("g"), f.get("f")) {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestBadPathsAreNotSent(t *testing.T) {
	f := newFake(t, nil)
	c := f.dial(nil)
	before := f.packets("")
	for _, p := range []string{"", "a\rb", "a\nb", "a\x00b"} {
		_, err := c.Stat(t.Context(), p)
		wantKind(t, err, transport.KindInvalid)
		wantKind(t, c.Rename(t.Context(), "ok", p, true), transport.KindInvalid)
		wantKind(t, c.Mkdir(t.Context(), p), transport.KindInvalid)
		_, err = c.Store(t.Context(), p, 0, bytes.NewReader(nil), nil)
		wantKind(t, err, transport.KindInvalid)
	}
	_, err := c.Store(t.Context(), "f", -1, bytes.NewReader(nil), nil)
	wantKind(t, err, transport.KindInvalid)
	wantKind(t, c.Chtimes(t.Context(), "f", time.Unix(-5, 0)), transport.KindUnsupported)
	wantKind(t, c.Chtimes(t.Context(), "f", time.Unix(1<<33, 0)), transport.KindUnsupported)
	wantKind(t, c.Truncate(t.Context(), "f", -1), transport.KindInvalid)
	_, err = c.Hash(t.Context(), "f", "sha256", 0, -1)
	wantKind(t, err, transport.KindUnsupported)
	if f.packets("") != before {
		t.Error("something was sent")
	}
	if !c.Usable() {
		t.Error("unusable")
	}
}

// TestHostileAnswers: whatever a server sends, a call ends with an error and
// the connection is given up where the stream may be out of step.
func TestHostileAnswers(t *testing.T) {
	u32 := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	answers := map[string]func(s *fakeSession, id uint32){
		"wrong type":      func(s *fakeSession, id uint32) { s.reply(fxpHandle, id, putString(nil, "x")) },
		"empty":           func(s *fakeSession, id uint32) { s.reply(fxpAttrs, id, nil) },
		"huge count":      func(s *fakeSession, id uint32) { s.reply(fxpName, id, u32(0xffffffff)) },
		"huge string":     func(s *fakeSession, id uint32) { s.reply(fxpName, id, append(u32(1), u32(0xfffffff0)...)) },
		"many extended":   func(s *fakeSession, id uint32) { s.reply(fxpAttrs, id, append(u32(0x80000000), u32(0xffffffff)...)) },
		"ok for nothing":  func(s *fakeSession, id uint32) { s.status(id, fxOK, "") },
		"short status":    func(s *fakeSession, id uint32) { s.reply(fxpStatus, id, []byte{0}) },
		"wrong id":        func(s *fakeSession, id uint32) { s.status(id+1, fxOK, "") },
		"no id":           func(s *fakeSession, id uint32) { s.send(fxpStatus, nil) },
		"length zero":     func(s *fakeSession, id uint32) { _, _ = s.ch.Write([]byte{0, 0, 0, 0}) },
		"length 4 GiB":    func(s *fakeSession, id uint32) { _, _ = s.ch.Write([]byte{255, 255, 255, 255, 101, 0, 0, 0, 1}) },
		"channel closed":  func(s *fakeSession, id uint32) { _ = s.ch.Close() },
		"half a packet":   func(s *fakeSession, id uint32) { _, _ = s.ch.Write([]byte{0, 0, 1, 0, 105}); _ = s.ch.Close() },
		"too much data":   func(s *fakeSession, id uint32) { s.reply(fxpData, id, putString(nil, string(make([]byte, 200_000)))) },
		"server lost it":  func(s *fakeSession, id uint32) { s.status(id, fxConnectionLost, "") },
		"unknown status":  func(s *fakeSession, id uint32) { s.status(id, 4711, "\x1b[2J\n") },
		"old status":      func(s *fakeSession, id uint32) { s.reply(fxpStatus, id, u32(fxFailure)) },
		"connection gone": func(s *fakeSession, id uint32) { _ = s.conn.Close() },
	}
	ops := map[string]func(c *client) error{
		"Stat": func(c *client) error { _, err := c.Stat(context.Background(), "f"); return err },
		"List": func(c *client) error {
			return c.List(context.Background(), ".", func(transport.Entry) bool { return true })
		},
		"Retrieve": func(c *client) error { _, err := c.Retrieve(context.Background(), "f", 0, io.Discard, nil); return err },
		"Store": func(c *client) error {
			_, err := c.Store(context.Background(), "f", 0, bytes.NewReader(make([]byte, 100_000)), nil)
			return err
		},
		"Mkdir":  func(c *client) error { return c.Mkdir(context.Background(), "f") },
		"Remove": func(c *client) error { return c.Remove(context.Background(), "f") },
		"Ping":   func(c *client) error { return c.Ping(context.Background()) },
	}
	for what, send := range answers {
		for name, op := range ops {
			for _, at := range []byte{0, fxpReaddir, fxpRead, fxpFstat, 6, fxpClose} {
				if at != 0 && (name != "List" && at == fxpReaddir || name != "Retrieve" && (at == fxpRead || at == fxpFstat) ||
					name != "Store" && (at == 6 || at == fxpClose) || name != "List" && name != "Retrieve" && name != "Store") {
					continue
				}
				t.Run(fmt.Sprint(what, "/", name, at), func(t *testing.T) {
					t.Parallel()
					f := newFake(t, func(f *fake) {
						f.onPacket = func(s *fakeSession, typ byte, id uint32, _ *reader) bool {
							if typ == 1 || at != 0 && typ != at {
								return false
							}
							send(s, id)
							return true
						}
					})
					f.put("f", make([]byte, 100_000))
					c := f.dial(func(ep *transport.Endpoint) { ep.Stall = 20 * time.Second })
					begin := time.Now()
					err := op(c)
					if d := time.Since(begin); d > 10*time.Second {
						t.Errorf("took %v", d)
					}
					var te *transport.Error
					if err == nil {
						// An SSH_FX_OK is right for some requests, and the
						// size need not be known.
						if what == "ok for nothing" || at == fxpFstat {
							return
						}
						t.Fatal("no error")
					}
					if !errors.As(err, &te) || te.Kind == transport.KindUnknown {
						t.Fatalf("%#v", err)
					}
					if (te.Kind == transport.KindLost || te.Kind == transport.KindProtocol && te.Code == 0) && c.Usable() {
						t.Errorf("usable after %v", err)
					}
					if s := err.Error(); bytes.ContainsAny([]byte(s), "\x1b\n") {
						t.Errorf("control characters: %q", s)
					}
				})
			}
		}
	}
}

// TestServerStopsReading: over TCP, where the kernel takes what the server
// does not, and SSH's window closes.
func TestServerStopsReading(t *testing.T) {
	const stall = 400 * time.Millisecond
	release := make(chan struct{})
	var writes atomic.Int32
	var since atomic.Pointer[time.Time]
	f := newFake(t, func(f *fake) {
		withLimits(f)
		f.onPacket = func(_ *fakeSession, typ byte, _ uint32, _ *reader) bool {
			if typ == 6 && writes.Add(1) == 10 {
				now := time.Now()
				since.Store(&now)
				<-release
			}
			return false
		}
	})
	defer close(release)
	c := f.dial(func(ep *transport.Endpoint) { ep.Stall = stall })
	n, err := c.Store(t.Context(), "f", 0, zeros{}, nil)
	te := wantKind(t, err, transport.KindStalled)
	if d := time.Since(*since.Load()); d > stall*3/2+slack {
		t.Error("took", d)
	}
	if n != 9*largestPacket || !te.MayHaveActed || !errors.Is(err, transport.ErrStalled) || c.Usable() {
		t.Error(n, err)
	}
}
