package ftpxotel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

func (a *adapter) attempt(ctx context.Context, i ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
	ctx, span := a.tracer.Start(ctx, "attempt", trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(a.with(keyAttempt.Int(i.Attempt))...))
	return ctx, func(e ftpx.AttemptEnd) {
		if span.IsRecording() && e.Conn != 0 {
			span.SetAttributes(append(where(e.Host, e.Protocol, e.Addr), keyConn.Int64(int64(e.Conn)), keyShared.Bool(e.Shared))...)
		}
		if !e.Fresh && e.DialContext != nil {
			if c := trace.SpanContextFromContext(e.DialContext); c.IsValid() {
				span.AddLink(trace.Link{SpanContext: c})
			}
		}
		a.end(span, e.Err)
	}
}

func (a *adapter) acquire(ctx context.Context, i ftpx.AcquireInfo) (context.Context, func(ftpx.AcquireEnd)) {
	attrs := a.with(keyWait.String(string(i.Wait)))
	if i.Host != "" {
		attrs = append(attrs, semconv.ServerAddress(i.Host))
	}
	ctx, span := a.tracer.Start(ctx, "wait_for_connection", trace.WithSpanKind(trace.SpanKindInternal), trace.WithAttributes(attrs...))
	return ctx, func(e ftpx.AcquireEnd) { a.end(span, e.Err) }
}

func (a *adapter) dial(ctx context.Context, i ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
	start := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(a.with(append(where(i.Host, i.Protocol, i.Addr), keyConn.Int64(int64(i.Conn)))...)...)}
	if i.ID == 0 {
		start = append(start, trace.WithNewRoot())
	}
	ctx, span := a.tracer.Start(ctx, "connect", start...)
	d := &dialling{}
	if a.commands {
		ctx = context.WithValue(ctx, diallingKey{}, d)
	}
	return ctx, func(e ftpx.DialEnd) {
		a.measured(live(ctx), i, e)
		if span.IsRecording() {
			span.SetAttributes(connected(e.Info)...)
			for _, p := range e.Phases {
				span.SetAttributes(attribute.Float64("ftpx.phase."+p.Name+".duration", p.Duration.Seconds()))
			}
			if phase := e.Failed(); phase != "" {
				span.SetAttributes(keyPhase.String(phase))
			}
		}
		d.commands.endAll()
		a.end(span, e.Err)
	}
}

// measured records how long the phases took, and that a connection is open.
func (a *adapter) measured(ctx context.Context, i ftpx.DialInfo, e ftpx.DialEnd) {
	attrs := a.place(i.Host, i.Protocol)
	record := func(phase string, seconds float64, err error) {
		attrs := append(attrs[:len(attrs):len(attrs)], keyPhase.String(phase))
		if err != nil {
			attrs = append(attrs, kind(err))
		}
		a.in.setup.Record(ctx, seconds, set(attrs))
	}
	for _, p := range e.Phases {
		record(p.Name, p.Duration.Seconds(), p.Err)
	}
	record("all", e.Duration.Seconds(), e.Err)
	if e.Err == nil {
		a.in.connections.Add(ctx, 1, set(attrs))
	}
}

// conn has no context: a connection outlives the operation that opened it.
func (a *adapter) conn(i ftpx.ConnInfo) {
	a.in.connections.Add(context.Background(), -1, set(a.place(i.Host, i.Protocol)))
}

// place are the attributes of a host on metrics. They are the same when a connection is
// opened and when it has ended, or the count would drift.
func (a *adapter) place(host string, p ftpx.Protocol) []attribute.KeyValue {
	return a.with(semconv.ServerAddress(host), semconv.NetworkProtocolName(p.String()))
}
