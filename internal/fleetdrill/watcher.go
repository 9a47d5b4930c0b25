//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// watcher looks at the final names on the disks of the servers, and of the workers, for
// content that should not be there.
type watcher struct {
	want map[string]string // hash by full path; "" for what is to go

	mu   sync.Mutex // guards what follows
	seen map[string]time.Time
	bad  map[string]string
}

func newWatcher(jobs []*job) *watcher {
	w := &watcher{want: map[string]string{}, seen: map[string]time.Time{}, bad: map[string]string{}}
	for _, j := range jobs {
		for name, sum := range j.files {
			if sum != "" {
				w.want[name] = sum
			}
		}
	}
	return w
}

// run looks until ctx ends. A file is hashed when it has appeared, or changed.
func (w *watcher) run(ctx context.Context) {
	for ctx.Err() == nil {
		for name, sum := range w.want {
			info, err := os.Stat(name)
			if err != nil || ctx.Err() != nil {
				continue
			}
			w.mu.Lock()
			known := w.seen[name].Equal(info.ModTime())
			w.mu.Unlock()
			if known {
				continue
			}
			got, err := hashOf(name)
			if err != nil {
				continue // it has just been replaced: by the same, as the next look will tell
			}
			w.mu.Lock()
			w.seen[name] = info.ModTime()
			if got != sum {
				w.bad[name] = got
			}
			w.mu.Unlock()
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (w *watcher) verdict() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var bad []error
	for name, got := range w.bad {
		bad = append(bad, fmt.Errorf("other content was seen under %s: %s", name, got))
	}
	return errors.Join(bad...)
}

func hashOf(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
