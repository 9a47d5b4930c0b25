package watch_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// told is what a stream yielded, and when.
type told struct {
	path string
	at   time.Duration
	err  error
}

// turn orders what a test has read and written before it lets time pass with what the
// stream does then; the other way round, synctest.Wait does.
var turn sync.Mutex

func pass() {
	turn.Lock()
	defer turn.Unlock()
}

// bubble runs a stream in simulated time, with a notifier of the test's. Nothing is read
// from told but after synctest.Wait.
type bubble struct {
	n     *watch.FakeNotifier
	begun time.Time
	told  []told
	block chan struct{} // what the consumer waits for, if not nil
}

func (b *bubble) run(t *testing.T, stream func(context.Context) iter.Seq2[watch.Event, error]) {
	b.n = &watch.FakeNotifier{Out: make(chan string), Dirs: map[string]int{}}
	b.begun = time.Now()
	undo := watch.UseNotifier(func() (watch.Notifier, error) { return b.n, nil })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e, err := range stream(ctx) {
			turn.Lock()
			b.told = append(b.told, told{path: e.Path, at: time.Since(b.begun), err: err})
			turn.Unlock()
			if b.block != nil {
				<-b.block
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		undo()
	})
}

// after lets time pass until so much is over, and returns what was yielded.
func (b *bubble) after(d time.Duration) (paths []string) {
	pass()
	time.Sleep(time.Until(b.begun.Add(d))) // simulated
	synctest.Wait()
	for _, x := range b.told {
		paths = append(paths, fmt.Sprintf("%s %v", x.path, x.at))
	}
	return paths
}

func (b *bubble) want(t *testing.T, d time.Duration, want ...string) {
	t.Helper()
	if got := b.after(d); !slices.Equal(got, want) {
		t.Errorf("after %v: %q, want %q", d, got, want)
	}
}

func TestStableInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		name := func(p string) string { return filepath.Join(dir, p) }
		put(t, name("a"), "1")
		var b bubble
		b.run(t, local(dir, &watch.Options{Folder: folder.Options{Ready: folder.Ready{Stable: 10 * time.Second}}}))
		b.want(t, 9*time.Second)
		b.want(t, 10*time.Second, "a 10s")
		b.n.Out <- name("b") // not there any more
		put(t, name("b"), "1")
		b.n.Out <- name("b")
		// It grows, and only some of that is told.
		for i := range 5 {
			b.after(time.Duration(15+5*i) * time.Second)
			put(t, name("b"), content(i+2))
			if i != 4 {
				b.n.Out <- name("b")
			}
		}
		// Last told at 30 s, grown at 35 s, which is seen at 40 s when its time has come.
		b.want(t, 49*time.Second, "a 10s")
		b.want(t, 51*time.Second, "a 10s", "b 50s")
		// A notice that is lost: the look now and then finds it, at 2 min.
		put(t, name("lost"), "1")
		b.want(t, 129*time.Second, "a 10s", "b 50s")
		b.want(t, 131*time.Second, "a 10s", "b 50s", "lost 2m10s")
		// And where the notifier says that some were lost, at once.
		put(t, name("lost2"), "1")
		b.n.Out <- ""
		b.want(t, 142*time.Second, "a 10s", "b 50s", "lost 2m10s", "lost2 2m21s")
	})
}

func TestMarkerAndAgeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		name := func(p string) string { return filepath.Join(dir, p) }
		touch := func(p string, age time.Duration) {
			must(t, os.Chtimes(name(p), time.Time{}, time.Now().Add(-age)))
		}
		put(t, name("a.csv"), "1")
		touch("a.csv", 50*time.Second)
		var b bubble
		b.run(t, local(dir, &watch.Options{Folder: folder.Options{OlderThan: time.Minute, Ready: folder.Ready{Marker: "{stem}.ok"}}}))
		b.want(t, 11*time.Second)
		put(t, name("a.ok"), "")
		touch("a.ok", 0)
		b.n.Out <- name("a.ok")
		b.want(t, 12*time.Second, "a.csv 11s")
		// The marker first, and then the age.
		put(t, name("b.ok"), "")
		touch("b.ok", 0)
		put(t, name("b.csv"), "1")
		touch("b.csv", 40*time.Second)
		b.n.Out <- name("b.csv")
		b.want(t, 31*time.Second, "a.csv 11s")
		b.want(t, 33*time.Second, "a.csv 11s", "b.csv 32s")
	})
}

