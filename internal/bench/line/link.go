//go:build linux

package line

import (
	"sync"
	"time"
)

// maxLag is how long bytes may wait for the line before their connection is no
// longer read from.
const maxLag = 4 * time.Millisecond

// link is one direction of a line: bytes leave it one after the other.
type link struct {
	rate int64
	mu   sync.Mutex
	free time.Time // when the last byte taken on has left
}

// send takes n bytes on and returns when the last of them leaves.
func (k *link) send(now time.Time, n int) time.Time {
	if k.rate <= 0 {
		return now
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.free.Before(now) {
		k.free = now
	}
	k.free = k.free.Add(time.Duration(float64(n) / float64(k.rate) * float64(time.Second)))
	return k.free
}

// wait returns how long to wait before reading more for this direction.
func (k *link) wait(now time.Time) time.Duration {
	if k.rate <= 0 {
		return 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.free.Before(now) {
		return 0
	}
	return k.free.Sub(now) - maxLag
}

// most bounds one read, so that connections that share a slow line take turns.
func (k *link) most() int {
	if k.rate <= 0 {
		return chunkSize
	}
	return int(min(max(k.rate/500, 16<<10), chunkSize)) // 2 ms
}
