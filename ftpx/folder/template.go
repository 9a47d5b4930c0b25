package folder

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// Template is a pattern of a file's name. Text stands for itself; fields are in braces:
//
//	{name}         the source's name: report.tar.gz
//	{stem}         its name up to the last dot: report.tar
//	{ext}          what follows the last dot: gz; "" if there is none
//	{date:LAYOUT}  the time at which the job began, as package time formats it:
//	               {date:2006-01-02}, {date:20060102T150405}
//	{mtime:LAYOUT} the source's modification time, in the same way
//	{{ and }}      one brace
//
// For package watch the job begins with each file. Times are local, that is of the
// variable TZ. Anything else in braces is an error, and so is a LAYOUT that holds no
// part of a time. A name whose only dot is its first character has no extension.
type Template string

// Literal is the template of just this name.
func Literal(name string) Template {
	return Template(strings.NewReplacer("{", "{{", "}", "}}").Replace(name))
}

type fieldKind uint8

const (
	text fieldKind = iota
	nameField
	stemField
	extField
	dateField
	mtimeField
)

// field is a piece of a template.
type field struct {
	kind fieldKind
	text string // or the layout
}

// template is a Template that has been read.
type template []field

// facts are what a template's fields are filled in from.
type facts struct {
	name  string
	now   time.Time
	mtime time.Time // zero if it is not known
}

func parseTemplate(option string, t Template) (template, error) {
	fail := func(why string, args ...any) (template, error) {
		return nil, fmt.Errorf("field Options.%s is %q: %s; the fields are {name}, {stem}, {ext}, {date:2006-01-02} and {mtime:2006-01-02}, and {{ is a brace",
			option, t, fmt.Sprintf(why, args...))
	}
	var out template
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			out = append(out, field{kind: text, text: plain.String()})
			plain.Reset()
		}
	}
	for rest := string(t); rest != ""; {
		switch {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			plain.WriteByte(rest[0])
			rest = rest[2:]
		case rest[0] == '}':
			return fail("a brace is closed that was not opened")
		case rest[0] != '{':
			plain.WriteByte(rest[0])
			rest = rest[1:]
		default:
			inner, after, closed := strings.Cut(rest[1:], "}")
			if !closed {
				return fail("a brace is not closed")
			}
			f, why := parseField(inner)
			if why != "" {
				return fail("%s", why)
			}
			flush()
			out = append(out, f)
			rest = after
		}
	}
	flush()
	return out, nil
}

func parseField(inner string) (field, string) {
	name, layout, dated := strings.Cut(inner, ":")
	kinds := map[string]fieldKind{"name": nameField, "stem": stemField, "ext": extField, "date": dateField, "mtime": mtimeField}
	kind, ok := kinds[name]
	takes := kind == dateField || kind == mtimeField
	switch {
	case !ok:
		return field{}, fmt.Sprintf("there is no field %q", name)
	case takes != dated:
		if takes {
			return field{}, fmt.Sprintf("{%s} has no layout, say {%s:2006-01-02}", name, name)
		}
		return field{}, fmt.Sprintf("{%s} takes no layout", name)
	case takes && constant(layout):
		return field{}, fmt.Sprintf("the layout %q holds no part of a time: write the date 2006-01-02 15:04:05 as it is to look", layout)
	}
	return field{kind: kind, text: layout}, ""
}

// constant reports whether a layout says the same of any two times.
func constant(layout string) bool {
	a := time.Date(2017, time.March, 9, 4, 8, 37, 123456789, time.UTC)
	b := time.Date(2024, time.November, 22, 17, 51, 3, 987654321, time.FixedZone("X", 3600))
	return a.Format(layout) == b.Format(layout)
}

// has reports whether a template has a field.
func (t template) has(kinds ...fieldKind) bool {
	for _, f := range t {
		for _, k := range kinds {
			if f.kind == k {
				return true
			}
		}
	}
	return false
}

// render fills the fields in. The error is one of a time that is not known.
func (t template) render(x facts) (string, error) {
	var b strings.Builder
	for _, f := range t {
		switch f.kind {
		case text:
			b.WriteString(f.text)
		case nameField:
			b.WriteString(x.name)
		case stemField:
			stem, _ := splitName(x.name)
			b.WriteString(stem)
		case extField:
			_, ext := splitName(x.name)
			b.WriteString(ext)
		case dateField:
			b.WriteString(x.now.Local().Format(f.text))
		case mtimeField:
			if x.mtime.IsZero() {
				return "", fmt.Errorf("%w: its pattern has a field {mtime}, and the file's time is not known", ErrName)
			}
			b.WriteString(x.mtime.Local().Format(f.text))
		}
	}
	return b.String(), nil
}

// splitName parts a name at its last dot, unless that is its first character.
func splitName(name string) (stem, ext string) {
	dotted := path.Ext(name)
	if dotted == name {
		return name, ""
	}
	return strings.TrimSuffix(name, dotted), strings.TrimPrefix(dotted, ".")
}

// marker is the form of the names of marker files; the zero value is none.
type marker struct {
	prefix, suffix string
	stem           bool // what is between is the stem of the file's name
}

func (m marker) set() bool { return m != marker{} }

func parseMarker(option, form string) (marker, error) {
	if form == "" {
		return marker{}, nil
	}
	t, err := parseTemplate(option, Template(form))
	if err != nil {
		return marker{}, err
	}
	var m marker
	fields := 0
	for _, f := range t {
		switch {
		case f.kind == nameField || f.kind == stemField:
			fields++
			m.stem = f.kind == stemField
		case f.kind != text:
			return marker{}, fmt.Errorf("field Options.%s is %q: a marker has no field but {name} or {stem}", option, form)
		case fields == 0 && len(t) > 1:
			m.prefix = f.text
		default:
			m.suffix += f.text
		}
	}
	if fields > 1 || !m.set() || strings.Contains(m.prefix+m.suffix, "/") || m.prefix+m.suffix == "" {
		return marker{}, fmt.Errorf("field Options.%s is %q: use a suffix such as \".done\", or text with one {name} or {stem}, without a slash", option, form)
	}
	return m, nil
}

// is reports whether a name has the marker's form.
func (m marker) is(name string) bool {
	return m.set() && len(name) > len(m.prefix)+len(m.suffix) && strings.HasPrefix(name, m.prefix) && strings.HasSuffix(name, m.suffix)
}

// of is the name of a file's marker.
func (m marker) of(name string) string {
	if m.stem {
		name, _ = splitName(name)
	}
	return m.prefix + name + m.suffix
}
