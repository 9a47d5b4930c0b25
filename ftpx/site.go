package ftpx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// hostPatience is how long a host may be silent while it is dialled, when
	// there is another one to turn to. What has sent a byte gets all of
	// ConnectTimeout.
	hostPatience = 3 * time.Second
	// hushedPatience is that where a connection to this host has just died of
	// silence: it has had its time already, and one lost SYN is still made up
	// for (RFC 6298 sends the second after 1 s).
	hushedPatience = 1500 * time.Millisecond
	// standbyStall is the default of StallTimeout when there are standbys: the
	// time until a black hole is noticed is most of what a failover takes.
	standbyStall = 7 * time.Second
	// homeEvery is how often a better host is looked at, while work goes to a
	// standby, and homeAfter is for how long it must have been well.
	homeEvery = 10 * time.Second
	homeAfter = 30 * time.Second
)

// Standby is a host to turn to when the ones before it do not work.
type Standby struct {
	// Host is a name or an address, without port.
	Host string
	// Ports replaces the protocols' own ports on this host. The zero value
	// means those of [Options].
	Ports Ports
	// User and Password replace those of [Config] if either is given; a User
	// without a Password has none.
	User string
	// Password is that of User, or of Config.User on this host.
	Password Secret
}

// site is one host and all that belongs to it alone: its connections, how many
// it takes, the protocol in use, what it cannot do, whether it is well.
type site struct {
	Standby
	pool     *pool
	choice   chooser
	dials    *dialGate
	quirks   quirks
	wide     widening
	hushed   atomic.Bool // it fell silent, and has not been dialled since
	mu       sync.Mutex  // guards breakers
	breakers map[Protocol]*breaker
}

func (c *client) newSite(s Standby) *site {
	return &site{Standby: s, pool: newPool(c.ctx, c.cfg.MaxConns), dials: newDialGate(c.cfg.MaxConns), breakers: map[Protocol]*breaker{}}
}

// patience is how long the host may be silent while it is dialled. That it fell silent
// counts once: a host that is slow to answer would never be had again.
func (s *site) patience() time.Duration {
	if s.hushed.Swap(false) {
		return hushedPatience
	}
	return hostPatience
}

// breaker returns that of the protocol in use; before one is chosen, that of
// the choosing.
func (s *site) breaker() *breaker {
	p, _, _ := s.choice.current(0, time.Hour)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.breakers[p]
	if b == nil {
		b = &breaker{}
		s.breakers[p] = b
	}
	return b
}

// hosts is the list of sites, best first, and which of them is in use. Work
// stays where it is until that fails; it returns to a better host when that has
// been well for a while.
type hosts struct {
	list []*site

	mu       sync.Mutex // guards what follows
	at       int
	watching bool // for a better one to return
}

// order returns the sites in the order in which an attempt tries them: the one
// in use first, then the others, best first, without those that are known to be
// down. If all are, it is the one that may be tried soonest.
func (h *hosts) order() []*site {
	if len(h.list) == 1 {
		return h.list
	}
	h.mu.Lock()
	at := h.at
	h.mu.Unlock()
	var well, down []*site
	var soonest time.Time
	for i := range h.list {
		j := i
		if i == 0 {
			j = at
		} else if i <= at {
			j = i - 1
		}
		s := h.list[j]
		if s.breaker().free() {
			well = append(well, s)
			continue
		}
		until, _ := s.breaker().state()
		if down == nil || until.Before(soonest) {
			down, soonest = []*site{s}, until
		}
	}
	if len(well) > 0 {
		return well
	}
	return down
}

// moveOn takes note that an attempt got a connection on a host, after others had
// failed it. Work in general moves there only if the host that it goes to is one
// of those, or is known to be down: an attempt that set out before a move must
// not undo it.
func (c *client) moveOn(s *site, failed []siteFailure) {
	h := &c.hosts
	if len(h.list) == 1 {
		return
	}
	h.mu.Lock()
	was := h.list[h.at]
	h.mu.Unlock()
	if was == s {
		return
	}
	_, why := was.breaker().state()
	for _, f := range failed {
		if f.site == was {
			why = f.err
		}
	}
	if why != nil {
		c.use(was, s, why)
	}
}

