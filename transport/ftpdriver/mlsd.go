package ftpdriver

import (
	"io/fs"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// parseFacts reads a line of MLSD, or of MLST without its leading space (RFC 3659
// section 7.2): "type=file;size=3;modify=20260102030405; name". self is true for
// the listed folder itself and its parent.
func parseFacts(line string) (entry transport.Entry, self, ok bool) {
	facts, name, ok := splitFacts(line)
	if !ok || name == "" {
		return transport.Entry{}, false, false
	}
	entry = transport.Entry{Name: name, Type: transport.TypeUnknown, Size: -1}
	self = applyFacts(&entry, facts)
	return entry, self, true
}

// splitFacts finds the space between facts and name. Facts have none, except the
// target of a link in "type=OS.unix=slink:/my file;", so a space behind a
// semicolon is preferred there.
func splitFacts(line string) (facts, name string, ok bool) {
	i := strings.IndexByte(line, ' ')
	if i < 0 {
		return "", "", false
	}
	if i > 0 && line[i-1] != ';' && strings.Contains(strings.ToLower(line[:i]), "slink:") {
		if j := strings.Index(line, "; "); j >= 0 {
			i = j + 1
		}
	}
	return line[:i], line[i+1:], true
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
			if t, ok := parseTime(value); ok {
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

// parseMLST reads the lines between the first and the last of a reply to MLST.
// Each begins with a space, which some servers forget and others double; the
// facts of one entry may be spread over several.
func parseMLST(text string) (entry transport.Entry, ok bool) {
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
