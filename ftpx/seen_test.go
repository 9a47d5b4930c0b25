package ftpx_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
)

// TestProofGoesOn: what is read back before an append, and after the last byte, need
// not come over one connection.
func TestProofGoesOn(t *testing.T) {
	for _, verify := range []ftpx.Verify{ftpx.VerifyAuto, ftpx.VerifyFull} {
		t.Run(verify.String(), func(t *testing.T) {
			trio := startTrio(t)
			opts := optionsFor(trio, ftpx.SFTP)
			const size, there = 4 << 20, 3 << 20
			local := localFile(t, content(size))
			ctx, cancel := context.WithCancel(t.Context())
			_, err := connect(t, trio, opts).Upload(ctx, local, "f", &ftpx.UploadOptions{Progress: func(i ftpx.ProgressInfo) {
				if i.Offset >= there {
					cancel()
				}
			}})
			if err == nil {
				t.Fatal("it was not interrupted")
			}

			opts.Ports.SFTP = resetting(t, trio, 600<<10)
			opts.Retry = retry.Policy{MaxAttempts: 3, InitialDelay: time.Millisecond, MaxDelay: time.Millisecond}
			res, err := connect(t, trio, opts).Upload(t.Context(), local, "f", &ftpx.UploadOptions{Verify: verify})
			if err != nil {
				t.Fatalf("%+v, %v", res, err)
			}
			if res.Kept < there/2 || res.Verified.ReadBack == 0 || verify == ftpx.VerifyFull && res.Verified.ReadBack != size {
				t.Errorf("%+v", res)
			}
			wantFile(t, filepath.Join(trio.Root, "f"), content(size))
			wantNames(t, trio.Root, "f")
		})
	}
}

// TestSecondLookGoesOn is the same for a download.
func TestSecondLookGoesOn(t *testing.T) {
	trio := startTrio(t)
	const size = 3 << 20
	if err := os.WriteFile(filepath.Join(trio.Root, "f"), content(size), 0o644); err != nil {
		t.Fatal(err)
	}
	opts := optionsFor(trio, ftpx.SFTP)
	opts.Ports.SFTP = resetting(t, trio, 600<<10)
	opts.Retry = retry.Policy{MaxAttempts: 3, InitialDelay: time.Millisecond, MaxDelay: time.Millisecond}
	local := filepath.Join(t.TempDir(), "f")
	res, err := connect(t, trio, opts).Download(t.Context(), "f", local, &ftpx.DownloadOptions{Verify: ftpx.VerifyFull})
	if err != nil || res.Verified.ReadBack != size || res.Attempts < 8 {
		t.Errorf("%+v, %v", res, err)
	}
	wantFile(t, local, content(size))
}

// resetting returns the port of a line to the SFTP server that resets each connection
// after so many bytes.
func resetting(t *testing.T, trio *testserver.Trio, after int64) int {
	t.Helper()
	proxy := faultproxy.New(faultproxy.Options{Seed: 1})
	t.Cleanup(func() { proxy.Close() })
	route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: trio.SFTP.Addr().String(), Plan: func(faultproxy.ConnInfo) faultproxy.Fault {
		f := faultproxy.ResetAt(faultproxy.Both, after)
		f.Grace = 3 * time.Millisecond
		return f
	}})
	if err != nil {
		t.Fatal(err)
	}
	return route.Port()
}

// shortConn is a connection to a server that keeps no more than half of a file, and says
// that all is well.
func shortConn(c transport.Conn) transport.Conn {
	return memconn.Wrap(c, func(_ context.Context, r transport.Request, next func() error) error {
		err := next()
		if stat, ok := r.(*transport.Stat); ok {
			stat.Entry.Size = min(stat.Entry.Size, 100_000)
		}
		return err
	})
}

// TestProofIsNoProgressForEver: a file that the server cuts again and again is given up,
// however much of it is read back each time.
func TestProofIsNoProgressForEver(t *testing.T) {
	trio := startTrio(t)
	opts := optionsFor(trio, ftpx.FTP)
	opts.Retry.MaxAttempts = 4
	opts.Connect = func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		c, err := ftpdriver.Dial(ctx, ep)
		if err != nil {
			return nil, err
		}
		return shortConn(c), nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	res, err := connect(t, trio, opts).Upload(ctx, localFile(t, content(200_000)), "f", nil)
	if err == nil || ctx.Err() != nil || res.Attempts > 12 {
		t.Errorf("%+v, %v", res, err)
	}
}

// onceCut is a connection to a server without REST and digests, on which one download is cut off.
type onceCut struct {
	transport.Conn
	cut *atomic.Int32 // how many more whole files come before that
}

func (c onceCut) Info() transport.Info {
	i := c.Conn.Info()
	i.Caps.Hashes, i.Caps.HashRanges = nil, false
	return i
}

// once cuts off one download.
func (c onceCut) once(r *transport.Retrieve, next func() error) error {
	if r.Offset > 0 {
		return &transport.Error{Op: "REST", Path: r.Path, Protocol: ftpx.FTP, Kind: transport.KindRestart, Err: errors.New("no")}
	}
	if c.cut.Add(-1) != 0 {
		return next()
	}
	r.Limit = 1 << 20
	err := next()
	if err == nil {
		err = &transport.Error{Op: "RETR", Path: r.Path, Protocol: ftpx.FTP, Kind: transport.KindLost, Err: io.ErrUnexpectedEOF}
	}
	_ = c.Close()
	return err
}

// TestSecondLookWithoutRestart: where there is no going on, it begins again.
func TestSecondLookWithoutRestart(t *testing.T) {
	trio := startTrio(t)
	if err := os.WriteFile(filepath.Join(trio.Root, "f"), content(3<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	opts := optionsFor(trio, ftpx.FTP)
	opts.Retry.MaxAttempts = 5
	var cut atomic.Int32
	cut.Store(2) // the second look
	opts.Connect = func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		c, err := ftpdriver.Dial(ctx, ep)
		if err != nil {
			return nil, err
		}
		o := onceCut{c, &cut}
		return onRetrieve(o, o.once), nil
	}
	local := filepath.Join(t.TempDir(), "f")
	res, err := connect(t, trio, opts).Download(t.Context(), "f", local, &ftpx.DownloadOptions{Verify: ftpx.VerifyFull})
	if err != nil || res.Verified.ReadBack != 3<<20 {
		t.Errorf("%+v, %v", res, err)
	}
	wantFile(t, local, content(3<<20))
}
