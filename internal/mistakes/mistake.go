package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// mistake is one change that makes the code wrong.
type mistake struct {
	// name is its area, a slash, and a word or two.
	name string
	// file is relative to the module, with slashes.
	file string
	// old occurs once in the file, and gives way to new.
	old, new string
	// what is wrong then, as its users would see it.
	what string
	// tests are the packages whose tests run, in this order, until one fails.
	tests []string
}

// mistakes is the list.
func mistakes() []mistake {
	return slices.Concat(inSession(), inUpload(), inDownload(), inFTPDriver(), inSFTPDriver(), inFolder(), inRetry(), inSecurity())
}

// of completes mistakes of one area: names, folder and tests, where these are not given.
func of(area, dir string, tests []string, ms []mistake) []mistake {
	for i := range ms {
		m := &ms[i]
		m.name, m.file = area+"/"+m.name, path.Join(dir, m.file)
		if m.tests == nil {
			m.tests = tests
		}
	}
	return ms
}

// planted returns the file with the mistake in it.
func (m *mistake) planted(root string) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return nil, err
	}
	switch n := strings.Count(string(b), m.old); {
	case m.old == m.new:
		return nil, fmt.Errorf("%s replaces a text by itself", m.name)
	case n != 1:
		return nil, fmt.Errorf("the text that %s replaces is %d times in %s, and must be there once: "+
			"give it the text as it is now, or choose another mistake if the code has gone:\n%s", m.name, n, m.file, m.old)
	}
	return []byte(strings.Replace(string(b), m.old, m.new, 1)), nil
}
