package watch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// running is a watch job under way.
type running struct {
	t      *testing.T
	cancel context.CancelFunc
	ended  chan struct{}
	report folder.Report
	err    error

	mu    sync.Mutex
	items []folder.Item
	moved chan struct{}
}

// begin starts a job between a local folder and the server's folder "in".
func begin(t *testing.T, up bool, c ftpx.Client, local string, o *watch.Options) *running {
	return beginAt(t, up, c, local, "in", o)
}

func beginAt(t *testing.T, up bool, c ftpx.Client, local, remote string, o *watch.Options) *running {
	r := &running{t: t, ended: make(chan struct{}), moved: make(chan struct{}, 1)}
	opts := *o
	opts.Folder.OnItem = func(i folder.Item) {
		r.mu.Lock()
		r.items = append(r.items, i)
		r.mu.Unlock()
		select {
		case r.moved <- struct{}{}:
		default:
		}
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(t.Context())
	go func() {
		defer close(r.ended)
		if up {
			r.report, r.err = watch.Upload(ctx, c, local, remote, &opts)
		} else {
			r.report, r.err = watch.Download(ctx, c, remote, local, &opts)
		}
	}()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *running) stop() folder.Report {
	r.t.Helper()
	r.cancel()
	select {
	case <-r.ended:
	case <-time.After(30 * time.Second):
		r.t.Fatal("the job does not end")
	}
	return r.report
}

// until waits until the items are enough.
func (r *running) until(what string, enough func([]folder.Item) bool) {
	r.t.Helper()
	limit := time.After(60 * time.Second)
	for {
		r.mu.Lock()
		ok := enough(r.items)
		text := fmt.Sprint(r.items)
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-r.moved:
		case <-limit:
			r.t.Fatalf("%s: not within a minute: %s", what, text[:min(len(text), 2000)])
		}
	}
}

// copied waits until so many files were copied without an error.
func (r *running) copied(n int) {
	r.t.Helper()
	r.until(fmt.Sprint(n, " files copied"), func(items []folder.Item) bool {
		have := 0
		for _, i := range items {
			if i.Err == nil && (i.Action == folder.Send || i.Action == folder.Fetch) {
				have++
			}
		}
		return have >= n
	})
}

func holds(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	n := 0
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		rel, _ := filepath.Rel(dir, p)
		b, err := os.ReadFile(p)
		if text, ok := want[filepath.ToSlash(rel)]; !ok || err != nil || string(b) != text {
			t.Errorf("%q: %d bytes, %v, wanted: %v", rel, len(b), err, ok)
		}
		n++
		return nil
	})
	if n < len(want) {
		t.Errorf("%d files in %q, want %d", n, dir, len(want))
	}
}

// sides returns the folders of a job.
func sides(up bool, local, root string) (src, dst string) {
	if up {
		return local, filepath.Join(root, "in")
	}
	return filepath.Join(root, "in"), local
}

func both(t *testing.T, f func(t *testing.T, up bool)) {
	for name, up := range map[string]bool{"upload": true, "download": false} {
		t.Run(name, func(t *testing.T) { f(t, up) })
	}
}

// TestAFileBeingWrittenDuringTheWatchIsNotTakenBeforeItIsWhole: while a slow writer is at
// work, other files are copied and the one does not appear; then it does, whole, once.
func TestAFileBeingWrittenDuringTheWatchIsNotTakenBeforeItIsWhole(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		both(t, func(t *testing.T, up bool) {
			t.Parallel()
			const stable = 500 * time.Millisecond
			client, root := connect(t, p)
			local := t.TempDir()
			src, dst := sides(up, local, root)
			must(t, os.MkdirAll(src, 0o755))
			r := begin(t, up, client, local, quick(stable))
			text := []byte(content(2 << 20))
			f, err := os.Create(filepath.Join(src, "slow"))
			must(t, err)
			tick := time.NewTicker(stable / 10)
			defer tick.Stop()
			others := map[string]string{}
			for n := 0; len(text) > n*(len(text)/40); n++ {
				chunk := len(text) / 40
				_, err := f.Write(text[n*chunk : min(len(text), (n+1)*chunk)])
				must(t, err)
				if n%10 == 0 {
					name := fmt.Sprintf("quick%d", n)
					put(t, filepath.Join(src, name), name)
					others[name] = name
				}
				if b, err := os.ReadFile(filepath.Join(dst, "slow")); err == nil {
					t.Fatalf("%d bytes of it were taken", len(b))
				}
				<-tick.C
			}
			must(t, f.Close())
			r.copied(len(others) + 1)
			report := r.stop()
			if r.err != nil || report.Failed != 0 || report.Copied != len(others)+1 {
				t.Errorf("%v %+v", r.err, report)
			}
			others["slow"] = string(text)
			holds(t, dst, others)
			if b, _ := os.ReadFile(filepath.Join(dst, "slow")); !bytes.Equal(b, text) {
				t.Error("not whole")
			}
		})
	}
}

