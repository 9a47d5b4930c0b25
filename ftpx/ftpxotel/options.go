package ftpxotel

import (
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// An Option changes what [New] does.
type Option func(*config) error

type config struct {
	tracers         trace.TracerProvider
	meters          metric.MeterProvider
	attributes      []attribute.KeyValue
	paths, commands bool
}

// WithTracerProvider sets where spans go; the default is the global provider.
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(c *config) error {
		if p == nil {
			return errors.New("ftpxotel: WithTracerProvider: nil: leave the option out for the global provider, or give noop.NewTracerProvider() for none")
		}
		c.tracers = p
		return nil
	}
}

// WithMeterProvider sets where metrics go; the default is the global provider.
func WithMeterProvider(p metric.MeterProvider) Option {
	return func(c *config) error {
		if p == nil {
			return errors.New("ftpxotel: WithMeterProvider: nil: leave the option out for the global provider, or give noop.NewMeterProvider() for none")
		}
		c.meters = p
		return nil
	}
}

// WithAttributes adds attributes to all spans and metrics. On metrics each combination is a
// series of its own: give few values.
func WithAttributes(attrs ...attribute.KeyValue) Option {
	return func(c *config) error {
		for _, a := range attrs {
			if !a.Valid() {
				return errors.New("ftpxotel: WithAttributes: an attribute without a name or a value: give both")
			}
		}
		c.attributes = append(c.attributes, attrs...)
		return nil
	}
}

// WithPaths adds file.path, the name on the server, and ftpx.local.path to the spans of
// operations, and the texts of errors, which may hold both, to failed spans. They may be
// personal data, and are never on metrics.
func WithPaths() Option { return func(c *config) error { c.paths = true; return nil } }

// WithCommands adds a span for each FTP command and SFTP request, with passwords replaced.
// Paths are in them only with [WithPaths].
func WithCommands() Option { return func(c *config) error { c.commands = true; return nil } }

func configure(opts []Option) (*config, error) {
	c := &config{}
	for _, o := range opts {
		if o == nil {
			return nil, errors.New("ftpxotel: a nil option: leave it out")
		}
		if err := o(c); err != nil {
			return nil, err
		}
	}
	if c.tracers == nil {
		c.tracers = otel.GetTracerProvider()
	}
	if c.meters == nil {
		c.meters = otel.GetMeterProvider()
	}
	return c, nil
}
