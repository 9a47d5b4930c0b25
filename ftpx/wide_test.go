package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A large file on a line where each connection moves half a MiB in a round trip of 40 ms.
// It is as small as it can be: the race detector looks at every byte, and several
// connections are for files of more than 32 MiB.

const (
	wideSize  = 48 << 20
	wideTrip  = 40 * time.Millisecond
	wideRate  = 25 << 19
	wideChunk = 128 << 10
)

// wide is a server on such a line with one file, "f", and clients of it.
type wide struct {
	*memconn.Server
	t     *testing.T
	proto ftpx.Protocol
	data  []byte
	local string
	// wrap changes the connections of the clients, by their number.
	wrap  func(n int, c transport.Conn) transport.Conn
	mu    sync.Mutex
	dials int
}

// onWideLine runs f in a bubble, over FTPS and SFTP.
func onWideLine(t *testing.T, change func(*memconn.Options), f func(t *testing.T, w *wide)) {
	onWideLineOf(t, wideSize, change, f)
}

// onWideLineOf is onWideLine with a file of another size.
func onWideLineOf(t *testing.T, size int, change func(*memconn.Options), f func(t *testing.T, w *wide)) {
	data := content(size)
	for _, p := range []ftpx.Protocol{ftpx.FTPS, ftpx.SFTP} {
		t.Run(p.String(), func(t *testing.T) {
			local := filepath.Join(t.TempDir(), "f")
			synctest.Test(t, func(t *testing.T) {
				o := memconn.Options{RoundTrip: wideTrip, Rate: wideRate, Chunk: wideChunk}
				if change != nil {
					change(&o)
				}
				w := &wide{Server: memconn.New(o), t: t, proto: p, data: data, local: local}
				w.Files().Write("f", data, time.Now().Add(-time.Hour))
				f(t, w)
			})
		})
	}
}

