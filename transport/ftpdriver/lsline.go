package ftpdriver

import (
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The two forms that LIST has nearly everywhere: that of ls -l, and that of DIR.
// The columns of ls vary (the group may be missing, an owner may have spaces), so
// it is read from the date, which does not: the number before it is the size, and
// one space behind it begins the name.
var (
	lsLine = regexp.MustCompile(`^([-dlbcpsD])([-rwxsStTlL]{9})[.+@]?\s.*?(?:^|\s)(\d+)\s+` +
		`((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\s+\d{1,2}\s+(?:\d{4}|\d{1,2}:\d{2})|\d{4}-\d{2}-\d{2}\s+\d{2}:\d{2}) (.+)$`)
	dirLine = regexp.MustCompile(`^(\d{2}-\d{2}-(?:\d{4}|\d{2})\s+\d{2}:\d{2}(?:[AP]M)?|\d{4}-\d{2}-\d{2}\s+\d{2}:\d{2})\s+(<[A-Z]+>|\d+)\s(.*)$`)
	lsTotal = regexp.MustCompile(`^(?i:total|gesamt|insgesamt)\s+\d+$`)
)

// parseHuman parses a line of LIST. skip is true for lines that are no entry.
func parseHuman(line string, now time.Time) (entry transport.Entry, skip, ok bool) {
	if lsTotal.MatchString(line) {
		return transport.Entry{}, true, true
	}
	if m := lsLine.FindStringSubmatch(line); m != nil {
		return parseLs(m, now)
	}
	if m := dirLine.FindStringSubmatch(line); m != nil {
		return parseDir(m)
	}
	return transport.Entry{}, false, false
}

func parseLs(m []string, now time.Time) (entry transport.Entry, skip, ok bool) {
	entry = transport.Entry{Name: m[5], Type: transport.TypeOther, Size: -1, Perm: permOf(m[2])}
	switch m[1] {
	case "-":
		entry.Type = transport.TypeFile
		if n, err := strconv.ParseInt(m[3], 10, 64); err == nil {
			entry.Size = n
		}
	case "d":
		entry.Type = transport.TypeDir
	case "l":
		entry.Type = transport.TypeLink
		if name, target, found := strings.Cut(entry.Name, " -> "); found && name != "" {
			entry.Name, entry.Target = name, target
		}
	}
	entry.ModTime = lsTime(strings.Join(strings.Fields(m[4]), " "), now)
	return entry, false, true
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

// lsTime reads a date of ls, zero if it makes no sense. Without a year it is the
// last such day that is not more than a day ahead, for clocks and zones differ.
func lsTime(s string, now time.Time) time.Time {
	if t, err := time.Parse("2006-01-02 15:04", s); err == nil {
		return t
	}
	if t, err := time.Parse("Jan 2 2006", s); err == nil {
		return t
	}
	// A leap year, so that Feb 29 parses.
	t, err := time.Parse("2006 Jan 2 15:04", "2000 "+s)
	if err != nil {
		return time.Time{}
	}
	now = now.UTC()
	for year := now.Year() + 1; year > now.Year()-9; year-- {
		d := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
		if d.Day() == t.Day() && d.Before(now.Add(24*time.Hour)) {
			return d
		}
	}
	return time.Time{}
}

func parseDir(m []string) (entry transport.Entry, skip, ok bool) {
	entry = transport.Entry{Name: strings.TrimLeft(m[3], " "), Size: -1}
	switch m[2] {
	case "<DIR>":
		entry.Type = transport.TypeDir
	case "<JUNCTION>", "<SYMLINK>", "<SYMLINKD>":
		entry.Type = transport.TypeLink
	default:
		n, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil {
			entry.Type = transport.TypeOther
			break
		}
		entry.Size = n
	}
	stamp := strings.Join(strings.Fields(m[1]), " ")
	for _, layout := range []string{"01-02-06 03:04PM", "01-02-2006 03:04PM", "01-02-06 15:04", "01-02-2006 15:04", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, stamp); err == nil {
			entry.ModTime = t
			break
		}
	}
	return entry, false, entry.Name != ""
}
