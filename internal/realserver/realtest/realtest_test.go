//go:build linux

package realtest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// A recorder is a testing.TB that notes how it was ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) {
	r.failed = fmt.Sprint(args...)
	runtime.Goexit()
}

// record runs f as a test of its own.
func record(t *testing.T, f func(testing.TB)) *recorder {
	r := &recorder{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f(r)
	}()
	<-ended
	return r
}

func TestMissingServerSkips(t *testing.T) {
	t.Setenv(RequireEnv, "")
	r := record(t, func(t testing.TB) { missing(t, realserver.ErrMissing) })
	if r.failed != "" || !strings.Contains(r.skipped, realserver.ErrMissing.Error()) {
		t.Fatalf("failed %q, skipped %q; want a skip that says why", r.failed, r.skipped)
	}
}

func TestMissingServerFailsInCI(t *testing.T) {
	t.Setenv(RequireEnv, "1")
	r := record(t, func(t testing.TB) { missing(t, realserver.ErrMissing) })
	if !strings.Contains(r.failed, RequireEnv) {
		t.Fatalf("failed %q; want a failure that names %s", r.failed, RequireEnv)
	}
}

func TestUnknownKindNeverSkips(t *testing.T) {
	t.Setenv(RequireEnv, "")
	r := record(t, func(t testing.TB) { Require(t, "no such kind") })
	if r.skipped != "" {
		t.Fatalf("skipped: %q; a mistake in the test must not look like a missing server", r.skipped)
	}
}
