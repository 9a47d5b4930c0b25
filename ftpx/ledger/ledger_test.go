package ledger_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("LEDGER_TEST_CHILD"); path != "" {
		child(path)
		return
	}
	goleak.VerifyTestMain(testmain.InMemory(m))
}

func open(t *testing.T, path string, opts *ledger.Options) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func entry(job, path string, size int64) ledger.Entry {
	return ledger.Entry{Job: job, Path: path, Source: ledger.Identity{Size: size, ModTime: time.Unix(1700000000, 0), TimeExact: true, Hash: "sha256:00"},
		Dest: ledger.Identity{Size: size}, Local: "/l/" + path, Remote: "r/" + path, Addr: "h:22", Protocol: "sftp", Verified: "size"}
}

// TestSurvivesReopening: what is recorded is found at once, after Sync, and after
// the ledger was opened anew, each job for itself, the last entry of each file.
func TestSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := open(t, path, &ledger.Options{CommitEvery: time.Hour}) // nothing is committed by itself
	first := entry("up", "a/ü.csv", 1)
	first.When = time.Unix(1800000000, 0)
	second := first
	second.Source.Size = 2 // the same moment, to the nanosecond
	for _, e := range []ledger.Entry{first, entry("down", "a/ü.csv", 7), second} {
		if err := l.Record(e); err != nil {
			t.Fatal(err)
		}
	}
	look := func(l *ledger.Ledger) {
		t.Helper()
		e, found, err := l.Lookup("up", "a/ü.csv")
		if err != nil || !found || e.Source.Size != 2 || !e.When.Equal(first.When) || e.Remote != "r/a/ü.csv" || e.Source.Hash != "sha256:00" || !e.Source.TimeExact {
			t.Errorf("%+v, %v, %v", e, found, err)
		}
		if e, found, err := l.Lookup("down", "a/ü.csv"); err != nil || !found || e.Source.Size != 7 || e.When.IsZero() {
			t.Errorf("%+v, %v, %v", e, found, err)
		}
		if _, found, err := l.Lookup("up", "a"); err != nil || found {
			t.Errorf("found %v, %v", found, err)
		}
	}
	look(l)
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	look(l)
	if err := l.Record(entry("up", "late", 3)); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := l.Record(first); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("Record after Close: %v", err)
	}
	l = open(t, path, nil)
	look(l)
	if _, found, err := l.Lookup("up", "late"); err != nil || !found {
		t.Errorf("what was recorded just before Close: %v, %v", found, err)
	}
	if err := l.Forget("up", "late"); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := l.Lookup("up", "late"); found {
		t.Error("it was not forgotten")
	}
	var seen []string
	for e, err := range l.History("up") {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, fmt.Sprint(e.Path, e.Source.Size))
	}
	if want := []string{"a/ü.csv1", "a/ü.csv2", "late3"}; !slices.Equal(seen, want) {
		t.Errorf("history %v, want %v", seen, want)
	}
}

// TestManyEntriesFewCommits: ten thousand files from a few workers do not cost ten
// thousand syncs of the disk.
func TestManyEntriesFewCommits(t *testing.T) {
	const files, workers = 10_000, 4
	l := open(t, filepath.Join(t.TempDir(), "l"), nil)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < files; i += workers {
				if err := l.Record(entry("j", "f"+strconv.Itoa(i), int64(i))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range l.History("") {
		if err != nil || e.Job != "j" {
			t.Fatal(e, err)
		}
		n++
	}
	t.Logf("%d entries in %d commits", n, l.Commits())
	if n != files {
		t.Errorf("%d entries, want %d", n, files)
	}
	if c := l.Commits(); c > files/50 {
		t.Errorf("%d commits for %d entries", c, files)
	}
}

// TestSecondRunIsToldSo: the ledger of a running job is refused at once.
func TestSecondRunIsToldSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	l := open(t, path, nil)
	if _, err := ledger.Open(path, nil); !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("second Open: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, nil)
}

// TestDamagedFileIsAnError and not an empty ledger, with which everything would be
// sent once more.
func TestDamagedFileIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a ledger\n"), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := ledger.Open(path, nil); err == nil {
		l.Close()
		t.Error("it was opened")
	}
	if _, err := ledger.Open("", nil); err == nil || !strings.Contains(err.Error(), "path") {
		t.Errorf("no path: %v", err)
	}
}

// TestBrokenDiskIsTold by the next call, and nobody waits for ever.
func TestBrokenDiskIsTold(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "l"), nil)
	if err := l.Break(); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(entry("j", "a", 1)); err != nil {
		t.Fatal(err)
	}
	if err := l.Sync(); err == nil {
		t.Error("Sync saw nothing")
	}
	if err := l.Record(entry("j", "b", 1)); err == nil {
		t.Error("Record saw nothing")
	}
	if err := l.Close(); err == nil {
		t.Error("Close saw nothing")
	}
}

