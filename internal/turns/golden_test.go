package turns

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// A row is what the golden file has of a case: numbers by column.
type row map[string]float64

// The columns.
const (
	colTurns   = "turns"
	colCharset = "charset"
	colElapsed = "elapsed"
)

// slack is by how much a number may be exceeded: half a round trip of what is timed,
// and two turns of the folder's 40 files, since which files wait for which is chance.
func slack(name, col string) float64 {
	switch {
	case col == colElapsed:
		return 0.5
	case strings.Contains(name, " folder "):
		return 2.0/folderFiles + 0.005 // the numbers are rounded
	}
	return 0
}

// numbers is a golden file: rows by case, such as "sftp small up".
type numbers map[string]row

func readNumbers(t testing.TB, path string) numbers {
	t.Helper()
	n := numbers{}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return n
	}
	check(t, err)
	check(t, json.Unmarshal(b, &n))
	return n
}

// writeNumbers writes one row a line.
func writeNumbers(t testing.TB, path string, n numbers) {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("{\n")
	names := slices.Sorted(maps.Keys(n))
	for i, name := range names {
		line, err := json.Marshal(n[name])
		check(t, err)
		fmt.Fprintf(&b, "  %q: %s", name, bytes.ReplaceAll(bytes.ReplaceAll(line, []byte(":"), []byte(": ")), []byte(","), []byte(", ")))
		if i < len(names)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("}\n")
	check(t, os.WriteFile(path, b.Bytes(), 0o644))
}

// ratchet compares numbers with the golden ones. It returns what has risen, what has
// fallen, and the golden numbers as they may be now: those that have risen stay.
func ratchet(golden, now numbers) (risen, fallen []string, next numbers) {
	next = numbers{}
	for name, r := range golden {
		next[name] = maps.Clone(r)
	}
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if next[name] == nil {
			next[name] = row{}
		}
		for _, col := range slices.Sorted(maps.Keys(now[name])) {
			after := now[name][col]
			before, known := golden[name][col]
			switch {
			case !known:
				risen = append(risen, fmt.Sprintf("%s: %s is %v, and no golden number says what it may be", name, col, after))
				next[name][col] = after
			case after > before+slack(name, col):
				risen = append(risen, fmt.Sprintf("%s: %s was %v and is %v", name, col, before, after))
			case after < before-slack(name, col):
				fallen = append(fallen, fmt.Sprintf("%s: %s was %v and is %v", name, col, before, after))
				next[name][col] = after
			}
		}
	}
	return risen, fallen, next
}

// risen reports whether a number of one case is higher than it may be.
func (n numbers) risen(name, col string, after float64) bool {
	before, known := n[name][col]
	return known && after > before+slack(name, col)
}

// readTranscripts reads transcripts by case: "## case" and the lines beneath.
func readTranscripts(t testing.TB, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all
	}
	check(t, err)
	for _, section := range strings.Split(string(b), "## ")[1:] {
		name, text, _ := strings.Cut(section, "\n")
		all[name] = strings.TrimRight(text, "\n") + "\n"
	}
	return all
}

func writeTranscripts(t testing.TB, path string, all map[string]string) {
	t.Helper()
	var b strings.Builder
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "## %s\n%s", name, all[name])
	}
	check(t, os.WriteFile(path, []byte(b.String()), 0o644))
}

// hundredth and tenth round what the golden files hold.
func hundredth(v float64) float64 { return math.Round(v*100) / 100 }
func tenth(v float64) float64     { return math.Round(v*10) / 10 }

// table sets numbers out in columns.
func table(n numbers) string {
	columns := []string{colTurns, colCharset, colElapsed}
	columns = slices.DeleteFunc(columns, func(col string) bool {
		for _, r := range n {
			if _, ok := r[col]; ok {
				return false
			}
		}
		return true
	})
	var b strings.Builder
	fmt.Fprintf(&b, "%-32s", "")
	for _, col := range columns {
		fmt.Fprintf(&b, "%10s", col)
	}
	b.WriteByte('\n')
	for _, name := range slices.Sorted(maps.Keys(n)) {
		fmt.Fprintf(&b, "%-32s", name)
		for _, col := range columns {
			text := "-"
			if v, ok := n[name][col]; ok {
				text = fmt.Sprint(v)
			}
			fmt.Fprintf(&b, "%10s", text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
