package ledger

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"
)

// page is how many entries are read in one look, so that a slow reader does not
// hold a view of the file, which would keep its old pages from being used again.
const page = 256

// History iterates over everything recorded for a job, oldest first; "" means all
// jobs. What is recorded meanwhile may or may not be seen. An error comes last,
// alone.
func (l *Ledger) History(job string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		if err := l.Sync(); err != nil {
			yield(Entry{}, err)
			return
		}
		next := uint64(1)
		for next > 0 {
			var entries []Entry
			var err error
			if entries, next, err = l.read(next); err != nil {
				yield(Entry{}, fmt.Errorf("ledger %q: %w", l.path, err))
				return
			}
			for _, e := range entries {
				if (job == "" || e.Job == job) && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// read returns a page of the history from a sequence number on, and where the next
// one begins, 0 for nowhere.
func (l *Ledger) read(from uint64) (entries []Entry, next uint64, err error) {
	err = l.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(history).Cursor()
		for k, v := c.Seek(binary.BigEndian.AppendUint64(nil, from)); k != nil; k, v = c.Next() {
			if len(entries) == page {
				next = binary.BigEndian.Uint64(k)
				return nil
			}
			var e Entry
			if err := json.Unmarshal(v, &e); err != nil {
				return err
			}
			entries = append(entries, e)
		}
		return nil
	})
	return entries, next, err
}

// Prune removes from the history what was recorded before a moment, and returns
// how much that was. The last entry of each file stays, for [Ledger.Lookup].
func (l *Ledger) Prune(before time.Time) (int, error) {
	if err := l.Sync(); err != nil {
		return 0, err
	}
	removed := 0
	for {
		n := 0
		err := l.db.Update(func(tx *bolt.Tx) error {
			c := tx.Bucket(history).Cursor()
			for k, v := c.First(); k != nil && n < commitSize; k, v = c.First() {
				var e Entry
				if err := json.Unmarshal(v, &e); err != nil {
					return err
				}
				if !e.When.Before(before) {
					return nil // they are in the order of time
				}
				if err := c.Delete(); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return removed, fmt.Errorf("ledger %q: %w", l.path, err)
		}
		if removed += n; n < commitSize {
			return removed, nil
		}
	}
}
