package ftpx_test

import (
	"os"
	"testing"
	"testing/synctest"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultsweep"
)

// The sweeps over sockets are in internal/faultsweep; these are in memory, where
// each fault meets each operation of many kinds of servers: every 68th, every 17th
// with FTPX_SWEEP=more, which .ci/run asks for where nothing watches for data races,
// and every one with FTPX_SWEEP=full.
func TestSweepInMemory(t *testing.T) {
	for _, sweep := range []struct {
		name                     string
		stride, pairs, fullPairs int
	}{
		{"singles", 17, 0, 0},
		{"pairs", 1, 8, 1000},
	} {
		for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
			t.Run(sweep.name+"/"+p.String(), func(t *testing.T) {
				t.Parallel()
				opts := faultsweep.MemoryOptions{Connect: ftpx.SetConnect, Protocol: p, Stride: sweep.stride, Pairs: sweep.pairs, Seed: 1}
				switch os.Getenv("FTPX_SWEEP") {
				case "full":
					if opts.Stride = 1; sweep.pairs > 0 {
						opts.Pairs = sweep.fullPairs
					}
				case "more":
				default:
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
