package folder_test

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fake is a server that is nothing but its listings. What it does not implement
// panics.
type fake struct {
	ftpx.Client
	lists func(dir string) iter.Seq[ftpx.Entry]

	mu        sync.Mutex
	calls     []string
	count     map[string]int
	quiet     bool // only count
	downloads func(remote, local string) error
}

func (f *fake) Begin(ctx context.Context, _ ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
	return ctx, func(ftpx.OperationEnd) {}
}

func (f *fake) note(op string, paths ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.count == nil {
		f.count = map[string]int{}
	}
	if f.count[op]++; !f.quiet {
		f.calls = append(f.calls, op+" "+strings.Join(paths, " "))
	}
}

func (f *fake) Stat(_ context.Context, p string) (ftpx.Entry, error) {
	f.note("stat", p)
	if strings.Contains(p, "/f\xff ") {
		return remoteFile(path.Base(p)), nil
	}
	return ftpx.Entry{Name: p, Type: transport.TypeDir}, nil
}

func (f *fake) List(_ context.Context, dir string) iter.Seq2[ftpx.Entry, error] {
	f.note("list", dir)
	return func(yield func(ftpx.Entry, error) bool) {
		for e := range f.lists(dir) {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (f *fake) MkdirAll(_ context.Context, p string) error {
	f.note("mkdir", p)
	return nil
}

func (f *fake) Remove(_ context.Context, p string) error {
	f.note("remove", p)
	return nil
}

func (f *fake) Upload(_ context.Context, local, remote string, _ *ftpx.UploadOptions) (ftpx.Result, error) {
	f.note("upload", remote)
	return ftpx.Result{Outcome: ftpx.Done, TimeKept: true}, nil
}

func (f *fake) Download(_ context.Context, remote, local string, _ *ftpx.DownloadOptions) (ftpx.Result, error) {
	f.note("download", remote, local)
	if f.downloads != nil {
		return ftpx.Result{Outcome: ftpx.Done, Size: -1}, f.downloads(remote, local)
	}
	return ftpx.Result{Outcome: ftpx.Done, Size: 1}, os.WriteFile(local, []byte("x"), 0o600)
}

func listing(entries map[string][]ftpx.Entry) func(string) iter.Seq[ftpx.Entry] {
	return func(dir string) iter.Seq[ftpx.Entry] {
		return func(yield func(ftpx.Entry) bool) {
			for _, e := range entries[dir] {
				if !yield(e) {
					return
				}
			}
		}
	}
}

func remoteFile(name string) ftpx.Entry {
	return ftpx.Entry{Name: name, Type: transport.TypeFile, Size: 1, ModTime: when, TimeExact: true}
}

// TestHostileNames: what a server lists never leads out of the local folder, is an
// error of its own, and hurts no other file.
func TestHostileNames(t *testing.T) {
	hostile := []string{"..", ".", "", "../up", "/etc/passwd", "a/b", "sub/../../up", "nul\x00", "line\nfeed", "cr\r", "bell\a", "del\x7f", "good", "esc\x1b[2J"}
	if runtime.GOOS == "windows" {
		hostile = append(hostile, `..\up`, `c:\x`, "file:stream", "NUL", "com1.txt", "dot.", "space ", "what?")
	}
	var entries []ftpx.Entry
	for _, n := range hostile {
		entries = append(entries, remoteFile(n), ftpx.Entry{Name: n, Type: transport.TypeDir, Size: -1})
	}
	entries = append([]ftpx.Entry{remoteFile("good"), {Name: "sub", Type: transport.TypeDir}}, entries...)
	c := &fake{lists: listing(map[string][]ftpx.Entry{"in": entries, "in/sub": {remoteFile("../../x"), remoteFile("fine")}})}
	outer := t.TempDir()
	local := filepath.Join(outer, "local")
	for _, dry := range []bool{true, false} {
		var s seen
		s.report, s.err = folder.Download(t.Context(), c, "in", local, &folder.Options{DryRun: dry, OnItem: func(i folder.Item) { s.items = append(s.items, i) }})
		wantPaths(t, "fetched", s.of(folder.Fetch), "good", "sub/fine")
		for _, n := range hostile {
			s.wantError(t, n, folder.ErrName, "")
		}
		s.wantError(t, "sub/../../x", folder.ErrName, "elsewhere")
		if s.report.Failed != 2*len(hostile)+1 { // "good" is listed three times
			t.Errorf("%+v\n%s", s.report, s)
		}
		for _, i := range s.items {
			if strings.ContainsFunc(i.String(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%q holds control characters", i.String())
			}
		}
	}
	holds(t, outer, map[string]string{"local/good": "x", "local/sub/fine": "x"})
	for _, call := range c.calls {
		for _, p := range strings.Fields(call)[1:] {
			if strings.Contains(p, "..") {
				t.Errorf("the client was asked to %s", call)
			}
		}
	}

	// At the side that is copied to, such a name is not deleted: it may be another's.
	c = &fake{lists: listing(map[string][]ftpx.Entry{"in": {remoteFile("../../other"), remoteFile("extra"), remoteFile("a\rb"), remoteFile("keep")}})}
	write(t, local, map[string]string{"keep": "k"})
	must(t, os.RemoveAll(filepath.Join(local, "good")))
	must(t, os.RemoveAll(filepath.Join(local, "sub")))
	var s seen
	s.report, s.err = folder.Upload(t.Context(), c, local, "in", &folder.Options{Delete: true, MaxDelete: 1, OnItem: func(i folder.Item) { s.items = append(s.items, i) }})
	wantPaths(t, "deleted", s.of(folder.Delete), "extra")
	s.wantError(t, "../../other", folder.ErrName, "elsewhere")
	if c.count["remove"] != 1 {
		t.Errorf("%q", c.calls)
	}
}

// TestNamesOfUnfinishedDownloads: a file that the download of another would use for
// itself is an error of its own, and the other is fetched.
func TestNamesOfUnfinishedDownloads(t *testing.T) {
	c := &fake{lists: listing(map[string][]ftpx.Entry{"in": {remoteFile("x"), remoteFile("x.part"), remoteFile("y.part")}})}
	var s seen
	s.report, s.err = folder.Download(t.Context(), c, "in", t.TempDir(), &folder.Options{OnItem: func(i folder.Item) { s.items = append(s.items, i) }})
	wantPaths(t, "fetched", s.of(folder.Fetch), "x", "y.part")
	s.wantError(t, "x.part", folder.ErrName, `"x"`)
}

// TestMemory: 20,000 entries, in many folders and in one, need no more memory than
// one folder and a window; the peak of the heap is measured beside the run. 200,000 with
// FTPX_SWEEP=more, which .ci/run sets where the race detector, whose heap is another,
// is not.
func TestMemory(t *testing.T) {
	entries, looks, inMany, inOne := 20_000, 20, uint64(3<<20), uint64(14<<20)
	if os.Getenv("FTPX_SWEEP") != "" {
		entries, looks, inMany, inOne = 200_000, 40, 8<<20, 48<<20
	}
	for name, c := range map[string]struct {
		folders int
		bound   uint64 // bytes
	}{"in 200 folders": {200, inMany}, "in one": {1, inOne}} {
		for _, del := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s delete=%v", name, del), func(t *testing.T) {
				each := entries / c.folders
				f := &fake{quiet: true, lists: func(dir string) iter.Seq[ftpx.Entry] {
					return func(yield func(ftpx.Entry) bool) {
						if dir == "in" {
							for i := range c.folders {
								if !yield(ftpx.Entry{Name: fmt.Sprintf("folder-%06d", i), Type: transport.TypeDir, Size: -1}) {
									return
								}
							}
							return
						}
						for i := range each {
							if !yield(ftpx.Entry{Type: ftpx.TypeFile, Name: fmt.Sprintf("a-file-with-a-name-of-usual-length-%06d.csv", i), Size: int64(i), ModTime: when, TimeExact: true}) {
								return
							}
						}
					}
				}, downloads: func(string, string) error { return nil }}
				run := func(item func(folder.Item)) (folder.Report, error) {
					if del { // everything there is extraneous
						return folder.Upload(t.Context(), f, t.TempDir(), "in", &folder.Options{Delete: true, MaxDelete: 1, OnItem: item})
					}
					return folder.Download(t.Context(), f, "in", t.TempDir(), &folder.Options{OnItem: item})
				}
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				before, peak := m.HeapAlloc, atomic.Uint64{}
				n := 0
				report, err := run(func(folder.Item) {
					if n++; n%(entries/looks) == 0 {
						// What lives, not what waits to be collected.
						runtime.GC()
						var m runtime.MemStats
						runtime.ReadMemStats(&m)
						peak.Store(max(peak.Load(), m.HeapAlloc))
					}
				})
				must(t, err)
				if got := report.Copied + report.Deleted; got < entries {
					t.Fatalf("%+v", report)
				}
				used := int64(peak.Load()) - int64(before)
				t.Logf("peak of the live heap: %.1f MiB above the start, %d looks", float64(used)/(1<<20), n*looks/entries)
				if n < entries || used > int64(c.bound) {
					t.Errorf("more than %d MiB", c.bound>>20)
				}
			})
		}
	}
}

// TestVanished: a file that goes between the listing and its turn is an error of its own.
func TestVanished(t *testing.T) {
	c := &fake{lists: listing(map[string][]ftpx.Entry{"in": {remoteFile("a")}}), downloads: func(remote, _ string) error {
		return &ftpx.Error{Outcome: ftpx.NotDone, Op: "download", Remote: remote, Err: fs.ErrNotExist}
	}}
	var s seen
	s.report, s.err = folder.Download(t.Context(), c, "in", t.TempDir(), &folder.Options{OnItem: func(i folder.Item) { s.items = append(s.items, i) }})
	s.wantError(t, "a", fs.ErrNotExist, "download")
}
