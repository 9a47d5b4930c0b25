//go:build linux && realserver

package trustdrill

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// Trap 1: 226 over a truncated file. The fix: ftpx compares the count and the
// server's size after every transfer, upload.check in ftpx/verify.go and
// checkLength in ftpx/get.go, whatever the reply says.
func TestTrap01_226OverTruncatedFile(t *testing.T) {
	const size, cut = 8 * mib, 3 * mib
	data := content(1, size)
	for _, s := range ftpSetups {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			bare := r.bareFTP(t)
			r.planData(once(faultproxy.FINAt(faultproxy.Up, cut)))
			err := bare.Stor("bare", bytes.NewReader(data))
			held := sizeOf(t, r.on("bare"))
			t.Logf("bare STOR: the server holds %d of %d bytes, error: %v", held, size, err)
			if s.proto == ftpx.FTP && (err != nil || held != cut) {
				t.Error("the trap is gone: the bare STOR was to succeed and be short")
			}
			r.put(t, "whole", data)
			r.planData(once(faultproxy.FINAt(faultproxy.Down, cut)))
			got, err := bareRetrieve(r.bareFTP(t), "whole")
			t.Logf("bare RETR: %d of %d bytes, error: %v", len(got), size, err)
			if s.proto == ftpx.FTP && (err != nil || len(got) != cut) {
				t.Error("the trap is gone: the bare RETR was to succeed and be short")
			}

			c := r.client(t)
			r.planData(once(faultproxy.FINAt(faultproxy.Up, cut)))
			res, err := c.Upload(t.Context(), local(t, data), "ours", nil)
			if err != nil || res.Attempts != 2 || !same(t, r.on("ours"), data) {
				t.Errorf("upload: %+v, %v", res, err)
			}
			r.planData(once(faultproxy.FINAt(faultproxy.Down, cut)))
			file := filepath.Join(t.TempDir(), "f")
			res, err = c.Download(t.Context(), "whole", file, nil)
			if err != nil || res.Attempts != 2 || !same(t, file, data) {
				t.Errorf("download: %+v, %v", res, err)
			}
		})
	}
}

// Trap 2: no deadline on data, none on the wait for 226, and one that kills the
// pooled connection. The fix: the watchdog over all of an operation's sockets,
// transport/op.go; no deadline stays on a socket.
func TestTrap02_NothingWaitsForEver(t *testing.T) {
	const size, stall = 8 * mib, time.Second
	data := content(1, size)
	for _, s := range ftpSetups {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			r.put(t, "whole", data)

			r.planData(once(faultproxy.StallAt(faultproxy.Down, size/2)))
			bare := r.bareFTP(t)
			if !hangs(t, func() { _, _ = bareRetrieve(bare, "whole") }) {
				t.Error("the trap is gone: a bare RETR ends on a dead line")
			}
			r.proxy.Lift()
			if s.proto == ftpx.FTP {
				const shut = 300 * time.Millisecond
				bare := r.bareFTP(t, ftp.DialWithShutTimeout(shut))
				if err := bare.Stor("small", strings.NewReader("x")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * shut) // the deadline that is to pass
				if err := bare.NoOp(); err == nil {
					t.Error("the trap is gone: the connection has survived DialWithShutTimeout")
				}
			}

			c := r.client(t, func(o *ftpx.Options) { o.Timeouts.Stall = stall })
			r.planData(once(faultproxy.StallAt(faultproxy.Up, size/2)))
			res, err := c.Upload(t.Context(), local(t, data), "ours", nil)
			if err != nil || res.Attempts < 2 || !same(t, r.on("ours"), data) {
				t.Errorf("upload: %+v, %v", res, err)
			}
			r.planData(once(faultproxy.StallAt(faultproxy.Down, size/2)))
			file := filepath.Join(t.TempDir(), "f")
			res, err = c.Download(t.Context(), "whole", file, nil)
			if err != nil || res.Attempts < 2 || !same(t, file, data) {
				t.Errorf("download: %+v, %v", res, err)
			}
			before := c.Stats().Dials
			time.Sleep(stall * 3 / 2) // longer than any time in the options
			if err := c.Ping(t.Context()); err != nil || c.Stats().Dials != before {
				t.Errorf("the pooled connection did not survive a pause: %v, %+v", err, c.Stats())
			}
		})
	}
}

