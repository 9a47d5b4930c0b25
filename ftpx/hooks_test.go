package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// calls are all methods of a client, of its file system and of package folder. What they
// return does not matter.
var calls = map[string]func(ctx context.Context, c ftpx.Client, dir string){
	"ping": func(ctx context.Context, c ftpx.Client, _ string) { _ = c.Ping(ctx) },
	"upload": func(ctx context.Context, c ftpx.Client, dir string) {
		_, _ = c.Upload(ctx, filepath.Join(dir, "large"), "up/l", &ftpx.UploadOptions{CreateDirs: true})
	},
	"small": func(ctx context.Context, c ftpx.Client, dir string) {
		_, _ = c.Upload(ctx, filepath.Join(dir, "small"), "s", nil)
	},
	"full": func(ctx context.Context, c ftpx.Client, dir string) {
		_, _ = c.Upload(ctx, filepath.Join(dir, "large"), "full", &ftpx.UploadOptions{Verify: ftpx.VerifyFull, Always: true})
	},
	"put": func(ctx context.Context, c ftpx.Client, _ string) {
		_, _ = c.Put(ctx, "put", io.LimitReader(rand.NewChaCha8([32]byte{}), 200_000), nil)
	},
	"append": func(ctx context.Context, c ftpx.Client, _ string) {
		_, _ = c.Put(ctx, "appended", io.LimitReader(rand.NewChaCha8([32]byte{}), 100_000), &ftpx.PutOptions{Append: true})
	},
	"create": func(ctx context.Context, c ftpx.Client, _ string) {
		w, err := c.Create(ctx, "created", nil)
		if err != nil {
			return
		}
		defer w.Abort(nil)
		_, _ = w.Write(make([]byte, 100_000))
		_ = w.Close()
	},
	"open": func(ctx context.Context, c ftpx.Client, _ string) {
		f, err := c.Open(ctx, "remote")
		if err != nil {
			return
		}
		defer f.Close()
		_, _ = io.Copy(io.Discard, f)
	},
	"part": func(ctx context.Context, c ftpx.Client, _ string) {
		_, _ = c.Get(ctx, "remote", io.Discard, &ftpx.GetOptions{Offset: 1000, Length: 100_000})
	},
	"download": func(ctx context.Context, c ftpx.Client, dir string) {
		_, _ = c.Download(ctx, "remote", filepath.Join(dir, "down"), nil)
	},
	"get":  func(ctx context.Context, c ftpx.Client, _ string) { _, _ = c.Get(ctx, "remote", io.Discard, nil) },
	"stat": func(ctx context.Context, c ftpx.Client, _ string) { _, _ = c.Stat(ctx, "remote") },
	"bad":  func(ctx context.Context, c ftpx.Client, _ string) { _, _ = c.Stat(ctx, "a\nb") },
	"list": func(ctx context.Context, c ftpx.Client, _ string) {
		for range c.List(ctx, ".") { //nolint:revive // all of it
		}
	},
	"walk": func(ctx context.Context, c ftpx.Client, _ string) {
		_ = c.Walk(ctx, ".", func(string, ftpx.Entry, error) error { return nil })
	},
	"rename":    func(ctx context.Context, c ftpx.Client, _ string) { _ = c.Rename(ctx, "put", "put2") },
	"remove":    func(ctx context.Context, c ftpx.Client, _ string) { _ = c.Remove(ctx, "put2") },
	"removeall": func(ctx context.Context, c ftpx.Client, _ string) { _ = c.RemoveAll(ctx, "tree") },
	"mkdir":     func(ctx context.Context, c ftpx.Client, _ string) { _ = c.MkdirAll(ctx, "tree/a/b") },
	"chtimes":   func(ctx context.Context, c ftpx.Client, _ string) { _ = c.Chtimes(ctx, "remote", time.Unix(1e9, 0)) },
	"chmod":     func(ctx context.Context, c ftpx.Client, _ string) { _ = c.Chmod(ctx, "remote", 0o600) },
	"symlink":   func(ctx context.Context, c ftpx.Client, _ string) { _ = c.Symlink(ctx, "remote", "link") },
	"readlink":  func(ctx context.Context, c ftpx.Client, _ string) { _, _ = c.ReadLink(ctx, "link") },
	"space":     func(ctx context.Context, c ftpx.Client, _ string) { _, _ = c.Space(ctx, ".") },
	"raw":       func(ctx context.Context, c ftpx.Client, _ string) { _, _ = c.Raw(ctx, "SITE HELP") },
	"recheck":   func(ctx context.Context, c ftpx.Client, _ string) { _ = c.(ftpx.Rechecker).Recheck(ctx, "s") },
	"fs": func(ctx context.Context, c ftpx.Client, _ string) {
		fsys := c.FS(ctx)
		_, _ = fs.ReadDir(fsys, ".")
		_, _ = fs.Stat(fsys, "remote")
		_, _ = fs.ReadFile(fsys, "remote")
		f, err := fsys.Open("remote")
		if err != nil {
			return
		}
		defer f.Close()
		_, _ = f.Read(make([]byte, 1000))
		_, _ = f.(io.ReaderAt).ReadAt(make([]byte, 1000), 50_000)
		_, _ = f.(io.Seeker).Seek(10, io.SeekStart)
		_, _ = io.Copy(io.Discard, f)
	},
	"upload folder": func(ctx context.Context, c ftpx.Client, dir string) {
		_, _ = folder.Upload(ctx, c, filepath.Join(dir, "tree"), "tree", &folder.Options{Delete: true})
	},
	"download folder": func(ctx context.Context, c ftpx.Client, dir string) {
		_, _ = folder.Download(ctx, c, "tree", filepath.Join(dir, "fetched"), nil)
	},
	"one of a folder": func(ctx context.Context, c ftpx.Client, dir string) {
		one, err := folder.NewUpload(c, filepath.Join(dir, "tree"), "single", nil)
		if err != nil {
			return
		}
		defer one.Close()
		one.Copy(ctx, "sub/b", true)
	},
	"watch": func(ctx context.Context, c ftpx.Client, _ string) {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		for e, err := range watch.Remote(ctx, c, ".", &watch.Options{Interval: time.Second}) {
			if err == nil {
				e.Done()
				break
			}
		}
	},
	"watch folder": func(ctx context.Context, c ftpx.Client, dir string) { // its other direction: TestWatchHooksNest
		ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		_, _ = watch.Download(ctx, c, ".", filepath.Join(dir, "watched"), &watch.Options{Interval: time.Second, RetryAfter: time.Second, Folder: folder.Options{Parallel: 2}})
	},
}

