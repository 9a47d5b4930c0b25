//go:build linux

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// number is what medians are taken of.
type number interface {
	~int | ~int64 | ~uint64 | ~float64
}

// median returns the middle value, or the mean of the two in the middle.
func median[T number](values []T) T {
	if len(values) == 0 {
		return 0
	}
	v := slices.Clone(values)
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// of takes one figure of each sample.
func of[T number](s *series, f func(*sample) T) []T {
	var all []T
	for i := range s.samples {
		all = append(all, f(&s.samples[i]))
	}
	return all
}

func wall(s *sample) time.Duration { return s.Wall }

// connected is how long the work took once logged in.
func (s *series) connected() time.Duration {
	if s.peer.tool == "" {
		return median(of(s, func(x *sample) time.Duration { return x.Work }))
	}
	if s.login == 0 {
		return 0
	}
	return median(of(s, wall)) - s.login
}

// ratio is how many times faster we are: the median over the rounds.
func ratio(us, them *series) float64 {
	var all []float64
	for i := range min(len(us.samples), len(them.samples)) {
		all = append(all, float64(them.samples[i].Wall)/float64(us.samples[i].Wall))
	}
	return median(all)
}

// table writes the comparison of one job.
func table(w io.Writer, j *job, list []*series) {
	fmt.Fprintf(w, "\n### %s\n\n", j.title())
	far := j.line.RTT > 0 && j.what == oneFile && !j.resets
	head := []string{"", "median", "min .. max", "go-ftpx is faster"}
	if j.bytes() > 0 {
		head = append(head, "MB/s")
	}
	if far {
		head = append(head, "once connected", "MB/s then", "ratio then")
	}
	if j.what == manyFiles {
		head = append(head, "files/s", "turns a file", "connections")
	}
	if j.resets {
		head = append(head, "tries", "bytes sent")
	}
	head = append(head, "CPU s", "CPU s/GiB", "peak MiB", "allocs/MiB")
	row(w, head)
	line := make([]string, len(head))
	for i := range line {
		line[i] = "---"
	}
	row(w, line)
	ours := list[0]
	for _, s := range sorted(list) {
		row(w, s.cells(j, ours, far))
	}
}

// sorted puts us first, then the rivals by time, then the bounds.
func sorted(list []*series) []*series {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b *series) int {
		return cmp.Or(cmp.Compare(a.peer.rank, b.peer.rank), cmp.Compare(median(of(a, wall)), median(of(b, wall))))
	})
	return out
}

func row(w io.Writer, cells []string) {
	fmt.Fprint(w, "|")
	for _, c := range cells {
		fmt.Fprintf(w, " %s |", c)
	}
	fmt.Fprintln(w)
}

func (s *series) cells(j *job, ours *series, far bool) []string {
	if len(s.samples) == 0 {
		return []string{s.peer.name, fmt.Sprintf("failed: %v", s.err)}
	}
	walls := of(s, wall)
	m := median(walls)
	spread := seconds(slices.Min(walls)) + " .. " + seconds(slices.Max(walls))
	if len(walls) == 1 {
		spread = "one run"
	}
	cells := []string{s.peer.name, seconds(m), spread, "1"}
	if s.peer.rank != us {
		cells[3] = "—"
		if len(ours.samples) > 0 {
			cells[3] = fmt.Sprintf("%.2f", ratio(ours, s))
		}
	}
	if j.bytes() > 0 {
		cells = append(cells, rate(j.bytes(), m))
	}
	if far {
		cells = append(cells, s.farCells(j, ours)...)
	}
	if j.what == manyFiles {
		per := func(n int64) float64 { return float64(n) / float64(j.count) }
		cells = append(cells, fmt.Sprintf("%.0f", float64(j.count)/m.Seconds()),
			fmt.Sprintf("%.2f", per(median(of(s, func(x *sample) int64 { return x.line.Turns })))),
			fmt.Sprint(median(of(s, func(x *sample) int64 { return x.line.Conns }))))
	}
	if j.resets {
		cells = append(cells, fmt.Sprint(median(of(s, func(x *sample) int { return x.Tries }))),
			fmt.Sprintf("%.2f of need", float64(median(of(s, func(x *sample) int64 { return x.line.Up + x.line.Down })))/float64(j.bytes())))
	}
	cpu := median(of(s, func(x *sample) time.Duration { return x.CPU }))
	cells = append(cells, fmt.Sprintf("%.2f", cpu.Seconds()))
	if j.bytes() > 0 {
		cells = append(cells, fmt.Sprintf("%.2f", cpu.Seconds()*gib/float64(j.bytes())))
	} else {
		cells = append(cells, "—")
	}
	cells = append(cells, fmt.Sprint(median(of(s, func(x *sample) int64 { return x.Memory }))>>20))
	if s.peer.tool == "" && j.bytes() > 0 {
		cells = append(cells, fmt.Sprintf("%.0f", float64(median(of(s, func(x *sample) uint64 { return x.Mallocs })))*mib/float64(j.bytes())))
	} else {
		cells = append(cells, "—")
	}
	return cells
}

func (s *series) farCells(j *job, ours *series) []string {
	c := s.connected()
	if c <= 0 {
		return []string{"—", "—", "—"}
	}
	r := "1"
	if s.peer.rank != us && len(ours.samples) > 0 {
		r = fmt.Sprintf("%.2f", float64(c)/float64(ours.connected()))
	}
	about := ""
	if s.peer.tool != "" {
		about = "~"
	}
	return []string{about + seconds(c), about + rate(j.bytes(), c), about + r}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f s", d.Seconds()) }

func rate(n int64, d time.Duration) string { return fmt.Sprintf("%.1f", float64(n)/1e6/d.Seconds()) }
