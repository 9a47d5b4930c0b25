package ftpxotel

import (
	"fmt"
	"runtime/debug"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// ScopeName is the name of the instrumentation scope of all spans and metrics.
const ScopeName = "github.com/seed01fc2e40/go-ftpx/ftpx/ftpxotel"

// modulePath is where the scope's version comes from.
const modulePath = "github.com/seed01fc2e40/go-ftpx"

// New returns hooks that make spans and metrics. Join them with others by [ftpx.JoinHooks].
// They are safe for concurrent use and may be given to several clients. An error names the
// option, or the instrument that the meter provider refuses.
func New(opts ...Option) (*ftpx.Hooks, error) {
	c, err := configure(opts)
	if err != nil {
		return nil, err
	}
	meter := c.meters.Meter(ScopeName, metric.WithInstrumentationVersion(version()), metric.WithSchemaURL(semconv.SchemaURL))
	in, err := newInstruments(meter)
	if err != nil {
		return nil, fmt.Errorf("ftpxotel: the meter provider refuses: %w", err)
	}
	a := &adapter{
		tracer: c.tracers.Tracer(ScopeName, trace.WithInstrumentationVersion(version()), trace.WithSchemaURL(semconv.SchemaURL)),
		in:     in, common: c.attributes, paths: c.paths,
	}
	h := &ftpx.Hooks{
		Operation: a.operation, Attempt: a.attempt, Acquire: a.acquire, Dial: a.dial,
		Resume: a.resume, Verify: a.verify, Progress: a.progress, Conn: a.conn,
	}
	if c.commands {
		a.commands = true
		h.Command, h.Reply = a.command, a.reply
	}
	return h, nil
}

// adapter is what all hooks use.
type adapter struct {
	tracer          trace.Tracer
	in              *instruments
	common          []attribute.KeyValue
	paths, commands bool
}

// with adds the attributes of the configuration.
func (a *adapter) with(attrs ...attribute.KeyValue) []attribute.KeyValue {
	return append(attrs[:len(attrs):len(attrs)], a.common...)
}

// version returns the module's version, as far as the program knows.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if info.Main.Path == modulePath {
		return info.Main.Version
	}
	for _, dep := range info.Deps {
		if dep.Path == modulePath {
			return dep.Version
		}
	}
	return ""
}
