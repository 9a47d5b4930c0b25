package upload

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// hashTogether is up to which size a digest of the whole file is asked for in the write
// that ends it. The digest of a larger file takes both sides a while: they begin together.
const hashTogether = 256 << 10

// put sends the rest of the source, and asks for all that follows it: the time, the
// server's size and digest, what has to be read back, and the rename, for which all of
// that must be well. It is one batch.
type put struct {
	u  *upload
	l  *session.Lease
	at int64

	store  *transport.Store // nil where nothing is left to send
	time   *transport.SetTime
	hash   *transport.Hash
	mine   *transfer.Digest // of the source, computed while the server computes hash
	stat   *transport.Stat  // nil with Drop
	backs  []*readBack
	mode   *transport.SetMode
	dest   *transport.Stat   // asked where NoReplace is set
	rename *transport.Rename // nil without a partial
	seen   *transport.Stat   // of the new name, see seen.go; nil where it is not looked at

	more  bool  // what there is to check is not all in the batch
	moved int64 // payload
	noted bool
	again bool // it follows one that was refused because of its folder
	// noFolder is why that could not be made, if it was tried without a look.
	noFolder error
}

// lead is what a batch asks before it sends the file.
type lead struct {
	requests []transport.Request
	// met judges the answers; the file is sent only if it is true.
	met func() bool
	// otherwise goes on where it was not. lost is why the session ended, if it did.
	otherwise func(lost error) (done bool, err error)
}

// put sends the source from at on. done tells that the file has its name.
func (u *upload) put(ctx context.Context, l *session.Lease, at int64) (done bool, err error) {
	if at == 0 && u.orphaned(l) {
		u.nextGeneration()
	}
	return u.putAfter(ctx, l, at, nil)
}

// putAfter is put in one batch with what has to be asked before.
func (u *upload) putAfter(ctx context.Context, l *session.Lease, at int64, first *lead) (done bool, err error) {
	p, err := u.newPut(l, at)
	if err != nil {
		return false, err
	}
	return p.run(ctx, first)
}

func (p *put) run(ctx context.Context, first *lead) (done bool, err error) {
	requests := p.requests()
	met := true
	if first == nil {
		p.begin()
	} else {
		h := requests[0].Common()
		own := h.If
		met = false
		h.If = func() bool {
			if met = first.met(); !met {
				return false
			}
			p.begin()
			return own == nil || own()
		}
		requests = append(first.requests, requests...)
	}
	lost := p.l.Do(ctx, &transport.Batch{Requests: requests})
	if !met {
		return first.otherwise(lost)
	}
	return p.end(ctx, lost)
}

func (u *upload) newPut(l *session.Lease, at int64) (*put, error) {
	p := &put{u: u, l: l, at: at}
	size := u.src.Size()
	if at == 0 || at != size {
		r, err := u.src.Open(at)
		if err != nil {
			return nil, retry.Stop(err)
		}
		p.store = &transport.Store{Path: u.part.name, Offset: at, Size: max(size-at, 0), Src: r, Progress: p.progress, ASCII: u.spec.ASCII,
			Window: u.window(), Keep: u.replaces}
	}
	if u.spec.Delivery == Drop {
		return p, nil
	}
	p.stat = &transport.Stat{Path: u.part.name}
	p.time, p.mode = u.spec.attributes(u.part.name, u.src, l)
	p.addChecks(l.Info().Caps, size)
	if u.spec.Delivery == Direct {
		return p, nil
	}
	p.rename = &transport.Rename{From: u.part.name, To: u.spec.Dest, Replace: !u.spec.NoReplace}
	p.rename.If = p.mayRename
	if u.looksAtName(l) {
		p.seen = &transport.Stat{Path: u.spec.Dest}
	}
	if u.spec.NoReplace {
		p.dest = &transport.Stat{Path: u.spec.Dest}
	}
	return p, nil
}

// addChecks adds what is asked to compare the content with the source's.
func (p *put) addChecks(caps transport.Caps, size int64) {
	u := p.u
	if u.spec.Verify == transfer.VerifySize || size == 0 {
		return
	}
	if algo := transfer.HashOf(caps); algo != "" {
		p.hash = &transport.Hash{Path: u.part.name, Algo: algo, Size: -1}
		if caps.HashRanges && size > 0 {
			p.hash.Size = size
		}
		if size > hashTogether {
			p.hash.If = func() bool {
				if !p.complete() { // what is not whole is not worth reading
					return false
				}
				p.mine = transfer.Begin(algo, io.NewSectionReader(u.src, 0, size))
				return true
			}
		}
		return
	}
	if size < 0 {
		p.more = u.spec.Verify == transfer.VerifyFull || p.at > 0 || len(u.part.joins) > 0
		return
	}
	known := u.part.verified
	if p.store != nil {
		known = transfer.Set{} // of what is written to nothing is known any more
	}
	p.backs = u.readBacks(size, p.at, known)
}

func (p *put) requests() []transport.Request {
	all := with(nil, p.store)
	all = with(all, p.time)
	all = with(all, p.stat)
	all = with(all, p.hash)
	for i, b := range p.backs {
		if i == 0 && b.get != nil {
			b.get.If = p.complete // what is not whole is not worth reading
		}
		all = append(all, b.requests()...)
	}
	all = with(all, p.mode)
	all = with(all, p.dest)
	return with(with(all, p.rename), p.seen)
}

// with appends a request, unless it is nil.
func with[T any, R interface {
	*T
	transport.Request
}](all []transport.Request, r R) []transport.Request {
	if r == nil {
		return all
	}
	return append(all, r)
}

// begin is when the partial is about to be written to.
func (p *put) begin() {
	u := p.u
	u.res.TimeKept = false
	if p.store != nil {
		u.sentWhole = false
		u.where.arrived = false // what holds the partial from here on is of this host
		u.part.verified, u.part.acknowledged, u.part.opened = transfer.Set{}, false, true
		u.part.closed, u.part.ended, u.part.restart = false, nil, false // that was of the Store before
	}
}

func (p *put) progress(n int64) {
	p.moved += n
	p.u.lastByte = time.Now()
	p.l.Moved(n)
	p.u.env.Sent(n)
	p.u.report(p.l, p.at+p.moved)
}

// mayBeWhole reports whether all of the source has left, and the server has not refused
// it before it did.
func (p *put) mayBeWhole() bool {
	var te *transport.Error
	size := p.u.src.Size()
	switch {
	case p.store.Err == nil:
		return true
	case size < 0 || p.at+p.moved < size:
		return false
	}
	return size > 0 || errors.As(p.store.Err, &te) && te.MayHaveActed
}

// note takes note of what the server has of the file, once.
func (p *put) note() {
	if p.noted || p.store == nil || errors.Is(p.store.Err, transport.ErrSkipped) {
		return
	}
	p.noted = true
	u := p.u
	u.res.Moved += p.moved
	u.part.acked, u.part.window = p.at+p.store.Stored, p.l.Info().Caps.WriteWindow
	if p.at > 0 && (p.store.Stored > 0 || p.store.Err == nil) {
		p.l.Host.Offsets(p.l.Proto).Taken.Store(true)
	}
	u.part.opened = u.part.opened && p.store.Err != nil
	u.part.written = u.part.written || p.moved > 0
	u.sentWhole = u.spec.Delivery != Atomic && p.mayBeWhole()
	p.l.Attempt.Moved(p.moved) // also if what follows fails: the next attempt starts at once
}