// client returns a new one.
func (w *wide) client(change func(*ftpx.Options)) ftpx.Client {
	w.t.Helper()
	opts := ftpx.Options{Protocols: []ftpx.Protocol{w.proto}}
	if change != nil {
		change(&opts)
	}
	ftpx.SetConnect(&opts, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		c, err := w.Dial(ctx, ep)
		if err != nil || w.wrap == nil {
			return c, err
		}
		w.mu.Lock()
		w.dials++
		n := w.dials
		w.mu.Unlock()
		return w.wrap(n, c), nil
	})
	c, err := ftpx.New(w.t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// download fetches f, checks it, and returns how long that took.
func (w *wide) download(c ftpx.Client, opts *ftpx.DownloadOptions) (ftpx.Result, time.Duration) {
	w.t.Helper()
	begin := time.Now()
	res, err := c.Download(w.t.Context(), "f", w.local, opts)
	took := time.Since(begin)
	if err != nil {
		w.t.Fatal(err)
	}
	wantFile(w.t, w.local, w.data)
	wantNames(w.t, filepath.Dir(w.local), "f")
	return res, took
}

// alone is how long one connection takes for so many bytes.
func alone(n int64) time.Duration { return time.Duration(n) * time.Second / wideRate }

// slack is what is sent besides the file: what is compared, and what was on its way to
// a worker that wanted no more.
func slack(conns int64) int64 { return conns * (16<<10 + wideChunk) * 2 }

func TestSeveralConnectionsForOneFile(t *testing.T) {
	// Twice the size on twice the line: what is begun with several connections has to be
	// worth the segments that they are given.
	const size = 2 * wideSize
	faster := func(o *memconn.Options) { o.Rate, o.Chunk = 2*wideRate, 2*wideChunk }
	onWideLineOf(t, size, faster, func(t *testing.T, w *wide) {
		c := w.client(nil)
		res, took := w.download(c, nil)
		if n := w.Stats().MostOpen; n < 3 || n > 8 {
			t.Errorf("%d connections", n)
		}
		if took > alone(wideSize)*2/3 {
			t.Errorf("it took %v, one connection takes %v", took, alone(wideSize))
		}
		if res.Attempts != 1 || res.Resumes != 0 || res.Moved > size+2*slack(16) || res.Moved != c.Stats().BytesReceived {
			t.Errorf("%+v, received %d", res, c.Stats().BytesReceived)
		}
		if s := c.Stats(); s.Lost != 0 {
			t.Errorf("%d connections were lost", s.Lost)
		}
		// What was worth it is begun with the next time, on the connections that there are.
		time.Sleep(time.Second) // until the server has heard that they want no more
		dials := c.Stats().Dials
		_, again := w.download(c, nil)
		if again >= took || c.Stats().Dials != dials {
			t.Errorf("the next one took %v, the first %v, and %d dials", again, took, c.Stats().Dials-dials)
		}
	})
}

// TestOneConnectionWhereTheServerWantsIt: AWS and Azure get each file over one connection.
func TestOneConnectionWhereTheServerWantsIt(t *testing.T) {
	one := func(o *memconn.Options) {
		caps := memconn.DefaultCaps(ftpx.SFTP)
		caps.OneStream = true
		o.Caps = &caps
	}
	onWideLine(t, one, func(t *testing.T, w *wide) {
		w.download(w.client(nil), nil)
		if n := w.Stats().MostOpen; n != 1 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestOneConnectionWhereSeveralAreNotWorthIt(t *testing.T) {
	for name, tt := range map[string]struct {
		server   func(*memconn.Options)
		client   func(*ftpx.Options)
		download *ftpx.DownloadOptions
	}{
		"near":          {server: func(o *memconn.Options) { o.RoundTrip = 5 * time.Millisecond }},
		"fast":          {server: func(o *memconn.Options) { o.Rate = 16 * wideRate }},
		"limited":       {client: func(o *ftpx.Options) { o.Limits.Rate = wideRate * 4 / 5 }},
		"limited once":  {download: &ftpx.DownloadOptions{MaxRate: wideRate * 4 / 5}},
		"no more slots": {client: func(o *ftpx.Options) { o.Limits.Conns = 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			onWideLine(t, tt.server, func(t *testing.T, w *wide) {
				w.download(w.client(tt.client), tt.download)
				if n := w.Stats().MostOpen; n != 1 {
					t.Errorf("%d connections", n)
				}
			})
		})
	}
}

// sharedLine is what all connections share.
type sharedLine struct {
	mu   sync.Mutex
	free time.Time
	rate float64
}

func (l *sharedLine) wrap(_ int, c transport.Conn) transport.Conn {
	return onRetrieve(c, into(func(dst io.Writer) io.Writer {
		return writerFunc(func(b []byte) (int, error) {
			l.mu.Lock()
			if now := time.Now(); l.free.Before(now) {
				l.free = now
			}
			l.free = l.free.Add(time.Duration(float64(len(b)) / l.rate * float64(time.Second)))
			at := l.free
			l.mu.Unlock()
			time.Sleep(time.Until(at))
			return dst.Write(b)
		})
	}))
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Where all connections share what the line carries, no more are taken on than for one
// try, and none for the next file.
func TestSeveralConnectionsThatBringNothing(t *testing.T) {
	onWideLine(t, func(o *memconn.Options) { o.Rate = 0 }, func(t *testing.T, w *wide) {
		line := &sharedLine{rate: wideRate}
		w.wrap = line.wrap
		c := w.client(nil)
		_, took := w.download(c, nil)
		// Connecting and the first looks are 300 ms of it.
		if most := alone(wideSize)*105/100 + 300*time.Millisecond; took > most {
			t.Errorf("it took %v, one connection takes %v", took, alone(wideSize))
		}
		dials := c.Stats().Dials
		if dials < 2 {
			t.Error("it was not tried")
		}
		c2 := w.Stats().Sent
		w.download(c, nil)
		if sent := w.Stats().Sent - c2; sent != wideSize {
			t.Errorf("the next file: %d bytes sent, want %d, by one connection", sent, wideSize)
		}
	})
}

// Other work does not wait for connections that a download has taken on.
func TestSeveralConnectionsLeaveForOthers(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		c := w.client(func(o *ftpx.Options) { o.Limits.Conns = 3 })
		w.Files().Write("g", content(600<<10), time.Now())
		done := make(chan time.Duration)
		opts := &ftpx.DownloadOptions{}
		var once sync.Once
		opts.Progress = func(p ftpx.ProgressInfo) {
			if p.Offset > wideSize/2 {
				once.Do(func() {
					go func() { // three more than there is room for
						begin := time.Now()
						var all sync.WaitGroup
						for range 3 {
							all.Go(func() {
								if _, err := c.Get(t.Context(), "g", io.Discard, nil); err != nil {
									t.Error(err)
								}
							})
						}
						all.Wait()
						done <- time.Since(begin)
					}()
				})
			}
		}
		w.download(c, opts)
		if took := <-done; took > 20*wideTrip {
			t.Errorf("other work took %v beside it", took)
		}
		if n := w.Stats().MostOpen; n != 3 {
			t.Errorf("%d connections", n)
		}
	})
}

// A server that takes fewer connections than would be worth it.
func TestSeveralConnectionsWithinTheServersLimit(t *testing.T) {
	onWideLine(t, func(o *memconn.Options) { o.MaxConns = 3 }, func(t *testing.T, w *wide) {
		c := w.client(nil)
		_, took := w.download(c, nil)
		if n := w.Stats().MostOpen; n != 3 {
			t.Errorf("%d connections", n)
		}
		if took > alone(wideSize)*2/3 {
			t.Errorf("it took %v, one connection takes %v", took, alone(wideSize))
		}
	})
}

// Whichever connection is lost, and wherever, the others take over what it had before
// it, and nothing that is there is fetched again.
func TestSeveralConnectionsOfWhichOneIsLost(t *testing.T) {
	for _, at := range []int64{wideSize / 5, wideSize / 2, wideSize * 3 / 4, wideSize - 1<<20} {
		onWideLine(t, nil, func(t *testing.T, w *wide) {
			w.Inject(nth(1, memconn.Fault{Do: memconn.LostBefore}, func(op memconn.OpInfo) bool {
				return op.Step == memconn.StepData && op.Offset <= at && at < op.Offset+op.Len
			}))
			c := w.client(nil)
			res, took := w.download(c, nil)
			if res.Moved > wideSize+slack(20) {
				t.Errorf("%d bytes of %d were fetched", res.Moved, wideSize)
			}
			if took > alone(wideSize)*3/4 {
				t.Errorf("it took %v, one connection takes %v", took, alone(wideSize))
			}
			if n := w.Stats().Logins; res.Attempts > 2 || n > 8 {
				t.Errorf("%d attempts, %d connections: one was lost", res.Attempts, n)
			}
		})
	}
}

// The one that is lost is the only other one, and the first has nothing left to do.
func TestTheOtherConnectionIsLostAtTheEnd(t *testing.T) {
	onWideLine(t, func(o *memconn.Options) { o.MaxConns = 2 }, func(t *testing.T, w *wide) {
		w.Inject(nth(1, memconn.Fault{Do: memconn.Stall}, func(op memconn.OpInfo) bool {
			return op.Step == memconn.StepData && op.Conn == 2 && w.Stats().Sent > wideSize-3<<20
		}))
		res, _ := w.download(w.client(func(o *ftpx.Options) {
			o.Hooks = &ftpx.Hooks{Retry: func(_ context.Context, i ftpx.RetryInfo) { t.Errorf("%+v", i) }}
		}), nil)
		if res.Attempts != 1 || res.Moved > wideSize+slack(4) {
			t.Errorf("%+v", res)
		}
	})
}

// One that has hardly begun when the one before it has come that far is not waited for.
func TestSeveralConnectionsOfWhichOneStalls(t *testing.T) {
	onWideLine(t, func(o *memconn.Options) { o.MaxConns = 2 }, func(t *testing.T, w *wide) {
		stalled := false
		w.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Step == memconn.StepData && op.Conn == 2 && op.Request != "" {
				stalled = true
				return memconn.Fault{Do: memconn.Stall}
			}
			return memconn.Fault{}
		})
		res, took := w.download(w.client(nil), nil)
		if !stalled || res.Attempts != 1 || took > alone(wideSize)+time.Second {
			t.Errorf("%+v in %v, one connection takes %v", res, took, alone(wideSize))
		}
	})
}

// All are lost, again and again.
func TestSeveralConnectionsThatAreLostTogether(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		c := w.client(nil)
		next := int64(wideSize / 6)
		res, _ := w.download(c, &ftpx.DownloadOptions{Progress: func(p ftpx.ProgressInfo) {
			if p.Offset >= next {
				next += wideSize / 6
				go w.Cut()
			}
		}})
		if res.Attempts < 4 || res.Resumes != res.Attempts-1 {
			t.Errorf("%+v", res)
		}
		if most := int64(wideSize) + slack(60); res.Moved > most {
			t.Errorf("%d bytes of %d were fetched", res.Moved, wideSize)
		}
	})
}

