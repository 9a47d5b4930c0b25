package ftpxslog

import (
	"context"
	"log/slog"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Options change what is logged. The zero value is what [New] says.
type Options struct {
	// OmitPaths leaves out names of files and folders. Of an error its kind is logged,
	// since its text may name a file, of a command its verb, and of a reply its code.
	OmitPaths bool
	// DynamicLevel says that the logger's level may go down to Debug later. Otherwise New
	// asks once whether it is Debug, and does not look at commands at all if it is not.
	DynamicLevel bool
}

// New returns hooks that log to logger, nil for [slog.Default]. A nil opts means the
// defaults. Join them with others by [ftpx.JoinHooks]. They are safe for concurrent use and
// may be given to several clients.
func New(logger *slog.Logger, opts *Options) *ftpx.Hooks {
	if logger == nil {
		logger = slog.Default()
	}
	l := &log{to: logger}
	if opts != nil {
		l.omitPaths = opts.OmitPaths
	}
	h := &ftpx.Hooks{
		Operation: l.operation,
		Host:      l.host,
		Retry:     l.retry,
		Verify:    l.verify,
		Breaker:   l.breaker,
		Alarm:     l.alarm,
	}
	if opts != nil && opts.DynamicLevel || logger.Enabled(context.Background(), slog.LevelDebug) {
		h.Attempt, h.Acquire, h.Dial = l.attempt, l.acquire, l.dial
		h.Protocol, h.Resume, h.Limit = l.protocol, l.resume, l.limit
		h.Command, h.Reply, h.Conn = l.command, l.reply, l.conn
	}
	return h
}

// log is a logger and what it leaves out.
type log struct {
	to        *slog.Logger
	omitPaths bool
}

// on reports whether a level is wanted; what follows may be costly.
func (l *log) on(ctx context.Context, level slog.Level) bool { return l.to.Enabled(ctx, level) }

func (l *log) write(ctx context.Context, level slog.Level, msg string, attrs ...slog.Attr) {
	attrs = slices.DeleteFunc(attrs, func(a slog.Attr) bool { return a.Equal(slog.Attr{}) })
	l.to.LogAttrs(ctx, level, msg, attrs...)
}
