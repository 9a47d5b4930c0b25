package job

import (
	"bytes"
	"errors"
	"os"
	"slices"
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
	starts []int            // the lines at which expressions begin
	broken bool             // it cannot be parsed to its end
	unread []string         // keys whose values are none, or that were misspelt
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
	lines := bytes.SplitAfter(data, []byte("\n"))
	for _, line := range d.order { // what index has found
		d.leaveOut(lines, line)
	}
	// The library stops at the first value that is none. Without that one it finds the
	// next, and what the others mean can be judged.
	for range most {
		d.file = file{}
		var unknown *toml.StrictMissingError // which is many of the other
		var wrong *toml.DecodeError
		err := toml.NewDecoder(bytes.NewReader(bytes.Join(lines, nil))).DisallowUnknownFields().Decode(&d.file)
		if errors.As(err, &unknown) || !errors.As(err, &wrong) {
			d.unknown(err)
			return d, nil
		}
		row, column := wrong.Position()
		d.problem(row, strings.Join(d.keyAt(row, column, wrong.Key()), "."), wrongValue(wrong))
		if d.broken || !d.leaveOut(lines, row) {
			break
		}
	}
	d.broken = true
	return d, nil
}

// keyAt is the key of a value at a place. The library's leaves out what is in an inline
// table.
func (d *document) keyAt(row, column int, key []string) []string {
	best := 0
	for at, path := range d.places {
		keys := named(path)
		if at.line == row && at.column <= column && at.column > best && len(keys) > len(key) && slices.Equal(keys[:len(key)], key) {
			best = at.column
		}
	}
	if best > 0 {
		return named(d.places[place{row, best}])
	}
	return key
}

// unknown tells of the keys that the library does not know, or why it has failed.
func (d *document) unknown(err error) {
	var unknown *toml.StrictMissingError
	switch {
	case errors.As(err, &unknown):
		for _, e := range unknown.Errors {
			row, column := e.Position()
			key := []string(e.Key())
			if path := d.places[place{row, column}]; len(named(path)) > len(key) {
				key = named(path) // the library's leaves out what an inline table is in
			}
			text, meant := unknownKey(key)
			d.problem(row, strings.Join(key, "."), text)
			d.unread = append(d.unread, meant)
		}
	case err != nil:
		d.broken = true
		if len(d.bad) == 0 { // else it is that
			d.problem(0, "", strings.TrimPrefix(err.Error(), "toml: "))
		}
	}
}

// leaveOut makes the lines empty of the key that a line belongs to. It returns false for
// that of a table.
func (d *document) leaveOut(lines [][]byte, line int) bool {
	n, found := slices.BinarySearch(d.starts, line)
	if !found {
		n--
	}
	if n < 0 || d.starts[n] > len(lines) {
		return false
	}
	from, to := d.starts[n], len(lines)+1
	if n+1 < len(d.starts) {
		to = d.starts[n+1]
	}
	if bytes.HasPrefix(bytes.TrimLeft(lines[from-1], " \t"), []byte("[")) {
		return false
	}
	for path, at := range d.lines {
		if keys := named(path); at >= from && at < to && len(keys) > 0 {
			d.unread = append(d.unread, keys[len(keys)-1])
		}
	}
	for i := from - 1; i < to-1; i++ {
		lines[i] = []byte("\n")
	}
	return true
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