// TestConsumed: files are moved away when they have been copied, markers and folders
// included; what comes later under the same name is another; and a restart goes on.
func TestConsumed(t *testing.T) {
	both(t, func(t *testing.T, up bool) {
		client, root := connect(t, ftpx.SFTP)
		local := t.TempDir()
		src, dst := sides(up, local, root)
		put(t, filepath.Join(src, "a"), "1")
		put(t, filepath.Join(src, "d/b"), "2")
		o := quick(20 * time.Millisecond)
		o.Folder.Ready.Marker = ".done"
		o.Folder.Name = "{name}.{mtime:2006}"
		o.Folder.After = folder.After{Source: folder.SourceMove, Archive: "old"}
		r := begin(t, up, client, local, o)
		put(t, filepath.Join(src, "a.done"), "")
		put(t, filepath.Join(src, "d/b.done"), "")
		r.copied(2)
		put(t, filepath.Join(src, "a"), "one")
		put(t, filepath.Join(src, "a.done"), "")
		r.copied(3)
		if report := r.stop(); r.err != nil || report.Copied != 3 || report.Taken != 3 || report.Failed != 0 {
			t.Errorf("%v %+v", r.err, report)
		}
		put(t, filepath.Join(src, "late"), "3")
		put(t, filepath.Join(src, "late.done"), "")
		r = begin(t, up, client, local, o)
		r.copied(1)
		r.stop()
		year := time.Now().Format(".2006")
		holds(t, dst, map[string]string{"a" + year: "one", "d/b" + year: "2", "late" + year: "3"})
		entries, err := os.ReadDir(filepath.Join(src, "old"))
		must(t, err)
		if len(entries) != 4 { // a, a with its time, d, late
			t.Error(entries)
		}
	})
}

// TestLedgerAcrossRestarts: with a ledger, a restart copies nothing again, also when the
// receiver has taken it; without one, what is there is not sent again.
func TestLedgerAcrossRestarts(t *testing.T) {
	both(t, func(t *testing.T, up bool) {
		client, root := connect(t, ftpx.SFTP)
		local := t.TempDir()
		src, dst := sides(up, local, root)
		for i := range 20 {
			put(t, filepath.Join(src, fmt.Sprint("f", i)), content(i))
		}
		path := filepath.Join(t.TempDir(), "l")
		for round := range 3 {
			l, err := ledger.Open(path, nil)
			must(t, err)
			o := quick(20 * time.Millisecond)
			o.Folder.Ledger, o.Folder.Job = l, "j"
			r := begin(t, up, client, local, o)
			r.until("all looked at", func(items []folder.Item) bool { return len(items) >= 20 })
			report := r.stop()
			must(t, l.Close())
			if want := map[bool]int{true: 20, false: 0}[round == 0]; report.Copied != want || report.Unchanged != 20-want || r.err != nil {
				t.Errorf("round %d: %v %+v", round, r.err, report)
			}
			must(t, os.RemoveAll(filepath.Join(dst, "f3")))
		}
		o := quick(20 * time.Millisecond)
		r := begin(t, up, client, local, o)
		r.until("all looked at", func(items []folder.Item) bool { return len(items) >= 20 })
		if report := r.stop(); report.Copied != 1 || report.Unchanged != 19 {
			t.Errorf("without a ledger: %+v", report)
		}
	})
}

// failing is a client whose transfers of some files fail.
type failing struct {
	ftpx.Client
	fail func(name string) error
}

func (f *failing) Upload(ctx context.Context, local, remote string, o *ftpx.UploadOptions) (ftpx.Result, error) {
	if err := f.fail(filepath.Base(local)); err != nil {
		return ftpx.Result{}, err
	}
	return f.Client.Upload(ctx, local, remote, o)
}

func (f *failing) Download(ctx context.Context, remote, local string, o *ftpx.DownloadOptions) (ftpx.Result, error) {
	if err := f.fail(filepath.Base(remote)); err != nil {
		return ftpx.Result{}, err
	}
	return f.Client.Download(ctx, remote, local, o)
}

