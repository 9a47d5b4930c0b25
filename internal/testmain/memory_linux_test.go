package testmain

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// memory returns a folder in memory to make folders in.
func memory(t *testing.T) string {
	t.Helper()
	var fs unix.Statfs_t
	if unix.Statfs(root, &fs) != nil || fs.Type != unix.TMPFS_MAGIC || fs.Flags&unix.ST_NOEXEC != 0 || int64(fs.Bavail)*fs.Bsize>>10 < leastKiB {
		t.Skip(root + " is no place for tests on this machine")
	}
	dir, err := os.MkdirTemp(root, "testmain-selftest-")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestFolderLivesAsLongAsItsProcess(t *testing.T) {
	root := memory(t)
	dir, remove, err := create(root)
	if err != nil || dir == "" {
		t.Fatalf("%q, %v", dir, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	// What a killed process leaves: the lock's file, and nobody who holds it.
	dead := filepath.Join(root, prefix+"dead")
	for _, name := range []string{dead, filepath.Join(root, "other")} {
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(name, lockName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	second, removeSecond, err := create(root)
	if err != nil || second == "" || second == dir {
		t.Fatalf("%q beside %q, %v", second, dir, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "f")); err != nil {
		t.Errorf("the folder of a living process: %v", err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the folder of a dead process: %v", err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o711 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	remove()
	removeSecond()
	if n := names(t, root); len(n) != 1 || n[0] != "other" {
		t.Errorf("left: %q", n)
	}
}

func TestNoFolderOnADisk(t *testing.T) {
	if dir, _, err := create("/proc"); dir != "" || err != nil {
		t.Errorf("%q, %v", dir, err)
	}
	if dir, _, err := create(filepath.Join(t.TempDir(), "none")); dir != "" || err != nil {
		t.Errorf("%q, %v", dir, err)
	}
}

func TestRun(t *testing.T) {
	memory(t)
	for _, set := range []string{"", t.TempDir()} {
		t.Setenv(variable, set)
		var in string
		code := InMemory(runFunc(func() int { in = os.TempDir(); return 7 })).Run()
		if code != 7 {
			t.Errorf("exit code %d", code)
		}
		if set != "" && in != set {
			t.Errorf("TMPDIR=%s: in %s", set, in)
		}
		if set == "" {
			if filepath.Dir(in) != root {
				t.Errorf("in %s", in)
			}
			if _, err := os.Stat(in); !os.IsNotExist(err) {
				t.Errorf("%s stays: %v", in, err)
			}
			if got, ok := os.LookupEnv(variable); ok && got != "" {
				t.Errorf("TMPDIR=%s afterwards", got)
			}
		}
	}
}
