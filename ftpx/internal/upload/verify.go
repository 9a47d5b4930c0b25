package upload

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// joinLength is how much is read back on each side of where an upload was resumed.
	joinLength = 16 << 10
	// joinGap is how much between two of those is read with them, which costs less than to
	// ask twice.
	joinGap = 128 << 10
)

// readBacks are what is read back of a whole partial of size bytes: all of it with
// VerifyFull, else what surrounds the offsets where it was resumed, at among them, and its
// end. What lies near each other is read at once, and what is known not again.
func (u *upload) readBacks(size, at int64, known transfer.Set) []*readBack {
	joins := u.part.joins
	if at > 0 && at != size && !slices.Contains(joins, at) {
		joins = append(joins[:len(joins):len(joins)], at)
	}
	var ranges []transfer.Range
	switch {
	case u.spec.Verify == transfer.VerifyFull:
		ranges = []transfer.Range{{From: 0, To: size}}
	case len(joins) > 0:
		ranges = joinRanges(joins, size)
	}
	var backs []*readBack
	for _, r := range ranges {
		backs = append(backs, u.newReadBack(u.part.name, r, known, r.To == size))
	}
	return backs
}

func joinRanges(joins []int64, size int64) []transfer.Range {
	all := []transfer.Range{{From: max(size-joinLength, 0), To: size}}
	for _, at := range joins {
		all = append(all, transfer.Range{From: max(at-joinLength, 0), To: min(at+joinLength, size)})
	}
	slices.SortFunc(all, func(a, b transfer.Range) int { return cmp.Compare(a.From, b.From) })
	ranges := all[:1]
	for _, r := range all[1:] {
		if last := &ranges[len(ranges)-1]; r.From-last.To <= joinGap {
			last.To = max(last.To, r.To)
		} else {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// want is how many bytes the partial has to have.
func (p *put) want() int64 {
	if n := p.u.src.Size(); n >= 0 {
		return n
	}
	return p.u.part.acked // a stream, at its end
}

// complete reports whether the server has all of the source, by its own word and by size.
func (p *put) complete() bool {
	p.note()
	if p.store != nil && (p.store.Err != nil || p.at+p.store.Stored != p.want()) {
		return false
	}
	if p.stat.Err != nil || p.stat.Entry.Size != p.want() {
		return false
	}
	p.u.whole()
	return true
}

// whole is for a partial that is there as a whole: what is read back from here on is to
// check it, and counts as progress anew.
func (u *upload) whole() {
	if u.part.verified.Empty() {
		u.most.verified = 0
	}
}

// mayRename is the condition of the rename: everything that was asked speaks for it.
// Where anything does not, it is looked at once more, by check.
func (p *put) mayRename() bool {
	proven := p.proven()
	p.u.commit.begun = p.u.commit.begun || proven
	return proven
}

// proven reports whether what was sent is there, by everything that was asked.
func (p *put) proven() bool {
	u := p.u
	if p.more || !p.complete() || p.dest != nil && !errors.Is(p.dest.Err, fs.ErrNotExist) {
		return false
	}
	v := transfer.Verified{Size: true}
	if p.hash != nil {
		if sum, err := p.sum(); err != nil || p.hash.Err != nil || !bytes.Equal(sum, p.hash.Sum) {
			return false
		}
		v.Hash = p.hash.Algo
	}
	for _, b := range p.backs {
		b.note(p.l)
		if !b.whole() {
			return false
		}
		v.ReadBack += b.asked.Len()
	}
	if u.src.Check() != nil {
		return false
	}
	u.accept(p.l, p.want(), v, u.lastByte)
	return true
}

// sum is the source's digest.
func (p *put) sum() ([]byte, error) {
	mine := p.mine
	if p.mine = nil; mine == nil {
		mine = transfer.Begin(p.hash.Algo, io.NewSectionReader(p.u.src, 0, p.want()))
	}
	return mine.Sum()
}

// accept takes note of a partial that is complete and checked, which began at since, if that
// is known.
func (u *upload) accept(l *session.Lease, size int64, v transfer.Verified, since time.Time) {
	u.part.confirmed = size
	u.most.confirmed = max(u.most.confirmed, size)
	u.res.Verified = v
	u.checked = true
	l.Attempt.Progress()
	u.verified(l, transfer.Check{Verified: v}, since)
}

// verified tells of a check.
func (u *upload) verified(l *session.Lease, c transfer.Check, since time.Time) {
	if !since.IsZero() {
		c.Took = time.Since(since)
	}
	u.env.Verified(l, u.task, c)
}

// check verifies a finished partial request by request. All FTP servers answer 226 to a
// file that lost its end, so that the size is asked for whatever they said.
func (u *upload) check(ctx context.Context, l *session.Lease) (err error) {
	begin := time.Now()
	defer func() {
		if err != nil && !u.checked && ctx.Err() == nil {
			u.verified(l, transfer.Check{Err: err}, begin)
		}
	}()
	want := u.src.Size()
	if want < 0 {
		want = u.part.acked
	}
	st, err := l.Stat(ctx, u.part.name)
	if errors.Is(err, fs.ErrNotExist) && u.part.acknowledged {
		st, err = u.awaitName(ctx, l)
	}
	if u.part.acknowledged && l.Usable() && (u.takenDirect(l, err) || final(err)) {
		return u.unseen(ctx, l, want, err)
	}
	if err != nil {
		return u.vanished(err)
	}
	got := st.Size
	if got < 0 {
		if got, err = sizeByList(ctx, l, u.part.name); err != nil {
			return err
		}
	}
	if got != want {
		u.part.acknowledged, u.sentWhole = false, false // it was no true word
		u.part.restart = got > want
		return &transport.Error{Op: u.task.Op, Path: u.part.name, Kind: transport.KindTruncated, Protocol: l.Proto, Addr: l.Info().Addr,
			Err: fmt.Errorf("the server said it was all, but holds %d of %d bytes", got, want)}
	}
	u.part.confirmed = want
	u.whole()
	v := transfer.Verified{Size: true}
	if err := u.checkContent(ctx, l, want, &v); err != nil {
		return err
	}
	if err := u.checkSource(); err != nil {
		return err
	}
	u.accept(l, want, v, begin)
	return nil
}

// unseen is for what the server has acknowledged and does not show: a partial cannot be
// checked then, and what has its name already is as good as the server's word.
func (u *upload) unseen(ctx context.Context, l *session.Lease, want int64, cause error) error {
	if u.spec.Delivery == Atomic {
		return u.cannot(ctx, l, "look", cause)
	}
	u.commit.taken = false
	u.accept(l, want, transfer.Verified{Acknowledged: true}, u.lastByte)
	return nil
}

func (u *upload) checkContent(ctx context.Context, l *session.Lease, size int64, v *transfer.Verified) error {
	if u.spec.Verify == transfer.VerifySize || size == 0 {
		return nil
	}
	if algo := transfer.HashOf(l.Info().Caps); algo != "" {
		same, err := u.sameHash(ctx, l, u.part.name, algo, transfer.Range{To: size})
		switch {
		case err == nil && same:
			v.Hash = algo
			return nil
		case err == nil:
			return u.mismatch(fmt.Errorf("%w: their %s differ", transfer.ErrMismatch, algo))
		case !l.Usable() || oneAttempt(err):
			return err
		}
	}
	backs := u.readBacks(size, 0, u.part.verified)
	batch := &transport.Batch{}
	for _, b := range backs {
		batch.Requests = append(batch.Requests, b.requests()...)
	}
	lost := l.Do(ctx, batch)
	for _, b := range backs {
		b.note(l)
	}
	for _, b := range backs {
		if err := b.err(lost); err != nil {
			return err
		}
		if !b.whole() {
			return u.mismatch(fmt.Errorf("%w: at byte %d", transfer.ErrMismatch, b.same()))
		}
		v.ReadBack += b.asked.Len()
	}
	return nil
}

// sizeByList finds a size in the folder's listing, for servers without SIZE.
func sizeByList(ctx context.Context, l *session.Lease, name string) (int64, error) {
	dir, base := path.Dir(name), path.Base(name)
	size := int64(-1)
	err := l.List(ctx, dir, func(e transport.Entry) bool {
		if e.Name == base {
			size = e.Size
		}
		return size < 0
	})
	if err != nil {
		return -1, err
	}
	if size < 0 {
		return -1, retry.Stop(&transport.Error{Op: "stat", Path: name, Kind: transport.KindUnsupported,
			Err: errors.New("the server tells the file's size in no way, so that the transfer cannot be checked")})
	}
	return size, nil
}

// attributes are what is to be set of a file, nil for what is left to the server.
func (s *Spec) attributes(name string, src Source, l *session.Lease) (when *transport.SetTime, mode *transport.SetMode) {
	if t := src.ModTime(); !t.IsZero() && s.KeepTime && l.Info().Caps.SetTime {
		when = &transport.SetTime{Path: name, Time: t}
	}
	if s.Mode != 0 {
		mode = &transport.SetMode{Path: name, Mode: s.Mode}
	}
	return when, mode
}