// Trap 3: REST with STOR differs by server. The fix: REST at a fresh size that
// has stopped changing and nowhere else, never APPE, resumeAt in ftpx/store.go;
// what an offset that is not the size does, internal/realserver's TestStoreRestart
// shows of each server.
func TestTrap03_RestartAtTheSizeAlone(t *testing.T) {
	const size = 8 * mib
	data := content(1, size)
	for _, s := range ftpSetups {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			var mu sync.Mutex
			var said []string
			hooks := &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
				verb, _, _ := strings.Cut(i.Line, " ")
				switch verb {
				case "APPE":
					t.Error("APPE was sent")
				case "REST":
					for _, p := range r.partials(t) {
						mu.Lock()
						said = append(said, fmt.Sprintf("%s at size %d", i.Line, sizeOf(t, p)))
						mu.Unlock()
					}
				}
			}}
			c := r.client(t, func(o *ftpx.Options) { o.Hooks, o.Verify = hooks, ftpx.VerifySize })
			for i := range 3 {
				name := fmt.Sprint("f", i)
				r.planData(once(faultproxy.ResetAt(faultproxy.Up, int64(i+1)*2*mib+12345)))
				if res, err := c.Upload(t.Context(), local(t, data), name, nil); err != nil || !same(t, r.on(name), data) {
					t.Errorf("%+v, %v", res, err)
				}
			}
			// A REST goes before the RETR that proves the tail, and before STOR.
			stores := slices.DeleteFunc(said, func(s string) bool {
				var at, size int64
				_, err := fmt.Sscanf(s, "REST %d at size %d", &at, &size)
				return err != nil || at == size-min(size, 64<<10) || at == size-min(size, 16*mib)
			})
			t.Logf("%q", stores)
			for _, s := range stores {
				var at, size int64
				if _, err := fmt.Sscanf(s, "REST %d at size %d", &at, &size); err != nil || at != size {
					t.Errorf("%s: an offset that is not the size", s)
				}
			}
			if len(stores) == 0 {
				t.Error("nothing was resumed")
			}
		})
	}
	t.Run("ProFTPD that does not restart", func(t *testing.T) {
		r := newRig(t, proftpd.with(func(o *realserver.Options) { o.NoStoreRestart = true }))
		refused := 0
		hooks := &ftpx.Hooks{Reply: func(_ context.Context, i ftpx.ReplyInfo) {
			if i.Code == 451 {
				refused++
			}
		}}
		c := r.client(t, func(o *ftpx.Options) { o.Hooks = hooks })
		for i := range 3 {
			name := fmt.Sprint("f", i)
			r.planData(once(faultproxy.ResetAt(faultproxy.Up, size/2)))
			if res, err := c.Upload(t.Context(), local(t, data), name, nil); err != nil || !same(t, r.on(name), data) {
				t.Errorf("%+v, %v", res, err)
			}
		}
		if refused != 1 {
			t.Errorf("the server refused to restart %d times: once was to be enough to know", refused)
		}
	})
}

// Trap 4: the old session may still be writing. The line takes what the client
// sends faster than it delivers, then the client is reset, and what the line has
// taken goes on to the server. The fix: settle in ftpx/store.go waits until the
// size has stopped changing.
func TestTrap04_OldSessionStillWriting(t *testing.T) {
	const size = 24 * mib
	data := content(1, size)
	slow := faultproxy.Shape{UpDelay: 20 * time.Millisecond, UpRate: 4 * mib, Queue: 8 * mib}
	gone := faultproxy.Fault{Kind: faultproxy.Reset, Dir: faultproxy.Up, When: faultproxy.When{Bytes: 2 * mib},
		Sides: faultproxy.ClientSide, Rest: faultproxy.RestFlush}
	for _, s := range ftpSetups {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			shape := func(shape faultproxy.Shape) {
				for _, route := range r.data {
					route.SetShape(shape)
				}
			}
			shape(slow)
			if s.proto == ftpx.FTP {
				// On a busy machine the old session can be through before the look at it.
				shown := false
				for try := 0; try < 5 && !shown; try++ {
					shape(slow)
					r.planData(once(gone))
					r.vanishAtReset()
					if err := r.bareFTP(t).Stor("bare", bytes.NewReader(data)); err == nil {
						t.Fatal("the line was to be cut")
					}
					shape(faultproxy.Shape{})
					bare := r.bareFTP(t)
					stale, err := bare.FileSize("bare")
					if err != nil {
						t.Fatal(err)
					}
					err = bare.Append("bare", bytes.NewReader(data[stale:]))
					held := sizeOf(t, r.on("bare"))
					t.Logf("bare: SIZE said %d; after APPE from there the server holds %d of %d bytes, error: %v", stale, held, size, err)
					// On the other servers both sessions write the same bytes to the same
					// places, as long as it is the same file that they send.
					got, _ := os.ReadFile(r.on("bare"))
					shown = r.srv.Kind != realserver.VSFTPD || !bytes.Equal(got, data)
				}
				if !shown {
					t.Error("the trap is gone: APPE from a stale size has made a whole file")
				}
				shape(slow)
			}
			r.planData(once(gone))
			r.vanishAtReset()
			c := r.client(t)
			res, err := c.Upload(t.Context(), local(t, data), "ours", nil)
			if err != nil || res.Attempts < 2 || !same(t, r.on("ours"), data) {
				t.Fatalf("%+v, %v", res, err)
			}
			t.Logf("ours: %d attempts, sent %.3f times the file", res.Attempts, float64(c.Stats().BytesSent)/size)
		})
	}
}