// use sends work to another host from now on, unless it has left was meanwhile.
func (c *client) use(was, s *site, why error) {
	h := &c.hosts
	h.mu.Lock()
	if h.list[h.at] != was {
		h.mu.Unlock()
		return
	}
	for i, x := range h.list {
		if x == s {
			h.at = i
		}
	}
	watch := h.at > 0 && !h.watching
	h.watching = h.watching || watch
	h.mu.Unlock()
	c.stats.failovers.Add(1)
	c.onHost(HostInfo{Host: s.Host, Previous: was.Host, Why: why})
	if watch {
		go c.watchHome()
	}
}

// watchHome looks, while work goes to a standby, whether a better host has come
// back. It costs one login in ten seconds, closed at once. A host that refuses the
// login, or is not the one that it should be, is left alone from then on: servers
// lock accounts.
func (c *client) watchHome() {
	h := &c.hosts
	since := make([]time.Time, len(h.list))
	barred := make([]bool, len(h.list))
	timer := time.NewTimer(homeEvery)
	defer timer.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-timer.C:
		}
		h.mu.Lock()
		at := h.at
		if at == 0 {
			h.watching = false
		}
		h.mu.Unlock()
		if at == 0 {
			return
		}
		for i := range at {
			s := h.list[i]
			if barred[i] {
				continue
			}
			conn, _, err := c.connect(c.ctx, s, hostPatience)
			if err != nil {
				since[i], barred[i] = time.Time{}, !elsewhere(err)
				continue
			}
			_ = conn.Close()
			if since[i].IsZero() {
				since[i] = time.Now()
			}
			if time.Since(since[i]) >= homeAfter {
				s.breaker().succeeded()
				c.use(h.list[at], s, nil)
				since[i] = time.Time{}
				break
			}
		}
		timer.Reset(homeEvery)
	}
}

// elsewhere reports whether what kept a host from giving a connection is a
// reason to turn to the next one: that it is away, busy or broken. A refused
// login, a host key or a certificate that does not verify are not: they want a
// human, and hiding them behind a standby would keep them from one.
func elsewhere(err error) bool {
	switch transport.KindOf(err) {
	case transport.KindNoHost, transport.KindUnreachable, transport.KindTimeout, transport.KindLost,
		transport.KindStalled, transport.KindBusy, transport.KindProtocol, transport.KindNotOffered:
		return true
	}
	return false
}

// siteFailure is why an attempt got no connection on a host.
type siteFailure struct {
	site *site
	err  error
}

// hostsError sums up an attempt that got a connection nowhere.
func hostsError(failed []siteFailure) error {
	if len(failed) == 1 {
		return failed[0].err
	}
	e := &HostsError{}
	for _, f := range failed {
		e.Hosts, e.Errs = append(e.Hosts, f.site.Host), append(e.Errs, f.err)
	}
	return e
}

// HostsError says that none of several hosts could be used, and why of each.
type HostsError struct {
	// Hosts are those that were tried, in order.
	Hosts []string
	// Errs holds why, one for each.
	Errs []error
}

// Error names what was tried and why it failed.
func (e *HostsError) Error() string {
	var b strings.Builder
	b.WriteString("no host could be used:")
	for i, h := range e.Hosts {
		if i > 0 {
			b.WriteString(";")
		}
		fmt.Fprintf(&b, " %s: %v", h, e.Errs[i])
	}
	return b.String()
}

// Unwrap returns the reason of each host.
func (e *HostsError) Unwrap() []error { return e.Errs }

// errSilent says that a host was given up for the next one.
var errSilent = errors.New("the host is silent and there is another one")

// patient bounds how long a host may be silent from now on. heard is to be
// called when it is not; done when the wait is over, with its error.
func patient(ctx context.Context, limit time.Duration, host string) (wait context.Context, heard func(), done func(error) error) {
	if limit <= 0 {
		return ctx, nil, func(err error) error { return err }
	}
	wait, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() { cancel(errSilent) })
	return wait, func() { timer.Stop() }, func(err error) error {
		timer.Stop()
		silent := err != nil && context.Cause(wait) == errSilent
		cancel(nil)
		if silent {
			return &transport.Error{Op: "connect", Addr: host, Kind: transport.KindTimeout, Err: errSilent}
		}
		return err
	}
}
