//go:build linux && realserver

package trustdrill

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/bench/line"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// A line on which each connection moves a mebibyte in a round trip of 40 ms, so that a
// large file is fetched over several of them.
const (
	wideHost = "127.0.0.4"
	wideTrip = 40 * time.Millisecond
)

// wideSize is more where the login takes longer.
func wideSize(s setup) int {
	switch s.proto {
	case ftpx.SFTP:
		return 192 * mib
	case ftpx.FTPS:
		return 96 * mib
	}
	return 64 * mib
}

func wideSetups() []setup {
	if testing.Short() {
		return []setup{sshd, vsftpd, proftpdS, pureftpdS}
	}
	return []setup{sshd, vsftpd, vsftpd13, proftpd, proftpdS, pureftpd, pureftpdS}
}

// newWideRig is a rig behind such a line, with the file "source".
func newWideRig(t *testing.T, s setup, data []byte) (*rig, access) {
	t.Helper()
	r := newRig(t, s)
	r.put(t, "source", data)
	l := line.New(line.Options{RTT: wideTrip, Window: mib})
	t.Cleanup(l.Close)
	var err error
	if r.srv.PassiveLo > 0 {
		err = l.Mirror(wideHost, proxyHost, r.srv.PassiveLo, r.srv.PassiveHi)
	}
	if err == nil {
		_, err = l.Listen(net.JoinHostPort(wideHost, strconv.Itoa(r.srv.Port)), net.JoinHostPort(proxyHost, strconv.Itoa(r.srv.Port)))
	}
	if err != nil {
		t.Fatal(err)
	}
	a := r.access()
	a.Host, a.ServerName = wideHost, proxyHost
	return r, a
}

// TestWideDownload: several connections bring a file in a good deal less than the time of
// one, each byte once. On Pure-FTPd it costs a connection that it ends before the file does,
// and so an attempt.
func TestWideDownload(t *testing.T) {
	for _, s := range wideSetups() {
		t.Run(s.name, func(t *testing.T) {
			size := wideSize(s)
			data := content(7, size)
			r, a := newWideRig(t, s, data)
			c := open(t, a.config())
			for i := range 2 {
				local := filepath.Join(t.TempDir(), "f")
				begin := time.Now()
				res, err := c.Download(t.Context(), "source", local, nil)
				took := time.Since(begin)
				if err != nil {
					t.Fatal(err)
				}
				same(t, local, data)
				one := time.Duration(size/mib) * wideTrip
				t.Logf("%v, one connection takes %v at least; %+v; %+v", took, one, res, c.Stats())
				if took > one*5/6 || c.Stats().Dials < 3 {
					t.Errorf("run %d took %v with %d connections, one takes %v", i, took, c.Stats().Dials, one)
				}
				if res.Moved > int64(size+size/50) || res.Attempts > 2 {
					t.Errorf("%+v", res)
				}
			}
			r.only(t, "source")
		})
	}
}

// TestWideDownloadWithResets: on the same line, every second one of the first
// connections that carry payload is reset.
func TestWideDownloadWithResets(t *testing.T) {
	for _, s := range wideSetups() {
		t.Run(s.name, func(t *testing.T) {
			size := wideSize(s)
			data := content(8, size)
			r, a := newWideRig(t, s, data)
			var conns atomic.Int64
			r.planPayload(func(faultproxy.ConnInfo) faultproxy.Fault {
				n := conns.Add(1)
				if n%2 == 0 || n > 12 {
					return faultproxy.Fault{}
				}
				return faultproxy.ResetAt(faultproxy.Down, (1+n)*mib/2)
			})
			local := filepath.Join(t.TempDir(), "f")
			c := open(t, a.config())
			res, err := c.Download(t.Context(), "source", local, nil)
			if err != nil {
				t.Fatal(err)
			}
			same(t, local, data)
			n := r.proxy.Stats(r.payloadRole()).Resets
			t.Logf("%d resets; %+v; %+v", n, res, c.Stats())
			if n == 0 {
				t.Error("there were no resets")
			}
			if res.Moved > int64(size+size/50) {
				t.Errorf("%d bytes were taken, of %d", res.Moved, size)
			}
		})
	}
}

// TestKilledWideDownloadGoesOn kills the process while several connections fetch.
func TestKilledWideDownloadGoesOn(t *testing.T) {
	for _, s := range wideSetups() {
		t.Run(s.name, func(t *testing.T) {
			size := wideSize(s)
			data := content(9, size)
			_, a := newWideRig(t, s, data)
			points := lessIfShort(8, 2)
			most := 0.0
			for k := 1; k <= points; k++ {
				n := int64(size) * int64(k) / int64(points+1)
				local := filepath.Join(t.TempDir(), fmt.Sprintf("f%02d", k))
				o := order{Op: "download", Local: local, Remote: "source", Account: a}
				first := startMover(t, o)
				await(t, fmt.Sprintf("%d bytes", n), func() bool { return first.counter.Load() >= n })
				first.kill()
				taken := first.counter.Load()
				v := startMover(t, o).verdict(t)
				if v.Outcome != "done" || !same(t, local, data) {
					t.Fatalf("killed at %d: %+v", n, v)
				}
				share := float64(taken+v.Moved) / float64(size)
				most = max(most, share)
				if share > 1.05 {
					t.Errorf("killed at %s of %s, when it had %s: kept %s and took %s", inMiB(n), inMiB(int64(size)), inMiB(taken), inMiB(v.Kept), inMiB(v.Moved))
				}
				if left, _ := filepath.Glob(local + ".*"); len(left) > 0 {
					t.Errorf("left behind: %q", left)
				}
			}
			t.Logf("killed at %d points: both processes took at most %.4f x the file", points, most)
		})
	}
}
