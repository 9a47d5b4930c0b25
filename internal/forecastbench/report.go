package main

import (
	"fmt"
	"io"
)

// report writes the table of docs/forecast.md.
func report(w io.Writer, results []result) {
	fmt.Fprintln(w, "| history | model | Brier score | log loss | skill over the base rate, 95 % interval | beats it |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|")
	for _, r := range results {
		for i, s := range r.scores {
			name := ""
			if i == 0 {
				name = r.source.name
			}
			fmt.Fprintf(w, "| %s | %s | %.5f | %.4f | %s | %s |\n", name, s.model, mean(s.brier), mean(s.logLoss), r.skill(i), r.claim(i))
		}
	}
}

func (r result) skill(i int) string {
	if i == 0 {
		return "0"
	}
	return r.intervals[i].String()
}

func (r result) claim(i int) string {
	switch {
	case i == 0:
		return "-"
	case r.beats(i):
		return "yes"
	case r.intervals[i].high < 0:
		return "no, worse"
	}
	return "no"
}

// String shows an interval.
func (i interval) String() string {
	return fmt.Sprintf("%+.3f (%+.3f to %+.3f)", i.skill, i.low, i.high)
}

// histories lists what the models were judged on.
func histories(w io.Writer, results []result) {
	fmt.Fprintln(w, "| history | attempts | failed | what it is |")
	fmt.Fprintln(w, "|---|---|---|---|")
	for _, r := range results {
		many, failed := r.source.attempts()
		fmt.Fprintf(w, "| %s | %d | %.2f %% | %s |\n", r.source.name, many, 100*float64(failed)/float64(many), r.source.says)
	}
}

// calibration shows whether what a model says comes true as often as it says: all
// histories together.
func calibration(w io.Writer, results []result, model int) {
	fmt.Fprintln(w, "| predicted | attempts | predicted on average | failed |")
	fmt.Fprintln(w, "|---|---|---|---|")
	from := 0.0
	for i, upper := range bounds {
		var b bin
		for _, r := range results {
			o := r.scores[model].bins[i]
			b.many, b.predicted, b.failed = b.many+o.many, b.predicted+o.predicted, b.failed+o.failed
		}
		fmt.Fprintf(w, "| %.0f to %.0f %% | %d |", 100*from, 100*upper, b.many)
		if b.many == 0 {
			fmt.Fprintln(w, " - | - |")
		} else {
			fmt.Fprintf(w, " %.2f %% | %.2f %% |\n", 100*b.predicted/float64(b.many), 100*b.failed/float64(b.many))
		}
		from = upper
	}
}

// chosen shows the models over all histories that are no control.
func chosen(w io.Writer, c choice) {
	fmt.Fprintln(w, "| model | mean skill, 95 % interval | |")
	fmt.Fprintln(w, "|---|---|---|")
	for i, name := range c.names {
		note := ""
		switch i {
		case c.simplest:
			note = "default: the simplest whose interval holds the best's skill"
		case c.best:
			note = "best"
		}
		skill := "0"
		if i > 0 {
			skill = c.intervals[i].String()
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", name, skill, note)
	}
}
