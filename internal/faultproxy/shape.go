package faultproxy

import (
	"sync"
	"time"
)

// defaultQueue bounds what a delayed direction holds: more than the bandwidth
// delay product of any line worth simulating, so that the delay alone never
// limits the throughput.
const defaultQueue = 64 << 20

// Shape is the character of a line, faults aside. The zero Shape is loopback.
type Shape struct {
	// UpDelay and DownDelay are one-way delays. Connecting takes its round trip
	// too: the client's connect returns at once, since the proxy is near, but
	// the server is dialled when a distant client's third packet would be there.
	UpDelay, DownDelay time.Duration
	// UpRate and DownRate bound the bytes per second of one connection.
	UpRate, DownRate int64
	// Queue bounds the bytes that a delayed direction holds, 64 MiB if zero. A
	// large queue in front of a low rate is a middlebox that acknowledges much
	// more than it has delivered.
	Queue int
	// Chunk bounds the bytes of one write; 0 does not.
	Chunk int
}

func (s Shape) isZero() bool { return s == Shape{} }

func (s Shape) delay(dir Dir) time.Duration {
	if dir == Up {
		return s.UpDelay
	}
	return s.DownDelay
}

func (s Shape) rate(dir Dir) int64 {
	if dir == Up {
		return s.UpRate
	}
	return s.DownRate
}

// connectDelay is SYN, SYN-ACK, ACK.
func (s Shape) connectDelay() time.Duration { return s.UpDelay + s.DownDelay + s.UpDelay }

// limiter spaces bytes at a rate. The zero limiter is ready.
type limiter struct {
	mu   sync.Mutex
	next time.Time // when the line is free again
}

// reserve books n bytes at rate bytes a second and returns how long to wait
// before sending them. A line that was idle is free at once: there is no credit
// for idle time.
func (l *limiter) reserve(n int, rate int64) time.Duration {
	if rate <= 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.next.Before(now) {
		l.next = now
	}
	wait := l.next.Sub(now)
	l.next = l.next.Add(time.Duration(float64(n) / float64(rate) * float64(time.Second)))
	return wait
}

// quantum is how many bytes go at once at rate: a hundredth of a second's worth,
// which timers can still hit, and at least what a small packet has.
func quantum(rate int64) int { return int(min(max(rate/100, 512), chunkSize)) }

// admit waits until the line takes bytes of direction dir and returns how many
// of n that are: at least one, or 0 when the connection is over.
func (c *conn) admit(dir Dir, n int) int {
	c.mu.Lock()
	if size := c.chunk[index(dir)]; size > 0 {
		n = min(n, size)
	}
	c.mu.Unlock()
	own, shared := c.shape.rate(dir), c.proxy.opts.rate(dir)
	for _, rate := range [...]int64{own, shared} {
		if rate > 0 {
			n = min(n, quantum(rate))
		}
	}
	wait := max(c.rates[index(dir)].reserve(n, own), c.proxy.rates[index(dir)].reserve(n, shared))
	if !c.wait(wait) {
		return 0
	}
	return n
}
