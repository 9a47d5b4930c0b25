package ftpx_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
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
