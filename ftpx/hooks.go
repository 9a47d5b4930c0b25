package ftpx

import (
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Hooks are told what a client does. Every field may be nil, and a nil one
// costs nothing. They are called synchronously, from the goroutine that does
// the work, possibly from several at once; they must not block and must not
// call the client. Nothing they are given holds a password.
type Hooks struct {
	// Dial is called after each attempt to connect and log in.
	Dial func(DialInfo)
	// Protocol is called when a protocol was chosen for new connections, and
	// for each one that was skipped.
	Protocol func(ProtocolInfo)
	// Host is called when work has moved to another host.
	Host func(HostInfo)
	// Attempt is called before each attempt of an operation.
	Attempt func(AttemptInfo)
	// Command is called with each FTP command or SFTP request.
	Command func(CommandInfo)
	// Reply is called with each FTP reply or SFTP status.
	Reply func(ReplyInfo)
	// Progress is called whenever payload moved.
	Progress func(ProgressInfo)
	// Retry is called after a failed attempt that will be followed by another.
	Retry func(RetryInfo)
	// Resume is called when a transfer goes on from an offset above 0.
	Resume func(ResumeInfo)
	// Done is called once for each transfer, when it has ended.
	Done func(DoneInfo)
}

// DialInfo describes an attempt to connect.
type DialInfo struct {
	// Protocol is the one spoken.
	Protocol Protocol
	// Addr is what was dialled, host:port.
	Addr string
	// Duration is how long it took, login included.
	Duration time.Duration
	// Info describes the connection; zero on failure.
	Info Info
	// Err is nil when the login succeeded.
	Err error
}

// ProtocolInfo describes a choice of protocol.
type ProtocolInfo struct {
	// Protocol is the one chosen or skipped.
	Protocol Protocol
	// Chosen tells which.
	Chosen bool
	// Why is nil for the chosen one, else why it was skipped.
	Why error
}

// HostInfo describes a move to another host, see [Options].Standbys.
type HostInfo struct {
	// Host is the one that work goes to from now on.
	Host string
	// Previous is the one that it went to.
	Previous string
	// Why is what was wrong with that; nil when a better one has come back.
	Why error
}

// AttemptInfo describes an attempt that begins.
type AttemptInfo struct {
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Attempt counts from 1.
	Attempt int
	// Protocol is that of the connection that it uses.
	Protocol Protocol
	// Addr is the connection's address, host:port.
	Addr string
}

// CommandInfo is a command on its way.
type CommandInfo struct {
	// Protocol is that of the connection.
	Protocol Protocol
	// Addr is the address that was dialled, host:port.
	Addr string
	// Line is the command, passwords replaced.
	Line string
}

// ReplyInfo is a reply that arrived.
type ReplyInfo struct {
	// Protocol is that of the connection.
	Protocol Protocol
	// Addr is the address that was dialled, host:port.
	Addr string
	// Code is the FTP reply code or the SFTP status code.
	Code int
	// Text is what the server said, control characters replaced.
	Text string
}

// ProgressInfo tells how far a transfer is.
type ProgressInfo struct {
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Offset is how far into the file the transfer is. It may run ahead of what
	// the server has, and steps back after a loss.
	Offset int64
	// Size is the size of the file, -1 if unknown.
	Size int64
}

// RetryInfo describes a failure that will be followed by another attempt.
type RetryInfo struct {
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Attempt is the one that failed, from 1.
	Attempt int
	// Err is why.
	Err error
	// Class is what that means.
	Class retry.Class
	// Delay is how long the client will wait.
	Delay time.Duration
	// Offset is how many bytes are known to have arrived.
	Offset int64
}

// ResumeInfo describes a transfer that goes on.
type ResumeInfo struct {
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

// DoneInfo describes a transfer that has ended.
type DoneInfo struct {
	// Op, Local and Remote are as in [Error].
	Op, Local, Remote string
	// Result is what was done, on failure as far as it came.
	Result Result
	// Err is nil if Result.Outcome is [Done].
	Err error
}

func (c *client) trace() *transport.Trace {
	h := c.hooks
	if h == nil || h.Command == nil && h.Reply == nil {
		return nil
	}
	t := &transport.Trace{}
	if h.Command != nil {
		t.Command = func(p Protocol, addr, line string) { h.Command(CommandInfo{p, addr, line}) }
	}
	if h.Reply != nil {
		t.Reply = func(p Protocol, addr string, code int, text string) { h.Reply(ReplyInfo{p, addr, code, text}) }
	}
	return t
}

func (c *client) onDial(i DialInfo) {
	c.stats.dials.Add(1)
	if i.Err != nil {
		c.stats.dialsFailed.Add(1)
	}
	if c.hooks != nil && c.hooks.Dial != nil {
		c.hooks.Dial(i)
	}
}

func (c *client) onProtocol(i ProtocolInfo) {
	if c.hooks != nil && c.hooks.Protocol != nil {
		c.hooks.Protocol(i)
	}
}

func (c *client) onHost(i HostInfo) {
	if c.hooks != nil && c.hooks.Host != nil {
		c.hooks.Host(i)
	}
}

func (c *client) onAttempt(i AttemptInfo) {
	if c.hooks != nil && c.hooks.Attempt != nil {
		c.hooks.Attempt(i)
	}
}

func (c *client) onRetry(i RetryInfo) {
	c.stats.retries.Add(1)
	if c.hooks != nil && c.hooks.Retry != nil {
		c.hooks.Retry(i)
	}
}

func (c *client) onResume(i ResumeInfo) {
	c.stats.resumes.Add(1)
	if c.hooks != nil && c.hooks.Resume != nil {
		c.hooks.Resume(i)
	}
}

func (c *client) onDone(i DoneInfo) {
	switch {
	case i.Err == nil:
		c.stats.done.Add(1)
	case i.Result.Outcome == Unknown:
		c.stats.unknown.Add(1)
	default:
		c.stats.failed.Add(1)
	}
	if c.hooks != nil && c.hooks.Done != nil {
		c.hooks.Done(i)
	}
}
