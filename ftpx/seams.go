package ftpx

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// seamRanges are what is read back of a whole partial of size bytes: where attempts
// went on, and its end. What lies near each other is read at once.
func (u *upload) seamRanges(size int64) []byteRange {
	all := []byteRange{{max(size-seamLength, 0), size}}
	for _, seam := range u.seams {
		all = append(all, byteRange{max(seam-seamLength, 0), min(seam+seamLength, size)})
	}
	slices.SortFunc(all, func(a, b byteRange) int { return cmp.Compare(a.from, b.from) })
	ranges := all[:1]
	for _, r := range all[1:] {
		if last := &ranges[len(ranges)-1]; r.from-last.to <= seamGap {
			last.to = max(last.to, r.to)
		} else {
			ranges = append(ranges, r)
		}
	}
	return ranges
}

// readTogether reads ranges of the partial back in the time of one, and notes what of
// them is the source's. Of what is missing or wrong then, reading it again tells.
func (u *upload) readTogether(ctx context.Context, l *lease, ranges []byteRange) {
	const most = 16 // under way at a time
	for some := range slices.Chunk(ranges, most) {
		begin, same := make([]int64, len(some)), make([]int64, len(some))
		for i, r := range some {
			begin[i] = u.seen.skip(r.from, r.to-r.from)
		}
		var all sync.WaitGroup
		for i, r := range some {
			if begin[i] < r.to {
				all.Go(func() { same[i], _ = u.readAndCompare(ctx, l, u.partial, begin[i], r.to-begin[i], nil) })
			}
		}
		all.Wait()
		for i := range some {
			if u.seen.add(begin[i], begin[i]+same[i]) {
				l.attempt.Progress()
			}
		}
		if !l.Usable() {
			return
		}
	}
}

// readBeside has connections that lie idle read some of the ranges, where there are
// any, while this attempt's own reads others: near the end of a folder, and on a line
// that is reset often, the seams of the last file are what all wait for. It notes what of
// them is the source's; of what is missing or wrong then, reading it again tells.
func (u *upload) readBeside(ctx context.Context, l *lease, ranges []byteRange) {
	var idle []*lease
	for len(idle)+1 < len(ranges) {
		other := l.spare()
		if other == nil {
			break
		}
		idle = append(idle, other)
	}
	if len(idle) == 0 {
		return
	}
	todo := make(chan byteRange, len(ranges))
	for _, r := range ranges {
		if r.from = u.seen.skip(r.from, r.to-r.from); r.from < r.to {
			todo <- r
		}
	}
	close(todo)
	var mu sync.Mutex
	var same []byteRange
	read := func(ctx context.Context, l *lease) {
		for r := range todo {
			part := &transport.Part{More: len(todo) > 0}
			n, err := u.readAndCompare(ctx, l, u.partial, r.from, r.to-r.from, part)
			mu.Lock()
			same = append(same, byteRange{r.from, r.from + n})
			mu.Unlock()
			if err != nil || !l.Usable() {
				return
			}
		}
	}
	hctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	for _, other := range idle {
		all.Go(func() {
			defer other.giveBack()
			read(hctx, other)
		})
	}
	read(ctx, l)
	// An idle connection may have died unseen.
	late := time.AfterFunc(heldPatience+heldTrips*l.Info().RoundTrip, cancel)
	defer late.Stop()
	all.Wait()
	for _, r := range same {
		if u.seen.add(r.from, r.to) {
			l.attempt.Progress()
		}
	}
}

// spare is another connection of the same kind that lies idle, nil if there is none, or
// somebody waits for one.
func (l *lease) spare() *lease {
	p := l.site.pool
	if !p.gate.try() {
		return nil
	}
	if pc := p.takeFresh(l.proto); pc != nil {
		return &lease{pooled: pc, site: l.site, limits: l.limits, attempt: l.attempt}
	}
	p.leave()
	return nil
}

// giveBack ends the use of a spare connection.
func (l *lease) giveBack() {
	l.site.pool.put(l.pooled)
	l.site.pool.leave()
}

// takeFresh takes an idle connection that need not be asked whether it still lives and
// that nobody rides on, nil if there is none.
func (p *pool) takeFresh(proto Protocol) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.idle, func(pc *pooled) bool {
		return pc.proto == proto && pc.riders == 0 && pc.Usable() && time.Since(pc.idleFrom) < pingAfter
	})
	if i < 0 {
		return nil
	}
	pc := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	pc.expire.Stop()
	p.loans[pc] = struct{}{}
	return pc
}
