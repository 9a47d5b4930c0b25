package faultsweep_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/internal/faultsweep"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// full asks for every operation and many pairs, which takes minutes.
func full() bool { return os.Getenv("FTPX_SWEEP") == "full" }

func show(t *testing.T, r *faultsweep.Report, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%v", r)
	const most = 20
	for i, e := range r.Failed() {
		if i == most {
			t.Fatalf("and %d more", len(r.Failed())-most)
		}
		t.Errorf("%v", e)
	}
}

func TestEmbeddedSingles(t *testing.T) {
	opts := faultsweep.EmbeddedOptions{Seed: 1, Stride: 7}
	if full() {
		opts.Stride = 1
	} else if testing.Short() {
		opts.Stride = 29
	}
	r, err := faultsweep.Embedded(t.Context(), opts)
	show(t, r, err)
}

func TestEmbeddedPairs(t *testing.T) {
	opts := faultsweep.EmbeddedOptions{Seed: 2, Pairs: 10}
	if full() {
		opts.Pairs = 200
	} else if testing.Short() {
		opts.Pairs = 2
	}
	r, err := faultsweep.Embedded(t.Context(), opts)
	show(t, r, err)
}
