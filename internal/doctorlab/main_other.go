//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "doctorlab: it needs Linux, for its servers and their network namespace: run it there")
	os.Exit(2)
}
