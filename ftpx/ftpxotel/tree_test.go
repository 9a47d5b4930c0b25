package ftpxotel_test

import (
	"bytes"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxotel"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// halfway calls a function once, when half of its bytes have been read; that its ends are
// read first, to give the partial a name, does not count.
type halfway struct {
	*bytes.Reader
	then func()
}

func (h *halfway) ReadAt(p []byte, off int64) (int, error) {
	if off >= h.Size()/2 && off < h.Size()*5/8 && h.then != nil {
		then := h.then
		h.then = nil
		then()
	}
	return h.Reader.ReadAt(p, off)
}

// badLine is an SFTP server behind a line that takes the first connection, refuses the
// second and resets the third in the middle of what goes up.
func badLine(t *testing.T, hooks *ftpx.Hooks, reset int64) (ftpx.Config, *faultproxy.Proxy) {
	t.Helper()
	srv, err := testserver.StartTrio(testserver.TrioOptions{Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	proxy := faultproxy.New(faultproxy.Options{})
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Error(err)
		}
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: srv.SFTP.Addr().String(), Plan: faultproxy.First(
		faultproxy.Nth(1, faultproxy.Refused()), faultproxy.Nth(2, faultproxy.ResetAt(faultproxy.Up, reset)))})
	if err != nil {
		t.Fatal(err)
	}
	return ftpx.Config{Host: "127.0.0.1", User: srv.User, Options: ftpx.Options{Password: ftpx.Secret(srv.Password), Protocols: []ftpx.Protocol{ftpx.SFTP},
		Ports: ftpx.Ports{SFTP: route.Port()}, SSH: transport.SSH{InsecureIgnoreHostKey: true}, Limits: ftpx.Limits{Conns: 1}, Hooks: hooks}}, proxy
}

