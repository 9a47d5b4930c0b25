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
	// DataConns counts FTP's data connections that were opened, those under way included.
	DataConns int64
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

// Add counts what one socket, or a connection without any, has moved. tcp is what the kernel
// knew of it, nil where it does not tell.
func (t *Traffic) Add(sent, received int64, tcp *TCPInfo) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Sent += sent
	t.Received += received
	if tcp == nil {
		return
	}
	sum := *tcp
	if was := t.TCP; was != nil {
		sum.Segments += was.Segments
		sum.Retransmits += was.Retransmits
		sum.Unanswered = max(sum.Unanswered, was.Unanswered)
	}
	t.TCP = &sum
}

// AddDataConn counts a data connection of FTP that has been opened.
func (t *Traffic) AddDataConn() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.DataConns++
}
