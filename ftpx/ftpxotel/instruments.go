package ftpxotel

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// instruments are the metrics, named as the conventions for clients ask.
type instruments struct {
	operation, setup metric.Float64Histogram
	io               metric.Int64Counter
	connections      metric.Int64UpDownCounter
}

func newInstruments(m metric.Meter) (*instruments, error) {
	var in instruments
	var errs [4]error
	in.operation, errs[0] = m.Float64Histogram("ftpx.client.operation.duration", metric.WithUnit("s"),
		metric.WithDescription("How long operations took, waiting and retries included."),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600))
	in.setup, errs[1] = m.Float64Histogram("ftpx.client.connection.setup.duration", metric.WithUnit("s"),
		metric.WithDescription("How long each phase of opening a connection took; all: together."),
		metric.WithExplicitBucketBoundaries(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30))
	in.io, errs[2] = m.Int64Counter("ftpx.client.io", metric.WithUnit("By"),
		metric.WithDescription("Payload that was moved, what had to be moved again included."))
	in.connections, errs[3] = m.Int64UpDownCounter("ftpx.client.connection.count", metric.WithUnit("{connection}"),
		metric.WithDescription("Connections that are open."))
	return &in, errors.Join(errs[:]...)
}

// set makes the option that carries attributes. Making it costs as much as recording, so
// that what is recorded often keeps it.
func set(attrs []attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attrs...))
}

// live is a context for a measurement of what has ended: the context of a call may be over
// by then, and some exporters drop what comes with such a one.
func live(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }
