package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// slower is a connection that is slower than the others.
func slower(c transport.Conn) transport.Conn {
	return onRetrieve(c, into(func(dst io.Writer) io.Writer {
		return writerFunc(func(b []byte) (int, error) {
			time.Sleep(8 * time.Millisecond)
			return dst.Write(b)
		})
	}))
}

// One segment is of another file of the same size and time, and the process is killed at
// one moment or another, also before or after that has shown: what is kept of it is not
// taken for good.
func TestKilledWithASegmentOfAnotherFile(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		dir := t.TempDir()
		bad := bytes.Clone(w.data)
		for i := range bad {
			bad[i] ^= 0x55
		}
		w.wrap = func(n int, c transport.Conn) transport.Conn {
			switch n {
			case 1:
				return slower(c)
			case 4:
				return pinned(c, bad)
			}
			return c
		}
		var names []string
		var mark time.Time
		res, _ := w.download(w.client(func(o *ftpx.Options) { o.Limits.Conns = 4 }), &ftpx.DownloadOptions{Progress: func(p ftpx.ProgressInfo) {
			if p.Offset < wideSize/2 || time.Since(mark) < 60*time.Millisecond || len(names) > 6 {
				return
			}
			mark = time.Now()
			name := filepath.Join(dir, fmt.Sprint("f", len(names)))
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
			names = append(names, name)
		}})
		if w.proto == ftpx.FTPS && (res.Attempts < 2 || len(names) < 6) {
			t.Errorf("%d attempts, %d moments: it did not show", res.Attempts, len(names))
		}
		w.wrap = nil
		for _, name := range names {
			own := filepath.Join(t.TempDir(), "f")
			for _, tail := range []string{".part", ".part.state"} {
				if err := os.Rename(name+tail, own+tail); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.client(nil).Download(t.Context(), "f", own, nil); err != nil {
				t.Error(err)
				continue
			}
			wantFile(t, own, w.data)
			os.Remove(own)
		}
	})
}

// What does not match ends the attempt at once, not when the others have come to their
// ends, and the host's next file comes over one connection.
func TestSeveralConnectionsEndWithTheDifference(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		w.wrap = func(n int, c transport.Conn) transport.Conn {
			switch n {
			case 1:
				return slower(c)
			case 3:
				return deaf(c)
			}
			return c
		}
		c := w.client(func(o *ftpx.Options) { o.Limits.Conns = 3 })
		w.download(c, nil)
		w.wrap = nil
		sent := w.Stats().Sent
		if res, _ := w.download(c, nil); res.Attempts != 1 || w.Stats().Sent-sent > wideSize {
			t.Errorf("%+v, %d bytes sent", res, w.Stats().Sent-sent)
		}
	})
}

// Where further logins are refused for good, they are not tried again for each file.
func TestSeveralConnectionsThatAreNotLetIn(t *testing.T) {
	onWideLine(t, nil, func(t *testing.T, w *wide) {
		opts := ftpx.Options{Protocols: []ftpx.Protocol{w.proto}}
		var mu sync.Mutex
		logins := 0
		ftpx.SetConnect(&opts, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
			mu.Lock()
			logins++
			first := logins == 1
			mu.Unlock()
			if first {
				return w.Dial(ctx, ep)
			}
			time.Sleep(3 * wideTrip)
			return nil, &transport.Error{Op: "PASS", Kind: transport.KindAuth, Err: errors.New("530")}
		})
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		w.download(c, nil)
		tried := logins
		w.download(c, nil)
		if tried > 6 || logins != tried {
			t.Errorf("%d logins with the first file, %d with the second", tried, logins-tried)
		}
	})
}