// TestBackPressure: while the consumer is busy, the folder is not looked at, and what is
// told meanwhile is not lost.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "a"), "1")
		b := bubble{block: make(chan struct{})}
		b.run(t, local(dir, &watch.Options{Folder: folder.Options{Ready: folder.Ready{Stable: time.Second}}}))
		b.want(t, time.Second, "a 1s")
		for i := range 10_000 { // more than are held
			name := filepath.Join(dir, fmt.Sprintf("f%05d", i))
			put(t, name, "1")
			b.n.Out <- name
		}
		b.want(t, time.Hour, "a 1s")
		if n := b.n.Dirs[dir]; n != 1 {
			t.Errorf("the folder was looked through %d times while the consumer was busy", n)
		}
		close(b.block)
		b.after(time.Hour + time.Second)
		if len(b.told) != 10_001 || b.n.Dirs[dir] != 2 {
			t.Errorf("%d files, %d looks", len(b.told), b.n.Dirs[dir])
		}
	})
}

// TestNoNotices: where folders cannot be watched, that is said once, and files are found.
func TestNoNotices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "d/a"), "1")
		var b bubble
		b.run(t, func(ctx context.Context) iter.Seq2[watch.Event, error] {
			b.n.Err = errors.New("too many")
			return watch.Local(ctx, dir, &watch.Options{MaxInterval: time.Minute})
		})
		b.want(t, time.Second, " 0s")
		put(t, filepath.Join(dir, "d/b"), "1")
		b.want(t, 10*time.Minute, " 0s", "d/a 2s", "d/b 1m2s")
	})
}

// listings is a server that is nothing but its listings.
type listings struct {
	ftpx.Client
	begun time.Time
	at    []time.Duration // when each was asked for
	dirs  map[string][]ftpx.Entry
	err   error
}

func (l *listings) List(_ context.Context, dir string) iter.Seq2[ftpx.Entry, error] {
	return func(yield func(ftpx.Entry, error) bool) {
		turn.Lock()
		if dir == "in" {
			l.at = append(l.at, time.Since(l.begun))
		}
		err, entries := l.err, slices.Clone(l.dirs[dir])
		turn.Unlock()
		if err != nil {
			yield(ftpx.Entry{}, err)
			return
		}
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func entry(name string, size int64) ftpx.Entry {
	return ftpx.Entry{Name: name, Type: transport.TypeFile, Size: size, ModTime: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), TimeExact: true}
}

func watchListings(t *testing.T, o *watch.Options, there ...ftpx.Entry) (*bubble, *listings) {
	l := &listings{dirs: map[string][]ftpx.Entry{"in": there}, begun: time.Now()}
	b := &bubble{}
	b.run(t, func(ctx context.Context) iter.Seq2[watch.Event, error] { return watch.Remote(ctx, l, "in", o) })
	return b, l
}

func seconds(n ...int) (d []time.Duration) {
	for _, s := range n {
		d = append(d, time.Duration(s)*time.Second)
	}
	return d
}

// TestRemoteBackOff: a folder that does not change is listed ever more rarely, down to a
// bound; a change, and a file that waits, bring the first interval back; errors too make
// it rarer.
func TestRemoteBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := watchListings(t, nil)
		b.want(t, 500*time.Second)
		if want := seconds(0, 20, 60, 140, 260, 380, 500); !slices.Equal(l.at, want) {
			t.Errorf("listed at %v, want %v", l.at, want)
		}
		l.at = nil
		l.dirs["in"] = []ftpx.Entry{entry("a", 1), {Name: "d", Type: transport.TypeDir}}
		l.dirs["in/d"] = []ftpx.Entry{entry("b", 1), entry("../../up", 1), entry("e\nvil", 1)}
		b.after(700 * time.Second)
		if len(b.told) != 4 || b.told[2].path != "a" || b.told[3].path != "d/b" || b.told[2].at != 630*time.Second ||
			!errors.Is(b.told[0].err, folder.ErrName) || !errors.Is(b.told[1].err, folder.ErrName) {
			t.Error(b.told)
		}
		if want := seconds(620, 630, 650, 690); !slices.Equal(l.at, want) {
			t.Errorf("listed at %v, want %v", l.at, want)
		}
		l.at = nil
		b.told = nil
		l.err = errors.New("down")
		b.after(1400 * time.Second)
		if want := seconds(770, 890, 1010, 1130, 1250, 1370); !slices.Equal(l.at, want) || len(b.told) != 6 || !errors.Is(b.told[0].err, l.err) {
			t.Errorf("listed at %v, want %v; %v", l.at, want, b.told)
		}
		b.told = nil
		l.err = nil
		l.dirs["in"] = append(l.dirs["in"], entry("after", 1))
		b.want(t, 1600*time.Second, "after 25m0s")
	})
}

