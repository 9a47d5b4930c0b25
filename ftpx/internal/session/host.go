package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// hostTimeout is how long a host may be silent while it is dialled, when there is
	// another one to turn to. What has sent a byte gets all of the connect timeout.
	hostTimeout = 3 * time.Second
	// silentTimeout is that where a connection to this host has just died of silence: it
	// has had its time already, and one lost SYN is still made up for (RFC 6298 sends
	// the second after 1 s).
	silentTimeout = 1500 * time.Millisecond
)

// Host is one host and all that belongs to it: its connections, how many it takes, the
// protocol in use, what it cannot do, whether it is well.
type Host struct {
	// Name is its name or address.
	Name string
	// Streams is what several connections for one file have shown.
	Streams Streams
	// Trip is the shortest round trip that was seen.
	Trip Trip

	ftp, sftp Offsets
	moves     [2]atomic.Bool // see Moves
	noData    noData
	s         *Session
	index     int
	rank      int      // of equal ones the outlook decides
	outlook   *outlook // nil with one host
	pool      *pool
	choice    choice
	dials     *dialLimit
	silent    atomic.Bool  // it fell silent, and has not been dialled since
	limitTold atomic.Int32 // the limit that was told last

	mu       sync.Mutex // guards breakers
	breakers map[transport.Protocol]*breaker
}

func newHost(s *Session, index int, name string) *Host {
	h := &Host{Name: name, s: s, index: index, dials: newDialLimit(s.opts.MaxConns), breakers: map[transport.Protocol]*breaker{}}
	h.pool = newPool(h, s.opts.MaxConns)
	h.limitTold.Store(int32(s.opts.MaxConns))
	return h
}

// Offsets is what a host was seen to do with a file that is to be continued. Until it has
// shown that it writes at offsets, what an older session does with a file that it has open
// may not be the same bytes at the same place, see upload/orphan.go.
type Offsets struct {
	// Refused: it does not continue one, although it may say that it does, as ProFTPD with
	// AllowStoreRestart off (REST is answered 350 and the STOR after it refused), and
	// rclone, which stores whole objects.
	Refused atomic.Bool
	// Taken: it continued one.
	Taken atomic.Bool
}

// MayUse reports whether a protocol is one of those that may be used.
func (h *Host) MayUse(p transport.Protocol) bool { return slices.Contains(h.s.opts.Protocols, p) }

// Offsets returns what is known of a protocol.
func (h *Host) Offsets(p transport.Protocol) *Offsets {
	if p.IsFTP() {
		return &h.ftp
	}
	return &h.sftp
}

// Moves tells whether a rename that the host acknowledged was seen to have been carried out.
// Until then, and after any doubt, each one is looked at.
func (h *Host) Moves(p transport.Protocol) *atomic.Bool {
	if p.IsFTP() {
		return &h.moves[0]
	}
	return &h.moves[1]
}

// Index is its place in [Options].Hosts.
func (h *Host) Index() int { return h.index }

// Crowded reports whether work waits for a connection to the host.
func (h *Host) Crowded() bool { return h.pool.crowded() }

// OpenCost is about how long it takes to open a connection.
func (h *Host) OpenCost() time.Duration {
	h.pool.mu.Lock()
	defer h.pool.mu.Unlock()
	return 4 * h.pool.slots.shareWait
}

// current returns the protocol in use, if there is one, and whether it is time to look
// for a better one.
func (h *Host) current() (p transport.Protocol, ok, due bool) {
	return h.choice.current(h.s.opts.Protocols[0], h.s.opts.Recheck)
}

// Protocol is the protocol in use; before one is chosen, the best that is allowed.
func (h *Host) Protocol() transport.Protocol {
	if p, ok, _ := h.current(); ok {
		return p
	}
	return h.s.opts.Protocols[0]
}

// timeout is how long the host may be silent while it is dialled. That it fell silent
// counts once: a host that is slow to answer would never be had again.
func (h *Host) timeout() time.Duration {
	if h.silent.Swap(false) {
		return silentTimeout
	}
	return hostTimeout
}

// breaker returns that of the protocol in use; before one is chosen, that of the
// choosing.
func (h *Host) breaker() *breaker {
	p, _, _ := h.choice.current(0, time.Hour)
	h.mu.Lock()
	defer h.mu.Unlock()
	b := h.breakers[p]
	if b == nil {
		b = &breaker{proto: p}
		h.breakers[p] = b
	}
	return b
}

// errSilent says that a host was given up for the next one.
var errSilent = errors.New("the host is silent and there is another one")

// Unheard ends a context with why if nothing is heard for a time. heard is to be called when
// something is; done when the wait is over, with its error. It reports whether that is
// because of why.
func Unheard(ctx context.Context, limit time.Duration, why error) (wait context.Context, heard func(), done func(error) bool) {
	wait, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() { cancel(why) })
	return wait, func() { timer.Stop() }, func(err error) bool {
		timer.Stop()
		silent := err != nil && context.Cause(wait) == why
		cancel(nil)
		return silent
	}
}

// streamsKeep is for how long it is remembered what several connections brought.
const streamsKeep = 10 * time.Minute

// Streams is what a host has shown of several connections for one file.
type Streams struct {
	mu    sync.Mutex // guards what follows
	worth int        // how many were worth it; 0 where more than one was not
	until time.Time  // when that is forgotten
}

// Known returns how many connections were worth it, if that is known.
func (s *Streams) Known() (worth int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.worth, time.Now().Before(s.until)
}

// Forget lets it be found out again.
func (s *Streams) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Time{}
}

// Learn remembers how many were worth it.
func (s *Streams) Learn(worth int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worth, s.until = worth, time.Now().Add(streamsKeep)
}
