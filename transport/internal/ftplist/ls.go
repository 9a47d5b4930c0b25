package ftplist

import (
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The forms of LIST. Nearly every server has that of ls -l or that of DIR. The
// columns of ls vary (the group may be missing, an owner may have spaces), so it is
// read from the date, which does not: the number before it is the size, and one
// space behind it begins the name.
//
// Those of other hosts are in hosts.go.
const (
	months = `(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)`
	lsDate = `(` + months + `\s+\d{1,2}\s+(?:\d{4}|\d{1,2}:\d{2}(?::\d{2}\s+\d{4})?)` + // ls, ls -T
		`|\d{1,2}\.?\s+` + months + `\s+(?:\d{4}|\d{1,2}:\d{2})` + // where the day comes first
		`|\d{4}-\d{2}-\d{2}\s+\d{2}:\d{2}(?::\d{2}(?:\.\d+)?(?:\s+[-+]\d{4})?)?)` // --time-style=long-iso, full-iso
)

var (
	lsLine  = regexp.MustCompile(`^([-dlbcpsDCMPnw?])([-rwxsStTlL]{9})[.+@]?\s+(?:.*?\s)??(\d+)\s+` + lsDate + ` (.+)$`)
	dirLine = regexp.MustCompile(`^(\d{2}[-/]\d{2}[-/](?:\d{4}|\d{2})\s+\d{1,2}:\d{2}(?:\s?(?i:[ap]m))?|\d{4}[-/]\d{2}[-/]\d{2}\s+\d{2}:\d{2})\s+(<[A-Z]+>|\d[\d,]*)\s(.*)$`)
	// NetWare's has rights in brackets, and an owner.
	netWareLine = regexp.MustCompile(`^([-d])\s*\[[-A-Z ]{8,10}\]\s+(?:.*?\s)??(\d+)\s+` + lsDate + ` (.+)$`)
	lsTotal     = regexp.MustCompile(`^(?i:total|gesamt|insgesamt)\s+\d[\d.,]*[KMGT]?$`)
)

// Lines parses the lines of one LIST; times are in the zone of now.
func Lines(now time.Time) func(line string) (entry transport.Entry, skip, ok bool) {
	var h hostLines
	return func(line string) (entry transport.Entry, skip, ok bool) {
		if h.read == nil {
			if entry, skip, ok = parseHuman(line, now); ok {
				return entry, skip, ok
			}
		}
		return h.parse(line, now.Location())
	}
}

// parseHuman parses a line of LIST; times are in the zone of now. skip is true for
// lines that are no entry.
func parseHuman(line string, now time.Time) (entry transport.Entry, skip, ok bool) {
	if lsTotal.MatchString(line) {
		return transport.Entry{}, true, true
	}
	if m := lsLine.FindStringSubmatch(line); m != nil {
		return parseLs(m, now)
	}
	if m := dirLine.FindStringSubmatch(line); m != nil {
		return parseDir(m, now.Location())
	}
	if strings.HasPrefix(line, "+") {
		return parseEPLF(line)
	}
	if m := netWareLine.FindStringSubmatch(line); m != nil {
		return parseLs([]string{m[0], m[1], "---------", m[2], m[3], m[4]}, now)
	}
	return transport.Entry{}, false, false
}

func parseLs(m []string, now time.Time) (entry transport.Entry, skip, ok bool) {
	entry = transport.Entry{Name: m[5], Type: transport.TypeOther, Size: -1, Perm: permOf(m[2])}
	size, err := strconv.ParseInt(m[3], 10, 64)
	switch m[1] {
	case "-":
		entry.Type = transport.TypeFile
		if err == nil {
			entry.Size = size
		}
	case "d":
		entry.Type = transport.TypeDir
	case "l":
		entry.Type = transport.TypeLink
		entry.Name, entry.Target = splitLink(entry.Name, size)
	}
	entry.ModTime = lsTime(strings.Join(strings.Fields(m[4]), " "), now)
	return entry, false, true
}

// splitLink parts "name -> target". Where there are several arrows, the size of the
// link, which is the length of its target, tells which it is.
func splitLink(s string, size int64) (name, target string) {
	const arrow = " -> "
	if at := int64(len(s)) - size - int64(len(arrow)); at > 0 && size > 0 && strings.HasPrefix(s[at:], arrow) {
		return s[:at], s[at+int64(len(arrow)):]
	}
	name, target, found := strings.Cut(s, arrow)
	if !found || name == "" {
		return s, ""
	}
	return name, target
}

// permOf reads "rwxr-xr-x"; set-id and sticky bits are not permissions here.
func permOf(s string) fs.FileMode {
	var mode fs.FileMode
	for i, c := range []byte(s) {
		mode <<= 1
		switch {
		case c == '-', i%3 == 2 && (c == 'S' || c == 'T' || c == 'l' || c == 'L'):
		default:
			mode |= 1
		}
	}
	return mode
}

// lsTime reads a date of ls in the zone of now, zero if it makes no sense. Without
// a year it is the last such day that is not more than a day ahead, for clocks
// differ, and zones too where nobody has told which it is.
func lsTime(s string, now time.Time) time.Time {
	zone := now.Location()
	for _, layout := range []string{"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02 15:04",
		"Jan 2 2006", "Jan 2 15:04:05 2006", "2 Jan 2006", "2. Jan 2006"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.UTC()
		}
	}
	for _, layout := range []string{"2006 Jan 2 15:04", "2006 2 Jan 15:04", "2006 2. Jan 15:04"} {
		// A leap year, so that Feb 29 parses.
		if t, err := time.Parse(layout, "2000 "+s); err == nil {
			return lastSuch(t, now)
		}
	}
	return time.Time{}
}

