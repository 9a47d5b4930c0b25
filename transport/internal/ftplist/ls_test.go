package ftplist

import (
	"io/fs"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Lines as they are shown by servers' documents, by other clients' tests and by
// people who ask what is wrong with theirs.
func TestShapesOfLIST(t *testing.T) {
	now := day(2026, 11, 24, 12, 0, 0)
	file := func(name string, size int64, perm uint32, mtime time.Time) transport.Entry {
		e := transport.Entry{Name: name, Type: transport.TypeFile, Size: size, ModTime: mtime}
		e.Perm = fs.FileMode(perm)
		return e
	}
	of := func(e transport.Entry, typ transport.EntryType, target string) transport.Entry {
		e.Type, e.Size, e.Target = typ, -1, target
		return e
	}
	exact := func(e transport.Entry) transport.Entry { e.TimeExact = true; return e }
	y20 := day(2020, 1, 2, 0, 0, 0)
	for line, want := range map[string]transport.Entry{
		// ls, with all that may be missing or added.
		"-rw-r--r-- 1 owner group 5 Jan 2 2020 plain":                      file("plain", 5, 0o644, y20),
		"-rw-r--r-- 1 owner 5 Jan 2 2020 without a group":                  file("without a group", 5, 0o644, y20),
		"-rw-r--r-- owner group 5 Jan 2 2020 without links":                file("without links", 5, 0o644, y20),
		"-rw-r--r-- 5 Jan 2 2020 without anybody":                          file("without anybody", 5, 0o644, y20),
		"-rw-rw-r--+ 1 owner group 5 Jan 2 2020 ACL":                       file("ACL", 5, 0o664, y20),
		"-rw-rw-r--. 1 owner group 5 Jan 2 2020 SELinux":                   file("SELinux", 5, 0o664, y20),
		"-rw-rw-r--@ 1 owner group 5 Jan 2 2020 macOS":                     file("macOS", 5, 0o664, y20),
		"-rw-r--r-- 1 1000 100 5 Jan 2 2020 numbers":                       file("numbers", 5, 0o644, y20),
		"-rw-r--r-- 1 DOMAIN\\first last domain users 5 Jan 2 2020 spaces": file("spaces", 5, 0o644, y20),
		"-rwsr-sr-t 1 0 0 5 Jan 2 2020 set-id":                             file("set-id", 5, 0o755, y20),
		"-rwSr-Sr-T 1 0 0 5 Jan 2 2020 set-id, no x":                       file("set-id, no x", 5, 0o644, y20),
		"-rw-r--r-- 1 0 0 8589934592000 Jan 2 2020 large":                  file("large", 8589934592000, 0o644, y20),
		"-rw-r--r-- 1 0 0 5 Nov 24 9:41 one digit":                         file("one digit", 5, 0o644, day(2026, 11, 24, 9, 41, 0)),
		"-rw-r--r-- 1 0 0 5 nov 24 09:41 lower case":                       file("lower case", 5, 0o644, day(2026, 11, 24, 9, 41, 0)),
		"-rw-r--r-- 1 0 0 5 24 Nov 09:41 day first":                        file("day first", 5, 0o644, day(2026, 11, 24, 9, 41, 0)),
		"-rw-r--r-- 1 0 0 5 24. Nov 2020 day first, dot":                   file("day first, dot", 5, 0o644, day(2020, 11, 24, 0, 0, 0)),
		"-rw-r--r-- 1 0 0 5 Jan 2 03:04:05 2020 BSD -T":                    file("BSD -T", 5, 0o644, day(2020, 1, 2, 3, 4, 5)),
		"-rw-r--r-- 1 0 0 5 2020-01-02 03:04:05.000000000 +0100 full-iso":  file("full-iso", 5, 0o644, day(2020, 1, 2, 2, 4, 5)),
		"-rw-r--r-- 1 0 0 5 2020-01-02 03:04:05 iso":                       file("iso", 5, 0o644, day(2020, 1, 2, 3, 4, 5)),
		"drwxr-xr-x folder 2 Jan 2 2020 NetPresenz":                        of(file("NetPresenz", 0, 0o755, y20), transport.TypeDir, ""),
		"-------r-- 326 1391972 1392298 Jan 2 2020 NetPresenz.sit":         file("NetPresenz.sit", 1392298, 0o004, y20),
		"drwxrwsr-t 2 0 0 4096 Jan 2 2020 d":                               of(file("d", 0, 0o775, y20), transport.TypeDir, ""),
		"crw-rw-rw- 1 0 0 1, 3 Jan 2 2020 null":                            of(file("null", 0, 0o666, y20), transport.TypeOther, ""),
		"brw-rw---- 1 0 6 8, 0 Jan 2 2020 sda":                             of(file("sda", 0, 0o660, y20), transport.TypeOther, ""),
		"srwxr-xr-x 1 0 0 0 Jan 2 2020 socket":                             of(file("socket", 0, 0o755, y20), transport.TypeOther, ""),
		"prw-r--r-- 1 0 0 0 Jan 2 2020 pipe":                               of(file("pipe", 0, 0o644, y20), transport.TypeOther, ""),
		"lrwxrwxrwx 1 0 0 8 Jan 2 2020 l -> /a b/ c":                       of(file("l", 0, 0o777, y20), transport.TypeLink, "/a b/ c"),
		"lrwxrwxrwx 1 0 0 1 Jan 2 2020 a -> b -> c":                        of(file("a -> b", 0, 0o777, y20), transport.TypeLink, "c"),
		"lrwxrwxrwx 1 0 0 6 Jan 2 2020 a -> b -> c":                        of(file("a", 0, 0o777, y20), transport.TypeLink, "b -> c"),
		"lrwxrwxrwx 1 0 0 4096 Jan 2 2020 a -> b":                          of(file("a", 0, 0o777, y20), transport.TypeLink, "b"),
		"lrwxrwxrwx 1 0 0 3 Jan 2 2020 no target":                          of(file("no target", 0, 0o777, y20), transport.TypeLink, ""),
		"-rw-r--r-- 1 0 0 5 Jan 2 2020 a -> b":                             file("a -> b", 5, 0o644, y20),
		"-rw-r--r-- 1 0 0 5 Jan 2 2020  x ":                                file(" x ", 5, 0o644, y20),
		"-rw-r--r-- 1 0 0 5 Jan 2 2020 \x83\x5c\x94\x7c":                   file("\x83\x5c\x94\x7c", 5, 0o644, y20),

		// DIR, as IIS and others send it.
		"01-02-20  03:04PM       <DIR>          d":            of(file("d", 0, 0, day(2020, 1, 2, 15, 4, 0)), transport.TypeDir, ""),
		"01-02-20  03:04PM       <DIR>           d ":          of(file(" d ", 0, 0, day(2020, 1, 2, 15, 4, 0)), transport.TypeDir, ""),
		"01-02-2020  12:04AM                  505 f":          file("f", 505, 0, day(2020, 1, 2, 0, 4, 0)),
		"01-02-2020  03:04PM                  505  f":         file(" f", 505, 0, day(2020, 1, 2, 15, 4, 0)),
		"01-02-98  15:04                      505 two digits": file("two digits", 505, 0, day(1998, 1, 2, 15, 4, 0)),
		"01/02/2020  03:04 PM           1,234,567 slashes":    file("slashes", 1234567, 0, day(2020, 1, 2, 15, 4, 0)),
		"2020/01/02  15:04                      5 iso":        file("iso", 5, 0, day(2020, 1, 2, 15, 4, 0)),
		"01-02-20  03:04PM       <JUNCTION>     j":            of(file("j", 0, 0, day(2020, 1, 2, 15, 4, 0)), transport.TypeLink, ""),
		"13-02-20  03:04PM                      5 odd month":  file("odd month", 5, 0, time.Time{}),

		// EPLF.
		"+i8388621.48594,m825718503,r,s280,up644\tdjb.html": exact(file("djb.html", 280, 0o644, time.Unix(825718503, 0).UTC())),
		"+i8388621.50690,m824255907,/,\t514":                of(exact(file("514", 0, 0, time.Unix(824255907, 0).UTC())), transport.TypeDir, ""),
		"+,\tnothing is known":                              of(transport.Entry{Name: "nothing is known"}, transport.TypeUnknown, ""),
		"+m-1,sx,r,\todd numbers":                           {Name: "odd numbers", Type: transport.TypeFile, Size: -1},

		// NetWare.
		"d [R----F--] supervisor            512       Jan 16 18:53    login":         of(file("   login", 0, 0, day(2026, 1, 16, 18, 53, 0)), transport.TypeDir, ""),
		"- [-RWCEAFMS] rhesus             214059       Oct 20 15:27 cx.exe":          file("cx.exe", 214059, 0, day(2026, 10, 20, 15, 27, 0)),
		"d[RWCEAFMS] admin of all           512       Jan 16  2020 login and others": of(file("login and others", 0, 0, day(2020, 1, 16, 0, 0, 0)), transport.TypeDir, ""),
	} {
		got, skip, ok := parseHuman(line, now)
		if got != want || skip || !ok {
			t.Errorf("%q:\n got %+v, %v\nwant %+v", line, got, ok, want)
		}
	}
	for _, line := range []string{"total 12", "total 0", "Total 1.5K", "insgesamt 12"} {
		if _, skip, ok := parseHuman(line, now); !skip || !ok {
			t.Errorf("%q is taken for an entry", line)
		}
	}
}

// Forms that are not supported must not be taken for others: a made-up name would
// be fetched, and a real one that is not there be deleted from a mirror.
func TestUnsupportedShapes(t *testing.T) {
	for form, lines := range map[string][]string{
		"VMS": {"Directory DISK$USER:[ANONYMOUS]", "CII-MANUAL.TEX;1  213/216  29-JAN-1996 03:33:12  [ANONYMOU,ANONYMOUS]   (RWED,RWED,,)",
			"CORE.DIR;1          1/2    8-SEP-1996 16:09  [SYSTEM]  (RWE,RWE,RE,RE)"},
		"z/OS":            {"Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname", "WYOSPT 3420   2003/05/21  1  200  FB      80  8053  PS  48-MVS.FILE", "WPTA01 3290   2004/03/04  1    3  FB      80  3125  PO  49-MVS.DATASET"},
		"z/OS, members":   {" Name     VV.MM   Created       Changed      Size  Init   Mod   Id", "BUILD     01.77 2004/04/23 2004/06/08 14:51   103    70     0 GATES"},
		"IBM i":           {"QSYS            77824 02/23/00 15:09:55 *DIR       QOpenSys/", "QDOC            77824 12/09/00 01:01:01 *FLR       f"},
		"names alone":     {"readme.txt", "src"},
		"errors":          {"ls: cannot access 'x': Permission denied", "550 no"},
		"ls, cut off":     {"-rw-r--r-- 1 a b", "-rw-r--r-- 1 a b 5 Jan 2", "-rw-r--r-- 1 a b 5 Jan 2 2020", "-rw-r--r-- 1 a b 5 Jan 2 2020 "},
		"EPLF, cut off":   {"+", "+i1,m2", "+i1,m2,\t"},
		"Novell, cut off": {"d [R----F--]", "d [R----F--] a 512"},
	} {
		for _, line := range lines {
			if e, skip, ok := parseHuman(line, day(2026, 11, 24, 12, 0, 0)); ok {
				t.Errorf("%s: %q is %+v, %v", form, line, e, skip)
			}
		}
	}
}

func TestListZone(t *testing.T) {
	tokyo, newYork := zone(t, "Asia/Tokyo"), zone(t, "America/New_York")
	line := func(date string) string { return "-rw-r--r-- 1 a b 5 " + date + " f" }
	for _, tt := range []struct {
		zone      *time.Location
		now, want time.Time
		line      string
	}{
		{tokyo, day(2026, 11, 24, 12, 0, 0), day(2026, 11, 24, 10, 41, 0), line("Nov 24 19:41")},
		{newYork, day(2026, 11, 24, 12, 0, 0), day(2026, 11, 24, 11, 41, 0), line("Nov 24 06:41")},
		{newYork, day(2026, 7, 24, 12, 0, 0), day(2026, 7, 24, 10, 41, 0), line("Jul 24 06:41")}, // summer time
		{tokyo, day(2026, 11, 24, 12, 0, 0), day(2020, 1, 1, 15, 0, 0), line("Jan 2 2020")},
		{tokyo, day(2026, 11, 24, 12, 0, 0), day(2020, 1, 2, 3, 4, 5), line("2020-01-02 12:04:05")},
		{tokyo, day(2026, 11, 24, 12, 0, 0), day(2020, 1, 2, 6, 4, 0), "01-02-20  03:04PM                  5 f"},
		// New Year: it is 2027 there and 2026 here, and the other way round.
		{tokyo, day(2026, 12, 31, 23, 30, 0), day(2026, 12, 31, 23, 25, 0), line("Jan  1 08:25")},
		{tokyo, day(2026, 12, 31, 23, 30, 0), day(2026, 12, 31, 14, 59, 0), line("Dec 31 23:59")},
		{tokyo, day(2027, 1, 1, 0, 30, 0), day(2026, 12, 31, 14, 59, 0), line("Dec 31 23:59")},
		{newYork, day(2027, 1, 1, 4, 30, 0), day(2027, 1, 1, 4, 25, 0), line("Dec 31 23:25")},
		{newYork, day(2027, 1, 1, 5, 30, 0), day(2027, 1, 1, 5, 25, 0), line("Jan  1 00:25")},
		{newYork, day(2027, 1, 1, 5, 30, 0), day(2027, 1, 1, 4, 59, 0), line("Dec 31 23:59")},
		// Clocks that differ.
		{time.UTC, day(2026, 12, 31, 23, 59, 0), day(2027, 1, 1, 0, 10, 0), line("Jan  1 00:10")},
		{time.UTC, day(2027, 1, 1, 0, 10, 0), day(2026, 12, 31, 23, 59, 0), line("Dec 31 23:59")},
		{time.UTC, day(2027, 3, 1, 12, 0, 0), day(2024, 2, 29, 11, 0, 0), line("Feb 29 11:00")},
		{newYork, day(2024, 2, 29, 23, 30, 0), day(2024, 2, 29, 23, 25, 0), line("Feb 29 18:25")},
	} {
		e, _, ok := parseHuman(tt.line, tt.now.In(tt.zone))
		if !ok || !e.ModTime.Equal(tt.want) || e.ModTime.Location() != time.UTC || e.TimeExact {
			t.Errorf("%q in %v at %v is %v, want %v", tt.line, tt.zone, tt.now, e.ModTime, tt.want)
		}
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
