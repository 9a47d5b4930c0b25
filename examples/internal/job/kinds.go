package job

import (
	"encoding"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// wrongValue says what a value should look like. It does not quote the value, which may be
// a secret in the wrong place.
func wrongValue(wrong *toml.DecodeError) string {
	text := strings.TrimPrefix(wrong.Error(), "toml: ")
	if !strings.Contains(text, "cannot decode") && !strings.Contains(text, "cannot store") {
		return text // our types' own, or one of syntax
	}
	t := typeOf(reflect.TypeFor[file](), []string(wrong.Key()))
	if t == nil {
		return "this kind of value does not belong here: see docs/jobs.md"
	}
	return looks(t)
}

// looks says how values of a type are written.
func looks(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return "write one value in quotes, as docs/jobs.md has it"
	case t.Kind() == reflect.Bool:
		return "write true or false, without quotes"
	case t.Kind() == reflect.Int:
		return "write a whole number without quotes, as 4"
	case t.Kind() == reflect.String:
		return `write text in quotes, as "text"`
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.String:
		return `write a list of texts, as ["a", "b"]`
	case t.Kind() == reflect.Struct:
		var keys []string
		for i := range t.NumField() {
			keys = append(keys, t.Field(i).Tag.Get("toml"))
		}
		slices.Sort(keys)
		return "it is a table with keys of its own: " + strings.Join(keys, ", ")
	}
	return "write it as docs/jobs.md has it"
}

// about reports whether a problem has to do with a key that was not read, so that it may
// be none when that is mended.
func (d *document) about(key, text string) bool {
	for _, name := range d.unread {
		if name == "" {
			continue
		}
		if name == key || strings.HasPrefix(key, name+".") || strings.HasSuffix(key, "."+name) || regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).MatchString(text) {
			return true
		}
	}
	return false
}
