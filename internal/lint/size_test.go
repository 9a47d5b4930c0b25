package lint

import (
	"fmt"
	"strings"
	"testing"
)

// longest is where a file has more than one subject for sure; most have 60 to
// 250 lines.
const longest = 400

// checkSize complains about files that have grown too long, tests excepted:
// theirs are tables.
func checkSize(t *tree) []string {
	var bad []string
	for _, f := range t.files {
		if !f.test() && f.lines > longest {
			bad = append(bad, fmt.Sprintf("%s:1: %d lines, more than %d: split it by subject", f.name, f.lines, longest))
		}
	}
	return bad
}

func TestFilesAreShort(t *testing.T) { none(t, checkSize(theModule(t))) }

func TestSizeRuleCanFail(t *testing.T) {
	lines := func(n int) string { return "package p\n" + strings.Repeat("\n", n-1) }
	exactly(t, checkSize(madeUp(t, map[string]string{
		"ftpx/long.go":      lines(longest + 1),
		"ftpx/full.go":      lines(longest),
		"ftpx/long_test.go": lines(2 * longest),
		"internal/x/x.go":   lines(longest + 7),
	})),
		"ftpx/long.go:1: 401 lines",
		"internal/x/x.go:1: 407 lines",
	)
}
