//go:build linux && realserver

package monitoring_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// program finds a program, and skips the test where it is missing; with
// FTPX_REQUIRE_SERVERS=1 it fails instead.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv(realtest.RequireEnv) == "1" {
		t.Fatalf("%v (%s=1 says that it must be there; .ci/run installs it)", err, realtest.RequireEnv)
	}
	t.Skipf("%v (.ci/run installs it)", err)
	return ""
}

// output runs a program to its end.
func output(t *testing.T, path string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", filepath.Base(path), args, err, out)
	}
	return string(out)
}
