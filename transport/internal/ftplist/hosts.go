package ftplist

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The forms of LIST on hosts that are neither Unix nor Windows. A heading says which it is,
// but on IBM i, whose lines name the type of an object. Of data sets, members and VMS files
// the sizes are in tracks, records and blocks, so that none is told.

// hostLines reads a listing line by line; the zero value has read none.
type hostLines struct {
	read func(line string, zone *time.Location) (entry transport.Entry, skip, ok bool)
	// name is, on VMS, one that stood on a line of its own, and last the one before.
	name, last string
}

var hostHeadings = []struct {
	heading *regexp.Regexp
	read    func(h *hostLines) func(string, *time.Location) (transport.Entry, bool, bool)
}{
	{regexp.MustCompile(`^Volume\s+Unit\s+Referred\s+Ext\b`), func(*hostLines) func(string, *time.Location) (transport.Entry, bool, bool) { return parseDataSet }},
	{regexp.MustCompile(`^\s*Name\s+VV\.MM\s+Created\b`), func(*hostLines) func(string, *time.Location) (transport.Entry, bool, bool) { return parseMember }},
	{regexp.MustCompile(`^\s*Name\s+Size\s+TTR\b`), func(*hostLines) func(string, *time.Location) (transport.Entry, bool, bool) { return parseMember }},
	{regexp.MustCompile(`^Directory\s+\S+:\[.*\]`), func(h *hostLines) func(string, *time.Location) (transport.Entry, bool, bool) { return h.parseVMS }},
	{regexp.MustCompile(`^File\s+Code\s+EOF\s+Last Modification`), func(*hostLines) func(string, *time.Location) (transport.Entry, bool, bool) { return parseNonStop }},
}

// parse reads one line. ok is false where it is in none of these forms.
func (h *hostLines) parse(line string, zone *time.Location) (entry transport.Entry, skip, ok bool) {
	if h.read != nil {
		return h.read(line, zone)
	}
	for _, form := range hostHeadings {
		if form.heading.MatchString(line) {
			h.read = form.read(h)
			return transport.Entry{}, true, true
		}
	}
	return parseIBMi(line, zone)
}

// dataSetLine is for instance "WYOSPT 3390   2003/05/21  1  200  FB  80  8053  PS  A.B",
// and of what is on tape or not at hand a few words and the name.
var dataSetLine = regexp.MustCompile(`^(\S+)\s+\S+\s+(\d{4}/\d{2}/\d{2}|\*\*NONE\*\*)\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+(\S+)\s+(\S+)$`)

func parseDataSet(line string, zone *time.Location) (transport.Entry, bool, bool) {
	e := transport.Entry{Type: transport.TypeUnknown, Size: -1}
	m := dataSetLine.FindStringSubmatch(line)
	if m == nil {
		f := strings.Fields(line) // "Migrated A.B", "Pseudo Directory A", "ARCIVE Not Direct Access Device A.B"
		if len(f) < 2 {
			return e, false, false
		}
		e.Name = unquoted(f[len(f)-1])
		if strings.HasPrefix(line, "Pseudo Directory") {
			e.Type = transport.TypeDir
		}
		return e, false, e.Name != ""
	}
	switch m[3] {
	case "PS":
		e.Type = transport.TypeFile
	case "PO", "PO-E": // its members are files
		e.Type = transport.TypeDir
	default:
		e.Type = transport.TypeOther
	}
	// The day when it was last looked at: not that of its content.
	e.Name = unquoted(m[4])
	return e, false, e.Name != ""
}

func unquoted(s string) string { return strings.Trim(s, "'") }

// memberLine is for instance "CONT0001 01.00 2003/10/08 2003/10/08 13:50  8  8  0 USERID".
var memberLine = regexp.MustCompile(`^\s*(\S{1,8})\s+\d{2}\.\d{2}\s+\d{4}/\d{2}/\d{2}\s+(\d{4}/\d{2}/\d{2}\s+\d{2}:\d{2})\b`)

func parseMember(line string, zone *time.Location) (transport.Entry, bool, bool) {
	e := transport.Entry{Type: transport.TypeFile, Size: -1}
	if m := memberLine.FindStringSubmatch(line); m != nil {
		e.Name = m[1]
		e.ModTime = hostTime("2006/01/02 15:04", m[2], zone)
		return e, false, true
	}
	f := strings.Fields(line) // without statistics, or of load modules
	if len(f) == 0 || len(f[0]) > 8 {
		return e, false, false
	}
	e.Name = f[0]
	return e, false, true
}

