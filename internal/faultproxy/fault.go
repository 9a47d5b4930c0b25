package faultproxy

import (
	"fmt"
	"time"
)

// Role says what a connection is for. It is chosen by the route, not guessed.
type Role uint8

// The roles.
const (
	Any Role = iota
	Control
	Data
	SSH

	roles = 4
)

// String returns the role's name in lower case.
func (r Role) String() string {
	switch r {
	case Any:
		return "any"
	case Control:
		return "control"
	case Data:
		return "data"
	case SSH:
		return "ssh"
	default:
		return fmt.Sprintf("Role(%d)", uint8(r))
	}
}

// Dir is a direction of flow, or both.
type Dir uint8

// The directions. Where a zero Dir is given, Both is meant.
const (
	Up   Dir = 1 << iota // from client to server
	Down                 // from server to client
	Both = Up | Down
)

// String returns the direction's name in lower case.
func (d Dir) String() string {
	switch d {
	case Up:
		return "up"
	case Down:
		return "down"
	case Both, 0:
		return "both"
	default:
		return fmt.Sprintf("Dir(%d)", uint8(d))
	}
}

func (d Dir) orBoth() Dir {
	if d == 0 {
		return Both
	}
	return d
}

func (d Dir) has(other Dir) bool { return d&other != 0 }

// Kind is what happens to a connection.
type Kind uint8

// The kinds of fault.
const (
	// None lets the connection live.
	None Kind = iota
	// Reset sends RST to Fault.Sides. Bytes that were forwarded and are still in
	// this machine's send buffer, because the receiver's window is full, are
	// lost. Those that reached the receiver's buffer unread are handed out by
	// Linux before the error and thrown away by other systems. Fault.Grace gives
	// the receiver time to read them all. A program that reads and writes at the
	// time may see the reset in one of the two calls and an end in the other.
	Reset
	// FIN ends Fault.Dir early and cleanly: the receiver of that direction sees
	// the end of the stream, the sender sees nothing and what it goes on sending
	// is dropped. Both ends both directions.
	FIN
	// Stall stops forwarding in Fault.Dir and keeps every socket open, until
	// [Proxy.Lift] or the end of the proxy. Nothing is lost.
	Stall
	// Garbage replaces Fault.Len bytes of Fault.Dir (Down if none is given) by
	// others. CR and LF stay what and where they are: a garbled reply is still a
	// reply; a client that got no line end would be stalled, which is Stall's job.
	Garbage
	// LoseReply lets the client's bytes through and drops the server's from now
	// on; once something has been dropped, so that the server has acted,
	// Fault.Then follows.
	LoseReply
	// Short forwards Fault.Dir in writes of Fault.Len bytes from now on.
	Short
	// Refuse resets the client at the start; the server is not dialled and learns
	// nothing.
	Refuse
	// Reply sends Fault.Text to the client at the start and closes; the server is
	// not dialled.
	Reply
	// BlackHole stalls at the start; the server is not dialled before
	// [Proxy.Lift], after which the connection is like any other.
	BlackHole
)

// String returns the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"none", "reset", "fin", "stall", "garbage", "lose-reply", "short", "refuse", "reply", "black-hole"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Sides names the ends of a connection.
type Sides uint8

// The sides. A zero Sides means BothSides.
const (
	ClientSide Sides = 1 << iota
	ServerSide
	BothSides = ClientSide | ServerSide
)

// Rest says what becomes of the other side when only one is reset.
type Rest uint8

// The choices for the side that is not reset.
const (
	// RestHold leaves it open and silent, as when a NAT forgets: it learns
	// nothing until the proxy is lifted or closed.
	RestHold Rest = iota
	// RestFIN closes it cleanly at once.
	RestFIN
	// RestFlush delivers what the proxy still holds, in its delay queue, and then
	// closes it cleanly: the server that goes on writing after its client is gone.
	RestFlush
)

// Fault is what befalls one connection. The zero Fault is none.
type Fault struct {
	Kind Kind
	// When it happens. The zero When is the start: the server has been dialled
	// and nothing forwarded. Refuse, Reply and BlackHole have no other moment.
	When When
	// Dir is the direction that When counts and that the fault acts on.
	Dir Dir

	Sides Sides         // Reset: who gets it, both if zero
	Rest  Rest          // Reset: the other side's fate
	Grace time.Duration // Reset: wait between the last byte and the RST

	Len  int    // Garbage: how many bytes, 64 if zero. Short: bytes a write, 1 if zero
	Text string // Reply: what to say. Garbage: what to write, over and over; random if empty
	Then Kind   // LoseReply: None (drop for ever), Reset, FIN or Stall

	// Part is the share, from 0 to 1, of the chunk that an armed operation hits
	// which is forwarded before the fault. See [Proxy.Arm].
	Part float64
}

// When is the moment of a fault. At most one of its fields is used, in the order
// in which they stand here.
type When struct {
	// Bytes were forwarded in Fault.Dir; for Both, in sum. The fault follows at
	// once, without waiting for a further byte, and not one byte later.
	Bytes int64
	// Lines were sent by the server, counted by LF: for plain-text control
	// connections, where a reply line is a line.
	Lines int
	// Chunks were forwarded in Fault.Dir. A chunk is what one read of the proxy
	// returned: on an encrypted control connection that waits for each reply,
	// usually one reply.
	Chunks int
	// Data is an event on a connection with role Data, for faults of control
	// connections. DataSkip data connections since the start of this control
	// connection are let pass first. The proxy does not know which data
	// connection belongs to which control connection: use one of them at a time.
	Data      DataEvent
	DataSkip  int
	DataBytes int64 // for DataMoved
}

// DataEvent is something that happens to a data connection.
type DataEvent uint8

// The events.
const (
	NoData     DataEvent = iota
	DataOpened           // it was accepted, and is not yet forwarded
	DataMoved            // When.DataBytes went over it, in sum
	// DataEnded: one end has closed. For an upload it comes before the server
	// learns of it, so no final reply can be out yet. For a download the server
	// has closed; a reply that overtakes the data is held back, for up to 1 s.
	DataEnded
)

// beforeDial reports whether the fault replaces dialling the server.
func (f *Fault) beforeDial() bool {
	return f.Kind == Refuse || f.Kind == Reply || f.Kind == BlackHole
}
