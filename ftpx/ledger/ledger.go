package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// The errors of a ledger.
var (
	// ErrLocked: another process, or another part of this one, has the ledger
	// open. It is usually the same job, still running.
	ErrLocked = errors.New("the ledger is in use: is another run of the same job under way?")
	// ErrClosed: the ledger has been closed.
	ErrClosed = errors.New("the ledger is closed")
)

// Options are the options of [Open]; nil is the zero value.
type Options struct {
	// LockWait is how long Open waits for another process to close the ledger; 0
	// means not at all.
	LockWait time.Duration
	// CommitEvery is how long an entry may wait to be written together with
	// others, so that thousands of small files do not cost a sync of the disk
	// each; 0 means 100 ms, negative means that Record waits for the disk.
	CommitEvery time.Duration
	// FullHash hashes files from end to end, instead of head and tail.
	FullHash bool
}

// The buckets: the last entry of each file, and all entries in their order.
var (
	current = []byte("current")
	history = []byte("history")
)

// A commit takes what has gathered, at most commitSize entries; Record waits while
// twice that is under way, so that memory is bounded.
const commitSize = 1024

// Ledger is an open ledger. Its methods are safe for concurrent use.
type Ledger struct {
	path string
	db   *bolt.DB
	opts Options

	mu      sync.Mutex
	moved   *sync.Cond        // waiting, written or failed have changed
	waiting []Entry           // to be committed, oldest first
	recent  map[string]recent // those of them and of the commit under way, by key
	urgent  bool              // somebody waits for the commit
	taken   int64             // how many were recorded
	written int64             // how many of them are on disk
	failed  error             // a commit failed: nothing more is taken
	closed  bool
	commits int64

	wake chan struct{} // a token: look at waiting at once
	done chan struct{} // the committer has ended
}

// recent is an entry that is not on disk yet, and its number.
type recent struct {
	Entry
	n int64
}

// Open opens a ledger, and creates it if it is not there. The folder must be. It
// fails with [ErrLocked] if the ledger is open elsewhere.
func Open(path string, opts *Options) (*Ledger, error) {
	if opts == nil {
		opts = &Options{}
	}
	if path == "" {
		return nil, errors.New("the path of the ledger is empty: name a file")
	}
	wait := opts.LockWait
	if wait <= 0 {
		wait = time.Nanosecond // 0 would wait for ever
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: wait, FreelistType: bolt.FreelistMapType})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("ledger %q: %w", path, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger %q: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{current, history} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("ledger %q: %w", path, err)
	}
	syncFolder(filepath.Dir(path)) // a new file is only there after a crash if its name is
	l := &Ledger{path: path, db: db, opts: *opts, recent: map[string]recent{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
	if l.opts.CommitEvery == 0 {
		l.opts.CommitEvery = 100 * time.Millisecond
	}
	l.moved = sync.NewCond(&l.mu)
	go l.commitAll()
	return l, nil
}

// FullHash reports whether [Options].FullHash was set.
func (l *Ledger) FullHash() bool { return l.opts.FullHash }

// key is where the last entry of a file lies. No job and no path holds a NUL.
func key(job, path string) string { return job + "\x00" + path }

// Record adds an entry, which replaces the file's last one for [Ledger.Lookup]. It
// returns when the entry is taken; it is on disk within [Options].CommitEvery, and
// when [Ledger.Sync] or [Ledger.Close] has returned. After an error of the disk
// every call returns that error, and nothing more is taken.
func (l *Ledger) Record(e Entry) error {
	if e.Job == "" || e.Path == "" || strings.ContainsRune(e.Job+e.Path, 0) {
		return fmt.Errorf("ledger %q: Entry.Job %q or Entry.Path %q is empty or holds NUL: name both", l.path, e.Job, e.Path)
	}
	if e.When.IsZero() {
		e.When = time.Now()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) >= commitSize && l.failed == nil && !l.closed {
		l.moved.Wait()
	}
	if err := l.stopped(); err != nil {
		return err
	}
	l.waiting = append(l.waiting, e)
	l.taken++
	l.recent[key(e.Job, e.Path)] = recent{e, l.taken}
	if len(l.waiting) == 1 || len(l.waiting) == commitSize {
		l.poke()
	}
	if l.opts.CommitEvery < 0 {
		return l.await(l.taken)
	}
	return nil
}

// Sync returns when everything recorded before is on disk.
func (l *Ledger) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return l.stopped()
	}
	return l.await(l.taken)
}

// await waits, with the lock held, until n entries are on disk.
func (l *Ledger) await(n int64) error {
	for l.written < n && l.failed == nil {
		l.urgent = true
		l.poke()
		l.moved.Wait()
	}
	return l.failed
}

func (l *Ledger) stopped() error {
	if l.failed != nil {
		return l.failed
	}
	if l.closed {
		return fmt.Errorf("ledger %q: %w", l.path, ErrClosed)
	}
	return nil
}

func (l *Ledger) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Lookup returns the last entry of a file, also one that is not on disk yet.
func (l *Ledger) Lookup(job, path string) (e Entry, found bool, err error) {
	k := key(job, path)
	l.mu.Lock()
	r, found := l.recent[k]
	err = l.stopped()
	l.mu.Unlock()
	e = r.Entry
	if found || err != nil {
		return e, found, err
	}
	err = l.db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(current).Get([]byte(k)); b != nil {
			found = true
			return json.Unmarshal(b, &e)
		}
		return nil
	})
	if err != nil {
		return Entry{}, false, fmt.Errorf("ledger %q: %q: %w", l.path, path, err)
	}
	return e, found, nil
}

// Forget removes the last entry of a file, so that the job moves it again; its
// history stays. What is not there is no error.
func (l *Ledger) Forget(job, path string) error {
	if err := l.Sync(); err != nil {
		return err
	}
	err := l.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(current).Delete([]byte(key(job, path))) })
	if err != nil {
		return fmt.Errorf("ledger %q: %q: %w", l.path, path, err)
	}
	return nil
}

// Close writes what has been recorded and releases the ledger. It may be called
// twice.
func (l *Ledger) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		<-l.done
		return l.failed
	}
	l.closed = true
	l.moved.Broadcast()
	l.poke()
	l.mu.Unlock()
	<-l.done
	err := l.db.Close()
	if l.failed != nil {
		return l.failed
	}
	return err
}

// syncFolder makes a new name in a folder durable. Platforms that cannot sync a
// folder do that by themselves.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
