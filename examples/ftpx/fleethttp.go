package main

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/status"
	"github.com/seed01fc2e40/go-ftpx/ftpx/fleet"
)

// askWithin is how long the engine may take for an answer.
const askWithin = 5 * time.Second

// fleetSite serves what a worker is at: a page at /, /metrics for Prometheus, /status as
// fleet status --json has it, and /ready, which is 200 while the engine answers.
type fleetSite struct {
	fleet  *fleet.Fleet
	worker *fleet.Worker
	pages  *template.Template
	names  bool // files may be named: only this machine can ask
}

// watched serves a worker's site until ctx ends.
func watched(ctx context.Context, w *world, addr string, f *fleet.Fleet, wk *fleet.Worker) error {
	if addr == "" {
		return nil
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w: --metrics %q: %w", cli.ErrUsage, addr, err)
	}
	at, isTCP := l.Addr().(*net.TCPAddr)
	s := &fleetSite{fleet: f, worker: wk, names: isTCP && at.IP.IsLoopback()}
	if s.pages, err = parseFleetPage(); err != nil {
		l.Close()
		return err
	}
	server := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() { _ = server.Serve(l) }()
	fmt.Fprintf(w.env.Stderr, "%s: status on http://%s/, metrics on http://%s/metrics\n", w.name, l.Addr(), l.Addr())
	return nil
}

func (s *fleetSite) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.Handle("GET /static/", status.Static())
	mux.HandleFunc("GET /metrics", func(out http.ResponseWriter, r *http.Request) {
		status, _ := s.ask(r) // without the engine the worker's own remain
		stats := s.worker.Stats()
		out.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_ = fleet.WriteMetrics(out, status, &stats)
	})
	mux.HandleFunc("GET /status", func(out http.ResponseWriter, r *http.Request) {
		status, err := s.ask(r)
		if err != nil {
			http.Error(out, "the engine does not answer", http.StatusServiceUnavailable)
			return
		}
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(status)
	})
	mux.HandleFunc("GET /ready", func(out http.ResponseWriter, r *http.Request) {
		if _, err := s.ask(r); err != nil {
			http.Error(out, "the engine does not answer", http.StatusServiceUnavailable)
		}
	})
	return status.Guarded(mux)
}

func (s *fleetSite) ask(r *http.Request) (*fleet.Status, error) {
	ctx, cancel := context.WithTimeout(r.Context(), askWithin)
	defer cancel()
	return s.fleet.Status(ctx)
}
