//go:build linux

package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
)

// TestMain is the command itself where it was started by itself: the programs
// under test are this binary.
func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(modeVariable) {
	case modeChild:
		err = childMain()
	case modeRun:
		err = runMain()
	default:
		os.Exit(testmain.InMemory(m).Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