// callOf says which of the calls are made of a method of [ftpx.Client].
var callOf = map[string]string{"Upload": "upload", "Put": "put", "Download": "download", "Get": "get", "Stat": "stat", "List": "list", "Walk": "walk",
	"Rename": "rename", "Remove": "remove", "RemoveAll": "removeall", "MkdirAll": "mkdir", "Chtimes": "chtimes", "Chmod": "chmod", "Symlink": "symlink",
	"ReadLink": "readlink", "Space": "space", "Raw": "raw", "FS": "fs", "Open": "open", "Create": "create", "Ping": "ping"}

// TestCallsAreAll: a method that is added to the client is also called under faults.
func TestCallsAreAll(t *testing.T) {
	asksNobody := []string{"Stats", "Health", "Learned", "Begin", "Close", "sealed"}
	client := reflect.TypeFor[ftpx.Client]()
	for i := range client.NumMethod() {
		name := client.Method(i).Name
		if !slices.Contains(asksNobody, name) && calls[callOf[name]] == nil {
			t.Errorf("none of the calls is of %s", name)
		}
	}
}

// faults are what goes wrong with a server at random.
func faults(rnd *rand.Rand, mu *sync.Mutex, in int) memconn.Injector {
	return func(memconn.OpInfo) memconn.Fault {
		mu.Lock()
		defer mu.Unlock()
		if rnd.IntN(in) > 0 {
			return memconn.Fault{}
		}
		do := []memconn.Action{memconn.Unsent, memconn.LostBefore, memconn.LostAfter, memconn.Stall, memconn.ShortWrite, memconn.CutShort, memconn.Garbage, memconn.Refuse}
		f := memconn.Fault{Do: do[rnd.IntN(len(do))]}
		if f.Do == memconn.Refuse {
			f.Kind = []transport.Kind{transport.KindBusy, transport.KindTemporary, transport.KindPermission}[rnd.IntN(3)]
		}
		return f
	}
}

// plan is one run of everything.
type plan struct {
	proto  ftpx.Protocol
	in     int // one fault in so many operations
	cancel bool
	panics int  // one hook in so many, 0 for none
	limit  int  // connections that the server takes
	down   bool // it is away now and then, and has a standby
	ends   bool // hooks panic also at the end of connections, and nothing is left to be removed
}

func (p plan) String() string {
	return fmt.Sprintf("%v,faults=%d,cancel=%v,panics=%d,limit=%d,down=%v,ends=%v", p.proto, p.in, p.cancel, p.panics, p.limit, p.down, p.ends)
}

