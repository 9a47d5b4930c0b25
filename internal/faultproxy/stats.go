package faultproxy

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// maxHistory bounds how many ended connections are remembered.
const maxHistory = 8192

// Stats is what a proxy has counted. Bytes are counted when they have been handed
// to the kernel; on connections that copy in the kernel they may lag by 1 MiB
// until the copy ends.
type Stats struct {
	Conns int64 // accepted
	Live  int64 // of these, alive
	Up    int64 // bytes forwarded from clients to servers
	Down  int64 // bytes forwarded from servers to clients
	// Dropped counts bytes that were read and thrown away.
	Dropped int64
	Ops     int64 // operations, as Target defines them

	// Faults inflicted. Resets counts Refuse too, Stalls black holes.
	Resets, FINs, Stalls, Garbled, RepliesLost, Replies int64
	// DialErrors counts connections whose server could not be reached.
	DialErrors int64
}

type counters struct {
	conns, up, down, dropped, ops                                   atomic.Int64
	resets, fins, stalls, garbled, repliesLost, replies, dialErrors atomic.Int64
}

// Stats returns the sums over all roles, or over the given ones.
func (p *Proxy) Stats(only ...Role) Stats {
	var s Stats
	for role := range Role(roles) {
		if len(only) > 0 && !slices.Contains(only, role) {
			continue
		}
		c := &p.counts[role]
		s.Conns += c.conns.Load()
		s.Up += c.up.Load()
		s.Down += c.down.Load()
		s.Dropped += c.dropped.Load()
		s.Ops += c.ops.Load()
		s.Resets += c.resets.Load()
		s.FINs += c.fins.Load()
		s.Stalls += c.stalls.Load()
		s.Garbled += c.garbled.Load()
		s.RepliesLost += c.repliesLost.Load()
		s.Replies += c.replies.Load()
		s.DialErrors += c.dialErrors.Load()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		if len(only) == 0 || slices.Contains(only, c.info.Role) {
			s.Live++
		}
	}
	return s
}

// ConnStats is what is known of one connection.
type ConnStats struct {
	Seq     int64
	RoleSeq int64
	Role    Role
	Target  string
	Start   time.Time
	Up      int64
	Down    int64
	Dropped int64
	Held    int64 // bytes read and delayed, not yet forwarded
	Fault   Kind  // the last one inflicted; None if it lived its own life
	Ended   bool
}

// Conns returns the living connections and the last few thousand ended ones, in
// the order in which they were accepted.
func (p *Proxy) Conns() []ConnStats {
	// First the living ones: what ends between the two looks is then seen twice
	// and not missed. Sorting is stable, so the ended entry is the one kept.
	var living []ConnStats
	for _, c := range p.living() {
		living = append(living, c.stats())
	}
	p.mu.Lock()
	out := append(slices.Clone(p.history), living...)
	p.mu.Unlock()
	slices.SortStableFunc(out, func(a, b ConnStats) int { return cmp.Compare(a.Seq, b.Seq) })
	return slices.CompactFunc(out, func(a, b ConnStats) bool { return a.Seq == b.Seq })
}

func (c *conn) stats() ConnStats {
	c.mu.Lock()
	struck := c.struck
	c.mu.Unlock()
	return ConnStats{
		Seq: c.info.Seq, RoleSeq: c.info.RoleSeq, Role: c.info.Role, Target: c.info.Target,
		Start: c.start, Up: c.up.Load(), Down: c.down.Load(), Dropped: c.lost.Load(), Held: c.queued.Load(), Fault: struck,
	}
}
