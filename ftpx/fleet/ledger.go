package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// bucket is the ledger that all workers share.
type bucket struct{ kv jetstream.KeyValue }

// bucketTimeout is how long one entry may take: an engine that restarts is waited for.
const bucketTimeout = 20 * time.Second

// Ledger returns the ledger that all workers share, for [folder.Options].
func (f *Fleet) Ledger() folder.Ledger { return bucket{f.ledger} }

// key is a hash: paths hold what keys cannot.
func (b bucket) key(job, path string) string {
	sum := sha256.Sum256([]byte(job + "\x00" + path))
	return hex.EncodeToString(sum[:])
}

// Lookup is part of folder.Ledger.
func (b bucket) Lookup(job, path string) (e ledger.Entry, found bool, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), bucketTimeout)
	defer cancel()
	v, err := b.kv.Get(ctx, b.key(job, path))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return e, false, nil
	}
	if err == nil {
		err = json.Unmarshal(v.Value(), &e)
	}
	if err != nil {
		return e, false, fmt.Errorf("the ledger in bucket %s: %w", ledgerBucket, err)
	}
	return e, true, nil
}

// Record is part of folder.Ledger. It returns when the engine has stored the entry.
func (b bucket) Record(e ledger.Entry) error {
	if e.When.IsZero() {
		e.When = time.Now()
	}
	v, err := json.Marshal(e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), bucketTimeout)
	defer cancel()
	if _, err := b.kv.Put(ctx, b.key(e.Job, e.Path), v); err != nil {
		return fmt.Errorf("the ledger in bucket %s: %w", ledgerBucket, err)
	}
	return nil
}

// Sync is part of folder.Ledger: each entry is stored when Record returns.
func (b bucket) Sync() error { return nil }

// FullHash is part of folder.Ledger.
func (b bucket) FullHash() bool { return false }
