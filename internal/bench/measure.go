//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/bench/line"
)

// A sample is one run of one peer.
type sample struct {
	usage
	outcome
	line line.Stats
}

// A series is all runs of a peer at one job, in the order of the rounds.
type series struct {
	peer    peer
	samples []sample
	// login is how long the peer takes for a session without work, where it does
	// not say itself when it was logged in.
	login time.Duration
	err   error // that ended the series
}

// compare runs the peers in turn, rounds times.
func compare(ctx context.Context, j *job, all []peer, rounds int, limit time.Duration) ([]*series, error) {
	if err := j.prepare(); err != nil {
		return nil, err
	}
	var list []*series
	for _, p := range all {
		if p.fits(j) && p.present() {
			list = append(list, &series{peer: p})
		}
	}
	for round := range rounds {
		first := round % max(len(list), 1) // none is always the first
		for _, s := range slices.Concat(list[first:], list[:first]) {
			if s.err != nil || s.hopeless(list[0]) {
				continue
			}
			if j.place.faults != nil {
				j.place.faults.restart(uint64(round))
			}
			one, err := runOnce(ctx, j, &s.peer, limit)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				s.err = err
				fmt.Fprintf(os.Stderr, "  %-32s failed: %v\n", s.peer.name, err)
				continue
			}
			s.samples = append(s.samples, one)
			fmt.Fprintf(os.Stderr, "  %d %-32s %8.3f s  cpu %.2f s  %4d MiB\n", round+1, s.peer.name, one.Wall.Seconds(), one.CPU.Seconds(), one.Memory>>20)
		}
	}
	if j.line.RTT > 0 && j.what == oneFile && !j.resets {
		for _, s := range list {
			if s.err == nil && s.peer.tool != "" {
				s.login = login(ctx, j, &s.peer)
			}
		}
	}
	return list, j.clean()
}

// hopeless says that a series is not worth repeating: its first run took far longer
// than ours. Its table shows one run.
func (s *series) hopeless(us *series) bool {
	const times, least = 8, 10 * time.Second
	return len(s.samples) == 1 && len(us.samples) > 0 && s.samples[0].Wall > max(least, times*us.samples[0].Wall)
}

// runOnce runs a peer once and checks what has arrived.
func runOnce(ctx context.Context, j *job, p *peer, limit time.Duration) (s sample, err error) {
	if err := j.clean(); err != nil {
		return s, err
	}
	programs, err := p.programs(j)
	if err != nil {
		return s, err
	}
	if j.line.RTT == 0 {
		if err := j.touch(); err != nil {
			return s, err
		}
	}
	if j.place.line != nil {
		j.place.line.Reset()
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if s.usage, err = measure(ctx, programs); err != nil {
		return s, err
	}
	s.line = j.place.stats()
	if p.tool == "" {
		if err := json.Unmarshal([]byte(s.Output[0]), &s.outcome); err != nil {
			return s, err
		}
	}
	if j.what == listing {
		if p.tool != "" {
			s.Entries = strings.Count(s.Output[0], ".dat")
		}
		if s.Entries != j.count {
			return s, fmt.Errorf("%d entries listed of %d", s.Entries, j.count)
		}
	}
	s.Output = nil
	return s, j.verify()
}

// login measures a session of a tool without work, three times.
func login(ctx context.Context, j *job, p *peer) time.Duration {
	idle := *j
	idle.what = session
	programs, err := p.programs(&idle)
	if err != nil {
		return 0
	}
	var all []time.Duration
	for range 3 {
		u, err := measure(ctx, programs)
		if err != nil {
			fmt.Fprintf(os.Stderr, "  %s: a session without work: %v\n", p.name, err)
			return 0
		}
		all = append(all, u.Wall)
	}
	return median(all)
}
