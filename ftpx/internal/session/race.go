package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// candidate is one protocol in a race.
type candidate struct {
	proto    transport.Protocol
	started  bool
	answered bool // a byte has arrived: somebody is there
	done     bool
	at       time.Time // when it was done
	link     *Link
	err      error
	panicked any // what a hook panicked with
}

// choose races the protocols: each starts when the one before it has turned out
// not to be offered, or has been silent for a head start, since a black-holed
// port must not cost its whole timeout. The result is that of the first
// protocol, in order, that is not "not here". A better one that is still silent
// when a worse one has logged in gets one more head start; one that has
// answered gets all the time it needs. Plain FTP starts only when everything
// better has failed, and only on a host where nothing better has worked before:
// silence must never be enough to make us show a password.
func (s *Session) choose(given context.Context, h *Host, heard func()) (_ *Link, skipped []*candidate, _ error) {
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
	for _, p := range s.opts.Protocols {
		if !p.Secure() && (!s.opts.Plaintext || h.choice.everSecured()) {
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
			var link *Link
			err := ErrNoReturn
			defer func() {
				panicked := recover() // it is the caller's goroutine that is to panic
				mu.Lock()
				cand.done, cand.at, cand.link, cand.err, cand.panicked = true, time.Now(), link, err, panicked
				mu.Unlock()
				signal()
			}()
			link, err = s.dial(ctx, Target{h.index, cand.proto}, func() {
				if heard != nil {
					heard()
				}
				mu.Lock()
				cand.answered = true
				mu.Unlock()
				signal()
			})
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
		winner, wait = decide(cands, next, lastStart, s.opts.HeadStart)
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
	var panicked any
	for _, cand := range cands {
		if panicked == nil {
			panicked = cand.panicked
		}
	}
	for _, cand := range cands {
		if cand.link != nil && (cand != winner || panicked != nil) {
			defer s.discard(h, cand.link)
		}
	}
	if panicked != nil {
		panic(panicked)
	}
	if winner == nil {
		return nil, nil, s.noProtocol(given, h, cands, held)
	}
	if winner.err != nil {
		return nil, nil, winner.err
	}
	return winner.link, cands[:slices.Index(cands, winner)], nil
}

// errBegun says that plain FTP was held back.
var errBegun = &transport.Error{Op: "connect", Protocol: transport.FTP, Kind: transport.KindTimeout,
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

// Race is how a race of protocols ended that nobody won.
type Race struct {
	// Host is the host's name.
	Host string
	// Protocols are those that were tried, in order, and Errs why each was no use.
	Protocols []transport.Protocol
	Errs      []error
	// Held: plain FTP is listed and was held back.
	Held bool
	// Kind sums up the errors.
	Kind transport.Kind
}

// noProtocol sums up a race that nobody won. If somebody answered, the host is up and
// does not offer what is wanted: trying again is no use, unless it did offer it earlier.
// If nobody did, it may be down for a while.
func (s *Session) noProtocol(ctx context.Context, h *Host, cands []*candidate, held bool) error {
	r := Race{Host: h.Name, Held: held, Kind: transport.KindUnreachable}
	for _, cand := range cands {
		r.Protocols, r.Errs = append(r.Protocols, cand.proto), append(r.Errs, cand.err)
		s.opts.Events.Protocol(ctx, h.Name, cand.proto, cand.err)
		// Not the kind of the error: a dial that ran into its own deadline says the same
		// as one that the caller gave up.
		if ctx.Err() != nil {
			r.Kind = transport.KindCanceled
		} else if transport.KindOf(cand.err) == transport.KindNotOffered && r.Kind == transport.KindUnreachable && !h.choice.everWorked() {
			r.Kind = transport.KindNotOffered
		}
	}
	return s.opts.Events.NoProtocol(r)
}
