package faultproxy

import (
	"math/rand/v2"
	"net"
)

// ConnInfo is what a [Plan] knows of a connection that has been accepted.
type ConnInfo struct {
	Seq     int64 // number in the proxy, from 0
	RoleSeq int64 // number among the connections of its role, from 0
	Role    Role
	Live    int // living connections of its route, this one included, refused ones not
	Client  net.Addr
	Target  string // address that it goes to

	// Rand is seeded by the proxy's seed, the role and RoleSeq: it gives
	// connection n of a role the same numbers in every run.
	Rand *rand.Rand
}

// Plan chooses the fault of a connection when it is accepted. A plan may be
// called by several routes at once. A nil Plan chooses none.
type Plan func(ConnInfo) Fault

// Always gives every connection the same fault.
func Always(fault Fault) Plan { return func(ConnInfo) Fault { return fault } }

// Nth gives connection n of a role, counted from 0, a fault, and the others none.
func Nth(n int64, fault Fault) Plan {
	return func(info ConnInfo) Fault {
		if info.RoleSeq == n {
			return fault
		}
		return Fault{}
	}
}

// ResetRate resets a share of the connections: each is chosen with probability
// rate and then reset after a number of bytes, in both directions together, drawn
// between low and high. A chosen connection that carries fewer bytes lives.
func ResetRate(rate float64, low, high int64) Plan {
	return Sometimes(rate, low, high, Fault{Kind: Reset})
}

// Sometimes is [ResetRate] for any fault: the bytes are counted in fault.Dir.
func Sometimes(rate float64, low, high int64, fault Fault) Plan {
	return func(info ConnInfo) Fault {
		// Both numbers are drawn every time, so that changing the rate leaves
		// the offsets of the connections that stay chosen alone.
		chosen, offset := info.Rand.Float64() < rate, low
		if high > low {
			offset += info.Rand.Int64N(high - low + 1)
		}
		if !chosen {
			return Fault{}
		}
		fault := fault
		fault.When = When{Bytes: offset}
		return fault
	}
}

// ResetEvery resets every connection after n bytes in both directions together.
func ResetEvery(n int64) Plan { return Always(ResetAt(Both, n)) }

// AtMost gives fault to connections over limit living ones of a route.
func AtMost(limit int, fault Fault) Plan {
	return func(info ConnInfo) Fault {
		if info.Live > limit {
			return fault
		}
		return Fault{}
	}
}

// ByRole chooses the plan by role; roles that are missing have none.
func ByRole(plans map[Role]Plan) Plan {
	return func(info ConnInfo) Fault {
		if plan := plans[info.Role]; plan != nil {
			return plan(info)
		}
		return Fault{}
	}
}

// First asks plans in turn and takes the first fault that is one.
func First(plans ...Plan) Plan {
	return func(info ConnInfo) Fault {
		for _, plan := range plans {
			if fault := plan(info); fault.Kind != None {
				return fault
			}
		}
		return Fault{}
	}
}
