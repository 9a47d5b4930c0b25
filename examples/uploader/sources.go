package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// source is a SOURCE of the command line.
type source struct {
	path     string // clean
	name     string // what it will be called on the server
	contents bool   // it is a folder, and what it holds goes up without it
}

// findSources looks at all sources before anything is sent.
func findSources(args []string) ([]source, error) {
	sources := make([]source, len(args))
	taken := map[string]string{}
	for i, arg := range args {
		if strings.Contains(arg, "://") {
			return nil, fmt.Errorf("%q looks like a URL: there is one, and it comes last", arg)
		}
		info, err := os.Stat(arg) // one that is a link is followed
		switch {
		case err != nil:
			return nil, err
		case !info.IsDir() && !info.Mode().IsRegular():
			// Opening a pipe would wait for its writer.
			return nil, fmt.Errorf("%q is neither a file nor a folder", arg)
		}
		s := source{path: filepath.Clean(arg), contents: info.IsDir() && meansContents(arg)}
		s.name = filepath.Base(s.path)
		if !s.contents {
			if other, ok := taken[s.name]; ok {
				return nil, fmt.Errorf("%q and %q would both be called %q there", other, arg, s.name)
			}
			taken[s.name] = arg
		}
		sources[i] = s
	}
	return sources, nil
}

// meansContents is rsync's rule: "dir/" is what dir holds, and so are "." and "..",
// which are no names that a folder could have on the server.
func meansContents(arg string) bool {
	base := filepath.Base(strings.TrimRight(filepath.ToSlash(arg), "/"))
	return os.IsPathSeparator(arg[len(arg)-1]) || base == "." || base == ".." || filepath.VolumeName(arg) == arg
}
