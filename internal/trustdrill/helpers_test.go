//go:build linux

package trustdrill

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// waitLimit bounds what should take a moment, on a machine that is busy.
const waitLimit = 4 * time.Minute

func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	if !comes(happened) {
		t.Fatalf("waited %v for this: %s", waitLimit, what)
	}
}

// comes waits for what counters alone tell, so that they are looked at often.
// Goroutines beside the test, which may not end it, use it as it is.
func comes(happened func() bool) bool {
	for begin := time.Now(); !happened(); time.Sleep(500 * time.Microsecond) {
		if time.Since(begin) > waitLimit {
			return false
		}
	}
	return true
}

// content makes n bytes of which no part resembles another, by seed.
func content(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// write writes a file and returns its path.
func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// local makes a source file.
func local(t *testing.T, data []byte) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "source"), data)
}

// same fails the test unless a file on disk is exactly this.
func same(t *testing.T, path string, want []byte) bool {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return false
	}
	if bytes.Equal(got, want) {
		return true
	}
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	t.Errorf("%s holds %d bytes, want %d; they differ from byte %d on", path, len(got), len(want), n)
	return false
}

// lessIfShort returns n, or what -short makes do with.
func lessIfShort(n, short int) int {
	if testing.Short() {
		return short
	}
	return n
}

const mib = 1 << 20

func inMiB(n int64) string { return strconv.FormatFloat(float64(n)/mib, 'f', 2, 64) + " MiB" }

// onlyIn fails the test unless a folder holds exactly these names: nothing may be left of
// what a transfer needed on its way.
func onlyIn(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("the server holds %q, want %q", got, names)
	}
}
