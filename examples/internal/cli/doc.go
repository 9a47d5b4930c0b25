// Package cli is what the example commands share: flags and passwords, exit
// codes, signals, workers, and what is shown of their work.
//
// Read [Flags] first, then [Run]. It uses the public face of package ftpx alone,
// as a program of yours would.
package cli
