package ftpx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// chooser remembers the protocol that new connections use.
type chooser struct {
	mu     sync.Mutex // guards what follows
	proto  Protocol
	since  time.Time
	worked bool // some protocol has logged in since the client was opened
	// secured: one that protects has. From then on plain FTP is out of the
	// question here: whoever can cut connections, drop packets or answer for the
	// server could else have a password in clear by waiting for the next login.
	secured bool
}

// current returns the choice, if there is one, and whether it is due for a look
// at better ones.
func (ch *chooser) current(best Protocol, maxAge time.Duration) (p Protocol, ok, due bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	ok = ch.proto.Valid()
	return ch.proto, ok, ok && ch.proto != best && time.Since(ch.since) >= maxAge
}

// set remembers a choice and reports whether it is another than before.
func (ch *chooser) set(p Protocol) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	changed := ch.proto != p
	ch.proto, ch.since, ch.worked = p, time.Now(), true
	ch.secured = ch.secured || p.Secure()
	return changed
}

func (ch *chooser) everSecured() bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.secured
}

func (ch *chooser) everWorked() bool {
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

// SelectError says that no protocol could be used, and why of each.
type SelectError struct {
	// Tried holds the protocols in order.
	Tried []ProtocolInfo
	// PlaintextHeld says that plain FTP was listed but is not allowed.
	PlaintextHeld bool
	// Downgrade says that plain FTP is listed and allowed, and was held back
	// because a protocol that protects has worked on this host before.
	Downgrade bool
	kind      transport.Kind
}

// Error names what was tried, why it failed, and what would allow more.
func (e *SelectError) Error() string {
	var b strings.Builder
	b.WriteString("no protocol could be used:")
	for i, t := range e.Tried {
		if i > 0 {
			b.WriteString(";")
		}
		fmt.Fprintf(&b, " %v: %v", t.Protocol, t.Why)
	}
	if e.PlaintextHeld {
		b.WriteString("; ftp: not tried, because it shows password and files to anyone on the way: set Options.AllowPlaintext (-allow-plaintext) to permit it")
	}
	if e.Downgrade {
		b.WriteString("; ftp: not tried, because a protected protocol has worked on this host before, and what is in its way now may be somebody's doing: open a new client if the server has given it up")
	}
	return b.String()
}

// Unwrap returns the reason of each protocol.
func (e *SelectError) Unwrap() []error {
	errs := make([]error, len(e.Tried))
	for i, t := range e.Tried {
		errs[i] = t.Why
	}
	return errs
}

// connect opens a connection in the protocol in use, or else in the best that
// is offered.
//
// Where patience is positive it bounds how long the host may be silent.
func (c *client) connect(ctx context.Context, s *site, patience time.Duration) (conn transport.Conn, proto Protocol, err error) {
	inUse, ok, due := c.current(s)
	if err := c.creds.fetch(ctx, c.cfg.endpoint(s, inUse)); err != nil {
		return nil, 0, err
	}
	ctx, heard, done := patient(ctx, patience, s.Host)
	defer func() {
		if err = done(err); err != nil {
			conn = nil
		}
	}()
	if ok && !due {
		conn, err := c.dial(ctx, s, inUse, heard)
		if err == nil || !notHere(err) || context.Cause(ctx) == errSilent {
			return conn, inUse, err
		}
		if len(c.cfg.Protocols) == 1 {
			// It has logged in here before, so that this is an outage, or a line
			// that garbles, and not the last word: see selectError.
			if transport.KindOf(err) == transport.KindNotOffered {
				err = &transport.Error{Op: "connect", Addr: s.Host, Protocol: inUse, Kind: transport.KindUnreachable, Err: err}
			}
			return conn, inUse, err
		}
		// It was offered and is not any more: look at all of them.
	}
	conn, proto, err = c.choose(ctx, s, heard)
	if err != nil && due && ctx.Err() == nil {
		// Looking for a better one must not break what works.
		s.choice.set(inUse)
		conn, err = c.dial(ctx, s, inUse, heard)
		return conn, inUse, err
	}
	if err != nil {
		return nil, 0, err
	}
	if s.choice.set(proto) {
		c.onProtocol(ProtocolInfo{Protocol: proto, Chosen: true})
	}
	return conn, proto, nil
}

// current returns the protocol in use, if there is one, and whether it is time
// to look for a better one.
func (c *client) current(s *site) (p Protocol, ok, due bool) {
	return s.choice.current(c.cfg.Protocols[0], c.cfg.RecheckAfter)
}

func (c *client) dial(ctx context.Context, s *site, p Protocol, answered func()) (transport.Conn, error) {
	ep := c.cfg.endpoint(s, p)
	ep.Trace = c.trace()
	ep.Answered = answered
	begin := time.Now()
	conn, err := c.login(ctx, ep)
	info := DialInfo{Protocol: p, Addr: ep.Addr(), Duration: time.Since(begin), Err: err}
	if err == nil {
		info.Info = conn.Info()
	}
	c.onDial(info)
	return conn, err
}

// candidate is one protocol in a race.
type candidate struct {
	proto    Protocol
	started  bool
	answered bool // a byte has arrived: somebody is there
	done     bool
	at       time.Time // when it was done
	conn     transport.Conn
	err      error
}

// choose races the protocols: each starts when the one before it has turned out
// not to be offered, or has been silent for a head start, since a black-holed
// port must not cost its whole timeout. The result is that of the first
// protocol, in order, that is not "not here". A better one that is still silent
// when a worse one has logged in gets one more head start; one that has
// answered gets all the time it needs. Plain FTP starts only when everything
// better has failed, and only on a host where nothing better has worked before:
// silence must never be enough to make us show a password.
func (c *client) choose(given context.Context, s *site, heard func()) (transport.Conn, Protocol, error) {
	ctx, cancel := context.WithCancel(given)
	defer cancel()
	var (
		cands []*candidate
		held  bool
		mu    sync.Mutex // guards the candidates' fields
		wake  = make(chan struct{}, 1)
		wg    sync.WaitGroup
	)
	signal := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	for _, p := range c.cfg.Protocols {
		if !p.Secure() && (!c.cfg.AllowPlaintext || s.choice.everSecured()) {
			held = true
			continue
		}
		cands = append(cands, &candidate{proto: p})
	}
	start := func(cand *candidate) {
		cand.started = true
		wg.Add(1)
		go func() {
			defer wg.Done()
			conn, err := c.dial(ctx, s, cand.proto, func() {
				if heard != nil {
					heard()
				}
				mu.Lock()
				cand.answered = true
				mu.Unlock()
				signal()
			})
			mu.Lock()
			cand.done, cand.at, cand.conn, cand.err = true, time.Now(), conn, err
			mu.Unlock()
			signal()
		}()
	}
	var winner *candidate
	next := 0 // the first that has not been started
	timer := time.NewTimer(0)
	defer timer.Stop()
	var lastStart time.Time
	mu.Lock()
	for winner == nil {
		var wait time.Duration
		winner, wait = decide(cands, next, lastStart, c.cfg.HeadStart)
		if winner != nil || wait == decided {
			break
		}
		if wait == startNext && !cands[next].proto.Secure() && begun(cands[:next]) {
			cands[next].done, cands[next].err = true, errBegun
			next++
			continue
		}
		if wait == startNext {
			start(cands[next])
			next++
			lastStart = time.Now()
			continue
		}
		mu.Unlock()
		timer.Reset(wait)
		select {
		case <-wake:
		case <-timer.C:
		}
		mu.Lock()
	}
	mu.Unlock()
	cancel() // the losers
	wg.Wait()
	for _, cand := range cands {
		if cand != winner && cand.conn != nil {
			_ = cand.conn.Close()
		}
	}
	if winner == nil {
		return nil, 0, c.selectError(given, s, cands, held)
	}
	if winner.err != nil {
		return nil, 0, winner.err
	}
	for _, cand := range cands {
		if cand == winner {
			break
		}
		c.onProtocol(ProtocolInfo{Protocol: cand.proto, Why: cand.err})
	}
	return winner.conn, winner.proto, nil
}

// errBegun says that plain FTP was held back.
var errBegun = &transport.Error{Op: "connect", Protocol: FTP, Kind: transport.KindTimeout,
	Err: errors.New("not tried, because a protected protocol is offered, which answered and then took too long")}

// begun reports whether a protocol that protects has answered and then run out of
// time. It is there, if slow, or somebody stalls it: neither is a reason to show
// a password, though another protected protocol may be tried.
func begun(cands []*candidate) bool {
	for _, cand := range cands {
		if cand.proto.Secure() && cand.answered && transport.KindOf(cand.err) == transport.KindTimeout {
			return true
		}
	}
	return false
}

// What decide returns in place of a time to wait.
const (
	startNext time.Duration = 0
	decided   time.Duration = -1
)

// decide judges a race: the candidate whose result stands, or how long to wait
// for news, or startNext, or decided without a winner when all have failed.
func decide(cands []*candidate, next int, lastStart time.Time, headStart time.Duration) (*candidate, time.Duration) {
	pending := false // a better one may still answer
	wait := time.Hour
	for _, cand := range cands[:next] {
		switch {
		case cand.done && cand.err != nil && notHere(cand.err):
		case cand.done && !pending:
			return cand, 0
		case cand.done && cand.err == nil:
			grace := headStart - time.Since(cand.at)
			if grace <= 0 {
				return cand, 0
			}
			return nil, grace
		case cand.done:
			// A failure that ends the matter, unless a better one succeeds.
			return nil, wait
		case cand.answered:
			// Somebody is there: nothing worse counts until it has ended.
			return nil, wait
		default:
			pending = true
		}
	}
	if next == len(cands) {
		if pending {
			return nil, wait
		}
		return nil, decided
	}
	if !pending {
		return nil, startNext
	}
	if !cands[next].proto.Secure() {
		return nil, wait
	}
	if d := headStart - time.Since(lastStart); d > 0 {
		return nil, d
	}
	return nil, startNext
}

// selectError sums up a race that nobody won. If somebody answered, the host is
// up and does not offer what is wanted: trying again is no use, unless it did
// offer it earlier. If nobody did, it may be down for a while.
func (c *client) selectError(ctx context.Context, s *site, cands []*candidate, held bool) error {
	e := &SelectError{PlaintextHeld: held && !c.cfg.AllowPlaintext, Downgrade: held && c.cfg.AllowPlaintext, kind: transport.KindUnreachable}
	for _, cand := range cands {
		e.Tried = append(e.Tried, ProtocolInfo{Protocol: cand.proto, Why: cand.err})
		c.onProtocol(ProtocolInfo{Protocol: cand.proto, Why: cand.err})
		// Not the kind of the error: a dial that ran into its own deadline says
		// the same as one that the caller gave up.
		if ctx.Err() != nil {
			e.kind = transport.KindCanceled
		} else if transport.KindOf(cand.err) == transport.KindNotOffered && e.kind == transport.KindUnreachable && !s.choice.everWorked() {
			e.kind = transport.KindNotOffered
		}
	}
	return &transport.Error{Op: "connect", Addr: s.Host, Kind: e.kind, Err: e}
}
