package download

import (
	"slices"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
)

// A download is made of segments: in order, from the beginning of the file to its end,
// each with a part that is there and one that is missing. Mostly it is one segment. There
// are more once several connections have fetched it, or were cut off while they did.

// segment is [from, end) of a file, of which [from, at) is there.
type segment struct {
	from, at, end int64
	// busy: somebody is fetching what is missing.
	busy bool
	// gone: it has become part of the one before it.
	gone bool
	// met: what comes behind its end was compared with what is there. Until then nothing
	// shows that both are of the same file.
	met bool
}

// missing is how much of the segment is to come.
func (p *segment) missing() int64 { return p.end - p.at }

// segments are all of a file, in order. Where one ends the next begins.
type segments []*segment

// segmentsOf makes the segments of a file of size bytes of which ranges are there, in
// order and apart from each other.
func segmentsOf(ranges []transfer.Range, size int64) segments {
	var ps segments
	if len(ranges) == 0 || ranges[0].From > 0 {
		ps = append(ps, &segment{})
	}
	for _, r := range ranges {
		ps = append(ps, &segment{from: r.From, at: r.To})
	}
	for i, p := range ps {
		p.end = size
		if i+1 < len(ps) {
			p.end = ps[i+1].from
		}
	}
	return ps
}

// done reports whether the i-th lacks nothing, and goes with the one behind it.
func (ps segments) done(i int) bool {
	return ps[i].missing() == 0 && (ps[i].met || i+1 == len(ps))
}

// prefix is how much is there from the beginning on, without a gap.
func (ps segments) prefix() int64 {
	at := int64(0)
	for i, p := range ps {
		if at = p.at; !ps.done(i) {
			break
		}
	}
	return at
}

// have is how much is there.
func (ps segments) have() int64 {
	n := int64(0)
	for _, p := range ps {
		n += p.at - p.from
	}
	return n
}

// ranges are what is there, in order and apart from each other. There is always one
// from 0 on, if only an empty one. Of what was not compared with what is behind it the
// end is left out, so that whoever goes on from the ranges compares it.
func (ps segments) ranges() []transfer.Range {
	var rs []transfer.Range
	for i, p := range ps {
		to := p.at
		if p.missing() == 0 && !ps.done(i) {
			to = max(p.from, p.at-overlap)
		}
		if n := len(rs); n > 0 && rs[n-1].To == p.from {
			rs[n-1].To = to
		} else if to > p.from || p.from == 0 {
			rs = append(rs, transfer.Range{From: p.from, To: to})
		}
	}
	return rs
}

// last is where what is there ends; there may be gaps before it.
func (ps segments) last() int64 {
	n := int64(0)
	for _, p := range ps {
		if p.at > p.from {
			n = p.at
		}
	}
	return n
}

// complete reports whether nothing is missing, and all goes together.
func (ps segments) complete() bool {
	for i := range ps {
		if !ps.done(i) {
			return false
		}
	}
	return true
}

// idle returns the first segment that is not done and that nobody is at.
func (ps segments) idle() *segment {
	for i, p := range ps {
		if !p.busy && !ps.done(i) {
			return p
		}
	}
	return nil
}

// split takes half of what is missing of the segment that lacks the most, its end, and
// makes a segment of it. head is how much of it is brought before that begins to come; nil
// where the halves of the rest would be smaller than that, or not worth it at all.
func (ps *segments) split(head int64) *segment {
	best := -1
	for i, p := range *ps {
		if best < 0 || p.missing() > (*ps)[best].missing() {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	p := (*ps)[best]
	half := (p.missing() - head) / 2
	if half < max(head, segmentLeast) {
		return nil
	}
	q := &segment{from: p.end - half, at: p.end - half, end: p.end}
	p.end = q.from
	*ps = slices.Insert(*ps, best+1, q)
	return q
}

// follow returns how much is there of what comes directly behind a segment.
func (ps segments) follow(p *segment) int64 {
	end := p.end
	for _, q := range ps[slices.Index(ps, p)+1:] {
		if q.from != end {
			break
		}
		if end = q.at; q.missing() > 0 {
			break
		}
	}
	return end - p.end
}

// join gives a segment the one behind it, with all that is there of it, which is fetched
// again. Who is fetching that has to stop.
func (ps *segments) join(p *segment) {
	i := slices.Index(*ps, p)
	q := (*ps)[i+1]
	p.end, p.met, q.gone = q.end, false, true
	*ps = slices.Delete(*ps, i+1, i+2)
}
