package main

import "time"

// attempt is one attempt to connect.
type attempt struct {
	at     time.Time
	failed bool
}

// trace is the history of one host in one protocol, in the order of time.
type trace []attempt

// source is a kind of history: several traces that were made, or recorded, the same
// way. Each of them is judged with a model that has seen nothing.
type source struct {
	name    string
	says    string // what it is, for the table
	traces  []trace
	control bool // outcomes are independent: nothing may beat the base rate
}

func (s source) attempts() (many, failed int) {
	for _, t := range s.traces {
		for _, a := range t {
			many++
			if a.failed {
				failed++
			}
		}
	}
	return many, failed
}

// perDay returns how many attempts the first trace has in a day, 0 if it lasts less
// than two days.
func (s source) perDay() int {
	t := s.traces[0]
	if len(t) == 0 {
		return 0
	}
	days := t[len(t)-1].at.Sub(t[0].at).Hours() / 24
	if days < 2 {
		return 0
	}
	return int(float64(len(t)) / days)
}
