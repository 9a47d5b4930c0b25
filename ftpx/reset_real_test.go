//go:build linux && realserver

package ftpx_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// faultyDataPort is the port of a line to a server on 127.0.0.3, whose first data
// connection of a client is reset after so many bytes, and the next ones not.
func faultyDataPort(t *testing.T, srv *realserver.Server, after int64) int {
	t.Helper()
	proxy := faultproxy.New(faultproxy.Options{})
	t.Cleanup(func() { proxy.Close() })
	fault := faultproxy.ResetAt(faultproxy.Both, after)
	fault.Grace = 3 * time.Millisecond
	if _, err := proxy.MirrorRange("127.0.0.3", srv.Host, srv.PassiveLo, srv.PassiveHi, faultproxy.Nth(0, fault)); err != nil {
		t.Fatal(err)
	}
	route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.Control, Listen: "127.0.0.3:0", Target: srv.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	return route.Port()
}

// TestRoundTripsOfAReset: after the reset of a data connection that the control
// connection survives, the upload goes on at once, after one look with the question for
// the port, and the proof; and what follows each transfer is asked for with it. The new
// name is looked at, because the host has renamed nothing yet.
func TestRoundTripsOfAReset(t *testing.T) {
	for kind, want := range map[realserver.Kind]string{
		realserver.VSFTPD: "SIZE MDTM CWD CWD EPSV STOR " + // which is reset
			"MDTM SIZE MDTM CWD CWD EPSV REST RETR EPSV REST STOR MDTM SIZE MDTM EPSV REST RETR EPSV REST RETR RNFR RNTO SIZE MDTM CWD CWD",
		realserver.ProFTPD:  "MLST EPSV STOR MFMT MLST EPSV REST RETR EPSV REST STOR EPSV MFMT MLST RANG RETR EPSV REST RETR RNFR RNTO MLST",
		realserver.PureFTPd: "MLST EPSV STOR MFMT MLST EPSV REST RETR EPSV REST STOR EPSV MFMT MLST REST RETR EPSV REST RETR RNFR RNTO MLST",
	} {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind})
			sent := &requests{}
			hooks := sent.hooks()
			var pauses []time.Duration
			hooks.Retry = func(_ context.Context, i ftpx.RetryInfo) { pauses = append(pauses, i.Delay) }
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.3", User: srv.User, Options: ftpx.Options{
				Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true,
				Ports: ftpx.Ports{FTP: faultyDataPort(t, srv, 1536<<10)}, Hooks: hooks,
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			sent.reset()
			data := content(24 << 20)
			res, err := c.Upload(t.Context(), localFile(t, data), "f", &ftpx.UploadOptions{Always: true})
			if err != nil || res.Resumes != 1 || res.Attempts != 2 {
				t.Fatalf("%+v, %v", res, err)
			}
			wantFile(t, filepath.Join(srv.Root, "f"), data)
			if len(pauses) != 1 || pauses[0] != 0 {
				t.Errorf("pauses: %v", pauses)
			}
			sent.want(t, strings.Fields(want)...)
		})
	}
}
