package folder

import (
	"fmt"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
)

// pattern is one of Options.Include or Exclude.
type pattern struct {
	glob    string
	name    bool // about the last element alone
	folders bool // about folders alone
}

func parsePatterns(field string, globs []string) ([]pattern, error) {
	var patterns []pattern
	for _, g := range globs {
		p := pattern{glob: g}
		p.glob, p.folders = strings.CutSuffix(p.glob, "/")
		p.name = !strings.Contains(p.glob, "/")
		p.glob = strings.TrimPrefix(p.glob, "/") // of the folder, as in .gitignore
		if p.glob == "" || !doublestar.ValidatePattern(p.glob) {
			return nil, fmt.Errorf("field Options.%s holds %q, which is not a pattern: see github.com/bmatcuk/doublestar for the syntax", field, g)
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

// matching returns the first pattern that says something of a path, "" for none.
func matching(patterns []pattern, rel string, dir bool) string {
	for _, p := range patterns {
		if p.folders && !dir {
			continue
		}
		subject := rel
		if p.name {
			subject = rel[strings.LastIndexByte(rel, '/')+1:]
		}
		if doublestar.MatchUnvalidated(p.glob, subject) {
			return p.glob
		}
	}
	return ""
}

// filter decides what is copied.
type filter struct {
	include, exclude []pattern
	min, max         int64
	newer, older     time.Duration
	now              time.Time
}

func newFilter(o *Options, now time.Time) (*filter, error) {
	f := &filter{min: o.MinSize, max: o.MaxSize, newer: o.NewerThan, older: o.OlderThan, now: now}
	var err error
	if f.include, err = parsePatterns("Include", o.Include); err != nil {
		return nil, err
	}
	if f.exclude, err = parsePatterns("Exclude", o.Exclude); err != nil {
		return nil, err
	}
	return f, nil
}

// takes reports whether Include takes a path by itself; with no pattern it takes
// everything. Below a folder that it takes, it takes all.
func (f *filter) takes(rel string, dir bool) bool {
	return len(f.include) == 0 || matching(f.include, rel, dir) != ""
}

// excluded says why a path is excluded, or nothing.
func (f *filter) excluded(rel string, dir bool) string {
	if p := matching(f.exclude, rel, dir); p != "" {
		return fmt.Sprintf("excluded by %q", p)
	}
	return ""
}

// leavesOut says why a file's size or age leaves it out, or nothing.
func (f *filter) leavesOut(e *entry) string {
	switch {
	case (f.min > 0 || f.max > 0) && e.size < 0:
		return "left out, as its size is not known"
	case f.min > 0 && e.size < f.min:
		return "smaller than MinSize"
	case f.max > 0 && e.size > f.max:
		return "larger than MaxSize"
	case f.newer == 0 && f.older == 0:
		return ""
	case !e.timed:
		return "left out, as its age is not known"
	}
	switch age := f.now.Sub(e.time()); {
	case f.newer > 0 && age > f.newer:
		return "older than NewerThan"
	case age < f.older:
		return "younger than OlderThan"
	}
	return ""
}
