package status

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// shownTransfers is how many transfers the page lists.
const shownTransfers = 20

// mostName is how many bytes of a file's name are shown.
const mostName = 300

var pages = template.Must(template.ParseFS(web, "web/page.html"))

// page serves the page. It is made anew for each request; a script replaces its middle
// every few seconds, and where there is none the browser loads it again.
func (s *Status) page(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := pages.Execute(&b, s.view(time.Now())); err != nil {
		plain(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(bytes.Map(visible, b.Bytes()))
}

// visible replaces control characters and those that turn the writing round: a server chooses
// the names of its files. html/template leaves them as they are.
func visible(r rune) rune {
	if r == '\n' {
		return r
	}
	for _, shown := range transport.Printable(string(r)) {
		return shown
	}
	return utf8.RuneError
}

// view is what the page shows, as texts.
type view struct {
	Name, Now, Up string
	NotReady      string
	Alarms        []alarmView
	Hosts         []hostView
	Transfers     []transferView
	More          int
	Losses        []lossView
}

type alarmView struct{ Name, Where, Text, Since string }

type hostView struct {
	Host, Protocol             string
	Window                     string
	Reset, Handshakes          string
	Anomalies, Retries         int64
	Goodput, Available         string
	Certificate, Success, Cuts string
	Bad                        bool
	Chart                      chart
}

type transferView struct {
	Op, File, Done, Since string
	Percent               int // -1 if the size is not known
}

type lossView struct{ When, Where, Cause, Text string }

func (s *Status) view(now time.Time) view {
	v := view{Name: s.name, Now: now.UTC().Format("2006-01-02 15:04:05 UTC"), Up: span(now.Sub(s.began)), NotReady: s.ready(now)}
	for _, hosts := range s.health() {
		for _, h := range hosts {
			v.Hosts = append(v.Hosts, hostOf(h, now))
			for _, a := range h.Alarms {
				v.Alarms = append(v.Alarms, alarmView{a.Alarm, where(a.Host, a.Protocol), alarmText(a), ago(a.Since, now)})
			}
		}
	}
	list, many := s.live.oldest(shownTransfers)
	v.More = many - len(list)
	for _, t := range list {
		v.Transfers = append(v.Transfers, transferOf(t, now))
	}
	for _, l := range s.lost.newest() {
		v.Losses = append(v.Losses, lossView{ago(l.at, now), where(l.Host, l.Protocol), string(l.Cause), lossText(l)})
	}
	return v
}

func where(host string, p ftpx.Protocol) string {
	if !p.Valid() {
		return host
	}
	return host + " (" + p.String() + ")"
}

func hostOf(h ftpx.HostHealth, now time.Time) hostView {
	v := hostView{
		Host: h.Host, Protocol: "-", Window: span(h.Window), Reset: rate(h.ResetRate), Anomalies: h.Anomalies, Retries: h.Retries,
		Goodput: "-", Available: rate(h.Available), Certificate: "-", Success: ago(h.LastSuccess, now), Cuts: cutText(h.Cut),
		Bad: len(h.Alarms) > 0, Chart: chartOf(h.Minutes),
	}
	if h.Protocol.Valid() {
		v.Protocol = h.Protocol.String()
	}
	if h.Goodput > 0 {
		v.Goodput = size(int64(h.Goodput)) + "/s"
	}
	var phases []string
	for _, p := range []struct {
		name string
		r    ftpx.Rate
	}{{"tcp", h.TCP}, {"tls", h.TLS}, {"ssh", h.SSH}} {
		if p.r.Of > 0 {
			phases = append(phases, p.name+" "+rate(p.r))
		}
	}
	if v.Handshakes = strings.Join(phases, ", "); v.Handshakes == "" {
		v.Handshakes = "-"
	}
	if !h.CertificateExpiry.IsZero() {
		v.Certificate = h.CertificateExpiry.UTC().Format("2006-01-02")
	}
	return v
}

func rate(r ftpx.Rate) string {
	if r.Of == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f %% (%d of %d)", 100*r.Share(), r.Events, r.Of)
}

func alarmText(a ftpx.AlarmInfo) string {
	switch a.Alarm {
	case ftpx.AlarmResetRate:
		return fmt.Sprintf("%.2f %% of connections lost in use (%d of %d); the threshold is %.2f %%", 100*a.Value, a.Events, a.Of, 100*a.Threshold)
	case ftpx.AlarmHandshake:
		return fmt.Sprintf("%.2f %% of %s handshakes succeed (%d of %d); the threshold is %.2f %%", 100*a.Value, a.Phase, a.Events, a.Of, 100*a.Threshold)
	case ftpx.AlarmAnomalies:
		return fmt.Sprintf("%.0f anomalies in 24 hours; the threshold is %.0f", a.Value, a.Threshold)
	case ftpx.AlarmCertificate:
		return fmt.Sprintf("the certificate ends in %.0f days; the threshold is %.0f", a.Value, a.Threshold)
	}
	return fmt.Sprintf("%v; the threshold is %v", a.Value, a.Threshold)
}

// cutText says what losses have in common.
func cutText(c ftpx.Cut) string {
	if c.Losses == 0 {
		return "none"
	}
	var parts []string
	for _, p := range c.Common {
		parts = append(parts, fmt.Sprintf("%s %s (%d)", p.By, cutValue(p), p.Losses))
	}
	text := fmt.Sprintf("%d; no pattern", c.Losses)
	if parts != nil {
		text = fmt.Sprintf("%d; in common: %s", c.Losses, strings.Join(parts, ", "))
	}
	if c.Line != "" {
		text += "; " + c.Line
	}
	return text
}

func cutValue(p ftpx.CutPattern) string {
	switch {
	case p.Value != "":
		return p.Value
	case p.By == "bytes":
		return size(int64(p.Low)) + " to " + size(int64(p.High))
	}
	return fmt.Sprintf("%.0f to %.0f s", p.Low, p.High)
}

func lossText(l loss) string {
	text := "after " + span(l.Age)
	if l.InUse {
		text += ", in use"
	} else {
		text += ", idle for " + span(l.Idle)
	}
	if l.Direction != "" {
		text += ", " + l.Direction
	}
	return text + ", " + size(l.Sent) + " sent, " + size(l.Received) + " received"
}

func transferOf(t transfer, now time.Time) transferView {
	v := transferView{Op: t.op, File: t.remote, Done: size(t.offset), Since: span(now.Sub(t.began)), Percent: -1}
	if v.File == "" {
		v.File = t.local
	}
	if len(v.File) > mostName {
		v.File = strings.ToValidUTF8(v.File[:mostName], "") + "..."
	}
	if t.size > 0 {
		v.Done += " of " + size(t.size)
		v.Percent = int(100 * min(max(float64(t.offset)/float64(t.size), 0), 1))
	}
	return v
}

// span writes a duration in one or two units.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour && d%time.Hour < time.Minute:
		return fmt.Sprintf("%d h", int(d.Hours()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func ago(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return span(max(now.Sub(t), 0)) + " ago"
}

func size(n int64) string {
	f, unit := float64(n), 0
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	for f >= 1024 && unit < len(units)-1 {
		f, unit = f/1024, unit+1
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[unit])
}
