package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
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
		s := source{path: filepath.Clean(arg), contents: info.IsDir() && job.MeansContents(arg)}
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