// deaf is a connection on which the server takes an offset and begins at 0.
func deaf(c transport.Conn) transport.Conn {
	return onRetrieve(c, func(r *transport.Retrieve, next func() error) error {
		r.Offset = 0
		return next()
	})
}

// What a connection brings from another place than it was asked for shows where it meets
// what another has brought, and from then on there is one connection.
func TestSeveralConnectionsOfWhichOneIgnoresTheOffset(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		w.wrap = func(n int, c transport.Conn) transport.Conn {
			if n == 3 {
				return deaf(c)
			}
			return c
		}
		res, _ := w.download(w.client(nil), nil)
		if res.Attempts < 2 {
			t.Errorf("%+v: it did not show", res)
		}
	})
}

// The name is given to another file of the same size and, as far as the server tells, of
// the same time, between the first connection's look and the others'.
func TestSeveralConnectionsOfAFileThatIsExchanged(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		other := bytes.Clone(w.data)
		for i := range other {
			other[i] ^= 0x55
		}
		mtime := time.Now().Add(-time.Hour)
		w.Files().Write("f", w.data, mtime)
		old := w.data
		w.wrap = func(n int, c transport.Conn) transport.Conn {
			if n == 1 { // has the old one open
				return pinned(c, old)
			}
			w.Files().Write("f", other, mtime)
			return c
		}
		w.data = other
		res, _ := w.download(w.client(nil), nil)
		if res.Attempts < 2 {
			t.Errorf("%+v: it did not show", res)
		}
	})
}