// TestRemoteGrowing: a file is taken when two listings in a row, far enough apart, show
// the same, and one that goes on growing never.
func TestRemoteGrowing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := watchListings(t, &watch.Options{Interval: 10 * time.Second, Folder: folder.Options{Ready: folder.Ready{Stable: 15 * time.Second}}},
			entry("grows", 0), entry("rests", 1))
		for i := range 30 {
			b.after(time.Duration(i*10+5) * time.Second)
			l.dirs["in"] = []ftpx.Entry{entry("grows", int64(i)), entry("rests", 1)}
		}
		b.want(t, 300*time.Second, "rests 20s")
		b.want(t, 321*time.Second, "rests 20s", "grows 5m20s")
	})
}

// TestRemoteBackPressure: a consumer that takes its time is shown nothing out of an old
// listing, and while it is busy nothing is listed.
func TestRemoteBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &listings{dirs: map[string][]ftpx.Entry{}, begun: time.Now()}
		l.dirs["in"] = []ftpx.Entry{entry("a", 1), entry("b", 1), entry("c", 1)}
		b := bubble{block: make(chan struct{})}
		b.run(t, func(ctx context.Context) iter.Seq2[watch.Event, error] { return watch.Remote(ctx, l, "in", nil) })
		b.want(t, time.Hour, "a 10s")
		if len(l.at) != 2 {
			t.Errorf("listed at %v", l.at)
		}
		l.dirs["in"] = []ftpx.Entry{entry("c", 1)} // b is gone
		close(b.block)
		b.want(t, 2*time.Hour, "a 10s", "c 1h0m0s")
	})
}

// TestRemoteGone: a folder that is not there is told once, and what was in it is not
// yielded again when it is back.
func TestRemoteGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := watchListings(t, nil, entry("a", 1))
		b.want(t, 100*time.Second, "a 10s")
		l.err = &ftpx.Error{Outcome: ftpx.NotDone, Op: "list", Err: &transport.Error{Kind: transport.KindNotExist, Op: "list", Err: os.ErrNotExist}}
		b.after(1000 * time.Second)
		if len(b.told) != 2 || !errors.Is(b.told[1].err, watch.ErrGone) {
			t.Fatal(b.told)
		}
		l.err = nil
		l.dirs["in"] = append(l.dirs["in"], entry("b", 1))
		b.after(2000 * time.Second)
		if len(b.told) != 3 || b.told[2].path != "b" {
			t.Fatal(b.told)
		}
	})
}

// TestRemoteMarkers: a marker counts when it is listed beside its file.
func TestRemoteMarkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := watchListings(t, &watch.Options{Flat: true, Folder: folder.Options{Ready: folder.Ready{Marker: ".done"}}},
			entry("a", 1), entry("b", 1), ftpx.Entry{Name: "d", Type: transport.TypeDir})
		b.want(t, 95*time.Second)
		l.dirs["in/d"] = []ftpx.Entry{entry("x", 1), entry("x.done", 1)}
		l.dirs["in"] = append(l.dirs["in"], entry("b.done", 0))
		if got := b.after(300 * time.Second); len(got) != 1 || path.Base(b.told[0].path) != "b" {
			t.Error(got)
		}
	})
}
