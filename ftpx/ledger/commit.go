package ledger

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// commitAll writes what is recorded, in groups, until the ledger is closed. A
// group gathers while the one before it is written, and for CommitEvery: with
// bbolt's own Batch every worker would wait for its own file's commit, so that a
// group would never hold more entries than there are workers.
func (l *Ledger) commitAll() {
	defer close(l.done)
	for {
		<-l.wake
		if l.gathering() {
			pause := time.NewTimer(l.opts.CommitEvery)
			select {
			case <-l.wake: // full, Sync or Close
			case <-pause.C:
			}
			pause.Stop()
		}
		if group := l.take(); len(group) > 0 {
			l.settle(group, l.write(group))
		}
		if l.over() {
			return
		}
	}
}

// over reports whether the ledger is closed and all is written, or cannot be. If
// more has come meanwhile, it sees to it that it is not forgotten.
func (l *Ledger) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 && l.failed == nil {
		l.poke()
		return false
	}
	return l.closed
}

// gathering reports whether it is worth waiting for more entries.
func (l *Ledger) gathering() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opts.CommitEvery > 0 && len(l.waiting) < commitSize && !l.urgent && !l.closed && l.failed == nil
}

func (l *Ledger) take() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return nil
	}
	group := l.waiting
	l.waiting, l.urgent = nil, false
	l.moved.Broadcast() // there is room again
	return group
}

// settle notes how a commit has ended.
func (l *Ledger) settle(group []Entry, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = fmt.Errorf("ledger %q: writing %d entries: %w", l.path, len(group), err)
	} else {
		l.commits++
		for i := range group {
			l.written++
			if k := key(group[i].Job, group[i].Path); l.recent[k].n == l.written {
				delete(l.recent, k) // else a later one of the same file waits
			}
		}
	}
	l.moved.Broadcast()
}

func (l *Ledger) write(group []Entry) error {
	return l.db.Update(func(tx *bolt.Tx) error {
		now, all := tx.Bucket(current), tx.Bucket(history)
		for i := range group {
			b, err := json.Marshal(&group[i])
			if err != nil {
				return err
			}
			n, err := all.NextSequence()
			if err != nil {
				return err
			}
			if err := all.Put(binary.BigEndian.AppendUint64(nil, n), b); err != nil {
				return err
			}
			if err := now.Put([]byte(key(group[i].Job, group[i].Path)), b); err != nil {
				return err
			}
		}
		return nil
	})
}
