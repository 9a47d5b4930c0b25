package sftpdriver

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestStoreWindow: no more is under way than the window allows, over one session or
// several, and all of it is used.
func TestStoreWindow(t *testing.T) {
	for name, c := range map[string]struct {
		trip   time.Duration
		window int64
		least  int64 // that is under way at some moment
		many   bool  // there are several sessions
	}{
		"near":               {time.Millisecond, 384 << 10, 256 << 10, false},
		"far, a near window": {2 * longTrip, 384 << 10, 256 << 10, false},
		"far":                {2 * longTrip, 8 << 20, 6 << 20, true},
		"none":               {time.Millisecond, 0, inFlightBytes - largestPacket, false},
	} {
		t.Run(name, func(t *testing.T) {
			size := longFile + 17
			if !c.many {
				size = 9<<20 + 17
			}
			most := c.window
			if most == 0 {
				most = inFlightBytes
			}
			type write struct {
				s  *fakeSession
				id uint32
			}
			var mu sync.Mutex // guards what follows
			var held []write
			var under, seen, received int64
			sessions := map[*fakeSession]bool{}
			answer := func() { // with mu held
				for _, w := range held {
					go w.s.status(w.id, fxOK, "")
				}
				held, under = nil, 0
			}
			f := newFake(t, func(f *fake) {
				withLimits(f)
				f.config.ServerVersion = "SSH-2.0-OpenSSH_9.9"
				f.onPacket = func(s *fakeSession, typ byte, id uint32, body *reader) bool {
					if typ != fxpWrite {
						return false
					}
					body.string()
					body.uint64()
					n := int64(body.uint32())
					mu.Lock()
					defer mu.Unlock()
					sessions[s] = true
					held = append(held, write{s, id})
					under += n
					received += n
					seen = max(seen, under)
					return true
				}
			})
			dial := f.dial(nil)
			farAway(t, dial, c.trip)
			// What is under way is answered when no more has come for a while.
			quit, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				last := int64(-1)
				for {
					select {
					case <-quit:
						return
					case <-time.After(10 * time.Millisecond):
					}
					mu.Lock()
					if received == last {
						answer()
					}
					last = received
					mu.Unlock()
				}
			}()
			q := &transport.Store{Path: "f", Size: int64(size), Src: bytes.NewReader(randomBytes(size)), Window: c.window}
			err := dial.Do(t.Context(), transport.NewBatch(q))
			close(quit)
			<-done
			mu.Lock()
			defer mu.Unlock()
			if err != nil || q.Err != nil || q.Stored != int64(size) {
				t.Fatal(q.Stored, q.Err, err)
			}
			if seen > most || seen < c.least {
				t.Errorf("%d bytes were under way, want %d to %d", seen, c.least, most)
			}
			if c.many != (len(sessions) > 1) {
				t.Errorf("%d sessions", len(sessions))
			}
		})
	}
}
