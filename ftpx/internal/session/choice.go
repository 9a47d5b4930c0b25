package session

import (
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// choice remembers the protocol that new connections use.
type choice struct {
	mu     sync.Mutex // guards what follows
	proto  transport.Protocol
	since  time.Time
	worked bool // some protocol has logged in since the client was opened
	// secured: one that protects has. From then on plain FTP is out of the
	// question here: whoever can cut connections, drop packets or answer for the
	// server could else have a password in clear by waiting for the next login.
	secured bool
}

// current returns the choice, if there is one, and whether it is due for a look
// at better ones.
func (ch *choice) current(best transport.Protocol, maxAge time.Duration) (p transport.Protocol, ok, due bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ok = ch.proto.Valid()
	return ch.proto, ok, ok && ch.proto != best && time.Since(ch.since) >= maxAge
}

// set remembers a choice and reports whether it is another than before.
func (ch *choice) set(p transport.Protocol) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	changed := ch.proto != p
	ch.proto, ch.since, ch.worked = p, time.Now(), true
	ch.secured = ch.secured || p.Secure()
	return changed
}

func (ch *choice) everSecured() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.secured
}

func (ch *choice) everWorked() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.worked
}

// notHere reports whether an error says that a protocol is not offered, which
// alone lets the next one be tried. A refused login, a host key or a
// certificate that does not verify, or a connection that somebody cut never do:
// else whoever can cause those could choose the protocol.
func notHere(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindUnreachable, transport.KindTimeout, transport.KindNotOffered:
		return true
	}
	return false
}
