package faultsweep

import (
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Transfer is the call that is swept.
type Transfer uint8

// The transfers.
const (
	// Upload sends a file, Put a stream that can be read once.
	Upload Transfer = iota
	Put
	// Download fetches to a file, Get to a writer.
	Download
	Get
)

// Transfers returns all of them.
func Transfers() []Transfer { return []Transfer{Upload, Put, Download, Get} }

// String returns the transfer's name in lower case.
func (t Transfer) String() string {
	names := [...]string{"upload", "put", "download", "get"}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("Transfer(%d)", uint8(t))
}

// sends reports whether the server is the receiving side.
func (t Transfer) sends() bool { return t == Upload || t == Put }

// Broken is one fault of a case.
type Broken struct {
	Op   int64  // number of the operation
	Name string // of the fault
}

// Case is one run of a transfer.
type Case struct {
	Protocol ftpx.Protocol
	Transfer Transfer
	// Existing says that there is an older file at the destination.
	Existing bool
	// Variant tells servers apart, "" for the usual one.
	Variant string
	Faults  []Broken
}

// String describes the case in one line.
func (c Case) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v", c.Protocol, c.Transfer)
	if c.Existing {
		b.WriteString(" over an older file")
	}
	if c.Variant != "" {
		fmt.Fprintf(&b, " [%s]", c.Variant)
	}
	for _, f := range c.Faults {
		fmt.Fprintf(&b, ", %s at operation %d", f.Name, f.Op)
	}
	return b.String()
}

// faults names the faults for the table.
func (c Case) faults() string {
	if len(c.Faults) == 1 {
		return c.Faults[0].Name
	}
	return "pairs"
}

// End is how a case ended.
type End struct {
	Case
	// Hit says that at least one of the faults was reached.
	Hit bool
	// Result and Err are what the client returned.
	Result ftpx.Result
	Err    error
	// Problems are what must not be, nil if all is well.
	Problems []string
	// Took is how long the call took, in the clock of the sweep.
	Took time.Duration
	// Trail is what was requested and answered, of a case with problems.
	Trail []string
}

// String describes a case that has problems.
func (e End) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v:", e.Case)
	for _, p := range e.Problems {
		b.WriteString("\n\t" + p)
	}
	fmt.Fprintf(&b, "\n\tresult %+v\n\terror %v", e.Result, e.Err)
	if len(e.Trail) > 0 {
		b.WriteString("\n\ttrail: " + strings.Join(e.Trail, " | "))
	}
	return b.String()
}

// outcome is what the client said.
func (e End) outcome() ftpx.Outcome { return e.Result.Outcome }