// TestNamesAreChecked: a NUL would make one file's key another's.
func TestNamesAreChecked(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "l"), nil)
	for _, e := range []ledger.Entry{{Path: "p"}, {Job: "j"}, {Job: "j\x00k", Path: "p"}, {Job: "j", Path: "a\x00b"}} {
		if err := l.Record(e); err == nil {
			t.Errorf("%q %q was taken", e.Job, e.Path)
		}
	}
}

// TestPrune removes old history and leaves the last entry of each file.
func TestPrune(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "l"), nil)
	begin := time.Unix(1700000000, 0)
	for i := range 3000 {
		e := entry("j", "f"+strconv.Itoa(i), 1)
		e.When = begin.Add(time.Duration(i) * time.Second)
		if err := l.Record(e); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := l.Prune(begin.Add(2500 * time.Second)); n != 2500 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	left := 0
	for e, err := range l.History("j") {
		if err != nil || e.When.Before(begin.Add(2500*time.Second)) {
			t.Fatal(e, err)
		}
		left++
	}
	if left != 500 {
		t.Errorf("%d left", left)
	}
	if _, found, err := l.Lookup("j", "f0"); !found || err != nil {
		t.Errorf("the last entry is gone: %v", err)
	}
}

// TestHash: what differs in size, head or tail differs, and in the middle when all
// of it is read.
func TestHash(t *testing.T) {
	base := bytes.Repeat([]byte("0123456789abcdef"), 20<<10) // 320 KiB
	hash := func(b []byte, full bool) string {
		t.Helper()
		h, err := ledger.Hash(bytes.NewReader(b), int64(len(b)), full)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	change := func(at int) []byte {
		b := bytes.Clone(base)
		b[at] ^= 1
		return b
	}
	for _, full := range []bool{false, true} {
		want := hash(base, full)
		if hash(bytes.Clone(base), full) != want {
			t.Error("the same content has another hash")
		}
		for name, b := range map[string][]byte{"head": change(0), "end of head": change(64<<10 - 1), "tail": change(len(base) - 1),
			"begin of tail": change(len(base) - 64<<10), "shorter": base[:len(base)-1]} {
			if hash(b, full) == want {
				t.Errorf("full=%v: %s: the same hash", full, name)
			}
		}
		if seen := hash(change(len(base)/2), full) != want; seen != full {
			t.Errorf("full=%v: middle seen: %v", full, seen)
		}
	}
	if hash(nil, true) != "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Error("not SHA-256")
	}
	for _, n := range []int{1, 64 << 10, 64<<10 + 1, 128 << 10} { // around the edges of head and tail
		a, b := base[:n], bytes.Clone(base[:n])
		b[n-1] ^= 1
		if hash(a, false) == hash(b, false) {
			t.Errorf("%d bytes: the last one is not seen", n)
		}
	}
	if _, err := ledger.Hash(bytes.NewReader(base), int64(len(base))+1, false); err == nil {
		t.Error("a file that was cut off has a hash")
	}
}

// child records files until it is killed, and says which of them are on disk.
func child(path string) {
	l, err := ledger.Open(path, &ledger.Options{CommitEvery: time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := 0; ; i++ {
		if err := l.Record(entry("j", strconv.Itoa(i), int64(i))); err != nil {
			fmt.Println(err)
			return
		}
		if i%50 == 49 {
			if err := l.Sync(); err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(i + 1)
		}
	}
}

// TestKilledInTheMiddle: after SIGKILL at any moment the ledger opens, holds all
// that it said was on disk, and no entry that was never recorded.
func TestKilledInTheMiddle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	for round := range 5 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "LEDGER_TEST_CHILD="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		synced := 0
		lines := bufio.NewScanner(out)
		for range 2 + round {
			if !lines.Scan() {
				break
			}
			if synced, err = strconv.Atoi(lines.Text()); err != nil {
				t.Errorf("the child says %q", lines.Text())
				break
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		for lines.Scan() { // what it had said before it died
			if n, err := strconv.Atoi(lines.Text()); err == nil {
				synced = n
			}
		}
		_ = cmd.Wait()
		l := open(t, path, nil)
		for i := range synced {
			e, found, err := l.Lookup("j", strconv.Itoa(i))
			if err != nil || !found || e.Source.Size != int64(i) || e.When.IsZero() {
				t.Fatalf("round %d: of %d on disk, %d is %+v, %v, %v", round, synced, i, e, found, err)
			}
		}
		for e, err := range l.History("") {
			if err != nil || e.Path != strconv.FormatInt(e.Source.Size, 10) {
				t.Fatalf("round %d: %+v, %v", round, e, err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