// TestHooksNest: whatever goes wrong, each scope that begins ends once, after all that is in
// it, and the numbers agree; no connection and no place is left over.
func TestHooksNest(t *testing.T) {
	seeds := uint64(4)
	if os.Getenv("FTPX_SWEEP") != "" {
		seeds = 40
	}
	var mu sync.Mutex // guards seen
	seen := map[string]int{}
	t.Cleanup(func() {
		for _, what := range []string{"operation begins", "attempt begins", "dial begins", "acquire turn ends", "acquire slot ends", "acquire breaker ends",
			"acquire dial ends", "acquire busy ends", "protocol", "host", "retry", "resume", "verify", "breaker", "limit", "progress", "command", "reply", "connection ends", "alarm"} {
			if seen[what] == 0 {
				t.Errorf("never told of: %s", what)
			}
		}
		t.Log(seen)
	})
	for _, p := range []plan{
		{proto: ftpx.SFTP, in: 40}, {proto: ftpx.FTPS, in: 40}, {proto: ftpx.FTP, in: 1 << 30, limit: 2},
		{proto: ftpx.SFTP, in: 60, cancel: true, limit: 2}, {proto: ftpx.FTPS, in: 60, cancel: true, limit: 1},
		{proto: ftpx.SFTP, in: 100, down: true}, {proto: ftpx.FTPS, in: 100, panics: 80, down: true},
		{proto: ftpx.SFTP, in: 200, panics: 80, limit: 3}, {proto: ftpx.SFTP, in: 40, panics: 200, ends: true}, {proto: ftpx.FTPS, in: 60, panics: 80, cancel: true, limit: 2},
	} {
		for seed := range seeds {
			t.Run(fmt.Sprint(p, ",seed=", seed), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					r := p.run(t, seed)
					mu.Lock()
					defer mu.Unlock()
					for what, n := range r.seen {
						seen[what] += n
					}
				})
			})
		}
	}
}

// TestWatchHooksNest: the same of a job that waits for the notices of the real file system,
// for which there is no time but the real one.
func TestWatchHooksNest(t *testing.T) {
	var mu sync.Mutex // guards rnd
	rnd := rand.New(rand.NewPCG(3, 1))
	dir := t.TempDir()
	const files = 20
	for i := range files {
		must(t, os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), bytes.Repeat([]byte("x1"), 1+i*7000), 0o600))
	}
	s := memconn.New(memconn.Options{})
	r := newRecorder()
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Limits: ftpx.Limits{Conns: 2}, Connect: s.Dial,
		Hooks: r.hooks(), Retry: retry.Policy{MaxAttempts: 100, InitialDelay: time.Millisecond, MaxDelay: 5 * time.Millisecond}}})
	must(t, err)
	inject := faults(rnd, &mu, 30)
	s.Inject(func(op memconn.OpInfo) memconn.Fault {
		f := inject(op)
		if f.Do == memconn.Stall {
			f.Do = memconn.LostBefore
		}
		return f
	})
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), called{}, true))
	defer cancel()
	done := map[string]bool{}
	report, err := watch.Upload(ctx, c, dir, "watched", &watch.Options{RetryAfter: time.Millisecond, Attempts: 100, Folder: folder.Options{
		Ready: folder.Ready{Stable: time.Millisecond},
		OnItem: func(i folder.Item) {
			mu.Lock()
			defer mu.Unlock()
			if i.Err == nil && !i.NotReady {
				done[i.Path] = true
			}
			if len(done) == files {
				cancel()
			}
		}}})
	must(t, err)
	s.Inject(nil)
	must(t, c.Close())
	problems := r.settled()
	if len(problems) > 0 || r.seen["operation begins"] < files || r.seen["retry"] == 0 {
		t.Errorf("%v, %v, %+v", problems[:min(len(problems), 10)], r.seen, report)
	}
}

