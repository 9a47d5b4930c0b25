package ftpx

import (
	"encoding/json"
	"slices"
)

// seen are the ranges of a partial that were read back and are the source's, since it
// was written to last. On a line that is lost again and again before all that is to be
// read back has come, each attempt goes on where the one before was cut off.
type seen struct {
	ranges []byteRange // in order, apart from each other
	most   int64       // the most bytes that they have ever been
}

// byteRange is [from, to).
type byteRange struct{ from, to int64 }

// MarshalJSON writes it as [from, to].
func (r byteRange) MarshalJSON() ([]byte, error) { return json.Marshal([2]int64{r.from, r.to}) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *byteRange) UnmarshalJSON(b []byte) error {
	var a [2]int64
	err := json.Unmarshal(b, &a)
	r.from, r.to = a[0], a[1]
	return err
}

// inOrder reports whether ranges are such of a file of size bytes, in order and apart.
func inOrder(ranges []byteRange, size int64) bool {
	at := int64(-1)
	for _, r := range ranges {
		if r.from <= at || r.to < r.from || r.to > size {
			return false
		}
		at = r.to
	}
	return true
}

// total is how many bytes ranges are.
func total(ranges []byteRange) int64 {
	n := int64(0)
	for _, r := range ranges {
		n += r.to - r.from
	}
	return n
}

// common are the bytes that are in both a and b, which are in order.
func common(a, b []byteRange) []byteRange {
	var both []byteRange
	for _, r := range a {
		for _, s := range b {
			if from, to := max(r.from, s.from), min(r.to, s.to); from < to {
				both = append(both, byteRange{from, to})
			}
		}
	}
	return both
}

// skip returns where to begin reading n bytes from offset on.
func (s *seen) skip(offset, n int64) int64 {
	for _, r := range s.ranges {
		if r.from <= offset && offset < r.to {
			return min(r.to, offset+n)
		}
	}
	return offset
}

// add reports whether more has been seen than ever before.
func (s *seen) add(from, to int64) bool {
	if from >= to {
		return false
	}
	at := 0
	for at < len(s.ranges) && s.ranges[at].to < from {
		at++
	}
	end := at
	for end < len(s.ranges) && s.ranges[end].from <= to {
		from, to = min(from, s.ranges[end].from), max(to, s.ranges[end].to)
		end++
	}
	s.ranges = slices.Replace(s.ranges, at, end, byteRange{from, to})
	n := total(s.ranges)
	more := n > s.most
	s.most = max(s.most, n)
	return more
}

// forget is for a partial that is written to, or another one. What has been the most
// stays: to see as much again is no progress.
func (s *seen) forget() { s.ranges = nil }
