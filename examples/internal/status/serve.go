package status

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// DefaultAddress is where status is served unless something else is asked for: on this
// machine only, since file names are nobody else's business.
const DefaultAddress = "127.0.0.1:9876"

//go:embed web
var web embed.FS

// policy forbids all that the page does not need: there is no inline script or style, and
// nothing from elsewhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves /metrics, /healthz, /readyz and the page.
func (s *Status) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if why := s.ready(time.Now()); why != "" {
			plain(w, http.StatusServiceUnavailable, why)
			return
		}
		plain(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /{$}", s.page)
	mux.Handle("GET /static/", Static())
	return Guarded(mux)
}

// Static serves the style and the script of pages, below /static/.
func Static() http.Handler {
	files, _ := fs.Sub(web, "web") // embedded, it is there
	return http.StripPrefix("/static/", http.FileServerFS(files))
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text+"\n")
}

// Guarded sets the headers that all answers have, and refuses names other than this
// machine's for an address of this machine: a page from elsewhere whose name resolves to
// 127.0.0.1 must not read ours (DNS rebinding).
func Guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && local.IP.IsLoopback() && !ours(r.Host) {
			plain(w, http.StatusMisdirectedRequest, "this is served under an address of this machine only: use 127.0.0.1, [::1] or localhost")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ours reports whether a Host header names this machine by a number, or as localhost.
func ours(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost")
}

// Serve listens on address, host:port, and serves until ctx ends or stop is called, which
// waits. It returns the address that it listens on; an error names field, the flag or key
// that the address came from, and what to do.
func (s *Status) Serve(ctx context.Context, field, address string) (at net.Addr, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("%s %q: %w: %s", field, address, err, remedy(err))
	}
	srv := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = srv.Serve(l) // it ends with Close
	}()
	forget := context.AfterFunc(ctx, func() { _ = srv.Close() })
	return l.Addr(), func() {
		forget()
		_ = srv.Close()
		<-ended
	}, nil
}

func remedy(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there: choose another port, or port 0 for any"
	case errors.Is(err, syscall.EACCES):
		return "this user may not listen there: choose a port above 1023"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no such address: use 127.0.0.1"
	}
	return "write it as host:port, such as " + DefaultAddress
}
