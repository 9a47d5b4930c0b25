package ftpxotel

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// operation is what is known of an operation under way. It goes with the context.
type operation struct {
	span            trace.Span
	moved           metric.MeasurementOption // attributes of its payload
	offset, counted atomic.Int64
	commands        commands
}

type operationKey struct{}

func under(ctx context.Context) *operation {
	o, _ := ctx.Value(operationKey{}).(*operation)
	return o
}

// direction of an operation's payload, by its name.
func direction(op string) attribute.KeyValue {
	switch op {
	case "upload", "put", "upload folder":
		return semconv.NetworkIODirectionTransmit
	}
	return semconv.NetworkIODirectionReceive
}

func (a *adapter) operation(ctx context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
	attrs := a.with(keyOperation.String(name(i.Op)), semconv.ServerAddress(i.Host))
	if a.paths {
		if i.Remote != "" {
			attrs = append(attrs, semconv.FilePath(text(i.Remote)))
		}
		if i.Local != "" {
			attrs = append(attrs, keyLocal.String(text(i.Local)))
		}
	}
	ctx, span := a.tracer.Start(ctx, name(i.Op), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	o := &operation{span: span, moved: set(a.with(direction(i.Op), semconv.ServerAddress(i.Host)))}
	ctx = context.WithValue(ctx, operationKey{}, o)
	return ctx, func(e ftpx.OperationEnd) { a.ended(ctx, o, i, e) }
}

func (a *adapter) ended(ctx context.Context, o *operation, i ftpx.OperationInfo, e ftpx.OperationEnd) {
	r := e.Result
	host := e.Host
	if host == "" {
		host = i.Host
	}
	outcome := keyOutcome.String(name(r.Outcome.String()))
	if o.span.IsRecording() {
		attrs := append(where(host, r.Protocol, r.Addr), outcome, keyAttempts.Int(r.Attempts))
		if r.Moved > 0 || r.Kept > 0 || r.Verified.Size {
			attrs = append(attrs, semconv.FileSize(int(r.Size)), keyMoved.Int64(r.Moved), keyKept.Int64(r.Kept), keyVerified.String(r.Verified.String()))
		}
		o.span.SetAttributes(attrs...)
	}
	o.commands.endAll()
	a.end(o.span, e.Err)

	ctx = live(ctx)
	attrs := a.with(keyOperation.String(name(i.Op)), semconv.ServerAddress(host), outcome)
	if r.Protocol.Valid() {
		attrs = append(attrs, semconv.NetworkProtocolName(r.Protocol.String()))
	}
	if e.Err != nil {
		attrs = append(attrs, kind(e.Err))
	}
	a.in.operation.Record(ctx, r.Duration.Seconds(), set(attrs))
	// What progress has not told: a small file moves in one go.
	if more := r.Moved - o.counted.Load(); more > 0 {
		a.in.io.Add(ctx, more, o.moved)
	}
}

func (a *adapter) progress(ctx context.Context, i ftpx.ProgressInfo) {
	o := under(ctx)
	if o == nil {
		return
	}
	if n := i.Offset - o.offset.Swap(i.Offset); n > 0 {
		o.counted.Add(n)
		a.in.io.Add(ctx, n, o.moved)
	}
}

func (a *adapter) resume(ctx context.Context, i ftpx.ResumeInfo) {
	if o := under(ctx); o != nil {
		o.offset.Store(i.Offset) // what is there already has not been moved
	}
	trace.SpanFromContext(ctx).SetAttributes(keyOffset.Int64(i.Offset), keyProof.String(text(i.Proof)))
}

func (a *adapter) verify(ctx context.Context, i ftpx.VerifyInfo) {
	verified := i.Verified.String()
	if i.Err != nil {
		verified = "failed"
	}
	trace.SpanFromContext(ctx).SetAttributes(keyVerified.String(verified))
}
