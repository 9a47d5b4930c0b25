package job

import (
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// TestGlobsAreHarmless: names that a server makes up lead nowhere.
func TestGlobsAreHarmless(t *testing.T) {
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/abs", "x/.."} {
		if at, ok := fits("dir", "*", ftpx.Entry{Name: name}); ok {
			t.Errorf("%q fits, as %q", name, at)
		}
	}
	if _, ok := fits("dir", "*", ftpx.Entry{Name: ".hidden"}); ok {
		t.Error("a hidden file fits *")
	}
	if at, ok := fits("dir", ".h*", ftpx.Entry{Name: ".hidden"}); !ok || at != "dir/.hidden" {
		t.Errorf("%q %v", at, ok)
	}
}
