package ftpx

import (
	"context"
	"time"
)

// OperationInfo describes an operation that begins.
type OperationInfo struct {
	// ID is its number, Parent that of the operation that it is part of, 0 for none.
	ID, Parent uint64
	// Op, Local and Remote are as in [Error], and Op is besides "walk", "removeall", and
	// "upload folder" and "download folder" for jobs of package folder.
	Op, Local, Remote string
	// Host is [Config].Host.
	Host string
}

// OperationEnd says how an operation has ended.
type OperationEnd struct {
	// Result is what a transfer did, on failure as far as it came. Of what is no transfer
	// it has Outcome, Attempts, Protocol, Addr and Duration.
	Result Result
	// Conn is the last connection that was used, 0 for none.
	Conn uint64
	// Host is where it led, as configured; "" for none.
	Host string
	// Err is nil if Result.Outcome is [Done]. Attempts that failed and were followed by
	// one that did not are no error of the operation. [ErrNoReturn]: code of the caller's
	// panicked, or ended its goroutine.
	Err error
}

// AttemptInfo describes an attempt that begins.
type AttemptInfo struct {
	// ID is the operation.
	ID uint64
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Attempt counts from 1.
	Attempt int
}

// AttemptEnd says how an attempt has ended.
type AttemptEnd struct {
	// Conn is the connection that was used last, 0 if none was to be had.
	Conn uint64
	// Host is where it led or, if none was to be had, the host that was tried last; as
	// configured.
	Host string
	// Protocol is what the connection spoke, 0 for none.
	Protocol Protocol
	// Addr is the address that was dialled, host:port.
	Addr string
	// Fresh says that the connection was opened for this attempt, Shared that others used
	// it at the same time.
	Fresh, Shared bool
	// DialContext is the context that [Hooks].Dial returned for the connection, for a link
	// to what was traced there; nil where there is none. Only its values are of use.
	DialContext context.Context
	// Offset is how many bytes of a transfer are known to have arrived.
	Offset int64
	// DataConns counts the data connections of FTP that were opened for it, and DataLost
	// those of them that were reset, ended too soon or stalled while the control connection
	// went on. Where that ended, [Hooks].Conn tells. Attempts that share a connection may
	// be told of each other's; the sums are right.
	DataConns, DataLost int
	// Duration is how long it took, waiting included.
	Duration time.Duration
	// Err is nil if it succeeded.
	Err error
}

// Wait names what a connection is waited for. The names do not change.
type Wait string

// The waits of [AcquireInfo].
const (
	// WaitTurn: [Limits].Transfers are under way.
	WaitTurn Wait = "turn"
	// WaitSlot: all connections that [Limits].Conns, or the server, allows are in use.
	WaitSlot Wait = "slot"
	// WaitBreaker: the host fails and is spared, see [BreakerInfo].
	WaitBreaker Wait = "breaker"
	// WaitDial: others are opening connections to the host.
	WaitDial Wait = "dial"
	// WaitBusy: the server has said that it is full.
	WaitBusy Wait = "busy"
)

// AcquireInfo describes a wait that begins.
type AcquireInfo struct {
	// ID is the operation.
	ID uint64
	// Host is the host, as configured; "" for [WaitTurn] and a pause of [WaitBusy].
	Host string
	// Wait is what is waited for.
	Wait Wait
}

// AcquireEnd says how a wait has ended.
type AcquireEnd struct {
	// Duration is how long it took.
	Duration time.Duration
	// Err is nil if there is a place now.
	Err error
}

// DialInfo describes a connection that is being opened.
type DialInfo struct {
	// ID is the operation for which it is, 0 where nobody asked for it, as in the look
	// whether a preferred host has come back.
	ID uint64
	// Conn is the number that the connection will have.
	Conn uint64
	// Host is the host, as configured.
	Host string
	// Protocol is what is to be spoken.
	Protocol Protocol
	// Addr is what is dialled, host:port.
	Addr string
}

// DialEnd says how that has ended.
type DialEnd struct {
	// Duration is how long it took, login included.
	Duration time.Duration
	// Phases are the steps that were made, in order. The last is the one that failed, if
	// one did.
	Phases []DialPhase
	// Info describes the connection; zero on failure.
	Info Info
	// Err is nil when the login succeeded. Of protocols that are tried beside each other
	// one is used; what was begun of the others is canceled.
	Err error
}

// Failed names the phase in which it failed, "" for success and where none had begun.
func (e *DialEnd) Failed() string {
	if e.Err == nil || len(e.Phases) == 0 {
		return ""
	}
	return e.Phases[len(e.Phases)-1].Name
}

// DialPhase is a step of opening a connection.
type DialPhase struct {
	// Name is one of the phases of package transport: "resolve", "tcp", "proxy",
	// "greeting", "tls", "ssh", "login", "subsystem".
	Name string
	// Duration is how long it took.
	Duration time.Duration
	// Err is nil if it succeeded.
	Err error
}