// One upload with a failed dial, a reset, a resume, and another call that shares its
// connection, as a collector gets it.
func TestTree(t *testing.T) {
	const size = 4 << 20
	r := newReceiver(t)
	hooks, err := ftpxotel.New(ftpxotel.WithTracerProvider(r.tracers), ftpxotel.WithMeterProvider(r.meters),
		ftpxotel.WithAttributes(attribute.String("tenant", "a")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, job := r.tracers.Tracer("test").Start(t.Context(), "job")
	cfg, proxy := badLine(t, hooks, size*3/4)
	c, err := ftpx.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	proxy.Cut(faultproxy.Reset) // the connection of the first login, which is idle
	source := &halfway{Reader: bytes.NewReader(make([]byte, size))}
	source.then = func() {
		if _, err := c.Stat(ctx, "/"); err != nil {
			t.Error(err)
		}
	}
	res, err := c.Put(ctx, "file.bin", source, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	job.End()
	r.flush(t)

	roots, byID := r.tree()
	var out strings.Builder
	for _, n := range roots {
		n.print(&out, 0)
	}
	t.Logf("\n%s", &out)
	checkTree(t, roots, byID)
	checkMetrics(t, r, res.Moved)
	for _, s := range r.scopes {
		if s != "test " && s != ftpxotel.ScopeName+" "+semconv.SchemaURL {
			t.Errorf("scope %q", s)
		}
	}
}

// checkTree says what the tree of TestTree must be.
func checkTree(t *testing.T, roots []*node, byID map[string]*node) {
	t.Helper()
	if len(roots) != 1 || roots[0].Name != "job" {
		t.Fatalf("%d roots, want the job alone", len(roots))
	}
	child := func(n *node, name string, number int) *node {
		t.Helper()
		for _, c := range n.children {
			if c.Name == name {
				if number--; number == 0 {
					return c
				}
			}
		}
		t.Fatalf("%s has no such child: %s", n.Name, name)
		return nil
	}
	put, stat := child(roots[0], "put", 1), child(roots[0], "stat", 1)
	first, second, third := child(put, "attempt", 1), child(put, "attempt", 2), child(put, "attempt", 3)
	refused, used, again := child(first, "connect", 1), child(second, "connect", 1), child(third, "connect", 1)
	shared := child(stat, "attempt", 1)
	if len(put.children) != 3 || len(stat.children) != 1 || len(shared.children) != 0 {
		t.Errorf("put has %d children, stat %d and its attempt %d; want 3, 1 and 0", len(put.children), len(stat.children), len(shared.children))
	}
	for _, c := range []struct {
		n      *node
		kind   trace.Span_SpanKind
		failed string // error.type
	}{
		{put, trace.Span_SPAN_KIND_CLIENT, ""}, {stat, trace.Span_SPAN_KIND_CLIENT, ""},
		{first, trace.Span_SPAN_KIND_INTERNAL, "connection_lost"}, {second, trace.Span_SPAN_KIND_INTERNAL, "connection_lost"},
		{third, trace.Span_SPAN_KIND_INTERNAL, ""}, {shared, trace.Span_SPAN_KIND_INTERNAL, ""},
		{refused, trace.Span_SPAN_KIND_CLIENT, "connection_lost"}, {used, trace.Span_SPAN_KIND_CLIENT, ""}, {again, trace.Span_SPAN_KIND_CLIENT, ""},
	} {
		failed := c.n.Status.GetCode() == trace.Status_STATUS_CODE_ERROR
		if c.n.Kind != c.kind || failed != (c.failed != "") || c.n.attr("error.type") != c.failed {
			t.Errorf("%s %s: %v, failed %v, error.type %q; want %v, %q", c.n.parent.Name, c.n.Name, c.n.Kind, failed, c.n.attr("error.type"), c.kind, c.failed)
		}
		if c.n.attr("tenant") != "a" {
			t.Errorf("%s %s has no tenant", c.n.parent.Name, c.n.Name)
		}
	}
	if len(shared.Links) != 1 || byID[string(shared.Links[0].SpanId)] != used || shared.attr("ftpx.connection.shared") != "true" {
		t.Errorf("stat shares the connection of the second attempt, but has %d links", len(shared.Links))
	}
	if len(second.Links)+len(third.Links) != 0 {
		t.Error("an attempt that dialled has a link")
	}
	if third.attr("ftpx.resume.offset") == "" || third.attr("ftpx.resume.proof") == "" || second.attr("ftpx.resume.offset") != "" {
		t.Errorf("resumed at %q in the third attempt, and %q in the second", third.attr("ftpx.resume.offset"), second.attr("ftpx.resume.offset"))
	}
	for key, want := range map[string]string{"server.address": "127.0.0.1", "network.peer.address": "127.0.0.1", "network.protocol.name": "sftp",
		"network.transport": "tcp", "network.type": "ipv4"} {
		if got := used.attr(key); got != want {
			t.Errorf("connect has %s=%q, want %q", key, got, want)
		}
	}
	for _, n := range byID {
		if len(n.Events) != 0 {
			t.Errorf("%s has events", n.Name)
		}
		for _, a := range n.Attributes {
			if a.Key == "file.path" || a.Key == "ftpx.command" || strings.Contains(a.Value.GetStringValue(), "file.bin") {
				t.Errorf("%s tells a path: %v", n.Name, a)
			}
		}
		if strings.Contains(n.Status.GetMessage(), "file.bin") {
			t.Errorf("%s tells a path: %s", n.Name, n.Status.GetMessage())
		}
	}
}

// checkMetrics says what the metrics of TestTree must be.
func checkMetrics(t *testing.T, r *receiver, moved int64) {
	t.Helper()
	unit := map[string]string{"ftpx.client.operation.duration": "s", "ftpx.client.connection.setup.duration": "s", "ftpx.client.io": "By", "ftpx.client.connection.count": "{connection}"}
	for name, want := range unit {
		m := r.metrics[name]
		if m == nil {
			t.Fatalf("no metric %s", name)
		}
		if m.Unit != want {
			t.Errorf("%s in %q, want %q", name, m.Unit, want)
		}
	}
	if got := r.metrics["ftpx.client.connection.count"].GetSum().DataPoints; len(got) != 1 || got[0].GetAsInt() != 0 {
		t.Errorf("open connections after the end: %v, want 0", got)
	}
	var sent int64
	for _, p := range r.metrics["ftpx.client.io"].GetSum().DataPoints {
		if attr(p.Attributes, "network.io.direction") == "transmit" {
			sent += p.GetAsInt()
		}
	}
	// Progress may run ahead of what is counted as moved, and never behind.
	if sent < moved || sent > moved+moved/2 {
		t.Errorf("%d bytes sent, the result says %d", sent, moved)
	}
	phases := map[string]uint64{}
	for _, p := range r.metrics["ftpx.client.connection.setup.duration"].GetHistogram().DataPoints {
		phases[attr(p.Attributes, "ftpx.phase")] += p.Count
	}
	// The refused connection was refused in tcp or, if the system was quick, in ssh.
	if phases["all"] != 4 || phases["tcp"] != 4 || phases["ssh"] < 3 || phases["login"] != 3 {
		t.Errorf("dials by phase: %v, want 4 in all, 4 tcp, 3 login", phases)
	}
	operations := map[string]string{}
	for _, p := range r.metrics["ftpx.client.operation.duration"].GetHistogram().DataPoints {
		operations[attr(p.Attributes, "ftpx.operation")] += attr(p.Attributes, "ftpx.outcome")
	}
	if operations["put"] != "done" || operations["stat"] != "done" {
		t.Errorf("operations: %v", operations)
	}
}
