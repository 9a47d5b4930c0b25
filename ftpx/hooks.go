package ftpx

import "context"

// Hooks report what a client does. Every field may be nil; a nil field costs nothing.
//
// The first four are scopes. A scope is called when something begins. It gets the context of
// the enclosing scope, and returns a context for everything inside and a finish function,
// which gets the result at the end. Either return value may be nil. The finish function is
// called exactly once, however the scope ends: by an error, by the end of a context, or by a
// panic in the caller's code. Scopes nest: an Operation contains its Attempts and the waits
// between them, and an Attempt contains its Acquires and Dials. An inner scope ends before
// the outer one.
//
// The other hooks report single events, in the context in which they happened. All hooks are
// called synchronously, from the goroutine that does the work, possibly from several at
// once. They must not block and must not call the client. A panic of a hook reaches the
// caller of the client; all connections of the call are closed, and it holds no slot. A
// client also works by itself, for instance when it checks a preferred host or closes idle
// connections. A panic in such work ends the program, as any panic does.
//
// Every Info has the number of its operation in ID and, if there is one, the number of the
// connection in Conn. Both start at 1 in each client and count separately; 0 means none.
// Nothing that hooks receive holds a password. Names and replies come from the server and
// are hostile input: quote them.
type Hooks struct {
	// Operation is every call of [Client] that asks a server something, a file of
	// [Files].FS from open to close, or a job of package folder. If one call makes others, as
	// [Files].RemoveAll does, they are operations inside it.
	Operation func(context.Context, OperationInfo) (context.Context, func(OperationEnd))
	// Attempt is one attempt of an operation. It starts before a connection is acquired.
	Attempt func(context.Context, AttemptInfo) (context.Context, func(AttemptEnd))
	// Acquire is a wait for a connection, or for permission to open one. It is not called if
	// there is no wait.
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
	// Resume is called when a transfer resumes at an offset above 0.
	Resume func(context.Context, ResumeInfo)
	// Verify is called when a transfer, or a partial, was compared with its source.
	Verify func(context.Context, VerifyInfo)
	// Breaker is called when the breaker of a host opens, and when it closes.
	Breaker func(context.Context, BreakerInfo)
	// Limit is called when the client has learned how many connections a host accepts.
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
	// [Options].Alarms. It may be called from one of the client's own goroutines.
	Alarm func(AlarmInfo)
}
