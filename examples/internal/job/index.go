package job

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// index finds the line of each key. The library tells places in its errors alone,
// most of what can be wrong is found later, when all values are known, and of a number
// that is none of ours it does not tell the place. What cannot be parsed is complained
// of by the library.
func (d *document) index(data []byte) {
	var p unstable.Parser
	p.Reset(data)
	x := &indexer{d: d, p: &p, tables: map[string]int{}}
	table := ""
	for p.NextExpression() {
		x.first = 0
		switch e := p.Expression(); e.Kind {
		case unstable.ArrayTable:
			table = x.enter(e.Key(), "", true)
		case unstable.Table:
			table = x.enter(e.Key(), "", false)
		case unstable.KeyValue:
			x.pair(e, table)
		}
		if x.first > 0 {
			d.starts = append(d.starts, x.first)
		}
	}
	d.broken = p.Error() != nil
}

// indexer is one call of index.
type indexer struct {
	d      *document
	p      *unstable.Parser
	tables map[string]int // elements of arrays of tables, by path
	first  int            // the line at which the expression begins, 0 before its key
}

// enter notes the place of a key below a path, and returns its own path. element says
// that it begins another element of an array.
func (x *indexer) enter(key unstable.Iterator, path string, element bool) string {
	line := 0
	var first unstable.Position
	var names []string
	for key.Next() {
		k := key.Node()
		at := x.p.Shape(k.Raw).Start
		if names == nil {
			first = at
		}
		if x.first == 0 {
			x.first = at.Line
		}
		line = at.Line
		names = append(names, string(k.Data))
		path = strings.TrimPrefix(path+"."+string(k.Data), ".")
		// A table within the last element of an array of tables.
		if n := x.tables[path]; n > 0 && !(element && key.IsLast()) {
			path += "." + strconv.Itoa(n-1)
		}
	}
	if element {
		x.tables[path]++
		path += "." + strconv.Itoa(x.tables[path]-1)
		for other := range x.tables { // those within begin anew
			if strings.HasPrefix(other, path+".") {
				delete(x.tables, other)
			}
		}
	}
	if _, ok := x.d.lines[path]; !ok {
		x.d.lines[path] = line
	}
	x.d.places[place{first.Line, first.Column}] = path
	return path
}

// pair notes a key and what its value holds.
func (x *indexer) pair(e *unstable.Node, table string) {
	path := x.enter(e.Key(), table, false)
	x.value(e.Value(), path)
}

func (x *indexer) value(v *unstable.Node, path string) {
	switch v.Kind {
	case unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			x.pair(it.Node(), path)
		}
	case unstable.Array:
		n := 0
		for it := v.Children(); it.Next(); n++ {
			x.value(it.Node(), path+"."+strconv.Itoa(n))
		}
	case unstable.Integer, unstable.Float, unstable.Bool:
		keys := named(path)
		t := typeOf(reflect.TypeFor[file](), keys)
		if t == nil || t.Kind() != reflect.Pointer {
			return
		}
		if u, ok := reflect.New(t.Elem()).Interface().(encoding.TextUnmarshaler); ok {
			if err := u.UnmarshalText(v.Data); err != nil {
				x.d.problem(x.d.at(path), strings.Join(keys, "."), err.Error())
			}
		}
	}
}

// named is a path without the numbers of elements.
func named(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "."), func(s string) bool {
		_, err := strconv.Atoi(s)
		return err == nil
	})
}
