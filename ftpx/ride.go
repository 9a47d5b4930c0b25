package ftpx

import (
	"context"
	"errors"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Small files cost round trips, not bandwidth. Where a protocol lets requests of
// several owners overlap on one connection (transport.Caps.Overlap, SFTP), work
// that is small does not wait for a connection of its own when all slots are taken:
// it rides on one that somebody else has, or that is idle.

// rideMost is the size of a file that may ride. What is larger would hold up those
// it rides with, and be lost with their connection.
const rideMost = 256 << 10

// aloneFrom is the attempt from which on work has a connection to itself. Where
// connections are lost every few hundred kilobytes, what others move on a shared one
// can end it each time before a file has got any further.
const aloneFrom = 3

// errTooLarge says that a file is too large to ride.
var errTooLarge = errors.New("the file is too large to share a connection")

// share chooses a connection to ride on, the one with the fewest riders.
func (p *pool) share(proto Protocol) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *pooled
	consider := func(pc *pooled) {
		if pc.proto == proto && !pc.alone && pc.riders < pc.seats && (best == nil || pc.riders < best.riders) && pc.Usable() {
			best = pc
		}
	}
	for pc := range p.loans {
		consider(pc)
	}
	for _, pc := range p.idle {
		consider(pc)
	}
	if best == nil || best.Info().Caps.Overlap < 2 { // it may have turned out since
		return nil
	}
	best.riders++
	return best
}

// reserve lets nobody else ride on a connection until it is put back.
func (p *pool) reserve(pc *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pc.alone = true
}

// unshare ends a ride. A connection that is no longer usable is ended by whoever
// has it, or here if nobody has.
func (p *pool) unshare(pc *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pc.riders--
	if pc.Usable() {
		return
	}
	for i, x := range p.idle {
		if x == pc {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			pc.expire.Stop()
			p.end(pc)
			return
		}
	}
}

// carries reports whether the connection may carry a file of a size, -1 where it is
// not known. Where it is shared and the file is too large for that, but it lies idle
// otherwise and there is a slot, it becomes the caller's own.
func (l *lease) carries(size int64) bool {
	if !l.rides || size >= 0 && size <= rideMost {
		return true
	}
	p := l.site.pool
	if !p.gate.try() {
		return false
	}
	if !p.reclaim(l.pooled) {
		p.leave()
		return false
	}
	l.rides, l.owned = false, true
	return true
}

// ride makes an attempt on a shared connection. ok is false where it has to be made
// on one of its own, and has cost nothing: there is none to share, it is too large,
// or the connection was lost before any of its payload had moved.
func (c *client) ride(ctx context.Context, s *site, t task, a *retry.Attempt, f func(context.Context, *lease) error) (ok bool, err error) {
	defer s.pool.stand()
	proto, known, due := c.current(s)
	if !known || due {
		return false, nil
	}
	pc := s.pool.share(proto)
	if pc == nil {
		return false, nil
	}
	defer s.pool.unshare(pc)
	c.moveOn(s, nil)
	l := &lease{pooled: pc, site: s, rides: true, attempt: a, limits: limits{c.limit, t.limit}}
	c.onAttempt(AttemptInfo{Op: t.op, Local: t.local, Remote: t.remote, Attempt: a.Number, Protocol: l.proto, Addr: l.Info().Addr})
	err = f(ctx, l)
	if l.owned {
		s.pool.put(pc)
		s.pool.leave()
		if err != nil && !l.Usable() {
			c.lost(ctx, s, err)
		}
	}
	switch {
	case err == nil:
		return true, nil
	case err == errTooLarge:
		return false, nil
	case !l.Usable() && !l.moved && ctx.Err() == nil && transport.KindOf(err) == transport.KindLost:
		return false, nil
	}
	return true, c.closedErr(err)
}
