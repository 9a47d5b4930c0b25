package faultproxy_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

func info(seed uint64, n int64) faultproxy.ConnInfo {
	return faultproxy.ConnInfo{Seq: n, RoleSeq: n, Rand: rand.New(rand.NewPCG(seed, uint64(n)))}
}

func TestResetRate(t *testing.T) {
	const n, low, high = 10_000, 1000, 5000
	plan := faultproxy.ResetRate(0.127, low, high)
	draw := func(seed uint64) (offsets []int64) {
		for i := range int64(n) {
			fault := plan(info(seed, i))
			if fault.Kind == faultproxy.None {
				continue
			}
			if at := fault.When.Bytes; at < low || at > high {
				t.Fatalf("offset %d is outside %d..%d", at, low, high)
			}
			offsets = append(offsets, fault.When.Bytes)
		}
		return offsets
	}
	first := draw(7)
	// 1270 expected, standard deviation 33.
	if len(first) < 1100 || len(first) > 1440 {
		t.Errorf("%d of %d chosen, want about 1270", len(first), n)
	}
	if !slices.Equal(first, draw(7)) {
		t.Error("one seed, two plans")
	}
	if slices.Equal(first, draw(8)) {
		t.Error("two seeds, one plan")
	}
}

func TestPlanCombinators(t *testing.T) {
	reset, fin := faultproxy.Fault{Kind: faultproxy.Reset}, faultproxy.Fault{Kind: faultproxy.FIN}
	plan := faultproxy.ByRole(map[faultproxy.Role]faultproxy.Plan{
		faultproxy.Data: faultproxy.First(faultproxy.Nth(2, reset), faultproxy.AtMost(1, fin)),
	})
	tests := []struct {
		role faultproxy.Role
		n    int64
		live int
		want faultproxy.Kind
	}{
		{faultproxy.Control, 2, 5, faultproxy.None},
		{faultproxy.Data, 1, 1, faultproxy.None},
		{faultproxy.Data, 2, 1, faultproxy.Reset},
		{faultproxy.Data, 2, 2, faultproxy.Reset},
		{faultproxy.Data, 3, 2, faultproxy.FIN},
	}
	for _, tt := range tests {
		got := plan(faultproxy.ConnInfo{Role: tt.role, RoleSeq: tt.n, Live: tt.live})
		if got.Kind != tt.want {
			t.Errorf("%v %d, %d alive: %v, want %v", tt.role, tt.n, tt.live, got.Kind, tt.want)
		}
	}
}
