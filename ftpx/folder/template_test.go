package folder

import (
	"strings"
	"testing"
	"time"
)

func TestTemplate(t *testing.T) {
	was := time.Local
	time.Local = time.FixedZone("there", -3*3600)
	t.Cleanup(func() { time.Local = was })
	x := facts{now: time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC), mtime: time.Date(2025, 11, 12, 13, 14, 15, 0, time.UTC)}
	for _, c := range []struct{ template, name, want string }{
		{"{name}", "report.tar.gz", "report.tar.gz"},
		{"{stem}-{date:2006-01-02}.{ext}", "report.tar.gz", "report.tar-2026-01-01.gz"},
		{"{mtime:20060102T150405}_{name}", "a", "20251112T101415_a"},
		{"{stem}|{ext}", ".profile", ".profile|"},
		{"{stem}|{ext}", "a.", "a|"},
		{"{{{name}}}", "x", "{x}"},
		{"plain", "x", "plain"},
		{"{date:15:04}", "x", "22:04"},
	} {
		p, err := parseTemplate("Name", Template(c.template))
		if err != nil {
			t.Errorf("%q: %v", c.template, err)
			continue
		}
		x.name = c.name
		if got, err := p.render(x); got != c.want || err != nil {
			t.Errorf("%q of %q: %q, %v, want %q", c.template, c.name, got, err, c.want)
		}
	}
	p, err := parseTemplate("Name", "{mtime:2006}")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := p.render(facts{name: "x", now: x.now}); err == nil {
		t.Errorf("a time that is not known: %q", s)
	}
}

func TestTemplateErrors(t *testing.T) {
	for template, words := range map[string]string{
		"{nam}":             `no field "nam"`,
		"{name":             "not closed",
		"name}":             "not opened",
		"{}":                `no field ""`,
		"{date}":            "no layout",
		"{date:}":           "no part of a time",
		"{date:YYYY-MM-DD}": "no part of a time",
		"{date:%Y}":         "no part of a time",
		"{name:2006}":       "takes no layout",
		"{stem}{":           "not closed",
	} {
		if _, err := parseTemplate("Name", Template(template)); err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), "Options.Name") {
			t.Errorf("%q: %v, want %q", template, err, words)
		}
	}
	for _, form := range []string{"{name}", "{stem}{name}.x", "{date:2006}", "a/{name}", "{ext}.done"} {
		if m, err := parseMarker("Ready.Marker", form); err == nil {
			t.Errorf("marker %q: %+v", form, m)
		}
	}
}

func TestMarkerForms(t *testing.T) {
	for _, c := range []struct{ form, name, of string }{
		{".done", "a.csv", "a.csv.done"},
		{"{name}.done", "a.csv", "a.csv.done"},
		{"{stem}.ok", "a.csv", "a.ok"},
		{"done.{name}", "a", "done.a"},
		{"<{stem}>", "a.b.c", "<a.b>"},
	} {
		m, err := parseMarker("Ready.Marker", c.form)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.of(c.name); got != c.of || !m.is(got) || m.is(c.name) {
			t.Errorf("%q of %q: %q, is one: %v, the file is one: %v", c.form, c.name, got, m.is(got), m.is(c.name))
		}
	}
	m, _ := parseMarker("Ready.Marker", ".done")
	if m.is(".done") {
		t.Error("a marker of nothing")
	}
}

// TestPlaces: what is left out of the folder, and where files go.
func TestPlaces(t *testing.T) {
	x := facts{name: "n", now: time.Date(2026, 1, 2, 12, 0, 0, 0, time.Local)}
	for _, c := range []struct{ dir, source, within, want string }{
		{"old", "in", "old", "in/old/sub"},
		{"old/{date:2006}", "in", "old", "in/old/2026/sub"},
		{"a/b-{date:2006}", "/in", "a", "/in/a/b-2026/sub"},
		{"../old", "/x/in", "", "/x/old/sub"},
		{"/x/old", "/x/in", "", "/x/old/sub"},
		{"/x/in/old", "/x/in", "old", "/x/in/old/sub"},
		{"old", ".", "old", "old/sub"},
		{"old", "/", "old", "/old/sub"},
	} {
		p, err := parsePlace("After.Archive", c.dir, false, c.source)
		if err != nil {
			t.Errorf("%q: %v", c.dir, err)
			continue
		}
		if got, err := p.dir("sub/n", x, c.source); got != c.want || err != nil || p.within != c.within {
			t.Errorf("%q in %q: %q, %v, within %q; want %q, %q", c.dir, c.source, got, err, p.within, c.want, c.within)
		}
	}
	for _, dir := range []string{".", "/x/in", "{date:2006}", "{name}/x", "arch-{date:2006}", "../in"} {
		if p, err := parsePlace("After.Archive", dir, false, "/x/in"); err == nil {
			t.Errorf("%q: %+v", dir, p)
		}
	}
	if _, err := parsePlace("DeadLetter", "/dead", false, "in"); err == nil {
		t.Error("an absolute place of a relative folder")
	}
	// A name must not make it lead elsewhere.
	p, err := parsePlace("After.Archive", "old/{stem}", false, "in")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.dir("...x", facts{name: "...x", now: x.now}, "in"); err == nil {
		t.Errorf("%q", got)
	}
}
