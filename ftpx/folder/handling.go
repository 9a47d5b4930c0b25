package folder

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"
)

// handling is what Options.Ready, Name, FirstName, After and DeadLetter say, read.
type handling struct {
	name, first template // nil for none

	ready  marker // Ready.Marker
	source marker // After.MarkSource
	target marker // After.MarkTarget

	archive place
	dead    place
}

// place is a folder on the source's side to which files are moved.
type place struct {
	t      template // nil for none
	local  bool
	within string // the path within the folder that is copied, which is left out of it; "" if elsewhere
}

func (o *Options) handling(up bool, source string) (h handling, err error) {
	if err := o.Ready.check(up); err != nil {
		return h, err
	}
	if err := o.checkAfter(); err != nil {
		return h, err
	}
	if h.name, err = parseName("Name", o.Name); err != nil {
		return h, err
	}
	if h.first, err = parseName("FirstName", o.FirstName); err != nil {
		return h, err
	}
	if h.first != nil && !h.first.has(nameField) {
		return h, fmt.Errorf("Options.FirstName is %q: it needs a {name}, so that no two files have the same", o.FirstName)
	}
	if h.ready, err = parseMarker("Ready.Marker", o.Ready.Marker); err != nil {
		return h, err
	}
	if h.source, err = parseMarker("After.MarkSource", o.After.MarkSource); err != nil {
		return h, err
	}
	if h.target, err = parseMarker("After.MarkTarget", o.After.MarkTarget); err != nil {
		return h, err
	}
	if h.source.set() && h.source == h.ready {
		return h, errors.New("Options.After.MarkSource and Ready.Marker are the same: one says that a file is whole, the other that it was copied")
	}
	if h.archive, err = parsePlace("After.Archive", o.After.Archive, up, source); err != nil {
		return h, err
	}
	h.dead, err = parsePlace("DeadLetter", o.DeadLetter, up, source)
	return h, err
}

// checkAfter refuses what cannot go together.
func (o *Options) checkAfter() error {
	a := o.After
	takes := a.Source != SourceKeep || o.DeadLetter != ""
	switch {
	case a.Source > SourceDelete:
		return fmt.Errorf("Options.After.Source is %d: use SourceKeep, SourceMove or SourceDelete", a.Source)
	case a.Source == SourceMove && a.Archive == "":
		return errors.New("Options.After.Source is SourceMove without After.Archive: name the folder")
	case a.Source != SourceMove && a.Archive != "":
		return errors.New("Options.After.Archive is set without After.Source being SourceMove: set both or none")
	case a.Source != SourceKeep && a.MarkSource != "":
		return errors.New("Options.After.MarkSource is set for a source that is moved or deleted: leave one out")
	case takes && o.Links != LinkSkip:
		return errors.New("Options.Links is LinkFollow, LinkFiles or LinkKeep while After.Source or DeadLetter takes files away: what a link leads to is not this folder's, use LinkSkip")
	case o.Delete && (takes || a.MarkTarget != "" || o.Name != ""):
		return errors.New("Options.Delete is set with After.Source, After.MarkTarget, Name or DeadLetter: it would delete what they leave, use one or the other")
	}
	return nil
}

func parseName(option string, t Template) (template, error) {
	if t == "" {
		return nil, nil
	}
	if strings.Contains(string(t), "/") {
		return nil, fmt.Errorf("field Options.%s is %q: a name has no slash", option, t)
	}
	return parseTemplate(option, t)
}

func parsePlace(option, dir string, up bool, source string) (place, error) {
	if dir == "" {
		return place{}, nil
	}
	if up {
		dir = filepath.ToSlash(dir)
	}
	t, err := parseTemplate(option, Template(dir))
	if err != nil {
		return place{}, err
	}
	// What is left out of the folder is known before any file is.
	fixed := ""
	if len(t) > 0 && t[0].kind == text {
		fixed = t[0].text
		if len(t) > 1 {
			fixed = fixed[:strings.LastIndexByte(fixed, '/')+1]
		}
	}
	if strings.Trim(fixed, "/.") == "" {
		return place{}, fmt.Errorf("field Options.%s is %q: begin with a folder's name, before any field", option, dir)
	}
	p := place{t: t, local: up}
	if up {
		rel, err := filepath.Rel(source, p.absolute(fixed, source))
		p.within = filepath.ToSlash(rel)
		if err != nil { // on another volume
			p.within = ".."
		}
	} else if p.within, err = relRemote(path.Clean(source), p.absolute(fixed, source)); err != nil {
		return place{}, fmt.Errorf("field Options.%s is %q: %w", option, dir, err)
	}
	switch {
	case p.within == ".":
		return place{}, fmt.Errorf("field Options.%s is %q: that is the folder that is copied itself", option, dir)
	case p.within == ".." || strings.HasPrefix(p.within, "../"):
		p.within = ""
	}
	return p, nil
}

