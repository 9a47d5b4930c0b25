package ftpxotel_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is a collector: it takes OTLP over HTTP and decodes it with the published
// types, so that what is checked is what the SDK has sent.
type receiver struct {
	tracers *sdktrace.TracerProvider
	meters  *sdkmetric.MeterProvider

	mu      sync.Mutex // guards what follows
	spans   []*trace.Span
	metrics map[string]*metrics.Metric
	scopes  []string // name, version and schema URL of each scope that came
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{metrics: map[string]*metrics.Metric{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/traces", func(w http.ResponseWriter, q *http.Request) {
		var in coltrace.ExportTraceServiceRequest
		if !decode(t, w, q, &in) {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, rs := range in.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				r.scopes = append(r.scopes, ss.Scope.GetName()+" "+ss.SchemaUrl)
				r.spans = append(r.spans, ss.Spans...)
			}
		}
		reply(w, &coltrace.ExportTraceServiceResponse{})
	})
	mux.HandleFunc("POST /v1/metrics", func(w http.ResponseWriter, q *http.Request) {
		var in colmetrics.ExportMetricsServiceRequest
		if !decode(t, w, q, &in) {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, rm := range in.ResourceMetrics {
			for _, sm := range rm.ScopeMetrics {
				r.scopes = append(r.scopes, sm.Scope.GetName()+" "+sm.SchemaUrl)
				for _, m := range sm.Metrics {
					r.metrics[m.Name] = m
				}
			}
		}
		reply(w, &colmetrics.ExportMetricsServiceResponse{})
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	te, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(srv.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	me, err := otlpmetrichttp.New(t.Context(), otlpmetrichttp.WithEndpointURL(srv.URL+"/v1/metrics"))
	if err != nil {
		t.Fatal(err)
	}
	r.tracers = sdktrace.NewTracerProvider(sdktrace.WithBatcher(te))
	r.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(me)))
	return r
}

func decode(t *testing.T, w http.ResponseWriter, q *http.Request, into proto.Message) bool {
	body, err := io.ReadAll(q.Body)
	if err == nil {
		err = proto.Unmarshal(body, into)
	}
	if err != nil {
		t.Errorf("%s: %v", q.URL, err)
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

func reply(w http.ResponseWriter, m proto.Message) {
	body, _ := proto.Marshal(m)
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(body)
}

// flush sends all that there is and ends the SDK.
func (r *receiver) flush(t *testing.T) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if err := r.tracers.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := r.meters.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// node is a span in its tree.
type node struct {
	*trace.Span
	parent   *node
	children []*node
}

// tree returns the roots, and each span by its id, in the order in which they began.
func (r *receiver) tree() (roots []*node, byID map[string]*node) {
	byID = map[string]*node{}
	slices.SortStableFunc(r.spans, func(a, b *trace.Span) int { return int(a.StartTimeUnixNano) - int(b.StartTimeUnixNano) })
	for _, s := range r.spans {
		byID[string(s.SpanId)] = &node{Span: s}
	}
	for _, s := range r.spans {
		n := byID[string(s.SpanId)]
		if n.parent = byID[string(s.ParentSpanId)]; n.parent == nil {
			roots = append(roots, n)
		} else {
			n.parent.children = append(n.parent.children, n)
		}
	}
	return roots, byID
}

// attr returns an attribute as text, "" if there is none.
func (n *node) attr(key string) string { return attr(n.Attributes, key) }

func attr(list []*common.KeyValue, key string) string {
	for _, a := range list {
		if a.Key == key {
			switch v := a.Value.Value.(type) {
			case *common.AnyValue_StringValue:
				return v.StringValue
			case *common.AnyValue_IntValue:
				return fmt.Sprint(v.IntValue)
			case *common.AnyValue_BoolValue:
				return fmt.Sprint(v.BoolValue)
			case *common.AnyValue_DoubleValue:
				return fmt.Sprint(v.DoubleValue)
			}
		}
	}
	return ""
}

// shown are the attributes of a printed tree.
var shown = []string{"ftpx.attempt.number", "ftpx.connection.id", "ftpx.connection.shared", "ftpx.resume.offset", "ftpx.resume.proof", "ftpx.wait", "ftpx.phase",
	"ftpx.outcome", "ftpx.verified", "server.address", "network.protocol.name", "network.peer.address", "error.type"}

func (n *node) print(w io.Writer, depth int) {
	fmt.Fprintf(w, "%s%s %s", strings.Repeat("  ", depth), n.Name, strings.TrimPrefix(n.Kind.String(), "SPAN_KIND_"))
	for _, key := range shown {
		if v := n.attr(key); v != "" {
			fmt.Fprintf(w, " %s=%s", key, v)
		}
	}
	if n.Status.GetCode() == trace.Status_STATUS_CODE_ERROR {
		fmt.Fprint(w, " ERROR")
	}
	for _, l := range n.Links {
		fmt.Fprintf(w, " link=%s", hex.EncodeToString(l.SpanId)[:6])
	}
	fmt.Fprintf(w, " (%s)\n", hex.EncodeToString(n.SpanId)[:6])
	for _, c := range n.children {
		c.print(w, depth+1)
	}
}
