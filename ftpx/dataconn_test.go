package ftpx_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// resetData dials, and resets some data connections once they have moved 100 kB: as long as
// left is above 0.
type resetData struct {
	control   string // the port of the server
	left      atomic.Int64
	data      atomic.Int64 // so many were opened
	destroyed atomic.Int64 // so many were reset
}

func (r *resetData) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if _, port, _ := net.SplitHostPort(address); port == r.control {
		return c, nil
	}
	r.data.Add(1)
	if r.left.Add(-1) < 0 {
		return c, nil
	}
	return &resetConn{Conn: c, by: r}, nil
}

type resetConn struct {
	net.Conn // and not its ReadFrom, which would go past count
	by       *resetData
	moved    atomic.Int64
	cut      atomic.Bool
}

func (c *resetConn) count(n int, err error) (int, error) {
	if c.moved.Add(int64(n)) < 100_000 || err != nil {
		return n, err
	}
	if c.cut.CompareAndSwap(false, true) {
		c.by.destroyed.Add(1)
		_ = c.Conn.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	return n, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

func (c *resetConn) Read(p []byte) (int, error) { return c.count(c.Conn.Read(p)) }

func (c *resetConn) Write(p []byte) (int, error) {
	total := 0
	for len(p) > 0 {
		n, err := c.count(c.Conn.Write(p[:min(len(p), 32<<10)]))
		if total, p = total+n, p[n:]; err != nil {
			return total, err
		}
	}
	return total, nil
}

func (c *resetConn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// TestResetDataConnections: data connections that are reset are counted, while the control
// connection goes on, and so are those that are not.
func TestResetDataConnections(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.FTP, ftpx.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			trio := startTrio(t)
			r := &resetData{control: strconv.Itoa(trio.FTP.Port())}
			opts := optionsFor(trio, p)
			opts.Dial, opts.Limits.Conns = r.dial, 1
			var conns, lost atomic.Int64
			opts.Hooks = &ftpx.Hooks{Attempt: func(context.Context, ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
				return nil, func(e ftpx.AttemptEnd) { conns.Add(int64(e.DataConns)); lost.Add(int64(e.DataLost)) }
			}}
			c := connect(t, trio, opts)
			source := localFile(t, content(1_500_000))
			for range 5 {
				must(t, errOf(c.Upload(t.Context(), source, "there", &ftpx.UploadOptions{Always: true})))
			}
			r.left.Store(1)
			must(t, errOf(c.Upload(t.Context(), source, "there", &ftpx.UploadOptions{Always: true})))
			r.left.Store(1)
			must(t, errOf(c.Download(t.Context(), "there", filepath.Join(t.TempDir(), "got"), nil)))
			h := c.Health()[0]
			want := ftpx.Rate{Events: r.destroyed.Load(), Of: r.data.Load() + c.Stats().Dials}
			if r.destroyed.Load() != 2 || h.ResetRate != want || conns.Load() != r.data.Load() || lost.Load() != 2 {
				t.Errorf("%+v, want %+v; told of %d of %d", h.ResetRate, want, lost.Load(), conns.Load())
			}
		})
	}
}