// absolute joins a relative folder to the source's.
func (p place) absolute(dir, source string) string {
	if p.local {
		dir = filepath.FromSlash(dir)
		if filepath.IsAbs(dir) {
			return filepath.Clean(dir)
		}
		return filepath.Join(source, dir)
	}
	if path.IsAbs(dir) {
		return path.Clean(dir)
	}
	return path.Join(source, dir)
}

// relRemote is filepath.Rel for the paths of a server, of which it is not known where
// relative ones begin.
func relRemote(base, target string) (string, error) {
	if path.IsAbs(base) != path.IsAbs(target) {
		return "", errors.New("it is absolute and the remote folder is not, or the other way: write both alike")
	}
	if base == "." {
		base = ""
	}
	if rest, ok := strings.CutPrefix(target, strings.TrimSuffix(base, "/")+"/"); base != "" && ok {
		return rest, nil
	}
	switch {
	case target == base || target == "." && base == "":
		return ".", nil
	case base == "" && !strings.HasPrefix(target, ".."):
		return target, nil
	}
	return "..", nil
}

// dir is the folder to which a file is moved: the place, and the sub-folders that it is
// in.
func (p place) dir(rel string, x facts, source string) (string, error) {
	dir, err := p.t.render(x)
	if err != nil {
		return "", err
	}
	if !p.local {
		for _, element := range strings.Split(strings.Trim(dir, "/"), "/") {
			if strings.ContainsAny(element, "\r\n\x00") {
				return "", fmt.Errorf("%w: %q", ErrName, dir)
			}
		}
	}
	// Only the fixed part may lead upward; what the fields make of a name may not.
	if up := strings.Count("/"+dir+"/", "/../"); up > strings.Count("/"+p.fixed()+"/", "/../") {
		return "", fmt.Errorf("%w: its name would make the path %q of the archive lead elsewhere", ErrName, dir)
	}
	dir = p.absolute(dir, source)
	if sub := path.Dir(rel); sub != "." {
		if p.local {
			return filepath.Join(dir, filepath.FromSlash(sub)), nil
		}
		return path.Join(dir, sub), nil
	}
	return dir, nil
}

// fixed is the template with its fields left out.
func (p place) fixed() string {
	var b strings.Builder
	for _, f := range p.t {
		if f.kind == text {
			b.WriteString(f.text)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// skipped says why a folder of the source is not gone into, or nothing.
func (h *handling) skipped(rel string) string {
	switch {
	case h.archive.within != "" && rel == h.archive.within:
		return "the archive"
	case h.dead.within != "" && rel == h.dead.within:
		return "the dead letters"
	}
	return ""
}

// markerOf says which marker a name is that of, or nothing.
func (h *handling) markerOf(name string) string {
	switch {
	case h.ready.is(name):
		return "a marker that a file is whole"
	case h.source.is(name):
		return "a marker that a file was copied"
	}
	return ""
}

// names gives a file its path at the other side, and the one that it has until it is
// complete, which is the same for none.
func (h *handling) names(rel string, x facts) (target, first string, err error) {
	dir := path.Dir(rel)
	target = rel
	if h.name != nil {
		name, err := h.name.render(x)
		if err != nil {
			return "", "", err
		}
		target = say(dir, name)
	}
	first = target
	if h.first != nil {
		name, err := h.first.render(x)
		if err != nil {
			return "", "", err
		}
		first = say(dir, name)
	}
	return target, first, nil
}

// markOf is the path of the marker of what was copied to a path.
func (h *handling) markOf(target string) string {
	return say(path.Dir(target), h.target.of(path.Base(target)))
}
