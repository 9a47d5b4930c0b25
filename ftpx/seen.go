package ftpx

import "slices"

// seen are the ranges of a partial that were read back and are the source's, since it
// was written to last. On a line that is lost again and again before all that is to be
// read back has come, each attempt goes on where the one before was cut off.
type seen struct {
	ranges []byteRange // in order, apart from each other
	most   int64       // the most bytes that they have ever been
}

type byteRange struct{ from, to int64 }

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
	total := int64(0)
	for _, r := range s.ranges {
		total += r.to - r.from
	}
	more := total > s.most
	s.most = max(s.most, total)
	return more
}

// forget is for a partial that is written to, or another one. What has been the most
// stays: to see as much again is no progress.
func (s *seen) forget() { s.ranges = nil }
