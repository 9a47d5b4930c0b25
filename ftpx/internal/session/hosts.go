package session

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// hosts is the list of hosts, best first, and which of them is in use. Work stays where
// it is until that fails; it returns to a better host when that has been well for a
// while.
type hosts struct {
	list []*Host

	mu       sync.Mutex // guards what follows
	at       int
	watching bool // for a better one to return
}

func (h *hosts) inUse() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

// order returns the hosts in the order in which an attempt tries them: the one in use
// first, then the others, best first, without those that are known to be down; those of
// equal rank by their outlook. If all are down, it is the one that may be tried soonest.
func (h *hosts) order() []*Host {
	if len(h.list) == 1 {
		return h.list
	}
	at := h.inUse()
	var well, down []*Host
	var soonest time.Time
	for i := range h.list {
		j := i
		if i == 0 {
			j = at
		} else if i <= at {
			j = i - 1
		}
		host := h.list[j]
		if host.breaker().free() {
			well = append(well, host)
			continue
		}
		until, _ := host.breaker().state()
		if down == nil || until.Before(soonest) {
			down, soonest = []*Host{host}, until
		}
	}
	if len(well) == 0 {
		return down
	}
	rest := well
	if well[0] == h.list[at] { // it keeps its place
		rest = well[1:]
	}
	byOutlook(rest)
	return well
}

// untilFree is how long it is until some host may be asked, 0 where one may now.
func (h *hosts) untilFree() (least time.Duration) {
	for i, host := range h.list {
		until, _ := host.breaker().state()
		if d := max(time.Until(until), 0); i == 0 || d < least {
			least = d
		}
	}
	return least
}

// failOver takes note that an attempt got a connection on a host, after others had
// failed it. Work in general moves there only if the host that it goes to is one of
// those, or is known to be down: an attempt that set out before a move must not undo it.
func (s *Session) failOver(ctx context.Context, to *Host, failed []hostFailure) {
	h := &s.hosts
	if len(h.list) == 1 {
		return
	}
	was := h.list[h.inUse()]
	if was == to {
		return
	}
	_, why := was.breaker().state()
	for _, f := range failed {
		if f.host == was {
			why = f.err
		}
	}
	if why != nil {
		s.move(ctx, was, to, why)
	}
}

// move sends work to another host from now on, unless it has left was meanwhile.
func (s *Session) move(ctx context.Context, was, to *Host, why error) {
	h := &s.hosts
	h.mu.Lock()
	if h.list[h.at] != was {
		h.mu.Unlock()
		return
	}
	h.at = to.index
	watch := h.at > 0 && !h.watching
	h.watching = h.watching || watch
	h.mu.Unlock()
	if watch {
		go s.watchPreferred()
	}
	s.opts.Events.Moved(ctx, to.Name, was.Name, why)
}

// elsewhere reports whether what kept a host from giving a connection is a reason to
// turn to the next one: that it is away, busy or broken. A refused login, a host key or
// a certificate that does not verify are not: they want a human, and hiding them behind
// a standby would keep them from one.
func elsewhere(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindNoHost, transport.KindUnreachable, transport.KindTimeout, transport.KindLost,
		transport.KindStalled, transport.KindBusy, transport.KindProtocol, transport.KindNotOffered:
		return true
	}
	return false
}

// hostFailure is why an attempt got no connection on a host.
type hostFailure struct {
	host *Host
	err  error
}

// noHost sums up an attempt that got a connection nowhere, with what is known of the hosts
// that it left to themselves because they are down.
func (s *Session) noHost(failed []hostFailure) error {
	var names []string
	var errs []error
	for _, f := range failed {
		names, errs = append(names, f.host.Name), append(errs, f.err)
	}
	for _, h := range s.hosts.list {
		_, why := h.breaker().state()
		if why == nil || slices.ContainsFunc(failed, func(f hostFailure) bool { return f.host == h }) {
			continue
		}
		names, errs = append(names, h.Name), append(errs, why)
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return s.opts.Events.NoHost(names, errs)
}
