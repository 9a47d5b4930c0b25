package ftpxprom

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// place is a host in a protocol.
type place struct{ host, protocol string }

func placeOf(host string, p ftpx.Protocol) place {
	if !p.Valid() {
		return place{host, "none"}
	}
	return place{host, p.String()}
}

// label makes a name of a few words one word.
func label(words string) string { return strings.ReplaceAll(words, " ", "_") }

func kindOf(err error) string { return label(transport.KindOf(err).String()) }

// operation is what is known of an operation under way. It goes with the context.
type operation struct {
	host      string // that of the configuration
	direction string
	at        atomic.Pointer[place] // where the last attempt has been
	offset    atomic.Int64          // of the last progress
	counted   atomic.Int64          // payload that progress has counted
}

type operationKey struct{}

// under returns the operation of a context; where there is none, one that nobody reads.
func under(ctx context.Context) *operation {
	if o, ok := ctx.Value(operationKey{}).(*operation); ok {
		return o
	}
	return &operation{direction: "down"}
}

func (o *operation) place() place {
	if p := o.at.Load(); p != nil {
		return *p
	}
	return placeOf(o.host, 0)
}

// direction of an operation's payload, by its name.
func direction(op string) string {
	switch op {
	case "upload", "put", "upload folder":
		return "up"
	}
	return "down"
}

func (m *Metrics) operation(ctx context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
	o := &operation{host: i.Host, direction: direction(i.Op)}
	return context.WithValue(ctx, operationKey{}, o), func(e ftpx.OperationEnd) { m.ended(o, i, e) }
}

func (m *Metrics) ended(o *operation, i ftpx.OperationInfo, e ftpx.OperationEnd) {
	p := o.place()
	if e.Host != "" {
		p = placeOf(e.Host, e.Result.Protocol)
	}
	v := m.vectors
	v.operations.WithLabelValues(p.host, p.protocol, i.Op, outcome(e)).Inc()
	v.duration.WithLabelValues(p.host, p.protocol, i.Op).Observe(e.Result.Duration.Seconds())
	// What progress has not told: a small file moves in one go.
	if more := e.Result.Moved - o.counted.Load(); more > 0 {
		v.moved.WithLabelValues(p.host, o.direction).Add(float64(more))
	}
	if e.Err != nil {
		return
	}
	v.success.WithLabelValues(p.host, p.protocol).SetToCurrentTime()
	if need := e.Result.Size - e.Result.Kept; need > 0 && !e.Result.Unchanged && e.Result.Moved > 0 {
		v.needed.WithLabelValues(p.host, o.direction).Add(float64(need))
	}
}

func outcome(e ftpx.OperationEnd) string {
	switch {
	case e.Err == nil:
		return "done"
	case e.Result.Outcome == ftpx.Unknown:
		return "unknown"
	case transport.KindOf(e.Err) == transport.KindCanceled:
		return "canceled"
	}
	return "failed"
}

func (m *Metrics) attempt(ctx context.Context, _ ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
	o := under(ctx)
	return nil, func(e ftpx.AttemptEnd) {
		p := placeOf(o.host, 0)
		if e.Host != "" {
			p = placeOf(e.Host, e.Protocol)
		}
		o.at.Store(&p)
		m.vectors.attempts.WithLabelValues(p.host, p.protocol).Inc()
		if e.DataConns+e.DataLost > 0 {
			m.vectors.dataConns.WithLabelValues(p.host, p.protocol).Add(float64(e.DataConns))
			m.vectors.dataLost.WithLabelValues(p.host, p.protocol).Add(float64(e.DataLost))
		}
		if anomaly(transport.KindOf(e.Err)) && e.Err != nil {
			m.vectors.anomalies.WithLabelValues(p.host, p.protocol, kindOf(e.Err)).Inc()
		}
	}
}

// anomaly reports whether a kind is one of those that [ftpx.HostHealth].Anomalies counts.
func anomaly(k transport.Kind) bool {
	switch k {
	case transport.KindLost, transport.KindStalled, transport.KindTruncated, transport.KindProtocol, transport.KindBusy,
		transport.KindHostKey, transport.KindCertificate, transport.KindInsecure:
		return true
	}
	return false
}

func (m *Metrics) host(_ context.Context, i ftpx.HostInfo) {
	m.vectors.failovers.WithLabelValues(i.Host).Inc()
}

func (m *Metrics) retry(ctx context.Context, i ftpx.RetryInfo) {
	p := under(ctx).place()
	m.vectors.retries.WithLabelValues(p.host, p.protocol, kindOf(i.Err)).Inc()
}

func (m *Metrics) resume(ctx context.Context, i ftpx.ResumeInfo) {
	o := under(ctx)
	o.offset.Store(i.Offset) // what is there already has not been moved
	p := o.place()
	m.vectors.resumes.WithLabelValues(p.host, p.protocol, label(i.Proof)).Inc()
}

func (m *Metrics) verify(ctx context.Context, i ftpx.VerifyInfo) {
	if i.Err == nil || transport.KindOf(i.Err) == transport.KindCanceled {
		return
	}
	p := under(ctx).place()
	m.vectors.anomalies.WithLabelValues(p.host, p.protocol, "proof_failed").Inc()
}

func (m *Metrics) progress(ctx context.Context, i ftpx.ProgressInfo) {
	o := under(ctx)
	if n := i.Offset - o.offset.Swap(i.Offset); n > 0 {
		o.counted.Add(n)
		m.vectors.moved.WithLabelValues(o.place().host, o.direction).Add(float64(n))
	}
}

func (m *Metrics) breaker(_ context.Context, i ftpx.BreakerInfo) {
	p := placeOf(i.Host, i.Protocol)
	m.vectors.breaker.WithLabelValues(p.host, p.protocol).Set(number(i.Open))
}

func (m *Metrics) limit(_ context.Context, i ftpx.LimitInfo) {
	m.vectors.limit.WithLabelValues(i.Host).Set(float64(i.Conns))
}

func (m *Metrics) conn(i ftpx.ConnInfo) {
	p := placeOf(i.Host, i.Protocol)
	m.vectors.open.WithLabelValues(p.host, p.protocol).Dec()
	m.vectors.closed.WithLabelValues(p.host, p.protocol, string(i.Cause), strconv.FormatBool(i.InUse)).Inc()
}

func (m *Metrics) alarm(i ftpx.AlarmInfo) {
	p := placeOf(i.Host, i.Protocol)
	m.vectors.alarm.WithLabelValues(p.host, p.protocol, i.Alarm).Set(number(i.Raised))
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
