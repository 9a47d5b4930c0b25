package job

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The types of values that are written the same way in a file and in a flag. Their
// UnmarshalText fails with what would be right. They are structs because the TOML library
// hands text to those alone, and fills numbers and strings by itself.

// size is a number of bytes: 1500, 10k, 20M, 1G, in powers of 1024.
type size struct{ v int64 }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (s *size) UnmarshalText(text []byte) error {
	digits, unit := strings.ToLower(string(text)), int64(1)
	for suffix, n := range map[string]int64{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40} {
		if rest, ok := strings.CutSuffix(digits, suffix); ok {
			digits, unit = rest, n
			break
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("%q is not a size: write bytes, as 1500, \"500k\", \"20M\" or \"1G\"", transport.Printable(string(text)))
	}
	s.v = n * unit
	return nil
}

// age is a duration as Go writes it, or a number of days: 90s, 36h, 7d.
type age struct{ v time.Duration }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (a *age) UnmarshalText(text []byte) error {
	s := string(text)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if d := n * 24 * float64(time.Hour); err == nil && d >= 0 && d < math.MaxInt64 {
			a.v = time.Duration(d)
			return nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a duration: write \"90s\", \"15m\", \"36h\" or \"7d\"", transport.Printable(s))
	}
	a.v = d
	return nil
}

// share is a part of a whole: 0.25 or 25%.
type share struct{ v float64 }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (s *share) UnmarshalText(text []byte) error {
	digits, percent := strings.CutSuffix(string(text), "%")
	n, err := strconv.ParseFloat(digits, 64)
	if percent {
		n /= 100
	}
	if err != nil || !(n > 0 && n <= 1) { // not a number, too
		return fmt.Errorf("%q is not a share: write more than 0 and at most 1, as 0.25 or \"25%%\"; 1 is everything", transport.Printable(string(text)))
	}
	s.v = n
	return nil
}

// The words for values of package folder, by their numbers.
var (
	compareWords = []string{folder.CompareTime: "time", folder.CompareSize: "size", folder.CompareProof: "proof", folder.CompareNothing: "always"}
	linkWords    = []string{folder.LinkSkip: "skip", folder.LinkFollow: "follow", folder.LinkFiles: "files", folder.LinkKeep: "keep"}
	fateWords    = []string{folder.SourceKeep: "keep", folder.SourceMove: "move", folder.SourceDelete: "delete"}
)

// comparing is a [folder.Compare].
type comparing struct{ v folder.Compare }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (c *comparing) UnmarshalText(text []byte) error {
	n, err := oneOf(text, compareWords...)
	c.v = folder.Compare(n)
	return err
}

// linking is a [folder.LinkPolicy].
type linking struct{ v folder.LinkPolicy }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (l *linking) UnmarshalText(text []byte) error {
	n, err := oneOf(text, linkWords...)
	l.v = folder.LinkPolicy(n)
	return err
}

// fate is a [folder.SourceAction].
type fate struct{ v folder.SourceAction }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (f *fate) UnmarshalText(text []byte) error {
	n, err := oneOf(text, fateWords...)
	f.v = folder.SourceAction(n)
	return err
}

// verifying is what the -verify of package cli takes.
type verifying struct{ v string }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (w *verifying) UnmarshalText(text []byte) error {
	_, err := oneOf(text, "auto", "size", "full")
	w.v = string(text)
	return err
}

// delivery is how what is sent gets to its name.
type delivery struct{ v ftpx.Delivery }

// UnmarshalText is part of encoding.TextUnmarshaler.
func (d *delivery) UnmarshalText(text []byte) error { return d.v.UnmarshalText(text) }

// oneOf returns which of the words it is.
func oneOf(text []byte, words ...string) (int, error) {
	n := slices.Index(words, string(text))
	if n < 0 {
		return 0, fmt.Errorf("%q is not known: write one of %s", transport.Printable(string(text)), strings.Join(words, ", "))
	}
	return n, nil
}

// value is what a pointer leads to, zero for nil.
func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

func duration(a *age) time.Duration { return value(a).v }
