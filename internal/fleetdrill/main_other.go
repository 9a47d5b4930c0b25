//go:build !linux

// Fleetdrill needs Linux and its servers.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "fleetdrill: it needs Linux, see CONTRIBUTING.md")
	os.Exit(1)
}