// pinned reads a file that has another name by now, as a server does that had opened it,
// the first time.
func pinned(c transport.Conn, data []byte) transport.Conn {
	first := true
	return onRetrieve(c, func(r *transport.Retrieve, next func() error) error {
		if !first {
			return next()
		}
		first = false
		offset := r.Offset
		return into(func(dst io.Writer) io.Writer {
			return writerFunc(func(b []byte) (int, error) {
				n, err := dst.Write(data[offset : offset+int64(len(b))])
				offset += int64(n)
				return n, err
			})
		})(r, next)
	})
}

// A process that is killed at any moment leaves a part with gaps, and the next one goes
// on with what was there, but for a little.
func TestKilledWithSeveralConnections(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		dir := t.TempDir()
		var have []int64
		var names []string
		c := w.client(nil)
		next := int64(0)
		w.download(c, &ftpx.DownloadOptions{Progress: func(p ftpx.ProgressInfo) {
			if p.Offset < next {
				return
			}
			next += wideSize / 6
			name := filepath.Join(dir, "f"+string(rune('a'+len(have))))
			// The state first: it names no more than was there when it was written.
			for _, tail := range []string{".part.state", ".part"} {
				b, err := os.ReadFile(w.local + tail)
				if err == nil {
					err = os.WriteFile(name+tail, b, 0o600)
				}
				if err != nil {
					t.Error(err)
				}
			}
			have, names = append(have, p.Offset), append(names, name)
		}})
		if len(have) < 5 {
			t.Fatalf("%d moments", len(have))
		}
		for i, name := range names {
			w.local = name
			if err := os.Rename(name+".part", filepath.Join(dir, "x")); err != nil { // alone in a folder
				t.Fatal(err)
			}
			own := filepath.Join(t.TempDir(), "f")
			os.Rename(filepath.Join(dir, "x"), own+".part")
			os.Rename(name+".part.state", own+".part.state")
			w.local = own
			res, _ := w.download(w.client(nil), nil)
			// Notes are made each mebibyte, and one more may be on its way to the disk.
			if lost := have[i] - res.Kept; lost > 4<<20 {
				t.Errorf("killed at %d, kept %d", have[i], res.Kept)
			}
			if res.Moved+res.Kept > wideSize+slack(20) {
				t.Errorf("killed at %d: kept %d and fetched %d of %d", have[i], res.Kept, res.Moved, wideSize)
			}
		}
	})
}

