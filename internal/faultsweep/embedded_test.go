package faultsweep_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/faultsweep"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testmain.Parallel(testmain.InMemory(m), 8)) }

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

// sweep runs a sweep and shows it. ftpserverlib writes the answer to an unknown
// command without a lock (client_handler.go of v0.30.0), which the race detector
// sees when garbage on a control connection in clear makes one.
func sweep(t *testing.T, opts faultsweep.EmbeddedOptions) {
	t.Helper()
	if !raceDetector {
		r, err := faultsweep.Embedded(t.Context(), opts)
		show(t, r, err)
		return
	}
	opts.Protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit}
	r, err := faultsweep.Embedded(t.Context(), opts)
	if err == nil {
		opts.Protocols, opts.Faults = []ftpx.Protocol{ftpx.FTP}, faultproxy.SweepFaults()
		delete(opts.Faults, "garbage")
		var clear *faultsweep.Report
		if clear, err = faultsweep.Embedded(t.Context(), opts); err == nil {
			r.Merge(clear)
		}
	}
	show(t, r, err)
}

func TestEmbeddedSingles(t *testing.T) {
	t.Parallel()
	opts := faultsweep.EmbeddedOptions{Seed: 1, Stride: 7}
	switch {
	case full():
		opts.Stride = 1
	case testing.Short():
		opts.Stride = 29
	case raceDetector:
		opts.Stride = 13
	}
	sweep(t, opts)
}

func TestEmbeddedPairs(t *testing.T) {
	t.Parallel()
	opts := faultsweep.EmbeddedOptions{Seed: 2, Pairs: 10}
	switch {
	case full():
		opts.Pairs = 200
	case testing.Short():
		opts.Pairs = 2
	case raceDetector:
		opts.Pairs = 5
	}
	sweep(t, opts)
}
