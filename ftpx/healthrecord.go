package ftpx

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/health"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// withDefaults checks thresholds and fills in what is zero.
func (a Alarms) withDefaults() (Alarms, error) {
	a.Window = orDefault(a.Window, DefaultAlarmWindow)
	a.ResetRate = orDefault(a.ResetRate, DefaultAlarmResetRate)
	a.Handshake = orDefault(a.Handshake, DefaultAlarmHandshake)
	a.Anomalies = orDefault(a.Anomalies, DefaultAlarmAnomalies)
	a.Certificate = orDefault(a.Certificate, DefaultAlarmCertificate)
	switch {
	case a.Window < time.Minute || a.Window > 24*time.Hour:
		return a, fmt.Errorf("Options.Alarms.Window is %v: use 1m to 24h, or 0 for %v", a.Window, DefaultAlarmWindow)
	case !(a.ResetRate > 0 && a.ResetRate < 1):
		return a, fmt.Errorf("Options.Alarms.ResetRate is %v: use a share between 0 and 1, or 0 for %v", a.ResetRate, DefaultAlarmResetRate)
	case !(a.Handshake > 0 && a.Handshake < 1):
		return a, fmt.Errorf("Options.Alarms.Handshake is %v: use a share between 0 and 1, or 0 for %v", a.Handshake, DefaultAlarmHandshake)
	case a.Anomalies < 0:
		return a, fmt.Errorf("Options.Alarms.Anomalies is %d: use a positive number, or 0 for %d", a.Anomalies, DefaultAlarmAnomalies)
	case a.Certificate < 0:
		return a, fmt.Errorf("Options.Alarms.Certificate is %v: use a positive duration, or 0 for %v", a.Certificate, DefaultAlarmCertificate)
	}
	return a, nil
}

// alarmNames are those of package health.
var alarmNames = [...]string{health.ResetRate: AlarmResetRate, health.Handshake: AlarmHandshake, health.Anomalies: AlarmAnomalies, health.Certificate: AlarmCertificate}

func (c *client) newBook() *health.Book {
	a := c.cfg.Alarms
	limits := health.Limits{Off: a.Off, Window: a.Window, ResetRate: a.ResetRate, Handshake: a.Handshake, Anomalies: a.Anomalies, Certificate: a.Certificate}
	return health.New(limits, func(r *health.Record, a health.Alarm) {
		if c.hooks != nil && c.hooks.Alarm != nil {
			c.hooks.Alarm(c.alarmInfo(r, a))
		}
	})
}

func (c *client) alarmInfo(r *health.Record, a health.Alarm) AlarmInfo {
	return AlarmInfo{Alarm: alarmNames[a.Which], Host: c.hosts[r.Host].Host, Protocol: Protocol(r.Proto), Raised: a.Raised, At: a.At, Since: a.Since,
		Phase: a.Phase, Value: a.Value, Threshold: a.Threshold, Events: a.Events, Of: a.Of, Window: a.Window}
}

func (c *client) record(host int, p Protocol) *health.Record { return c.book.Record(host, int(p)) }

// recordOf is that of a lease.
func (c *client) recordOf(l *lease) *health.Record { return c.record(l.Host.Index(), l.Proto) }

// recordOfAttempt is that of the connection of an attempt; where it had none, that of the
// host that was tried last.
func (c *client) recordOfAttempt(e session.AttemptEnd) *health.Record {
	if e.Lease != nil {
		return c.recordOf(e.Lease)
	}
	return c.record(e.Host.Index(), e.Host.Protocol())
}

// anomaly reports whether a kind of failure is one that should not be.
func anomaly(k transport.Kind) bool {
	switch k {
	case transport.KindLost, transport.KindStalled, transport.KindTruncated, transport.KindProtocol, transport.KindBusy,
		transport.KindHostKey, transport.KindCertificate, transport.KindInsecure:
		return true
	}
	return false
}

// unwell reports whether a kind of failure is about the host or the line.
func unwell(k transport.Kind) bool {
	switch k {
	case transport.KindNoHost, transport.KindUnreachable, transport.KindTimeout:
		return true
	}
	return anomaly(k)
}

// healthOfDial takes note of a dial.
func (c *client) healthOfDial(d *dialling, conn transport.Conn, err error) {
	kind := KindOf(err)
	if err != nil && (kind == transport.KindCanceled || kind == transport.KindInvalid || errors.Is(err, ErrNoReturn)) {
		return
	}
	n := health.Dialled{Failed: -1, Worked: err == nil, Counts: len(c.cfg.Protocols) == 1}
	for _, p := range d.phases {
		if i := health.PhaseOf(p.Name); i >= 0 {
			n.Phases = append(n.Phases, i)
			if p.Err != nil {
				n.Failed = i
			}
		}
	}
	if err != nil {
		n.Anomaly = anomaly(kind)
	} else if s := conn.Info().Security; s != nil {
		n.Expiry = s.CertificateExpiry
	}
	c.record(d.target.Host, d.target.Protocol).Dialled(n)
}

