package ftpx_test

import (
	"os"
	"testing"
	"testing/synctest"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultsweep"
)

// The sweeps over sockets are in internal/faultsweep; these are in memory, where
// each fault meets each operation of many kinds of servers. FTPX_SWEEP=full asks
// for every operation.
func TestSweepInMemory(t *testing.T) {
	for _, sweep := range []struct {
		name                string
		stride, pairs, full int
	}{
		{"singles", 17, 0, 1},
		{"pairs", 1, 8, 1000},
	} {
		for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
			t.Run(sweep.name+"/"+p.String(), func(t *testing.T) {
				t.Parallel()
				opts := faultsweep.MemoryOptions{Connect: ftpx.SetConnect, Protocol: p, Stride: sweep.stride, Pairs: sweep.pairs, Seed: 1}
				switch full := os.Getenv("FTPX_SWEEP") == "full"; {
				case full && sweep.pairs > 0:
					opts.Pairs = sweep.full
				case full:
					opts.Stride = sweep.full
				case testing.Short():
					opts.Stride, opts.Pairs = 4*opts.Stride, opts.Pairs/4
				}
				synctest.Test(t, func(t *testing.T) {
					r, err := faultsweep.Memory(t.Context(), opts)
					if err != nil {
						t.Fatal(err)
					}
					t.Logf("\n%v", r)
					for i, e := range r.Failed() {
						if i == 10 {
							t.Fatalf("and %d more", len(r.Failed())-i)
						}
						t.Errorf("%v", e)
					}
				})
			})
		}
	}
}
