package ftpxslog

import (
	"context"
	"log/slog"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func (l *log) protocol(ctx context.Context, i ftpx.ProtocolInfo) {
	if !l.on(ctx, slog.LevelDebug) {
		return
	}
	msg := "protocol chosen"
	if !i.Chosen {
		msg = "protocol skipped"
	}
	text, kind := l.failure(i.Err)
	l.write(ctx, slog.LevelDebug, msg, id("id", i.ID), server(i.Host, i.Protocol, ""), text, kind)
}

func (l *log) host(ctx context.Context, i ftpx.HostInfo) {
	if !l.on(ctx, slog.LevelInfo) {
		return
	}
	text, kind := l.failure(i.Err)
	l.write(ctx, slog.LevelInfo, "host changed", id("id", i.ID), server(i.Host, 0, ""), slog.String("previous", clean(i.Previous)), text, kind)
}

func (l *log) retry(ctx context.Context, i ftpx.RetryInfo) {
	if !l.on(ctx, slog.LevelWarn) {
		return
	}
	msg := "retry"
	if transport.KindOf(i.Err) == transport.KindRestart {
		msg = "resume refused"
	}
	text, kind := l.failure(i.Err)
	l.write(ctx, slog.LevelWarn, msg, id("id", i.ID), slog.String("op", i.Op), l.file(i.Local, i.Remote), slog.Int("attempt", i.Attempt),
		connection(i.Conn), text, kind, slog.String("class", i.Class.String()), slog.Duration("delay", i.Delay), slog.Int64("offset", i.Offset))
}

func (l *log) resume(ctx context.Context, i ftpx.ResumeInfo) {
	if !l.on(ctx, slog.LevelDebug) {
		return
	}
	l.write(ctx, slog.LevelDebug, "resumed", id("id", i.ID), slog.String("op", i.Op), l.file(i.Local, i.Remote), connection(i.Conn),
		slog.Int64("offset", i.Offset), slog.Int64("size", i.Size), slog.String("proof", i.Proof))
}

func (l *log) verify(ctx context.Context, i ftpx.VerifyInfo) {
	level, msg := slog.LevelDebug, "verified"
	if i.Err != nil {
		level, msg = slog.LevelWarn, "verification failed"
	}
	if !l.on(ctx, level) {
		return
	}
	text, kind := l.failure(i.Err)
	l.write(ctx, level, msg, id("id", i.ID), slog.String("op", i.Op), l.file(i.Local, i.Remote), connection(i.Conn),
		slog.String("verified", i.Verified.String()), slog.Duration("duration", i.Duration), text, kind)
}

func (l *log) breaker(ctx context.Context, i ftpx.BreakerInfo) {
	level, msg := slog.LevelInfo, "host is well again"
	if i.Open {
		level, msg = slog.LevelWarn, "host is spared"
	}
	if !l.on(ctx, level) {
		return
	}
	text, kind := l.failure(i.Err)
	attrs := []slog.Attr{id("id", i.ID), server(i.Host, i.Protocol, ""), text, kind}
	if i.Open {
		attrs = append(attrs, slog.Time("until", i.Until))
	}
	l.write(ctx, level, msg, attrs...)
}

func (l *log) limit(ctx context.Context, i ftpx.LimitInfo) {
	if !l.on(ctx, slog.LevelDebug) {
		return
	}
	l.write(ctx, slog.LevelDebug, "connection limit", id("id", i.ID), server(i.Host, 0, ""), slog.Int("limit", i.Conns), slog.Int("max", i.Max))
}

func (l *log) command(ctx context.Context, i ftpx.CommandInfo) {
	if !l.on(ctx, slog.LevelDebug) {
		return
	}
	line := i.Line
	if l.omitPaths {
		line = verb(line)
	}
	l.write(ctx, slog.LevelDebug, "command", id("id", i.ID), connection(i.Conn, slog.Uint64("seq", i.Seq)), server("", i.Protocol, i.Addr),
		slog.String("line", clean(line)))
}

func (l *log) reply(ctx context.Context, i ftpx.ReplyInfo) {
	if !l.on(ctx, slog.LevelDebug) {
		return
	}
	text := none
	if !l.omitPaths {
		text = slog.String("text", clean(i.Text))
	}
	l.write(ctx, slog.LevelDebug, "reply", id("id", i.ID), connection(i.Conn, slog.Uint64("seq", i.Seq)), server("", i.Protocol, i.Addr),
		slog.Int("code", i.Code), text)
}

// conn has no context: a connection outlives the operation that opened it.
func (l *log) conn(i ftpx.ConnInfo) {
	ctx := context.Background()
	if !l.on(ctx, slog.LevelDebug) {
		return
	}
	more := []any{slog.String("cause", string(i.Cause)), slog.Bool("in_use", i.InUse), slog.Duration("age", i.Age), slog.Duration("idle", i.Idle),
		slog.Int64("sent", i.Sent), slog.Int64("received", i.Received), slog.Int("operations", i.Operations)}
	text, kind := l.failure(i.Err)
	l.write(ctx, slog.LevelDebug, "connection closed", server(i.Host, i.Protocol, i.Addr), connection(i.Conn, more...), text, kind)
}

func (l *log) alarm(i ftpx.AlarmInfo) {
	ctx := context.Background()
	if !l.on(ctx, slog.LevelInfo) {
		return
	}
	msg := "alarm cleared"
	if i.Raised {
		msg = "alarm raised"
	}
	phase := none
	if i.Phase != "" {
		phase = slog.String("phase", i.Phase)
	}
	l.write(ctx, slog.LevelInfo, msg, slog.String("alarm", i.Alarm), server(i.Host, i.Protocol, ""), phase, slog.Float64("value", i.Value),
		slog.Float64("threshold", i.Threshold), slog.Int64("events", i.Events), slog.Int64("of", i.Of), slog.Duration("window", i.Window),
		slog.Time("since", i.Since))
}
