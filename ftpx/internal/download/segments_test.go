package download

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
)

// pairs are ranges: from, to, from, to.
func pairs(at ...int64) []transfer.Range {
	var rs []transfer.Range
	for two := range slices.Chunk(at, 2) {
		rs = append(rs, transfer.Range{From: two[0], To: two[1]})
	}
	return rs
}

func TestSegmentsOfRanges(t *testing.T) {
	for _, tt := range []struct {
		there  []transfer.Range
		prefix int64
		have   int64
		last   int64
		gaps   []transfer.Range
	}{
		{nil, 0, 0, 0, pairs(0, 100)},
		{pairs(0, 0), 0, 0, 0, pairs(0, 100)},
		{pairs(0, 30), 30, 30, 30, pairs(30, 100)},
		{pairs(0, 100), 100, 100, 100, nil},
		{pairs(50, 60), 0, 10, 60, pairs(0, 50, 60, 100)},
		{pairs(0, 10, 20, 30, 90, 100), 10, 30, 100, pairs(10, 20, 30, 90)},
	} {
		ps := segmentsOf(tt.there, 100)
		var gaps []transfer.Range
		for _, p := range ps {
			if p.missing() > 0 {
				gaps = append(gaps, transfer.Range{From: p.at, To: p.end})
			}
		}
		if ps.prefix() != tt.prefix || ps.have() != tt.have || ps.last() != tt.last || !slices.Equal(gaps, tt.gaps) {
			t.Errorf("%v: prefix %d, have %d, last %d, gaps %v", tt.there, ps.prefix(), ps.have(), ps.last(), gaps)
		}
		if ps.complete() != (len(tt.gaps) == 0) {
			t.Errorf("%v: complete is %v", tt.there, ps.complete())
		}
	}
	if ps := segmentsOf(nil, math.MaxInt64); ps.complete() || ps.prefix() != 0 {
		t.Error("a file of unknown size is not complete before it has ended")
	}
}

// Whatever several streams do, the segments cover the file, in order, and what they say
// is there is what was written.
func TestSegmentsUnderStreams(t *testing.T) {
	const size = 128 << 10
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		written := make([]bool, size>>10)
		ps := segmentsOf(nil, size)
		var streams []*segment
		for !ps.complete() {
			switch n := rnd.IntN(10); {
			case n == 0 && len(streams) < 8:
				p := ps.idle()
				if p == nil {
					p = splitSmall(&ps)
				}
				if p != nil {
					p.busy = true
					streams = append(streams, p)
				}
			case n == 1 && len(streams) > 0: // one is lost
				i := rnd.IntN(len(streams))
				streams[i].busy = false
				streams = slices.Delete(streams, i, i+1)
			case n == 2 && len(streams) > 0: // one comes to a segment that has hardly begun
				p := streams[rnd.IntN(len(streams))]
				if p.gone || p.end == size || p.missing() > 0 {
					break
				}
				q := ps[slices.Index(ps, p)+1]
				for at := q.from; at < q.at; at += 1 << 10 {
					written[at>>10] = false
				}
				ps.join(p)
			case len(streams) > 0:
				p := streams[rnd.IntN(len(streams))]
				if p.missing() == 0 {
					p.met = true
				}
				if p.gone || p.missing() == 0 {
					break
				}
				if written[p.at>>10] {
					t.Fatalf("seed %d: %d is written twice", seed, p.at)
				}
				written[p.at>>10] = true
				p.at += 1 << 10
				p.met = p.missing() == 0 // at once, so that what is written is said to be there
			}
			streams = slices.DeleteFunc(streams, func(p *segment) bool { return p.gone })
			check(t, ps, written, size)
		}
	}
}

// splitSmall is split for segments that are too small for it.
func splitSmall(ps *segments) *segment {
	for _, p := range *ps {
		p.from, p.at, p.end = p.from<<20, p.at<<20, p.end<<20
	}
	q := ps.split(0)
	for _, p := range *ps {
		p.from, p.at, p.end = p.from>>20, p.at>>20, p.end>>20
	}
	if q == nil || q.from%(1<<10) == 0 {
		return q
	}
	up := q.from&^(1<<10-1) + 1<<10 // the test writes whole kibibytes
	i := slices.Index(*ps, q)
	(*ps)[i-1].end, q.from, q.at = up, up, up
	return q
}

func check(t *testing.T, ps segments, written []bool, size int64) {
	t.Helper()
	at, have := int64(0), int64(0)
	for _, p := range ps {
		if p.from != at || p.at < p.from || p.end < p.at {
			t.Fatalf("a segment [%d, %d, %d) behind %d", p.from, p.at, p.end, at)
		}
		at = p.end
	}
	if at != size {
		t.Fatalf("they end at %d of %d", at, size)
	}
	ranges := ps.ranges()
	for i, w := range written {
		x := int64(i) << 10
		in := slices.ContainsFunc(ps, func(p *segment) bool { return p.from <= x && x < p.at })
		said := slices.ContainsFunc(ranges, func(r transfer.Range) bool { return r.From <= x && x < r.To })
		if in != w || said && !w {
			t.Fatalf("%d: there %v, said to be %v, written %v", x, in, said, w)
		}
		if w {
			have += 1 << 10
		}
	}
	if ps.have() != have || !transfer.InOrder(ranges, size) {
		t.Fatalf("have %d of %d, ranges %v", ps.have(), have, ranges)
	}
}

// What a new stream gets leaves the old one what that brings meanwhile, and is not smaller.
func TestSplit(t *testing.T) {
	const mib = 1 << 20
	ps := segmentsOf(pairs(0, 10*mib), 110*mib)
	q := ps.split(20 * mib)
	if p := ps[0]; q == nil || p.end != 70*mib || q.from != 70*mib || q.at != 70*mib || q.end != 110*mib {
		t.Fatalf("%+v, %+v", ps[0], q)
	}
	if q = ps.split(20 * mib); q == nil || q.from != 50*mib || q.end != 70*mib {
		t.Fatalf("the largest is the first: %+v", q)
	}
	if q = ps.split(20 * mib); q != nil {
		t.Fatalf("%+v: what comes meanwhile is as much", q)
	}
	ps = segmentsOf(nil, 2*segmentLeast-2)
	if q = ps.split(0); q != nil {
		t.Fatalf("%+v is not worth a round trip", q)
	}
}

func TestFollow(t *testing.T) {
	ps := segmentsOf(pairs(0, 10, 20, 25, 30, 40), 100)
	for i, want := range []int64{5, 10, 0} {
		if got := ps.follow(ps[i]); got != want {
			t.Errorf("%d: %d, want %d", i, got, want)
		}
	}
	ps[1].at = 30 // one closes its gap
	if got := ps.follow(ps[0]); got != 20 {
		t.Errorf("%d, want both that are behind it", got)
	}
}

// What has not been compared with what is behind it is not said to be there, to its end.
func TestSegmentsThatHaveNotMet(t *testing.T) {
	ps := segmentsOf(pairs(0, 50<<10, 100<<10, 200<<10), 200<<10)
	ps[0].at = ps[0].end
	if want := pairs(0, 100<<10-overlap, 100<<10, 200<<10); !slices.Equal(ps.ranges(), want) || ps.complete() || ps.idle() != ps[0] {
		t.Errorf("%v, want %v; complete is %v", ps.ranges(), want, ps.complete())
	}
	ps[0].met = true
	if want := pairs(0, 200<<10); !slices.Equal(ps.ranges(), want) || !ps.complete() || ps.idle() != nil {
		t.Errorf("%v, want %v; complete is %v", ps.ranges(), want, ps.complete())
	}
}
