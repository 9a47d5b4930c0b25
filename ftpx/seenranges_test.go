package ftpx

import (
	"math/rand/v2"
	"testing"
)

// TestSeenRanges compares with a set of single bytes.
func TestSeenRanges(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var s seen
		var set [64]bool
		most := 0
		for range 20 {
			if r.IntN(10) == 0 {
				s.forget()
				set = [64]bool{}
			}
			from := r.Int64N(64)
			to := from + r.Int64N(65-from)
			total := 0
			for i := from; i < to; i++ {
				set[i] = true
			}
			for _, b := range set {
				if b {
					total++
				}
			}
			if got := s.add(from, to); got != (total > most) {
				t.Fatalf("add(%d, %d) = %v with %d of at most %d", from, to, got, total, most)
			}
			most = max(most, total)
			offset := r.Int64N(64)
			n := r.Int64N(65 - offset)
			want := offset
			for want < offset+n && set[want] {
				want++
			}
			if got := s.skip(offset, n); got != want {
				t.Fatalf("skip(%d, %d) = %d, want %d: %v", offset, n, got, want, s.ranges)
			}
		}
	}
}
