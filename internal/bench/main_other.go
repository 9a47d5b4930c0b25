//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it starts real servers, which takes Linux and root; see CONTRIBUTING.md")
	os.Exit(2)
}