// vanishAtReset makes the client's control connection vanish, unseen by the
// server, as soon as its data connection is reset: what the server says about the
// transfer does not come, and it goes on.
func (r *rig) vanishAtReset() {
	before := r.proxy.Stats(faultproxy.Data).Resets
	go func() {
		if comes(func() bool { return r.proxy.Stats(faultproxy.Data).Resets > before }) {
			r.proxy.CutWith(faultproxy.Fault{Kind: faultproxy.Reset, Sides: faultproxy.ClientSide, Rest: faultproxy.RestHold}, faultproxy.Control)
		}
	}()
}

// Trap 5: with TLS 1.3, closing the data connection while session tickets lie in
// it unread makes a reset, and vsftpd loses the tail. The fix: dataConn.Close and
// listen in transport/ftpdriver/data.go. TestRealSixtyStores there goes through
// all servers and sizes.
func TestTrap05_TailOfStoreUnderTLS13(t *testing.T) {
	r := newRig(t, vsftpd13)
	bare, lost, tries := r.bareFTP(t), 0, 0
	for ; tries < 300 && lost < 3; tries++ {
		if err := bare.Stor("bare", bytes.NewReader(content(1, tries%60*20_000))); err != nil {
			if lost++; lost == 1 {
				t.Logf("bare STOR number %d: %v", tries, err)
			}
		}
	}
	t.Logf("bare: %d of %d lost", lost, tries)
	if lost == 0 {
		t.Error("the trap is gone")
	}
	c := r.client(t)
	for i := range 60 {
		name, data := fmt.Sprint("f", i), content(1, i*20_000)
		res, err := c.Put(t.Context(), name, bytes.NewReader(data), nil)
		if err != nil || res.Attempts != 1 || !same(t, r.on(name), data) {
			t.Errorf("%+v, %v", res, err)
		}
	}
}

// wiretap notes whether a text was written to any socket in clear.
type wiretap struct {
	text  []byte
	heard atomic.Int64
}

type tapped struct {
	net.Conn
	tap  *wiretap
	tail []byte
}

func (w *wiretap) wrap(c net.Conn) net.Conn { return &tapped{Conn: c, tap: w} }

func (c *tapped) Write(p []byte) (int, error) {
	c.tail = append(c.tail, p...)
	if bytes.Contains(c.tail, c.tap.text) {
		c.tap.heard.Add(1)
	}
	c.tail = slices.Clone(c.tail[max(0, len(c.tail)-len(c.tap.text)):])
	return c.Conn.Write(p)
}

