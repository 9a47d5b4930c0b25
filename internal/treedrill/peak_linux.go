package main

import (
	"bytes"
	"os"
	"strconv"
)

// peakMemory is the largest resident size that this process has had, in bytes.
// Unlike ru_maxrss it begins anew when a program is started.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	if fields := bytes.Fields(rest); len(fields) > 0 {
		kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
		return kib << 10
	}
	return 0
}