// lastSuch gives a day and a time their year.
func lastSuch(t, now time.Time) time.Time {
	for year := now.Year() + 1; year > now.Year()-9; year-- {
		d := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
		if d.Day() == t.Day() && d.Before(now.Add(24*time.Hour)) {
			return d.UTC()
		}
	}
	return time.Time{}
}

// dirColumn is how wide the size is in DIR, where it is not a number, without the
// space behind it.
const dirColumn = 14

func parseDir(m []string, zone *time.Location) (entry transport.Entry, skip, ok bool) {
	entry = transport.Entry{Name: m[3], Type: transport.TypeFile, Size: -1}
	if m[2][0] == '<' {
		// The column is filled up with spaces; a name may begin with others.
		for range dirColumn - len(m[2]) {
			entry.Name = strings.TrimPrefix(entry.Name, " ")
		}
	}
	switch m[2] {
	case "<DIR>":
		entry.Type = transport.TypeDir
	case "<JUNCTION>", "<SYMLINK>", "<SYMLINKD>":
		entry.Type = transport.TypeLink
	default:
		n, err := strconv.ParseInt(strings.ReplaceAll(m[2], ",", ""), 10, 64)
		if err != nil {
			entry.Type = transport.TypeOther
			break
		}
		entry.Size = n
	}
	date, clock, _ := strings.Cut(strings.ReplaceAll(m[1], "/", "-"), " ")
	stamp := date + " " + strings.ToUpper(strings.ReplaceAll(clock, " ", ""))
	for _, layout := range []string{"01-02-06 3:04PM", "01-02-2006 3:04PM", "01-02-06 15:04", "01-02-2006 15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, stamp, zone); err == nil {
			entry.ModTime = t.UTC()
			break
		}
	}
	return entry, false, entry.Name != ""
}

// parseEPLF is for the "easily parsed LIST format" of publicfile and others: a
// plus sign, facts with commas, a tab, and the name. Its times are seconds
// since 1970, so that they are exact.
func parseEPLF(line string) (entry transport.Entry, skip, ok bool) {
	facts, name, ok := strings.Cut(line[1:], "\t")
	if !ok || name == "" {
		return transport.Entry{}, false, false
	}
	entry = transport.Entry{Name: name, Type: transport.TypeUnknown, Size: -1}
	for fact := range strings.SplitSeq(facts, ",") {
		if fact == "" {
			continue
		}
		switch n, err := strconv.ParseInt(fact[1:], 10, 64); {
		case fact == "/":
			entry.Type = transport.TypeDir
		case fact == "r":
			entry.Type = transport.TypeFile
		case fact[0] == 's' && err == nil && n >= 0:
			entry.Size = n
		case fact[0] == 'm' && err == nil && n > 0 && n < 1<<38: // to the year 10000
			entry.ModTime, entry.TimeExact = time.Unix(n, 0).UTC(), true
		case strings.HasPrefix(fact, "up"):
			if mode, err := strconv.ParseUint(fact[2:], 8, 32); err == nil {
				entry.Perm = fs.FileMode(mode) & fs.ModePerm
			}
		}
	}
	if entry.Type == transport.TypeDir {
		entry.Size = -1
	}
	return entry, false, true
}
