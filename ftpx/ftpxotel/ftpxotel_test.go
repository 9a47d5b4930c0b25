package ftpxotel_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxotel"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// recorded returns hooks whose spans are kept.
func recorded(t *testing.T, opts ...ftpxotel.Option) (*ftpx.Hooks, *tracetest.SpanRecorder) {
	t.Helper()
	kept := tracetest.NewSpanRecorder()
	p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(kept))
	t.Cleanup(func() { _ = p.Shutdown(context.Background()) })
	h, err := ftpxotel.New(append(opts, ftpxotel.WithTracerProvider(p))...)
	if err != nil {
		t.Fatal(err)
	}
	return h, kept
}

func value(s sdktrace.ReadOnlySpan, key string) string {
	for _, a := range s.Attributes() {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

// refusing is a meter that has no histograms.
type refusing struct{ metricnoop.MeterProvider }

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

type refusingMeter struct{ metricnoop.Meter }

func (refusingMeter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errors.New("no histogram " + name)
}

func TestBadOptions(t *testing.T) {
	for _, c := range []struct {
		o    ftpxotel.Option
		want string
	}{
		{nil, "a nil option"},
		{ftpxotel.WithTracerProvider(nil), "WithTracerProvider: nil: leave the option out"},
		{ftpxotel.WithMeterProvider(nil), "WithMeterProvider: nil: leave the option out"},
		{ftpxotel.WithAttributes(attribute.KeyValue{}), "WithAttributes: an attribute without a name"},
		{ftpxotel.WithMeterProvider(refusing{}), "the meter provider refuses: no histogram ftpx.client.operation.duration"},
	} {
		h, err := ftpxotel.New(c.o)
		if h != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// Everything is finished, whatever ends it, and commands are paired with replies.
func TestCommandsAndPaths(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			h, kept := recorded(t, ftpxotel.WithPaths(), ftpxotel.WithCommands())
			srv := ftpxtest.NewServer(t, p)
			o := srv.Options()
			o.Hooks = h
			c, err := ftpx.Open(t.Context(), srv.URL(), o)
			if err != nil {
				t.Fatal(err)
			}
			srv.ResetAfter(300 << 10)
			if _, err := c.Put(t.Context(), "name.bin", bytes.NewReader(make([]byte, 1<<20)), nil); err != nil {
				t.Error(err)
			}
			over, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := c.Stat(over, "name.bin"); err == nil {
				t.Error("a call with a context that is over went well")
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			for _, s := range kept.Started() {
				if s.EndTime().IsZero() {
					t.Errorf("%s has no end", s.Name())
				}
			}
			byID := map[string]string{}
			for _, s := range kept.Ended() {
				byID[s.SpanContext().SpanID().String()] = s.Name()
			}
			replies, paths := 0, 0
			for _, s := range kept.Ended() {
				for _, a := range s.Attributes() {
					if strings.Contains(a.Value.String(), string(o.Password)) {
						t.Errorf("%s shows the password: %v", s.Name(), a)
					}
				}
				switch s.Name() {
				case "command":
					if parent := byID[s.Parent().SpanID().String()]; parent != "attempt" && parent != "connect" {
						t.Errorf("command %s is beneath %q", value(s, "ftpx.command"), parent)
					}
					if value(s, "ftpx.reply.code") != "" {
						replies++
					}
				case "put":
					if value(s, "file.path") == "name.bin" {
						paths++
					}
				case "connect":
					if p == ftpx.FTPS && (value(s, "tls.protocol.version") != "1.3" || value(s, "tls.cipher") == "" || value(s, "tls.server.not_after") == "") {
						t.Errorf("connect without what TLS has agreed on: %v", s.Attributes())
					}
				case "stat":
					if value(s, "error.type") != "canceled" {
						t.Errorf("a canceled stat has error.type %q", value(s, "error.type"))
					}
				}
			}
			if replies < 10 || paths != 1 {
				t.Errorf("%d commands with a reply, %d put with a path", replies, paths)
			}
		})
	}
}

// Work that nobody asked for begins a trace of its own.
func TestDialOfNobodyIsARoot(t *testing.T) {
	h, kept := recorded(t)
	ctx, _ := h.Operation(t.Context(), ftpx.OperationInfo{ID: 1, Op: "upload"})
	_, finish := h.Dial(ctx, ftpx.DialInfo{Conn: 1, Host: "h", Protocol: ftpx.SFTP, Addr: "h:22"})
	finish(ftpx.DialEnd{})
	if s := kept.Ended()[0]; s.Name() != "connect" || s.Parent().IsValid() {
		t.Errorf("%s has a parent", s.Name())
	}
}

// What nothing describes is _OTHER, so that error.type has few values.
func TestErrorType(t *testing.T) {
	h, kept := recorded(t)
	for _, err := range []error{errors.New("anything at all"), &transport.Error{Kind: transport.KindLost}, &transport.Error{Kind: transport.KindNoHost}} {
		_, finish := h.Operation(t.Context(), ftpx.OperationInfo{ID: 1, Op: "upload folder"})
		finish(ftpx.OperationEnd{Err: err})
	}
	for i, want := range []string{"_OTHER", "connection_lost", "no_such_host"} {
		if s := kept.Ended()[i]; value(s, "error.type") != want || s.Name() != "upload_folder" || strings.Contains(s.Status().Description, "anything") {
			t.Errorf("%s: %q, %q; want %q", s.Name(), value(s, "error.type"), s.Status().Description, want)
		}
	}
}
