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
// for the partial in one round trip where requests may overlap and both are needed.
func (u *upload) peek(ctx context.Context, l *lease) {
	u.peeked = peeked{}
	if p, ok := l.pooled.Conn.(transport.Preparer); ok {
		p.Prepare(u.src.size() - u.confirmed)
	}
	if l.Info().Caps.Overlap < 2 || u.looked || u.scratch || !u.looksAtDest() || u.src.size() < resumeWorth {
		return
	}
	var both sync.WaitGroup
	for name, into := range map[string]*looked{u.dest: &u.peeked.dest, u.partial: &u.peeked.partial} {
		both.Go(func() {
			into.st, into.err = l.Stat(ctx, name)
			into.asked = true
		})
	}
	both.Wait()
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