// healthOfAttempt takes note of an attempt that had a connection; of others the dial tells.
func (c *client) healthOfAttempt(e session.AttemptEnd) {
	if e.Lease == nil || e.Err == ErrNoReturn {
		return
	}
	kind := transport.KindUnknown
	if e.Err != nil {
		kind = KindOf(e.Err)
	}
	c.recordOf(e.Lease).Attempt(e.Err == nil, unwell(kind), anomaly(kind))
}

// healthOfLease takes note of what was moved with a lease, and over which connections. What
// alarms are about is judged when the attempt ends.
func (c *client) healthOfLease(l *lease) {
	n, took := l.Payload()
	r := c.recordOf(l)
	if n > 0 {
		r.Moved(n, took)
	}
	if d := l.Data(); d.Opened+d.Lost > 0 {
		r.DataConns(d.Opened, d.Lost, health.End{Age: took, Bytes: n, Hour: time.Now().UTC().Hour(), Direction: l.Direction(),
			Family: familyOf(l.Info().Peer), TLS: l.Proto.Secure(), Resent: -1})
	}
}

// healthOfEnd takes note of the end of a connection.
func (c *client) healthOfEnd(e session.Ended) {
	now := time.Now()
	i := connInfo(e, now)
	end := health.End{Age: i.Age, Idle: i.Idle, Survived: e.Survived, Bytes: i.Sent + i.Received, Hour: now.UTC().Hour(), Direction: i.Direction,
		Family: familyOf(i.Peer), TLS: e.Proto.Secure(), Resent: resent(i.TCP)}
	switch i.Cause {
	case CauseReset, CauseEOF, CauseStalled:
		end.Lost, end.Died = i.InUse, !i.InUse && i.Kind != transport.KindUnknown
	}
	c.record(e.Host.Index(), e.Proto).Ended(i.Operations > 0, end)
}

func familyOf(peer string) string {
	switch at, err := netip.ParseAddrPort(peer); {
	case err != nil:
		return ""
	case at.Addr().Unmap().Is4():
		return "ipv4"
	}
	return "ipv6"
}

// resent reports whether the kernel had to send again before a connection ended, more than
// one segment in a hundred or without an answer: -1 where it does not tell.
func resent(t *transport.TCPInfo) int {
	switch {
	case t == nil:
		return -1
	case t.Unanswered > 0 || t.Retransmits > 0 && 100*t.Retransmits >= t.Segments:
		return 1
	}
	return 0
}

// Health implements [Client].
func (c *client) Health() []HostHealth {
	records := c.book.Records()
	slices.SortStableFunc(records, func(a, b *health.Record) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(slices.Index(c.cfg.Protocols, Protocol(a.Proto)), slices.Index(c.cfg.Protocols, Protocol(b.Proto))))
	})
	all := make([]HostHealth, 0, len(records))
	for _, r := range records {
		all = append(all, c.hostHealth(r))
	}
	return all
}

func (c *client) hostHealth(r *health.Record) HostHealth {
	s := r.State()
	rate := func(x [2]int64) Rate { return Rate{Events: x[0], Of: x[1]} }
	h := HostHealth{Host: c.hosts[r.Host].Host, Protocol: Protocol(r.Proto), Window: c.cfg.Alarms.Window, ResetRate: rate(s.Events),
		TCP: rate(s.Handshakes[health.TCP]), TLS: rate(s.Handshakes[health.TLS]), SSH: rate(s.Handshakes[health.SSH]),
		Anomalies: s.Anomalies, Retries: s.Retries, BytesMoved: s.Moved, BytesSaved: s.Saved, Available: rate(s.Available),
		CertificateExpiry: s.Expiry, LastSuccess: s.LastSuccess, LastFailure: s.LastFailure, Cut: Cut{Losses: s.Cut.Losses, Line: s.Cut.Line}}
	if s.Busy > 0 {
		h.Goodput = float64(s.Moved) / s.Busy.Seconds()
	}
	for _, a := range s.Alarms {
		h.Alarms = append(h.Alarms, c.alarmInfo(r, a))
	}
	for _, p := range s.Cut.Common {
		h.Cut.Common = append(h.Cut.Common, CutPattern(p))
	}
	for _, m := range s.Minutes {
		h.Minutes = append(h.Minutes, HealthMinute{Start: m.Start, Used: m.Used, Lost: m.Lost, Bytes: m.Bytes, Busy: m.Busy})
	}
	return h
}