// A call that gives up leaves all that is there to the next one, which may be on a
// machine that has lost its power since: then what was synced counts.
func TestGivenUpWithSeveralConnections(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		c := w.client(nil)
		ctx, cancel := context.WithCancel(t.Context())
		var had int64
		_, err := c.Download(ctx, "f", w.local, &ftpx.DownloadOptions{Progress: func(p ftpx.ProgressInfo) {
			if had = p.Offset; had > wideSize/2 {
				cancel()
			}
		}})
		var e *ftpx.Error
		if !errors.As(err, &e) || e.Offset != had || e.Partial != w.local+".part" {
			t.Fatalf("at %d: %v, %+v", had, err, e)
		}
		state, err := os.ReadFile(w.local + ".part.state")
		if err != nil || !bytes.Contains(state, []byte(`"pieces":[[0,`)) {
			t.Fatalf("%s %v", state, err)
		}
		// What knows of no pieces would go on with what is durable, which is nothing.
		if !bytes.Contains(state, []byte(`"durable":0,`)) || bytes.Contains(state, []byte(`"boot"`)) {
			t.Errorf("%s: an earlier version would take the length of the part for what is there", state)
		}
		state = bytes.ReplaceAll(state, []byte(`"pieces_boot":"`), []byte(`"pieces_boot":"other`))
		if err := os.WriteFile(w.local+".part.state", state, 0o600); err != nil {
			t.Fatal(err)
		}
		res, _ := w.download(w.client(nil), nil)
		if res.Kept != had || res.Moved > wideSize-had+slack(20) {
			t.Errorf("had %d: %+v", had, res)
		}
	})
}

// A state that makes no sense is not believed.
func TestStateOfSegmentsThatMakesNoSense(t *testing.T) {
	for _, segments := range []string{`[[0,10],[5,20]]`, `[[10,5]]`, `[[0,99999999999]]`, `[[-5,10]]`, `[[20,30],[0,10]]`, `[[1]]`, `["a"]`} {
		t.Run(segments, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memconn.New(memconn.Options{})
				data := content(100 << 10)
				mtime := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
				s.Files().Write("f", data, mtime)
				w := &wide{Server: s, t: t, proto: ftpx.FTPS, data: data, local: filepath.Join(t.TempDir(), "f")}
				boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
				state := `{"remote":"f","size":102400,"mtime":"2025-01-02T03:04:05Z","durable":0,"pieces":` + segments +
					`,"pieces_boot":"` + string(boot[:min(len(boot), 36)]) + `"}`
				if err := os.WriteFile(w.local+".part", bytes.Repeat([]byte("x"), 50<<10), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(w.local+".part.state", []byte(state), 0o600); err != nil {
					t.Fatal(err)
				}
				res, err := w.client(nil).Download(t.Context(), "f", w.local, nil)
				if err != nil || res.Kept != 0 {
					t.Fatalf("%+v %v", res, err)
				}
				wantFile(t, w.local, data)
			})
		})
	}
}

// cutOnce is an FTP connection whose data connection is lost once, and which outlives that.
func cutOnce(c transport.Conn, once *sync.Once) transport.Conn {
	return onRetrieve(c, func(r *transport.Retrieve, next func() error) error {
		cut, taken := false, int64(0)
		err := into(func(dst io.Writer) io.Writer {
			return writerFunc(func(b []byte) (int, error) {
				n, err := dst.Write(b)
				if taken += int64(n); err == nil && taken > 1<<20 {
					once.Do(func() { cut = true })
					if cut {
						err = transport.ErrEnough
					}
				}
				return n, err
			})
		})(r, next)
		if cut && err == nil {
			err = &transport.Error{Op: "RETR", Path: r.Path, Kind: transport.KindLost, Err: errors.New("426")}
		}
		return err
	})
}

// A worker on FTP whose data connection is lost goes on: the session is still there.
func TestSeveralConnectionsOfWhichOneLosesItsDataConnection(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		var once sync.Once
		w.wrap = func(n int, c transport.Conn) transport.Conn {
			if n == 1 {
				return c
			}
			return cutOnce(c, &once)
		}
		res, took := w.download(w.client(nil), nil)
		if res.Attempts != 1 || res.Moved > wideSize+slack(20) {
			t.Errorf("%+v", res)
		}
		if took > alone(wideSize)*2/3 {
			t.Errorf("it took %v, one connection takes %v", took, alone(wideSize))
		}
	})
}
