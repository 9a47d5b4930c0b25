package transport

import (
	"sync"
	"time"
)

// Traffic is what the sockets of one connection have moved, those of FTP's data connections
// included. A socket counts when it has been closed. It is safe for concurrent use.
type Traffic struct {
	mu sync.Mutex // guards what follows
	TrafficTotal
}

// TrafficTotal is what a [Traffic] has summed up.
type TrafficTotal struct {
	// Sent and Received are bytes, with the overhead of TLS and SSH.
	Sent, Received int64
	// TCP is what the kernel knew; nil where it does not tell.
	TCP *TCPInfo
}

// TCPInfo is what the kernel knew of a connection's sockets at their end (tcp(7), TCP_INFO).
type TCPInfo struct {
	// Segments and Retransmits count what was sent, and sent again, on all sockets.
	Segments, Retransmits int64
	// Unanswered is the largest number of times that one segment had been sent again
	// without an answer when a socket was closed.
	Unanswered int
	// RoundTrip and RoundTripVar are the smoothed round trip of the socket that was closed
	// last, and by how much it varied.
	RoundTrip, RoundTripVar time.Duration
}

// Total returns the sum so far.
func (t *Traffic) Total() TrafficTotal {
	if t == nil {
		return TrafficTotal{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.TrafficTotal
	if sum.TCP != nil {
		tcp := *sum.TCP
		sum.TCP = &tcp
	}
	return sum
}

// add counts a socket that is about to be closed.
func (t *Traffic) add(w *Wire) {
	if t == nil {
		return
	}
	var tcp TCPInfo
	known := w.tcp != nil && tcp.read(w.tcp)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Sent += w.written.Load()
	t.Received += w.read.Load()
	if !known {
		return
	}
	if t.TCP == nil {
		t.TCP = new(TCPInfo)
	}
	tcp.Segments += t.TCP.Segments
	tcp.Retransmits += t.TCP.Retransmits
	tcp.Unanswered = max(tcp.Unanswered, t.TCP.Unanswered)
	*t.TCP = tcp
}

// Add counts what a connection without sockets has moved.
func (t *Traffic) Add(sent, received int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Sent += sent
	t.Received += received
}
