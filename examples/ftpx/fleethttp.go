package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
)

// watched serves what a worker is at, until ctx ends: /metrics for Prometheus, /status as
// fleet status --json has it, and /ready, which is 200 while the engine answers.
func watched(ctx context.Context, w *world, addr string, f *fleet.Fleet, wk *fleet.Worker) error {
	if addr == "" {
		return nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w: --metrics %q: %w", cli.ErrUsage, addr, err)
	}
	ask := func(r *http.Request) (*fleet.Status, error) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		return f.Status(ctx)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(out http.ResponseWriter, r *http.Request) {
		status, _ := ask(r) // without the engine the worker's own remain
		stats := wk.Stats()
		out.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_ = fleet.WriteMetrics(out, status, &stats)
	})
	mux.HandleFunc("GET /status", func(out http.ResponseWriter, r *http.Request) {
		status, err := ask(r)
		if err != nil {
			http.Error(out, "the engine does not answer", http.StatusServiceUnavailable)
			return
		}
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(status)
	})
	mux.HandleFunc("GET /ready", func(out http.ResponseWriter, r *http.Request) {
		if _, err := ask(r); err != nil {
			http.Error(out, "the engine does not answer", http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() { _ = server.Serve(l) }()
	fmt.Fprintf(w.env.Stderr, "%s: metrics on http://%s/metrics\n", w.name, l.Addr())
	return nil
}
