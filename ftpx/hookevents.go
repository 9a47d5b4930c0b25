package ftpx

import (
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ProtocolInfo describes a choice of protocol.
type ProtocolInfo struct {
	// ID is the operation that had it made, 0 for none.
	ID uint64
	// Host is the host, as configured.
	Host string
	// Protocol is the one chosen or skipped.
	Protocol Protocol
	// Chosen tells which.
	Chosen bool
	// Err is nil for the chosen one, otherwise why it was skipped.
	Err error
}

// HostInfo describes a move to another host, see [Options].Standbys.
type HostInfo struct {
	// ID is the operation that has found it, 0 for none.
	ID uint64
	// Host is the one that work goes to from now on.
	Host string
	// Previous is the one that it went to.
	Previous string
	// Err is what was wrong with that; nil when a better one has come back.
	Err error
}

// RetryInfo describes a failure that will be followed by another attempt.
type RetryInfo struct {
	// ID is the operation, Conn the connection that the attempt had, 0 for none.
	ID, Conn uint64
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Attempt is the one that failed, from 1.
	Attempt int
	// Err is why.
	Err error
	// Class is what that means.
	Class retry.Class
	// Delay is how long it is until the server is asked again: the pause of
	// [Options].Retry or, where that is longer, what is left of the time for which a host
	// that fails is spared. If somebody else's attempt on that host is then under way it
	// takes longer by as much.
	Delay time.Duration
	// Offset is how many bytes are known to have arrived.
	Offset int64
}

// ResumeInfo describes a transfer that goes on.
type ResumeInfo struct {
	// ID is the operation, Conn the connection.
	ID, Conn uint64
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Offset is where it goes on.
	Offset int64
	// Size is the size of the file, -1 if unknown.
	Size int64
	// Proof says how the bytes before Offset were proven: "acknowledged",
	// "tail", or the name of a hash.
	Proof string
}

// VerifyInfo describes what was compared of a transfer.
type VerifyInfo struct {
	// ID is the operation, Conn the connection.
	ID, Conn uint64
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Verified says what was found to be the same, zero where Err is not nil.
	Verified Verified
	// Duration is how long it took.
	Duration time.Duration
	// Err is why it could not be compared, or [ErrMismatch].
	Err error
}

// BreakerInfo describes a host that begins to be spared, or is no longer. After several
// failures in a row without a byte of progress, or one where there is a standby, one
// attempt at a time is made on it, after pauses of 0.5 to 5 s.
type BreakerInfo struct {
	// ID is the operation that has found it.
	ID uint64
	// Host is the host, as configured.
	Host string
	// Protocol is what is spoken; 0 where none was chosen.
	Protocol Protocol
	// Open says that it is spared. It is told again for each attempt that fails meanwhile.
	Open bool
	// Until is when the next attempt may be made, zero if it is not Open.
	Until time.Time
	// Err is what was wrong last; nil if it is not Open.
	Err error
}

// LimitInfo describes how many connections a host takes, as far as it has shown.
type LimitInfo struct {
	// ID is the operation that has found it.
	ID uint64
	// Host is the host, as configured.
	Host string
	// Conns is how many connections may be open to it now, Max what the options allow.
	Conns, Max int
}

// ProgressInfo tells how far a transfer is.
type ProgressInfo struct {
	// ID is the operation, Conn the connection that the last bytes went over, 0 if that is
	// not known.
	ID, Conn uint64
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Offset is how far into the file the transfer is. It may run ahead of what
	// the server has, and steps back after a loss.
	Offset int64
	// Size is the size of the file, -1 if unknown.
	Size int64
}

// CommandInfo is a command on its way.
type CommandInfo struct {
	// ID is the operation, 0 for none; Conn is the connection, and Seq numbers its commands
	// from 1. Operations that share a connection may be told out of order.
	ID, Conn, Seq uint64
	// Protocol is that of the connection.
	Protocol Protocol
	// Addr is the address that was dialled, host:port.
	Addr string
	// Line is the command, passwords replaced.
	Line string
}

// ReplyInfo is a reply that arrived.
type ReplyInfo struct {
	// ID is the operation, 0 for none; Conn is the connection, and Seq the command that it
	// answers; 0 for one that was not asked for, such as a greeting.
	ID, Conn, Seq uint64
	// Protocol is that of the connection.
	Protocol Protocol
	// Addr is the address that was dialled, host:port.
	Addr string
	// Code is the FTP reply code or the SFTP status code.
	Code int
	// Text is what the server said, control characters replaced.
	Text string
}

// Cause says how a connection has ended. The names do not change.
type Cause string

// The causes of [ConnInfo].
const (
	// CauseClosed: the client was closed.
	CauseClosed Cause = "closed"
	// CauseIdle: it had been idle for two minutes, and was closed before the server did.
	CauseIdle Cause = "idle"
	// CauseReplaced: another protocol has been chosen, or it was opened for a look.
	CauseReplaced Cause = "replaced"
	// CauseCanceled: a caller's context ended in the middle of a request.
	CauseCanceled Cause = "canceled"
	// CauseReset: the other side, or somebody on the way, reset it (RST).
	CauseReset Cause = "reset"
	// CauseEOF: the other side ended it in good order without being asked to.
	CauseEOF Cause = "eof"
	// CauseStalled: nothing moved for longer than [Timeouts].Stall allows.
	CauseStalled Cause = "stalled"
	// CauseFailed: nobody knew what state it was in; Kind says why.
	CauseFailed Cause = "failed"
)

// ConnInfo describes a connection that has ended.
type ConnInfo struct {
	// Conn is its number.
	Conn uint64
	// Host is where it led, as configured.
	Host string
	// Protocol is what it spoke.
	Protocol Protocol
	// Addr is the address that was dialled, host:port.
	Addr string
	// Peer is what it was connected to, an IP address and port; "" where that is not known.
	Peer string
	// Opened is when it was logged in.
	Opened time.Time
	// Age is how long that was before its end.
	Age time.Duration
	// Idle is for how long it had not been used when it ended, 0 if it was in use. Of one
	// that failed the first request after a pause it is that pause.
	Idle time.Duration
	// InUse says that it ended in the middle of an operation.
	InUse bool
	// Direction is what the last operation moved: "up", "down", or "" for no file.
	Direction string
	// Sent and Received count bytes on all its sockets, those of FTP's data connections and
	// all overhead included; 0 where that is not known.
	Sent, Received int64
	// Operations counts the attempts that used it.
	Operations int
	// Cause says how it ended.
	Cause Cause
	// Kind is that of the error that ended it, [transport.KindUnknown] if none did.
	Kind transport.Kind
	// Err is that error.
	Err error
	// TCP is what the kernel knew of it at its end, nil where it does not tell (Linux
	// alone does).
	TCP *transport.TCPInfo
}
