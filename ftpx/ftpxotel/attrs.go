package ftpxotel

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Attributes that no convention has.
const (
	keyOperation = attribute.Key("ftpx.operation")
	keyOutcome   = attribute.Key("ftpx.outcome")
	keyVerified  = attribute.Key("ftpx.verified")
	keyKept      = attribute.Key("ftpx.bytes.kept")
	keyMoved     = attribute.Key("ftpx.bytes.moved")
	keyAttempts  = attribute.Key("ftpx.attempts")
	keyAttempt   = attribute.Key("ftpx.attempt.number")
	keyOffset    = attribute.Key("ftpx.resume.offset")
	keyProof     = attribute.Key("ftpx.resume.proof")
	keyShared    = attribute.Key("ftpx.connection.shared")
	keyConn      = attribute.Key("ftpx.connection.id")
	keyWait      = attribute.Key("ftpx.wait")
	keyPhase     = attribute.Key("ftpx.phase")
	keyCommand   = attribute.Key("ftpx.command")
	keyCode      = attribute.Key("ftpx.reply.code")
	keyLocal     = attribute.Key("ftpx.local.path")
)

// longest is the most bytes of a text from outside in an attribute.
const longest = 2048

// text makes a text from outside valid and short. Exporters escape control characters.
func text(s string) string {
	if len(s) > longest {
		s = s[:longest]
	}
	return strings.ToValidUTF8(s, string(utf8.RuneError))
}

// kind is the attribute error.type: one of a few names.
func kind(err error) attribute.KeyValue {
	k := transport.KindOf(err)
	if k == transport.KindUnknown {
		return semconv.ErrorTypeOther
	}
	return semconv.ErrorTypeKey.String(strings.ReplaceAll(k.String(), " ", "_"))
}

// fail marks a span as failed. The text of an error may name files.
func (a *adapter) fail(s trace.Span, err error) {
	if err == nil {
		return
	}
	s.SetAttributes(kind(err))
	description := transport.KindOf(err).String()
	if a.paths {
		description = text(err.Error())
	}
	s.SetStatus(codes.Error, description)
}

// end ends a span and says how.
func (a *adapter) end(s trace.Span, err error) {
	a.fail(s, err)
	s.End()
}

// where are the attributes of a host and what is spoken with it.
func where(host string, p ftpx.Protocol, addr string) []attribute.KeyValue {
	var out []attribute.KeyValue
	if host != "" {
		out = append(out, semconv.ServerAddress(host))
	}
	if _, port, err := net.SplitHostPort(addr); err == nil {
		if n, err := strconv.Atoi(port); err == nil {
			out = append(out, semconv.ServerPort(n))
		}
	}
	if p.Valid() {
		out = append(out, semconv.NetworkProtocolName(p.String()), semconv.NetworkTransportTCP)
	}
	return out
}

// connected are the attributes of a connection that was opened.
func connected(i transport.Info) []attribute.KeyValue {
	var out []attribute.KeyValue
	if peer, err := netip.ParseAddrPort(i.Peer); err == nil {
		out = append(out, semconv.NetworkPeerAddress(peer.Addr().Unmap().String()), semconv.NetworkPeerPort(int(peer.Port())))
		if peer.Addr().Unmap().Is4() {
			out = append(out, semconv.NetworkTypeIPv4)
		} else {
			out = append(out, semconv.NetworkTypeIPv6)
		}
	}
	s := i.Security
	if s == nil {
		return out
	}
	version, ok := strings.CutPrefix(s.Version, "TLS ")
	if !ok {
		return out
	}
	out = append(out, semconv.TLSProtocolNameTLS, semconv.TLSProtocolVersion(version), semconv.TLSCipher(text(s.Cipher)))
	if s.KeyExchange != "" {
		out = append(out, semconv.TLSCurve(text(s.KeyExchange)))
	}
	if !s.CertificateExpiry.IsZero() {
		out = append(out, semconv.TLSServerNotAfter(s.CertificateExpiry.UTC().Format(time.RFC3339)))
	}
	return out
}

// name is the low-cardinality name of an operation.
func name(op string) string { return strings.ReplaceAll(op, " ", "_") }
