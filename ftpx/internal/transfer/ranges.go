package transfer

import (
	"encoding/json"
	"slices"
)

// Range is the bytes [From, To) of a file.
type Range struct{ From, To int64 }

// Len is how many they are.
func (r Range) Len() int64 { return r.To - r.From }

// MarshalJSON writes it as [from, to].
func (r Range) MarshalJSON() ([]byte, error) { return json.Marshal([2]int64{r.From, r.To}) }

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Range) UnmarshalJSON(b []byte) error {
	var a [2]int64
	err := json.Unmarshal(b, &a)
	r.From, r.To = a[0], a[1]
	return err
}

// InOrder reports whether ranges are such of a file of size bytes, in order and apart
// from each other.
func InOrder(ranges []Range, size int64) bool {
	at := int64(-1)
	for _, r := range ranges {
		if r.From <= at || r.To < r.From || r.To > size {
			return false
		}
		at = r.To
	}
	return true
}

// Total is how many bytes ranges are.
func Total(ranges []Range) int64 {
	n := int64(0)
	for _, r := range ranges {
		n += r.Len()
	}
	return n
}

// Common are the bytes that are in both a and b, which are in order.
func Common(a, b []Range) []Range {
	var both []Range
	for _, r := range a {
		for _, s := range b {
			if from, to := max(r.From, s.From), min(r.To, s.To); from < to {
				both = append(both, Range{from, to})
			}
		}
	}
	return both
}

// Set is bytes of a file that were found to be right. The zero value is empty.
type Set struct{ ranges []Range } // in order, apart from each other

// Empty reports whether there are none.
func (s Set) Empty() bool { return len(s.ranges) == 0 }

// Len is how many there are.
func (s Set) Len() int64 { return Total(s.ranges) }

// Rest returns what of r is left to look at: without the beginning that is in the set.
func (s Set) Rest(r Range) Range {
	for _, x := range s.ranges {
		if x.From <= r.From && r.From < x.To {
			r.From = min(x.To, r.To)
			break
		}
	}
	return r
}

// With returns the set with r in it.
func (s Set) With(r Range) Set {
	if r.From >= r.To {
		return s
	}
	at := 0
	for at < len(s.ranges) && s.ranges[at].To < r.From {
		at++
	}
	end := at
	for end < len(s.ranges) && s.ranges[end].From <= r.To {
		r.From, r.To = min(r.From, s.ranges[end].From), max(r.To, s.ranges[end].To)
		end++
	}
	return Set{slices.Concat(s.ranges[:at], []Range{r}, s.ranges[end:])}
}
