//go:build linux

package realtest

import (
	"errors"
	"os"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// RequireEnv names the environment variable that turns a missing server from a
// skipped test into a failed one when it is "1"; CI sets it.
const RequireEnv = "FTPX_REQUIRE_SERVERS"

// Require skips the test unless every kind can be started here. With
// FTPX_REQUIRE_SERVERS=1 it fails instead.
func Require(t testing.TB, kinds ...realserver.Kind) {
	t.Helper()
	for _, kind := range kinds {
		switch err := realserver.Available(kind); {
		case errors.Is(err, realserver.ErrMissing):
			missing(t, err)
		case err != nil:
			t.Fatal(err)
		}
	}
}

// Start starts a server that ends with the test, skipping as Require does. When
// the test fails, the server's log is in its output. Options that the kind does
// not support fail the test.
func Start(t testing.TB, opt realserver.Options) *realserver.Server {
	t.Helper()
	Require(t, opt.Kind)
	srv, err := realserver.Start(t.Context(), opt)
	if errors.Is(err, realserver.ErrMissing) {
		missing(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s at %s logged:\n%s", srv.Kind, srv.Addr(), srv.Log())
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

// Folder returns a new folder for Options.Root that goes with the test. Unlike
// t.TempDir, the user who logs in can reach it.
func Folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ftpx-root-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// missing ends the test, one way or the other.
func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv(RequireEnv) == "1" {
		t.Fatalf("%v (%s=1 says that it must be there; .ci/run installs it)", err, RequireEnv)
	}
	t.Skipf("%v (.ci/run installs the servers)", err)
}