// vmsLine is "NAME.TXT;1  155/156  19-JUN-2001 11:12:03.00  [GROUP,USER]  (RWED,RE,,)".
var (
	vmsLine  = regexp.MustCompile(`^\s*(\S*;\d+)?\s*\d+(?:/\d+)?\s+(\d{1,2}-` + months + `-\d{4}\s+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)`)
	vmsName  = regexp.MustCompile(`^(\S+;\d+)\s*$`)
	vmsTotal = regexp.MustCompile(`^(?:Grand total|Total) of \d+`)
)

func (h *hostLines) parseVMS(line string, zone *time.Location) (transport.Entry, bool, bool) {
	e := transport.Entry{Type: transport.TypeFile, Size: -1}
	if m := vmsName.FindStringSubmatch(line); m != nil {
		h.name = m[1] // too long for its column
		return e, true, true
	}
	m := vmsLine.FindStringSubmatch(line)
	if m == nil {
		return e, true, vmsTotal.MatchString(line) || strings.HasPrefix(line, "Directory ")
	}
	name := m[1]
	if name == "" {
		name, h.name = h.name, ""
	}
	e.Name, _, _ = strings.Cut(name, ";") // without its version the highest is meant,
	if e.Name == h.last {                 // which comes first
		return e, true, true
	}
	h.last = e.Name
	if folder, ok := strings.CutSuffix(strings.ToUpper(e.Name), ".DIR"); ok {
		e.Type, e.Name = transport.TypeDir, e.Name[:len(folder)]
	}
	stamp, _, _ := strings.Cut(m[2], ".")
	stamp = strings.Join(strings.Fields(stamp), " ")
	if e.ModTime = hostTime("2-Jan-2006 15:04:05", stamp, zone); e.ModTime.IsZero() {
		e.ModTime = hostTime("2-Jan-2006 15:04", stamp, zone)
	}
	return e, false, e.Name != ""
}

// nonStopLine is for instance `IARPTS  101  16354 18-Mar-09 15:09:12 244, 10 "nnnn"`.
var nonStopLine = regexp.MustCompile(`^(\S+)\s+\d+\S?\s+(\d+)\s+(\d{1,2}-` + months + `-\d{2}\s+\d{2}:\d{2}:\d{2})\s`)

func parseNonStop(line string, zone *time.Location) (transport.Entry, bool, bool) {
	e := transport.Entry{Type: transport.TypeFile, Size: -1}
	m := nonStopLine.FindStringSubmatch(line)
	if m == nil {
		return e, false, false
	}
	e.Name = m[1]
	if n, err := strconv.ParseInt(m[2], 10, 64); err == nil {
		e.Size = n
	}
	e.ModTime = hostTime("2-Jan-06 15:04:05", strings.Join(strings.Fields(m[3]), " "), zone)
	return e, false, true
}

// ibmiLine is for instance "USER  14336 02/27/08 09:21:50 *FILE  TEST/", in either of its
// two forms of names; members have neither size nor date.
var ibmiLine = regexp.MustCompile(`^(?:\S+\s+(\d+)\s+(\d{2}/\d{2}/\d{2}\s+\d{2}:\d{2}:\d{2})\s+|\S*\s+)(\*[A-Z]+)\s+(\S.*?)/?$`)

func parseIBMi(line string, zone *time.Location) (transport.Entry, bool, bool) {
	m := ibmiLine.FindStringSubmatch(line)
	if m == nil {
		return transport.Entry{}, false, false
	}
	e := transport.Entry{Name: m[4], Type: transport.TypeOther, Size: -1}
	switch m[3] {
	case "*DIR", "*DDIR", "*LIB", "*FLR":
		e.Type = transport.TypeDir
	case "*FILE": // a physical file, which has members, or a save file
		e.Type = transport.TypeUnknown
	case "*STMF", "*DSTMF", "*DOC", "*MEM":
		e.Type = transport.TypeFile
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil && m[3] != "*MEM" {
			e.Size = n
		}
	}
	if strings.Contains(e.Name, "/") {
		return e, true, true // a member, named with its file: it is in that
	}
	e.ModTime = hostTime("01/02/06 15:04:05", strings.Join(strings.Fields(m[2]), " "), zone)
	return e, false, e.Name != ""
}

// hostTime reads a time, zero where it makes no sense.
func hostTime(layout, stamp string, zone *time.Location) time.Time {
	t, err := time.ParseInLocation(layout, stamp, zone)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
