package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
)

const (
	// freshFor is how long an answer serves all who ask: more often than that a server is
	// not examined, however many scrape.
	freshFor = 30 * time.Second
	// longestProbe bounds a run.
	longestProbe = 2 * time.Minute
	// headerTime bounds the reading of a request's head, goodbye the end of the server.
	headerTime, goodbye = 5 * time.Second, 5 * time.Second
)

// exporter serves Prometheus, as its blackbox exporter does: /probe?target=NAME examines the
// servers of the job NAME.
type exporter struct {
	ctx    context.Context // bounds the runs: who asks may leave, while others wait
	env    cli.Env
	opt    *doctor.Options
	probes map[string]*probed
}

// probed is one name that may be asked for.
type probed struct {
	servers []server
	turn    chan struct{} // holds a token while a run is under way or the answer is read

	answer []byte // valid until when
	until  time.Time
	runs   int
}

// serve listens until the context ends.
func (c *doctorCmd) serve(w *world, opt *doctor.Options) error {
	servers, err := jobServers(c.Config, c.Place)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(w.ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("%w: --listen %s: %w: choose an address and a port that are free", cli.ErrUsage, c.Listen, err)
	}
	e := newExporter(w.ctx, w.env, opt, servers)
	if !c.Quiet {
		fmt.Fprintf(w.env.Stderr, "%s: http://%s/probe?target=%s\n", w.name, l.Addr(), strings.Join(e.names(), ", "))
	}
	return e.serve(l)
}

func newExporter(ctx context.Context, env cli.Env, opt *doctor.Options, servers []server) *exporter {
	e := &exporter{ctx: ctx, env: env, opt: opt, probes: map[string]*probed{}}
	for _, s := range servers {
		p := e.probes[s.name]
		if p == nil {
			p = &probed{turn: make(chan struct{}, 1)}
			e.probes[s.name] = p
		}
		p.servers = append(p.servers, s)
	}
	return e
}

func (e *exporter) names() []string {
	var out []string
	for name := range e.probes {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (e *exporter) serve(l net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /probe", e.probe)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	s := &http.Server{Handler: mux, ReadHeaderTimeout: headerTime}
	done := make(chan error, 1)
	stop := context.AfterFunc(e.ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), goodbye)
		defer cancel()
		done <- cmp.Or(s.Shutdown(ctx), s.Close())
	})
	err := s.Serve(l)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return err // it failed by itself
	}
	return <-done
}

// probe answers with what was found, of a run now or a moment ago.
func (e *exporter) probe(w http.ResponseWriter, r *http.Request) {
	p := e.probes[r.URL.Query().Get("target")]
	if p == nil {
		http.Error(w, "no such target: use one of "+strings.Join(e.names(), ", "), http.StatusNotFound)
		return
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-r.Context().Done():
		return
	case <-e.ctx.Done():
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	if time.Now().After(p.until) {
		p.answer = e.run(p)
		p.until = time.Now().Add(freshFor)
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(p.answer) // who asked may be gone
}

// run examines the servers of a name and writes the metrics.
func (e *exporter) run(p *probed) []byte {
	p.runs++
	ctx, cancel := context.WithTimeout(e.ctx, longestProbe)
	defer cancel()
	begin := time.Now()
	var m metrics
	for _, s := range p.servers {
		rep, err := s.examine(ctx, e.env, e.opt)
		m.add(rep, err)
		if err != nil {
			fmt.Fprintf(e.env.Stderr, "ftpx doctor: %s: %s\n", s.name, cli.Words(err))
		}
	}
	return m.text(begin)
}
