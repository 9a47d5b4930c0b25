package ftpxslog

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func (l *log) operation(ctx context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
	return nil, func(e ftpx.OperationEnd) {
		level, msg := verdict(i, e)
		if !l.on(ctx, level) {
			return
		}
		host := e.Host
		if host == "" {
			host = i.Host
		}
		text, kind := l.failure(e.Err)
		attrs := []slog.Attr{id("id", i.ID), id("parent", i.Parent), slog.String("op", i.Op), l.file(i.Local, i.Remote),
			server(host, e.Result.Protocol, e.Result.Addr), connection(e.Conn), text, kind,
			slog.Duration("duration", e.Result.Duration), slog.Int("attempts", e.Result.Attempts)}
		if transfer(e.Result) {
			attrs = append(attrs, slog.Int64("size", e.Result.Size), slog.Int64("moved", e.Result.Moved), slog.Int64("kept", e.Result.Kept),
				slog.Int("resumes", e.Result.Resumes), slog.String("verified", e.Result.Verified.String()))
		}
		l.write(ctx, level, msg, attrs...)
	}
}

// transfer reports whether a result is that of a file that was moved.
func transfer(r ftpx.Result) bool {
	return r.Size > 0 || r.Moved > 0 || r.Kept > 0 || r.Verified.Size || r.Unchanged
}

// verdict is the level and the message of an operation's end. What another operation does
// on its way, such as a look whether a name is taken, is no news by itself: its outcome
// shows in that of the operation around it.
func verdict(i ftpx.OperationInfo, e ftpx.OperationEnd) (slog.Level, string) {
	inner := i.Parent != 0 && !transfer(e.Result)
	level, msg := slog.LevelInfo, "operation done"
	switch {
	case e.Err == nil:
	case e.Result.Outcome == ftpx.Unknown:
		return slog.LevelError, "outcome unknown"
	case canceled(e.Err):
		msg = "operation canceled"
	default:
		level, msg = slog.LevelError, "operation failed"
	}
	if inner {
		level = slog.LevelDebug
	}
	return level, msg
}

func (l *log) attempt(ctx context.Context, i ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
	if !l.on(ctx, slog.LevelDebug) {
		return nil, nil
	}
	l.write(ctx, slog.LevelDebug, "attempt begins", id("id", i.ID), slog.String("op", i.Op), l.file(i.Local, i.Remote), slog.Int("attempt", i.Attempt))
	return nil, func(e ftpx.AttemptEnd) {
		text, kind := l.failure(e.Err)
		l.write(ctx, slog.LevelDebug, "attempt ends", id("id", i.ID), slog.String("op", i.Op), l.file(i.Local, i.Remote), slog.Int("attempt", i.Attempt),
			server(e.Host, e.Protocol, e.Addr), connection(e.Conn, slog.Bool("fresh", e.Fresh), slog.Bool("shared", e.Shared)),
			slog.Int64("offset", e.Offset), slog.Duration("duration", e.Duration), text, kind)
	}
}

func (l *log) acquire(ctx context.Context, i ftpx.AcquireInfo) (context.Context, func(ftpx.AcquireEnd)) {
	if !l.on(ctx, slog.LevelDebug) {
		return nil, nil
	}
	return nil, func(e ftpx.AcquireEnd) {
		text, kind := l.failure(e.Err)
		l.write(ctx, slog.LevelDebug, "waited for a connection", id("id", i.ID), server(i.Host, 0, ""), slog.String("wait", string(i.Wait)),
			slog.Duration("duration", e.Duration), text, kind)
	}
}

func (l *log) dial(ctx context.Context, i ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
	if !l.on(ctx, slog.LevelDebug) {
		return nil, nil
	}
	return nil, func(e ftpx.DialEnd) {
		msg := "connected"
		if e.Err != nil {
			msg = "connect failed"
		}
		text, kind := l.failure(e.Err)
		l.write(ctx, slog.LevelDebug, msg, id("id", i.ID), server(i.Host, i.Protocol, i.Addr), connection(i.Conn, described(e.Info)...),
			slog.Duration("duration", e.Duration), phases(e.Phases), text, kind)
	}
}

// described is what is known of a connection that was opened.
func described(i transport.Info) []any {
	var in []any
	for _, a := range []struct{ key, value string }{{"peer", i.Peer}, {"software", i.Server}} {
		if a.value != "" {
			in = append(in, slog.String(a.key, clean(a.value)))
		}
	}
	if s := i.Security; s != nil {
		in = append(in, slog.String("security", s.Version), slog.String("cipher", s.Cipher))
	}
	return in
}

// phases is the group of a dial's steps and how long each took; the last one is that which
// failed, if one did.
func phases(list []ftpx.DialPhase) slog.Attr {
	var in []any
	for _, p := range list {
		in = append(in, slog.Duration(p.Name, p.Duration.Round(time.Microsecond)))
	}
	if in == nil {
		return none
	}
	return slog.Group("phases", in...)
}
