package ftplist

import (
	"io/fs"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Facts reads a line of MLSD, or of MLST without its leading space (RFC 3659
// section 7.2): "type=file;size=3;modify=20260102030405; name". self is true for
// the listed folder itself and its parent.
func Facts(line string) (entry transport.Entry, self, ok bool) {
	facts, name, ok := splitFacts(line)
	if !ok || name == "" {
		return transport.Entry{}, false, false
	}
	entry = transport.Entry{Name: name, Type: transport.TypeUnknown, Size: -1}
	self = applyFacts(&entry, facts)
	return entry, self, true
}

// splitFacts finds the space between facts and name, which is behind the semicolon of the
// last fact. Values should have no spaces, and some have: the target of a link in
// "type=OS.unix=slink:/my file;", and the names of users and groups ("domain users"). A
// few servers leave the last semicolon out; then the first space is it.
func splitFacts(line string) (facts, name string, ok bool) {
	for i := 0; i < len(line); {
		if line[i] == ' ' {
			return line[:i], line[i+1:], true
		}
		fact, _, ended := strings.Cut(line[i:], ";")
		key, value, named := strings.Cut(fact, "=")
		if !ended || !named || strings.Contains(key, " ") || strings.Contains(value, " ") && plainFact(key, value) {
			break
		}
		i += len(fact) + 1
	}
	return strings.Cut(line, " ")
}

// plainFact reports whether the value of a fact has no spaces on any server.
func plainFact(key, value string) bool {
	switch strings.ToLower(key) {
	case "type":
		return !strings.Contains(strings.ToLower(value), "link:")
	case "size", "modify", "create", "perm", "unique", "unix.mode", "unix.uid", "unix.gid", "unix.owner", "unix.group":
		return true
	}
	return false
}

func applyFacts(entry *transport.Entry, facts string) (self bool) {
	for fact := range strings.SplitSeq(facts, ";") {
		key, value, ok := strings.Cut(fact, "=")
		if !ok {
			continue
		}
		switch strings.ToLower(key) {
		case "type":
			self = applyType(entry, value)
		case "size":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
				entry.Size = n
			}
		case "modify":
			if t, ok := Time(value); ok {
				entry.ModTime, entry.TimeExact = t, true
			}
		case "unix.mode":
			if mode, err := strconv.ParseUint(value, 8, 32); err == nil {
				entry.Perm = fs.FileMode(mode) & fs.ModePerm
			}
		}
	}
	if entry.Type == transport.TypeDir {
		entry.Size = -1 // that of a folder is the server's own affair
	}
	return self
}

func applyType(entry *transport.Entry, value string) (self bool) {
	switch v := strings.ToLower(value); {
	case v == "file":
		entry.Type = transport.TypeFile
	case v == "dir":
		entry.Type = transport.TypeDir
	case v == "cdir" || v == "pdir":
		entry.Type, self = transport.TypeDir, true
	case strings.HasPrefix(v, "os.unix=slink"), strings.HasPrefix(v, "os.unix=symlink"):
		entry.Type = transport.TypeLink
		if _, target, ok := strings.Cut(value, ":"); ok {
			entry.Target = target
		}
	default:
		entry.Type = transport.TypeOther
	}
	return self
}

// MLST reads the lines between the first and the last of a reply to MLST.
// Each begins with a space, which some servers forget and others double; the
// facts of one entry may be spread over several.
func MLST(text string) (entry transport.Entry, ok bool) {
	lines := strings.Split(text, "\n")
	if len(lines) < 3 {
		return transport.Entry{}, false
	}
	entry = transport.Entry{Type: transport.TypeUnknown, Size: -1}
	var all strings.Builder
	for _, line := range lines[1 : len(lines)-1] {
		facts, name, found := splitFacts(strings.TrimLeft(line, " "))
		if !found || !strings.Contains(facts, "=") {
			continue
		}
		all.WriteString(facts + ";")
		entry.Name, ok = name, true
	}
	applyFacts(&entry, all.String())
	return entry, ok
}
