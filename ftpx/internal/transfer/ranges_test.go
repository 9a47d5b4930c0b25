package transfer

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSet compares with a set of single bytes.
func TestSet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var s Set
		var bytes [64]bool
		for range 20 {
			if r.IntN(10) == 0 {
				s = Set{}
				bytes = [64]bool{}
			}
			from := r.Int64N(64)
			to := from + r.Int64N(65-from)
			n := int64(0)
			for i := from; i < to; i++ {
				bytes[i] = true
			}
			for _, b := range bytes {
				if b {
					n++
				}
			}
			before := s
			was := slices.Clone(s.ranges)
			if s = s.With(Range{from, to}); s.Len() != n || s.Empty() != (n == 0) || !InOrder(s.ranges, 64) {
				t.Fatalf("with [%d, %d): %v, want %d bytes", from, to, s.ranges, n)
			}
			if !slices.Equal(before.ranges, was) {
				t.Fatalf("%v has become %v: a set is a value", was, before.ranges)
			}
			offset := r.Int64N(64)
			asked := Range{offset, offset + r.Int64N(65-offset)}
			want := asked
			for want.From < want.To && bytes[want.From] {
				want.From++
			}
			if got := s.Rest(asked); got != want {
				t.Fatalf("the rest of %v is %v, want %v: %v", asked, got, want, s.ranges)
			}
		}
	}
}

func TestCommonRanges(t *testing.T) {
	a := []Range{{0, 10}, {20, 30}, {40, 50}}
	for _, tt := range []struct{ b, want []Range }{
		{nil, nil},
		{[]Range{{0, 100}}, a},
		{[]Range{{5, 25}, {45, 46}}, []Range{{5, 10}, {20, 25}, {45, 46}}},
		{[]Range{{10, 20}}, nil},
	} {
		if got := Common(a, tt.b); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.b, got, tt.want)
		}
	}
}

func TestInOrder(t *testing.T) {
	for _, tt := range []struct {
		ranges []Range
		want   bool
	}{
		{nil, true},
		{[]Range{{0, 0}}, true},
		{[]Range{{0, 10}, {11, 100}}, true},
		{[]Range{{0, 10}, {10, 20}}, false}, // not apart
		{[]Range{{0, 101}}, false},
		{[]Range{{10, 9}}, false},
		{[]Range{{-1, 5}}, false},
		{[]Range{{20, 30}, {0, 10}}, false},
	} {
		if got := InOrder(tt.ranges, 100); got != tt.want {
			t.Errorf("%v: %v", tt.ranges, got)
		}
	}
}

// The form in files of state is [from, to].
func TestRangeInJSON(t *testing.T) {
	b, err := json.Marshal([]Range{{1, 2}, {30, 1 << 40}})
	if err != nil || string(b) != "[[1,2],[30,1099511627776]]" {
		t.Fatalf("%s, %v", b, err)
	}
	var back []Range
	if err := json.Unmarshal(b, &back); err != nil || !slices.Equal(back, []Range{{1, 2}, {30, 1 << 40}}) {
		t.Errorf("%v, %v", back, err)
	}
}
