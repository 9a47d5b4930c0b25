package ftpx

import (
	"context"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// peeked is what was asked of both names of an upload at once.
type peeked struct {
	dest, partial looked
}

type looked struct {
	asked bool
	st    Entry
	err   error
}

// peek has the connection get ready for a large file, and asks for the destination and
// for the partial in one round trip where it can. forget is to be called when it is
// known whether a Store came of it.
func (u *upload) peek(ctx context.Context, l *lease) (forget func()) {
	u.peeked = peeked{}
	if p, ok := l.pooled.Conn.(transport.Preparer); ok {
		p.Prepare(u.src.size() - u.confirmed)
	}
	if u.scratch || u.src.size() < resumeWorth || l.site.quirks.offsets(l.proto).refused.Load() {
		return func() {}
	}
	if p, ok := l.pooled.Conn.(transport.Peeker); ok && (!u.looked || l.proto.IsFTP()) {
		u.opened = u.opened || !l.proto.IsFTP() // there it makes the partial
		return u.peekWith(ctx, p)
	}
	if u.looked || l.Info().Caps.Overlap < 2 || !u.looksAtDest() {
		return func() {}
	}
	var both sync.WaitGroup
	for name, into := range map[string]*looked{u.dest: &u.peeked.dest, u.partial: &u.peeked.partial} {
		both.Go(func() {
			into.st, into.err = l.Stat(ctx, name)
			into.asked = true
		})
	}
	both.Wait()
	return func() {}
}

// peekWith is peek by a connection that knows how.
func (u *upload) peekWith(ctx context.Context, p transport.Peeker) (forget func()) {
	var names []string
	var into []*looked
	if !u.looked && u.looksAtDest() {
		names, into = append(names, u.dest), append(into, &u.peeked.dest)
	}
	partial := u.partial
	names, into = append(names, partial), append(into, &u.peeked.partial)
	for i, l := range p.Peek(ctx, true, names...) {
		*into[i] = looked{asked: true, st: l.Entry, err: l.Err}
	}
	return func() { p.Forget(ctx, partial) }
}

// stat is the answer that peek has, once, or asks.
func (u *upload) stat(ctx context.Context, l *lease, name string) (Entry, error) {
	from := &u.peeked.dest
	if name == u.partial {
		from = &u.peeked.partial
	}
	if !from.asked {
		return l.Stat(ctx, name)
	}
	from.asked = false
	return from.st, from.err
}

// looksAtDest reports whether a look at the destination can make the transfer
// needless or useless. Small files are not worth its round trip.
func (u *upload) looksAtDest() bool {
	return u.noReplace || u.mayBeThere && u.src.size() >= 1<<20
}
