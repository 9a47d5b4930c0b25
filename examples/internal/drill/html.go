package drill

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed report.html
var page string

// Sizes of a timeline, in the units of its view box.
const (
	chartWidth, chartHeight = 760, 120
	buckets                 = 95
	barWidth                = chartWidth / buckets
)

// WriteHTML writes the report as one file: a table, and for each scenario a timeline of what
// arrived. It needs neither scripts nor other files.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"seconds": func(v float64) string { return fmt.Sprintf("%.1f s", max(v, 0)) },
		"chart":   chart,
		"faults":  func(s Result) int { return s.Resets + s.Refused },
		"date":    func(r *Report) string { return r.Started.Format("2006-01-02 15:04 UTC") },
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, r)
}

// chart draws bars of the bytes that arrived, events, and the longest silence. All it writes
// is numbers and the drill's own words, which are escaped.
func chart(s Result) template.HTML {
	length := s.Seconds
	for _, e := range s.Events {
		length = max(length, e.At)
	}
	length = max(length*1.02, 0.1)
	x := func(at float64) float64 { return at / length * chartWidth }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="bytes that arrived over %.1f seconds">`, chartWidth, chartHeight+44, length)
	if from, to := s.silence(); to > from {
		fmt.Fprintf(&b, `<rect class="gap" x="%.1f" y="0" width="%.1f" height="%d"><title>nothing arrived for %.1f s</title></rect>`, x(from), x(to)-x(from), chartHeight, to-from)
	}
	sums, most := make([]int64, buckets+1), int64(1)
	for _, a := range s.Acks {
		i := min(int(a.At/length*buckets), buckets)
		sums[i] += a.Bytes
		most = max(most, sums[i])
	}
	for i, n := range sums {
		if h := float64(n) / float64(most) * (chartHeight - 6); n > 0 {
			fmt.Fprintf(&b, `<rect class="bar" x="%d" y="%.1f" width="%d" height="%.1f"/>`, i*barWidth, chartHeight-h, barWidth-1, h)
		}
	}
	fmt.Fprintf(&b, `<line class="axis" x1="0" y1="%d" x2="%d" y2="%d"/>`, chartHeight, chartWidth, chartHeight)
	for i := range 6 {
		at := length / 1.02 * float64(i) / 5
		anchor := [...]string{"start", "middle", "middle", "middle", "middle", "end"}[i]
		fmt.Fprintf(&b, `<text class="tick" x="%.1f" y="%d" text-anchor="%s">%.1f s</text>`, x(at), chartHeight+15, anchor, at)
	}
	for i, e := range s.Events {
		at, anchor, dx := x(e.At), "start", 4
		if at > chartWidth*2/3 {
			anchor, dx = "end", -4
		}
		fmt.Fprintf(&b, `<line class="event" x1="%.1f" y1="0" x2="%.1f" y2="%d"/><text class="what" x="%.1f" y="%d" text-anchor="%s">%s</text>`,
			at, at, chartHeight, at+float64(dx), 12+14*i, anchor, template.HTMLEscapeString(e.What))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// silence is the longest time without an acknowledged byte from the first fault on.
func (s *Result) silence() (from, to float64) {
	if len(s.Events) == 0 {
		return 0, 0
	}
	last := s.Events[0].At
	for _, a := range s.Acks {
		if a.At < s.Events[0].At {
			continue
		}
		if a.At-last > to-from {
			from, to = last, a.At
		}
		last = a.At
	}
	return from, to
}