func (p plan) run(t *testing.T, seed uint64) *recorder {
	var mu sync.Mutex // guards rnd
	rnd := rand.New(rand.NewPCG(seed, 1))
	random := func(n int) int { mu.Lock(); defer mu.Unlock(); return rnd.IntN(n) }
	dir := t.TempDir()
	for name, size := range map[string]int{"large": 700_000, "small": 5_000, "tree/a": 10_000, "tree/sub/b": 300_000, "tree/sub/c": 0} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, bytes.Repeat([]byte("x1"), size/2), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	caps := memconn.DefaultCaps(p.proto)
	caps.Overlap, caps.InTurn = 4, p.proto != ftpx.SFTP
	if caps.InTurn {
		caps.Overlap = 2
	}
	s := memconn.New(memconn.Options{RoundTrip: time.Millisecond, MaxConns: p.limit, IdleTimeout: time.Minute, Caps: &caps})
	s.Files().Write("remote", bytes.Repeat([]byte("ab"), 200_000), time.Unix(1e9, 0))
	r := newRecorder()
	r.connPanics = p.ends
	opts := ftpx.Options{Protocols: []ftpx.Protocol{p.proto}, AllowPlaintext: true, Limits: ftpx.Limits{Conns: 3, Transfers: 2}, Connect: s.Dial,
		Timeouts: ftpx.Timeouts{Stall: 5 * time.Second, Connect: 5 * time.Second}, Hooks: r.hooks(),
		Retry: retry.Policy{MaxAttempts: 4, InitialDelay: 50 * time.Millisecond}}
	if p.proto != ftpx.FTP {
		opts.Protocols = append(opts.Protocols, ftpx.FTP)
	}
	stop := func() {}
	defer func() { stop() }()
	if p.down {
		standby := memconn.New(memconn.Options{RoundTrip: time.Millisecond, Files: s.Files(), Caps: &caps})
		opts.Standbys = []ftpx.Standby{{Host: "standby"}}
		opts.Connect = func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
			if ep.Host == "standby" {
				return standby.Dial(ctx, ep)
			}
			return s.Dial(ctx, ep)
		}
		work, ended := context.WithCancel(t.Context())
		var outages sync.WaitGroup
		stop = func() { ended(); outages.Wait() }
		outages.Go(func() {
			for i := 0; work.Err() == nil; i++ {
				pause(work, time.Duration(500+random(2000))*time.Millisecond)
				s.SetDown(transport.KindUnreachable)
				s.Cut()
				if i%4 == 3 {
					standby.SetDown(transport.KindUnreachable)
					standby.Cut()
				}
				pause(work, time.Duration(random(3000))*time.Millisecond)
				s.SetDown(transport.KindUnknown)
				standby.SetDown(transport.KindUnknown)
			}
		})
	}
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
	if err != nil {
		t.Fatal(err)
	}
	s.Inject(faults(rnd, &mu, p.in))
	if p.panics > 0 {
		r.panics = sometimes(rnd, &mu, p.panics)
	}
	names := make([]string, 0, len(calls))
	for name := range calls {
		names = append(names, name)
	}
	slices.Sort(names)
	if p.ends {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "put" || name == "create" })
	}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for range 2 * len(names) {
				name := names[random(len(names))]
				ctx, cancel := context.WithValue(t.Context(), called{}, true), context.CancelFunc(func() {})
				if p.cancel && random(3) == 0 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(random(400))*time.Millisecond)
				}
				guard(t, func() { calls[name](ctx, c, filepath.Join(dir)) })
				cancel()
				time.Sleep(time.Duration(random(100*(worker+1))) * time.Millisecond)
			}
		})
	}
	all.Wait()
	stop()
	s.Inject(nil)
	r.mu.Lock()
	r.panics = nil
	r.mu.Unlock()
	// All places are free: as many calls as there may be connections get one at once.
	time.Sleep(time.Minute)
	wantPlaces(t, c)
	synctest.Wait()
	if st := c.Stats(); st.Open != st.Idle {
		t.Errorf("%d connections are open, %d idle", st.Open, st.Idle)
	}
	guard(t, func() { _ = c.Close() })
	synctest.Wait()
	if p.panics > 0 {
		r.panics = func(string) bool { return false } // a connection whose hook has panicked may not be told of
	}
	problems := r.settled()
	for i, what := range problems {
		if i == 10 {
			t.Fatalf("and %d more", len(problems)-i)
		}
		t.Error(what)
	}
	if st := s.Stats(); st.Open > 0 {
		t.Errorf("%d connections are open at the server", st.Open)
	}
	return r
}

// guard passes over panics of the recorder's hooks.
func guard(t *testing.T, f func()) {
	defer func() {
		if p := recover(); p != nil {
			if _, ours := p.(made); !ours {
				t.Errorf("panic: %v", p)
				panic(p)
			}
		}
	}()
	f()
}

// wantPlaces makes as many calls at once as there may be connections, and fails if one waits.
func wantPlaces(t *testing.T, c ftpx.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := c.Ping(ctx); err != nil {
				t.Errorf("a place is missing: %v", err)
			}
		})
	}
	all.Wait()
}

// pause waits, or less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// contextFor is a context that ends after a while.
func contextFor(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), d)
}
