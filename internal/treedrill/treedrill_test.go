package main

import (
	"os"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		childMain()
		return
	}
	os.Exit(testmain.InMemory(m).Run())
}

// TestEmbedded: a tree goes up and down over each protocol, through resets and kills. It
// is a larger one with FTPX_SWEEP=more.
func TestEmbedded(t *testing.T) {
	files := 100
	if os.Getenv("FTPX_SWEEP") != "" {
		files = 300
	}
	var out strings.Builder
	err := drill(t.Context(), &out, files, 1, "", startEmbedded)
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
}

// TestMemory: what a mirror takes does not grow with the tree.
func TestMemory(t *testing.T) {
	var out strings.Builder
	err := measureMemory(t.Context(), &out, 20000)
	t.Log("\n" + out.String())
	if err != nil {
		t.Fatal(err)
	}
}

// TestSameTreeSees: the comparison that all rests on sees each kind of difference.
func TestSameTreeSees(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"":                    func(string) error { return nil },
		"is missing":          func(dir string) error { return os.Remove(dir + "/a") },
		"should not be there": func(dir string) error { return os.Mkdir(dir+"/b", 0o755) },
		"other bytes": func(dir string) error {
			info, err := os.Stat(dir + "/a")
			if err == nil {
				err = os.WriteFile(dir+"/a", []byte("2"), 0o644)
			}
			if err == nil {
				err = os.Chtimes(dir+"/a", info.ModTime(), info.ModTime())
			}
			return err
		},
		"is of": func(dir string) error {
			info, err := os.Stat(dir + "/a")
			if err != nil {
				return err
			}
			return os.Chtimes(dir+"/a", info.ModTime(), info.ModTime().Add(1e9))
		},
	} {
		want, got := t.TempDir(), t.TempDir()
		for _, dir := range []string{want, got} {
			if err := os.WriteFile(dir+"/a", []byte("1"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		info, err := os.Stat(want + "/a")
		if err == nil {
			err = os.Chtimes(got+"/a", info.ModTime(), info.ModTime())
		}
		if err == nil {
			err = spoil(got)
		}
		if err != nil {
			t.Fatal(err)
		}
		err = sameTree(want, got)
		if name == "" && err != nil || name != "" && (err == nil || !strings.Contains(err.Error(), name)) {
			t.Errorf("%q: %v", name, err)
		}
	}
}
