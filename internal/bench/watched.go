//go:build linux && watched

package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxotel"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxprom"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxslog"
)

// watchers are the forms of go-ftpx with somebody who watches, and the peers of tasks.
// They are built with the tag watched alone: what their libraries do at the start of every
// process would count for the library without them.
var watchers = []struct{ name, task string }{
	{"with slog", "ours+slog"},
	{"with Prometheus", "ours+prometheus"},
	{"with OpenTelemetry", "ours+opentelemetry"},
}

// watched returns the hooks that a task wants, and what ends them: nothing is left to be
// sent after it.
func watched(ctx context.Context, t *task) (hooks *ftpx.Hooks, stop func(), err error) {
	nothing := func() {}
	switch t.Peer {
	case "ours+slog":
		out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		if err != nil {
			return nil, nil, err
		}
		return ftpxslog.New(slog.New(slog.NewJSONHandler(out, nil)), nil), func() { out.Close() }, nil
	case "ours+prometheus":
		m, err := ftpxprom.New(nil, nil)
		if err != nil {
			return nil, nil, err
		}
		return m.Hooks(), nothing, nil
	case "ours+opentelemetry":
		return telemetry(ctx, t.Collector)
	}
	return traced(t)
}

// telemetry sends spans and metrics in batches, as the SDK does by default.
func telemetry(ctx context.Context, collector string) (*ftpx.Hooks, func(), error) {
	spans, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(collector+"/v1/traces"))
	if err != nil {
		return nil, nil, err
	}
	figures, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(collector+"/v1/metrics"))
	if err != nil {
		return nil, nil, err
	}
	tracer := trace.NewTracerProvider(trace.WithBatcher(spans))
	meter := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(figures)))
	hooks, err := ftpxotel.New(ftpxotel.WithTracerProvider(tracer), ftpxotel.WithMeterProvider(meter))
	return hooks, func() {
		_ = tracer.Shutdown(ctx)
		_ = meter.Shutdown(ctx)
	}, err
}

// collect takes what is sent to a collector, and forgets it.
func collect() (address string, stop func()) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	return s.URL, s.Close
}
