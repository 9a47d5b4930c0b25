//go:build linux

package main

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// profileVariable names the folder for profiles of the Go programs under test,
// "" for none.
const profileVariable = "FTPX_BENCH_PROFILE"

// profile begins a CPU profile, and writes it and the allocations when the result
// is called.
func profile(t *task) (stop func(), err error) {
	dir := os.Getenv(profileVariable)
	if dir == "" {
		return func() {}, nil
	}
	name := filepath.Join(dir, t.label())
	cpu, err := os.Create(name + ".cpu")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		cpu.Close()
		runtime.GC()
		if f, err := os.Create(name + ".mem"); err == nil {
			_ = pprof.Lookup("allocs").WriteTo(f, 0)
			f.Close()
		}
	}, nil
}
