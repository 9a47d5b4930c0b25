//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/bench/line"
)

// session is a job of tools alone: log in and leave.
const session = "session"

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// A scenario is what is moved over which line.
type scenario struct {
	name   string
	what   string
	line   line.Options
	size   int64 // of each file
	count  int   // of files or entries
	conns  int   // connections of every peer that can have several
	resets bool  // a share of the mebibytes meets a reset
	rounds int   // unless the flag says how many
	alone  bool  // without peers: it is held against another case, or another form, of ours
	up     bool  // it has an upload
}

func scenarios(scale float64) []scenario {
	size := func(n int64) int64 { return max(1, int64(float64(n)*scale)) }
	count := func(n int) int { return max(1, int(float64(n)*scale)) }
	far, near := 40*time.Millisecond, 10*time.Millisecond
	const capped = 100_000_000
	one := func(name string, n int64, l line.Options) scenario {
		return scenario{name: name, what: oneFile, size: size(n), line: l, conns: 8, up: true}
	}
	many := func(n int) scenario {
		return scenario{name: fmt.Sprintf("%d-small", n), what: manyFiles, size: 4 * kib, count: count(n), line: line.Options{RTT: near}, conns: 8, up: true}
	}
	few := func(rounds int, s scenario) scenario { s.rounds = rounds; return s }
	resets := many(16)
	resets.name, resets.size, resets.conns, resets.resets = "resets-16MiB", 16*mib, 4, true
	resets.line.Rate = capped
	// A line that loses a connection every eight megabytes is seldom a fast one, and on
	// a slow one it is the bytes sent again that count, not the round trips.
	slow := resets
	slow.name, slow.count, slow.line.Rate = "resets-16MiB-20MBps", count(8), 20_000_000
	// Of one connection such a line moves a window in each round trip: 26 MB/s.
	window := one("40ms-256MiB-window", 256*mib, line.Options{RTT: far, Window: mib})
	window.up = false
	tenfold := many(10000)
	tenfold.alone = true
	// Without a line nothing hides what a file costs in CPU time.
	busy := many(10000)
	busy.name, busy.alone, busy.line = "loopback-10000-small", true, line.Options{}
	all := []scenario{
		few(3, many(1000)),
		few(3, one("40ms-64MiB", 64*mib, line.Options{RTT: far})),
		few(3, one("loopback-1GiB", gib, line.Options{})),
		few(3, one("loopback-64MiB", 64*mib, line.Options{})),
		few(1, busy),
		few(2, one("40ms-256MiB", 256*mib, line.Options{RTT: far})),
		few(2, one("40ms-256MiB-100MBps", 256*mib, line.Options{RTT: far, Rate: capped})),
		few(2, resets),
		few(1, slow),
		few(1, tenfold),
		few(2, window),
		few(2, one("40ms-64MiB-100MBps", 64*mib, line.Options{RTT: far, Rate: capped})),
		few(3, scenario{name: "list-200000", what: listing, count: count(200_000), conns: 1}),
	}
	return all
}
