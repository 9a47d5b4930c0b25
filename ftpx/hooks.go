package ftpx

import "context"

// Hooks are told what a client does. Every field may be nil, and a nil one costs nothing.
//
// The first four are scopes. Each is called when something begins, gets the context of what
// it belongs to, and returns the context for all that happens beneath it and a function
// that is told how it ended. Either result may be nil. The finish function is called exactly
// once, whatever the end: an error, a context that ended, a panic of the caller's code.
// Scopes nest: an Operation holds its Attempts and the waits between them, an Attempt its
// Acquires and Dials. What ends a scope happens before what ends the one around it.
//
// The others are told of single events, in the context that they happened in. All are
// called synchronously, from the goroutine that does the work, possibly from several at
// once. They must not block and must not call the client. A panic of a hook reaches whoever
// called the client, with all connections of the call closed and no place taken. What a
// client does by itself, such as the look at a preferred host or the end of idle
// connections, nobody called: a panic there ends the program as any does.
//
// Every Info has the number of its operation in ID and, where there is one, that of the
// connection in Conn. Both count from 1 in each client, separately; 0 is none. Nothing that
// hooks are given holds a password. What a server says, such as names and replies, is
// hostile input: quote it.
type Hooks struct {
	// Operation is every call of [Client] that asks a server something, a file of
	// [Files].FS from open to close, and a job of package folder. Calls that another one
	// makes, such as those of [Files].RemoveAll, are operations within it.
	Operation func(context.Context, OperationInfo) (context.Context, func(OperationEnd))
	// Attempt is one try of an operation, from before a connection is sought.
	Attempt func(context.Context, AttemptInfo) (context.Context, func(AttemptEnd))
	// Acquire is a wait for a connection, or for leave to open one. Where nothing had to be
	// waited for there is none.
	Acquire func(context.Context, AcquireInfo) (context.Context, func(AcquireEnd))
	// Dial is one connection being opened: dialled, secured and logged in.
	Dial func(context.Context, DialInfo) (context.Context, func(DialEnd))

	// Protocol is called when a protocol was chosen for new connections, and for each one
	// that was skipped.
	Protocol func(context.Context, ProtocolInfo)
	// Host is called when work has moved to another host.
	Host func(context.Context, HostInfo)
	// Retry is called after a failed attempt that will be followed by another.
	Retry func(context.Context, RetryInfo)
	// Resume is called when a transfer goes on from an offset above 0.
	Resume func(context.Context, ResumeInfo)
	// Verify is called when a transfer, or what is there of one, was compared.
	Verify func(context.Context, VerifyInfo)
	// Breaker is called when a host begins to be spared, and when that ends.
	Breaker func(context.Context, BreakerInfo)
	// Limit is called when the client has learned how many connections a host takes.
	Limit func(context.Context, LimitInfo)
	// Progress is called whenever payload moved.
	Progress func(context.Context, ProgressInfo)
	// Command is called with each FTP command or SFTP request.
	Command func(context.Context, CommandInfo)
	// Reply is called with each FTP reply or SFTP status.
	Reply func(context.Context, ReplyInfo)

	// Conn is called once for each connection that was opened, when it has ended.
	Conn func(ConnInfo)
	// Alarm is called when an alarm is raised, and when it is cleared, see
	// [Options].Alarms. It may be called from a goroutine of the client's own.
	Alarm func(AlarmInfo)
}
