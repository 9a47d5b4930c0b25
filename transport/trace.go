package transport

import "context"

// Trace is told of each command and reply, in the goroutine that carries it out, with the
// context of the request; it must not block. Nil fields are skipped.
type Trace struct {
	// Conn is the number that the connection goes by in what is told.
	Conn uint64
	// Command sees what is sent.
	Command func(context.Context, TraceCommand)
	// Reply sees what is answered.
	Reply func(context.Context, TraceReply)
	// Decode makes both readable where the server's names are not in UTF-8.
	Decode func(text string) string
}

// TraceCommand is a command on its way.
type TraceCommand struct {
	// Conn is that of the [Trace]. Seq counts the commands of the connection from 1.
	Conn, Seq uint64
	// Protocol is that of the endpoint.
	Protocol Protocol
	// Addr is that of the endpoint, host:port.
	Addr string
	// Line is an FTP command line without its line end, passwords replaced, or the name and
	// path of an SFTP request.
	Line string
}

// TraceReply is an FTP reply or the status of an SFTP request.
type TraceReply struct {
	// Conn is that of the [Trace]. Seq is the command that it answers; 0 for what was not
	// asked for, such as a greeting.
	Conn, Seq uint64
	// Protocol is that of the endpoint.
	Protocol Protocol
	// Addr is that of the endpoint, host:port.
	Addr string
	// Code is the FTP reply code or the SFTP status code.
	Code int
	// Text is what the server sent, with control characters replaced.
	Text string
}

func (t *Trace) decoded(text string) string {
	if t.Decode == nil {
		return text
	}
	return t.Decode(text)
}

// OnCommand tells the endpoint's trace, if there is one, of a command.
func (ep *Endpoint) OnCommand(ctx context.Context, seq uint64, line string) {
	if t := ep.Trace; t != nil && t.Command != nil {
		t.Command(ctx, TraceCommand{Conn: t.Conn, Seq: seq, Protocol: ep.Protocol, Addr: ep.Addr(), Line: t.decoded(line)})
	}
}

// OnReply tells the endpoint's trace, if there is one, of a reply.
func (ep *Endpoint) OnReply(ctx context.Context, seq uint64, code int, text string) {
	if t := ep.Trace; t != nil && t.Reply != nil {
		t.Reply(ctx, TraceReply{Conn: t.Conn, Seq: seq, Protocol: ep.Protocol, Addr: ep.Addr(), Code: code, Text: Printable(t.decoded(text))})
	}
}
