package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ErrNothing: a pattern matches nothing.
var ErrNothing = errors.New("matches nothing")

// IsPattern reports whether a path holds what a shell would take for a pattern.
func IsPattern(p string) bool { return strings.ContainsAny(p, "*?[{") }

// Expand returns the remote paths that a place names, sorted: itself, or what its pattern
// matches. A path that is there by just that name is not a pattern.
func Expand(ctx context.Context, c ftpx.Client, p cli.Place) ([]string, error) {
	full := p.Full()
	if !IsPattern(full) {
		return []string{full}, nil
	}
	if _, err := c.Stat(ctx, full); err == nil {
		return []string{full}, nil
	}
	if !doublestar.ValidatePattern(full) {
		return nil, fmt.Errorf("%w: %s is not a pattern: close its [ or {", cli.ErrUsage, p.Text)
	}
	dir, rest := doublestar.SplitPattern(full)
	paths, err := match(ctx, c, dir, strings.Split(rest, "/"))
	if err == nil && len(paths) == 0 {
		err = &fs.PathError{Op: "match", Path: full, Err: ErrNothing}
	}
	slices.Sort(paths)
	return slices.Compact(paths), err
}

// deepest is how deep folders are looked into: a server may make them up.
const deepest = 200

// match finds what the elements of a pattern match below a folder.
func match(ctx context.Context, c ftpx.Client, dir string, elements []string) ([]string, error) {
	element, rest := elements[0], elements[1:]
	if strings.Count(dir, "/") > deepest {
		return nil, fmt.Errorf("%s: the server's folders lie in each other more than %d deep: name one of them", transport.Printable(dir), deepest)
	}
	var paths []string
	if element == "**" && len(rest) > 0 {
		found, err := match(ctx, c, dir, rest) // of no folder at all
		if err != nil {
			return nil, err
		}
		paths = found
	}
	for e, err := range c.List(ctx, dir) {
		if err != nil {
			return nil, err
		}
		at, fits := fits(dir, element, e)
		switch {
		case !fits:
		case element == "**" && len(rest) > 0:
			if e.IsDir() {
				deeper, err := match(ctx, c, at, elements)
				if err != nil {
					return nil, err
				}
				paths = append(paths, deeper...)
			}
		case len(rest) == 0:
			paths = append(paths, at)
		case e.IsDir() || e.Type == transport.TypeLink:
			deeper, err := match(ctx, c, at, rest)
			if err != nil && e.IsDir() {
				return nil, err
			}
			paths = append(paths, deeper...)
		}
	}
	return paths, nil
}

// fits reports whether an entry of a folder matches an element. A name that could lead
// elsewhere fits nothing, and one with a dot in front only a pattern that has one.
func fits(dir, element string, e ftpx.Entry) (at string, ok bool) {
	if !fs.ValidPath(e.Name) || strings.Contains(e.Name, "/") || e.Name == "." {
		return "", false
	}
	if strings.HasPrefix(e.Name, ".") && !strings.HasPrefix(element, ".") {
		return "", false
	}
	return path.Join(dir, e.Name), element == "**" || doublestar.MatchUnvalidated(element, e.Name)
}
