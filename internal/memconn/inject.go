package memconn

import (
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Step is what kind of I/O operation an [OpInfo] describes.
type Step uint8

// The steps. A simple request is one StepRequest and one StepReply. A Store or
// retrieve is a StepRequest and a StepReply that open the file (STOR and 150,
// OPEN and handle), a StepData for each chunk, and at the end a StepReply on FTP
// (226), or on SFTP after a Store a StepRequest and StepReply (CLOSE). A List has
// a StepData for each hundred entries and no reply after them.
const (
	StepDial Step = iota
	StepRequest
	StepData
	StepReply
)

// String returns "dial", "request", "data" or "reply".
func (s Step) String() string {
	return [...]string{StepDial: "dial", StepRequest: "request", StepData: "data", StepReply: "reply"}[s]
}

// OpInfo is one I/O operation that is about to happen.
type OpInfo struct {
	// N counts the operations of a server, from 0, in order.
	N int
	// Conn numbers the connections of a server, from 1; 0 while dialling.
	Conn int
	// Step is what is about to happen.
	Step Step
	// Protocol is the one spoken.
	Protocol transport.Protocol
	// Request is the FTP command or SFTP request, as in [transport.Error].Op.
	Request string
	// Path is the remote path, "" if there is none.
	Path string
	// To is the new path of a rename.
	To string
	// Offset and Len are the place and size of a chunk of payload in the file.
	Offset, Len int64
}

// Action is what goes wrong.
type Action uint8

// The actions. What is said of a request's effect goes for StepRequest and
// StepReply; StepData is told apart where it differs; on StepDial see the end.
const (
	// Pass lets the operation happen.
	Pass Action = iota
	// Unsent: the line is found dead before a byte of the request has left, as
	// on a connection that died while idle. Nothing was acted on, and
	// MayHaveActed is false. Elsewhere it is LostBefore.
	Unsent
	// LostBefore: the line is lost on the way there. A request was not acted
	// on, but nobody here can know, so that MayHaveActed is set where the
	// request changes something. A chunk did not arrive; of those before it, the
	// last Fault.Bytes did not either (what the kernel had taken and the server
	// not read). A reply was lost, and the request has been acted on.
	LostBefore
	// LostAfter: the line is lost on the way back. A request has been acted on,
	// MayHaveActed is set. A chunk has arrived but is not acknowledged; in a
	// Retrieve it has been delivered. After a reply, the call succeeds and the
	// connection is lost then.
	LostAfter
	// Stall: silence until the context ends, the connection is closed, or the
	// endpoint's stall time has passed. A request or chunk did not arrive; a
	// reply was sent, and the request has been acted on.
	Stall
	// ShortWrite: Fault.Bytes of a chunk arrive, half of it if that is 0, and
	// then the line is lost. Elsewhere it is LostBefore.
	ShortWrite
	// CutShort: the chunk and all after it vanish, and the server still says
	// that all is well: 226 over a truncated file. A Retrieve over SFTP notices,
	// as the driver does, and fails with KindTruncated. Elsewhere it is Pass.
	CutShort
	// Corrupt: a byte of the chunk is changed on its way. Elsewhere it is Pass.
	Corrupt
	// Garbage: what comes back makes no sense: KindProtocol, and the connection
	// is given up. A request has been acted on.
	Garbage
	// Refuse: the server says no with Fault.Kind (KindRefused for the zero
	// value), and the connection stays usable unless the code is 421. A request
	// has not been acted on; a transfer ends where it is; at a reply the request
	// has been acted on all the same.
	Refuse
	// Hole: of a Store over SFTP, the chunk is lost and Fault.Bytes after it (one
	// chunk for 0) arrive, within Caps.WriteWindow; then the line is lost. On FTP
	// and elsewhere it is LostBefore.
	Hole
	// LateWrites: the line is lost, but the server's old session has this chunk
	// and Fault.Bytes after it (four chunks for 0) still to write, which it does
	// bit by bit over Fault.For (one second for 0). Elsewhere it is LostBefore.
	LateWrites
)

// On StepDial, Refuse fails with Fault.Kind, Garbage with KindNotOffered, Stall
// with KindTimeout when the endpoint's connect budget is spent, and everything
// else with KindLost. Corrupt and CutShort pass.

var actionNames = [...]string{
	Pass: "pass", Unsent: "unsent", LostBefore: "lost before", LostAfter: "lost after", Stall: "stall",
	ShortWrite: "short write", CutShort: "cut short", Corrupt: "corrupt", Garbage: "garbage", Refuse: "refuse",
	Hole: "hole", LateWrites: "late writes",
}

// String returns a word or two, such as "lost before".
func (a Action) String() string { return actionNames[a] }

// Actions returns all actions but Pass, for sweeps.
func Actions() []Action {
	var all []Action
	for a := range actionNames {
		if Action(a) != Pass {
			all = append(all, Action(a))
		}
	}
	return all
}

// Fault is what an injector answers; the zero value lets the operation pass.
type Fault struct {
	// Do is what goes wrong.
	Do Action
	// Kind is for Refuse.
	Kind transport.Kind
	// Code and Text replace the reply that Refuse makes of Kind: an FTP reply
	// code or an SFTP status code, and what the server says.
	Code int
	Text string
	// Bytes is for LostBefore, ShortWrite, Hole and LateWrites.
	Bytes int64
	// For is how long LateWrites takes.
	For time.Duration
}

// Injector is asked about each I/O operation of a server before it happens, in
// the goroutine that carries it out, with no lock held. It must not block and
// may be called from several goroutines at once.
type Injector func(op OpInfo) Fault

// FailNth returns an injector that answers operation n with f and lets all
// others pass: the sweep's "break operation 0, 1, 2, ... until it runs unbroken".
func FailNth(n int, f Fault) Injector {
	return func(op OpInfo) Fault {
		if op.N == n {
			return f
		}
		return Fault{}
	}
}
