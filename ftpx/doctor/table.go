package doctor

import (
	"fmt"
	"io"
	"strings"
)

// tableWidth is how wide evidence is written: terminals of 80 columns show it whole.
const tableWidth = 80

// WriteText writes the report as a person reads it: for each target a line for each check,
// and below what is not well its evidence, remedy and directive. With all set checks that
// are well or skipped are written too.
func (r *Report) WriteText(w io.Writer, all bool) error {
	var b strings.Builder
	for i := range r.Targets {
		t := &r.Targets[i]
		if i > 0 {
			b.WriteByte('\n')
		}
		t.write(&b, all)
	}
	for _, name := range r.Left {
		fmt.Fprintf(&b, "\nleft on the server: %q could not be removed: remove it by hand\n", name)
	}
	b.WriteByte('\n')
	b.WriteString(r.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Target) write(b *strings.Builder, all bool) {
	fmt.Fprintf(b, "%s %s", t.Protocol, t.Address)
	if t.Server != "" {
		fmt.Fprintf(b, "  %s", t.Server)
	}
	b.WriteByte('\n')
	well, skipped := 0, 0
	for _, f := range t.Findings {
		switch {
		case f.Verdict == OK:
			well++
		case f.Verdict == Skipped:
			skipped++
		}
		if !all && f.Verdict.rank() == 0 {
			continue
		}
		f.write(b)
	}
	if !all {
		fmt.Fprintf(b, "  %s well", plural(well, "check"))
		if skipped > 0 {
			fmt.Fprintf(b, ", %d skipped because of what failed", skipped)
		}
		b.WriteByte('\n')
	}
}

func (f *Finding) write(b *strings.Builder) {
	text := strings.Join(f.Evidence, "; ")
	if f.Verdict == Skipped {
		text = "because " + f.Because + " failed"
	}
	wrapped(b, fmt.Sprintf("  %-7s %-15s ", f.Verdict, f.Code), text)
	if f.Remedy != "" {
		wrapped(b, fmt.Sprintf("  %-7s %-15s ", "", "remedy:"), f.Remedy)
	}
	if f.Directive != "" {
		wrapped(b, fmt.Sprintf("  %-7s %-15s ", "", "directive:"), f.Directive)
	}
}

// wrapped writes text behind a head, broken between words, further lines indented as far.
func wrapped(b *strings.Builder, head, text string) {
	b.WriteString(head)
	column, indent := len(head), strings.Repeat(" ", len(head))
	for i, word := range strings.Fields(text) {
		if i > 0 && column+1+len(word) > tableWidth {
			b.WriteString("\n" + indent)
			column = len(indent)
		} else if i > 0 {
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len([]rune(word))
	}
	b.WriteByte('\n')
}

// summary is one line: what to attend to first.
func (r *Report) summary() string {
	t, f := r.First()
	switch {
	case r.Incomplete != "" && f == nil:
		return fmt.Sprintf("not all was examined (%.1f s)\n", r.Seconds)
	case r.Incomplete != "":
		return fmt.Sprintf("not all was examined; %s: %s on %s %s (%.1f s)\n", f.Verdict, f.Code, t.Protocol, t.Address, r.Seconds)
	case f == nil:
		return fmt.Sprintf("all is well (%.1f s)\n", r.Seconds)
	}
	return fmt.Sprintf("%s: %s on %s %s (%.1f s)\n", f.Verdict, f.Code, t.Protocol, t.Address, r.Seconds)
}