// TestFailures: a file that fails by its own fault is tried so often and goes to the dead
// letters; one that the line fails is tried until it succeeds; others are not held up.
func TestFailures(t *testing.T) {
	both(t, func(t *testing.T, up bool) {
		client, root := connect(t, ftpx.SFTP)
		local := t.TempDir()
		src, dst := sides(up, local, root)
		for _, name := range []string{"refused", "lost", "good"} {
			put(t, filepath.Join(src, name), name)
		}
		var refused, lost atomic.Int64
		c := &failing{Client: client, fail: func(name string) error {
			switch {
			case name == "refused":
				refused.Add(1)
				return &transport.Error{Op: "store", Kind: transport.KindRefused, Err: errors.New("no")}
			case name == "lost" && lost.Add(1) < 8:
				return &transport.Error{Op: "store", Kind: transport.KindLost, Err: errors.New("reset")}
			}
			return nil
		}}
		o := quick(20 * time.Millisecond)
		o.RetryAfter, o.Attempts = time.Millisecond, 3
		o.Folder.DeadLetter = "dead"
		r := begin(t, up, c, local, o)
		r.copied(2)
		r.until("the dead letter", func(items []folder.Item) bool {
			for _, i := range items {
				if i.Path == "refused" && i.After != "" {
					return true
				}
			}
			return false
		})
		report := r.stop()
		if refused.Load() != 3 || lost.Load() != 8 || report.Dead != 1 || report.Copied != 2 || report.Failed != 3+7 {
			t.Errorf("%d %d %+v", refused.Load(), lost.Load(), report)
		}
		holds(t, dst, map[string]string{"good": "good", "lost": "lost"})
		note, err := os.ReadFile(filepath.Join(src, "dead/refused.error.json"))
		must(t, err)
		holds(t, src, map[string]string{"good": "good", "lost": "lost", "dead/refused": "refused", "dead/refused.error.json": string(note)})
	})
}

// held is a client whose uploads wait until they are let go or cut off.
type held struct {
	ftpx.Client
	begun chan string
	let   chan struct{}
}

func (h *held) Upload(ctx context.Context, local, remote string, o *ftpx.UploadOptions) (ftpx.Result, error) {
	h.begun <- filepath.Base(local)
	select {
	case <-h.let:
		return h.Client.Upload(ctx, local, remote, o)
	case <-ctx.Done():
		return ftpx.Result{}, context.Cause(ctx)
	}
}

// TestShutdown: when the context ends, what is under way may end within Drain, nothing
// new is begun, and what is cut off is there for the next run.
func TestShutdown(t *testing.T) {
	for name, c := range map[string]struct {
		drain time.Duration
		let   bool
	}{"ends": {time.Minute, true}, "cut off": {50 * time.Millisecond, false}, "at once": {-1, false}} {
		t.Run(name, func(t *testing.T) {
			client, root := connect(t, ftpx.SFTP)
			local := t.TempDir()
			want := map[string]string{}
			for i := range 5 {
				put(t, filepath.Join(local, fmt.Sprint("f", i)), "x")
			}
			h := &held{Client: client, begun: make(chan string, 9), let: make(chan struct{})}
			o := quick(20 * time.Millisecond)
			o.Drain, o.Folder.Parallel = c.drain, 2
			o.Folder.After.Source = folder.SourceDelete
			r := begin(t, true, h, local, o)
			for range 2 {
				name := <-h.begun
				if c.let {
					want[name] = "x"
				}
			}
			r.cancel()
			if c.let {
				close(h.let)
			}
			began := time.Now()
			report := r.stop()
			if took := time.Since(began); took > 20*time.Second || r.err != nil {
				t.Errorf("%v, after %v", r.err, took)
			}
			if report.Copied != len(want) || report.Taken != len(want) || len(h.begun) > 0 {
				t.Errorf("%+v, and %d more begun", report, len(h.begun))
			}
			holds(t, filepath.Join(root, "in"), want)
			entries, err := os.ReadDir(local)
			must(t, err)
			if len(entries) != 5-len(want) {
				t.Error(entries)
			}
		})
	}
}

// TestServerDown: a server that cannot be reached is told of and waited for.
func TestServerDown(t *testing.T) {
	client, root := connect(t, ftpx.SFTP)
	put(t, filepath.Join(root, "in/a"), "1")
	down := &downClient{Client: client}
	down.down.Store(true)
	told := make(chan error, 100)
	o := quick(20 * time.Millisecond)
	o.OnError = func(err error) { told <- err }
	r := begin(t, false, down, filepath.Join(t.TempDir(), "new"), o)
	for range 2 {
		if err := <-told; !strings.Contains(err.Error(), "down") {
			t.Error(err)
		}
	}
	down.down.Store(false)
	r.copied(1)
	if report := r.stop(); r.err != nil || report.Copied != 1 {
		t.Errorf("%v %+v", r.err, report)
	}
}