// Trap 6: jlaffaye/ftp with DialWithExplicitTLS and DialWithDialFunc sends data
// in clear after PROT P. The fix: the driver owns both TLS connections, login in
// transport/ftpdriver/dial.go and openData in passive.go.
func TestTrap06_DataIsNeverInClear(t *testing.T) {
	const secret = "this text must not be read by anybody on the way"
	data := []byte(strings.Repeat(secret, 10_000))
	for _, s := range []setup{vsftpd13, proftpdS, pureftpdS} {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			tap := &wiretap{text: []byte(secret)}
			bare := r.bareFTP(t, ftp.DialWithDialFunc(func(network, addr string) (net.Conn, error) {
				c, err := net.DialTimeout(network, addr, waitLimit)
				if err != nil {
					return nil, err
				}
				return tap.wrap(c), nil
			}))
			err := bare.Stor("bare", bytes.NewReader(data))
			t.Logf("bare: the text was in clear in %d writes; STOR: %v", tap.heard.Load(), err)
			if tap.heard.Load() == 0 {
				t.Error("the trap is gone")
			}

			tap = &wiretap{text: []byte(secret)}
			c := r.client(t, func(o *ftpx.Options) {
				o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
					if err != nil {
						return nil, err
					}
					return tap.wrap(c), nil
				}
			})
			if res, err := c.Put(t.Context(), "ours", bytes.NewReader(data), nil); err != nil || !same(t, r.on("ours"), data) {
				t.Fatalf("%+v, %v", res, err)
			}
			if n := tap.heard.Load(); n > 0 {
				t.Errorf("the text was in clear in %d writes", n)
			}
		})
	}
}

// Trap 7: after a reply that nobody has read, the next command gets the one
// before. The fix: control keeps a queue of what is outstanding, inStep and give
// in transport/ftpdriver, and a session that is out of step is never used again.
func TestTrap07_NoReplyOfAnotherCommand(t *testing.T) {
	for _, s := range ftpSetups {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			sizes := map[string]int64{"a": 100, "b": 2_000_000, "c": 300}
			for name, n := range sizes {
				r.put(t, name, content(1, int(n)))
			}
			if s.proto == ftpx.FTP { // under TLS the transfer itself would wait for its Response
				bare := r.bareFTP(t)
				if _, err := bare.Retr("a"); err != nil { // and no Close
					t.Fatal(err)
				}
				n, err := bare.FileSize("b")
				t.Logf("bare: SIZE b after a Response that was not closed: %d, %v", n, err)
				if err == nil && n == sizes["b"] {
					t.Error("the trap is gone")
				}
			}

			c := r.client(t, func(o *ftpx.Options) { o.Timeouts.Stall = time.Second })
			for name, want := range sizes {
				dials := c.Stats().Dials
				r.proxy.Cut(faultproxy.Stall, faultproxy.Control)
				e, err := c.Stat(t.Context(), name) // its reply is held back
				if err != nil || e.Size != want || c.Stats().Dials != dials+1 {
					t.Errorf("%s: %+v, %v, %+v", name, e, err, c.Stats())
				}
				r.proxy.Lift() // here it comes
				for other, want := range sizes {
					if e, err := c.Stat(t.Context(), other); err != nil || e.Size != want {
						t.Errorf("%s: %+v, %v", other, e, err)
					}
				}
			}
		})
	}
}

// Trap 16: a stalled upload holds vsftpd's lock on the file until its data
// timeout, and the next STOR of that name is not answered. The fix: lockedAfter
// in transport/ftpdriver/store.go bounds the wait, and upload.store in
// ftpx/store.go goes on under another name.
func TestTrap16_StalledUploadBlocksTheNext(t *testing.T) {
	const size = 8 * mib
	data := content(1, size)
	for _, s := range []setup{vsftpd, vsftpd13, proftpd} {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s.with(func(o *realserver.Options) { o.DataTimeout = 120 * time.Second }))
			// The client vanishes: the server's side stays open and silent.
			lost := faultproxy.Fault{Kind: faultproxy.Reset, Dir: faultproxy.Up, When: faultproxy.When{Bytes: size / 2},
				Sides: faultproxy.ClientSide, Rest: faultproxy.RestHold}
			r.planData(once(lost))
			c := r.client(t)
			begin := time.Now()
			source := local(t, data)
			r.vanishAtReset()
			res, err := c.Upload(t.Context(), source, "f", nil)
			took := time.Since(begin)
			if err != nil || !same(t, r.on("f"), data) {
				t.Fatalf("%+v, %v", res, err)
			}
			t.Logf("whole after %v, %d attempts, sent %.3f times the file; lftp and curl wait for the server's 120 s",
				took.Round(100*time.Millisecond), res.Attempts, float64(c.Stats().BytesSent)/size)
			if took > 60*time.Second {
				t.Errorf("it took %v: the server's timeout was waited for", took)
			}
			r.only(t, "f")
		})
	}
}
