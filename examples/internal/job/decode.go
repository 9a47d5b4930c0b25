package job

import (
	"bytes"
	"errors"
	"os"
	"sort"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Problems are what is wrong with a configuration, one for each place.
type Problems []string

// Error returns all of them, a line each.
func (p Problems) Error() string { return strings.Join(p, "\n") }

// place is a line and a column, from 1.
type place struct{ line, column int }

// most is how many problems are told at once.
const most = 20

// document is a configuration file that has been read, with the places of its keys.
type document struct {
	name  string
	lines map[string]int // by path, as "job.0.targets.1.ca"
	file  file
	bad   Problems
	order []int // lines of bad

	places map[place]string // paths of keys, by where they begin
}

// decode reads a file strictly: what it does not know it does not pass over. No
// problem quotes a value, which may be a secret in the wrong place, unless the key
// is one that holds none.
func decode(name string) (*document, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	d := &document{name: name, lines: map[string]int{}, places: map[place]string{}}
	d.index(data)
	var unknown *toml.StrictMissingError
	var wrong *toml.DecodeError
	switch err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&d.file); {
	case errors.As(err, &unknown):
		for _, e := range unknown.Errors {
			row, column := e.Position()
			key := []string(e.Key())
			if path := d.places[place{row, column}]; len(named(path)) > len(key) {
				key = named(path) // the library's leaves out what an inline table is in
			}
			d.problem(row, strings.Join(key, "."), unknownKey(key))
		}
	case errors.As(err, &wrong):
		row, _ := wrong.Position()
		d.problem(row, strings.Join(wrong.Key(), "."), strings.TrimPrefix(wrong.Error(), "toml: "))
	case err != nil && len(d.bad) == 0: // else it is that
		d.problem(0, "", strings.TrimPrefix(err.Error(), "toml: "))
	}
	return d, nil
}

// problem notes what is wrong with a key in a line; 0 and "" where it is not known.
func (d *document) problem(line int, key, text string) {
	at := d.name
	if line > 0 {
		at += ":" + strconv.Itoa(line)
	}
	if key != "" {
		text = key + ": " + text
	}
	if len(d.bad) < most {
		d.bad = append(d.bad, transport.Printable(at+": "+text))
		d.order = append(d.order, line)
	}
}

// problems are those that were noted, by their lines.
func (d *document) problems() Problems {
	sort.Stable(byLine{d})
	return d.bad
}

type byLine struct{ *document }

// Len, Less and Swap are part of sort.Interface.
func (b byLine) Len() int           { return len(b.bad) }
func (b byLine) Less(i, j int) bool { return b.order[i] < b.order[j] }
func (b byLine) Swap(i, j int) {
	b.bad[i], b.bad[j] = b.bad[j], b.bad[i]
	b.order[i], b.order[j] = b.order[j], b.order[i]
}

// at is the line of a path, or of what it lies in.
func (d *document) at(path string) int {
	for path != "" {
		if n, ok := d.lines[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	}
	return 0
}
