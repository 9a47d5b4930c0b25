package ftpxotel

import (
	"context"
	"strings"
	"sync"

	"go.opentelemetry.io/otel/trace"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// commands are spans of commands that wait for their replies. They belong to what has sent
// them, an operation or the opening of a connection, so that the numbers of connections of
// several clients cannot meet.
type commands struct {
	mu   sync.Mutex // guards what follows
	open map[sent]trace.Span
	over bool // what sent them has ended
}

// sent identifies a command.
type sent struct{ conn, seq uint64 }

func (c *commands) begin(s sent, span trace.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over { // a farewell, such as QUIT
		span.End()
		return
	}
	if c.open == nil {
		c.open = map[sent]trace.Span{}
	}
	c.open[s] = span
}

func (c *commands) take(s sent) trace.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	span := c.open[s]
	delete(c.open, s)
	return span
}

// endAll ends what no reply has come for.
func (c *commands) endAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.open {
		span.End()
	}
	c.open, c.over = nil, true
}

// dialling are the commands of a login.
type dialling struct{ commands commands }

type diallingKey struct{}

// commandsOf returns where the commands of a context wait, nil for nowhere.
func commandsOf(ctx context.Context) *commands {
	if d, ok := ctx.Value(diallingKey{}).(*dialling); ok {
		return &d.commands
	}
	if o := under(ctx); o != nil {
		return &o.commands
	}
	return nil
}

func (a *adapter) command(ctx context.Context, i ftpx.CommandInfo) {
	c := commandsOf(ctx)
	if c == nil {
		return
	}
	line := i.Line
	if !a.paths {
		line, _, _ = strings.Cut(line, " ")
	}
	_, span := a.tracer.Start(ctx, "command", trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(a.with(keyCommand.String(text(line)), keyConn.Int64(int64(i.Conn)))...))
	c.begin(sent{i.Conn, i.Seq}, span)
}

func (a *adapter) reply(ctx context.Context, i ftpx.ReplyInfo) {
	c := commandsOf(ctx)
	if c == nil {
		return
	}
	if span := c.take(sent{i.Conn, i.Seq}); span != nil {
		span.SetAttributes(keyCode.Int(i.Code))
		span.End()
	}
}
