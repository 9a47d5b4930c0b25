package ftplist

import (
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func day(y int, m time.Month, d, h, min, s int) time.Time {
	return time.Date(y, m, d, h, min, s, 0, time.UTC)
}

// Lines as vsftpd, ProFTPD, Pure-FTPd, ftpserverlib, IIS and FileZilla send them.
func TestParseFacts(t *testing.T) {
	for line, want := range map[string]transport.Entry{
		"type=file;size=3;modify=20260102030405; name":          {Name: "name", Type: transport.TypeFile, Size: 3, ModTime: day(2026, 1, 2, 3, 4, 5), TimeExact: true},
		"Type=FILE;Size=3;Modify=20260102030405.5; a b":         {Name: "a b", Type: transport.TypeFile, Size: 3, ModTime: day(2026, 1, 2, 3, 4, 5).Add(time.Second / 2), TimeExact: true},
		"type=dir;size=4096;UNIX.mode=0755; d":                  {Name: "d", Type: transport.TypeDir, Size: -1, Perm: 0o755},
		"type=dir;sizd=4096; d":                                 {Name: "d", Type: transport.TypeDir, Size: -1},
		"type=OS.unix=slink:/a/target;modify=20260102030405; l": {Name: "l", Type: transport.TypeLink, Size: -1, Target: "/a/target", ModTime: day(2026, 1, 2, 3, 4, 5), TimeExact: true},
		"type=OS.unix=slink:/a target;perm=r; l n":              {Name: "l n", Type: transport.TypeLink, Size: -1, Target: "/a target"},
		"type=OS.unix=symlink;size=4;UNIX.mode=0777; l":         {Name: "l", Type: transport.TypeLink, Size: 4, Perm: 0o777},
		"type=OS.unix=chr-1/3; null":                            {Name: "null", Type: transport.TypeOther, Size: -1},
		"type=file;size=99999999999999999999; big":              {Name: "big", Type: transport.TypeFile, Size: -1},
		"type=file;size=-1;modify=yesterday; odd":               {Name: "odd", Type: transport.TypeFile, Size: -1},
		"type=file;size=1; leading space":                       {Name: "leading space", Type: transport.TypeFile, Size: 1},
		"type=file;size=1;  two spaces":                         {Name: " two spaces", Type: transport.TypeFile, Size: 1},
		"type=file;size=1; a; b":                                {Name: "a; b", Type: transport.TypeFile, Size: 1},
		"type=file;size=1 no semicolon":                         {Name: "no semicolon", Type: transport.TypeFile, Size: 1},
		// Groups of Active Directory have spaces.
		"modify=20260101101010;size=5;UNIX.groupname=domain users;UNIX.mode=0600;type=file; report.csv": {Name: "report.csv", Type: transport.TypeFile, Size: 5, Perm: 0o600, ModTime: day(2026, 1, 1, 10, 10, 10), TimeExact: true},
		"type=file;UNIX.ownername=A B;UNIX.groupname=domain users; a; b c":                              {Name: "a; b c", Type: transport.TypeFile, Size: -1},
		"UNIX.groupname=domain users;type=dir; x=y; z":                                                  {Name: "x=y; z", Type: transport.TypeDir, Size: -1},
		"type=file;size=1 a=b; c": {Name: "a=b; c", Type: transport.TypeFile, Size: 1},
		"type=file;size=1 a;b=c;": {Name: "a;b=c;", Type: transport.TypeFile, Size: 1},
		"type=file; a=b;c; d":     {Name: "a=b;c; d", Type: transport.TypeFile, Size: -1},
		"perm=;type=file; x":      {Name: "x", Type: transport.TypeFile, Size: -1},
		" nothing is known":       {Name: "nothing is known", Type: transport.TypeUnknown, Size: -1},
		"perm=r; x":               {Name: "x", Type: transport.TypeUnknown, Size: -1},
		"modify=20260102030405;perm=adfrw;size=2;type=file;unique=FE00U984246;UNIX.mode=0644; -a": {Name: "-a", Type: transport.TypeFile, Size: 2, Perm: 0o644, ModTime: day(2026, 1, 2, 3, 4, 5), TimeExact: true},
	} {
		got, self, ok := Facts(line)
		if got != want || self || !ok {
			t.Errorf("%q:\n got %+v, %v\nwant %+v", line, got, ok, want)
		}
	}
	for _, line := range []string{"type=cdir; /", "type=pdir;modify=20260102030405; .."} {
		if _, self, ok := Facts(line); !self || !ok {
			t.Errorf("%q is taken for an entry", line)
		}
	}
	for _, line := range []string{"", "type=file;", "type=file; "} {
		if e, _, ok := Facts(line); ok {
			t.Errorf("%q is %+v", line, e)
		}
	}
}

func TestParseMLST(t *testing.T) {
	want := transport.Entry{Name: "/d/f", Type: transport.TypeFile, Size: 3, ModTime: day(2026, 1, 2, 3, 4, 5), TimeExact: true}
	for _, text := range []string{
		"Start\n type=file;size=3;modify=20260102030405; /d/f\nEnd",
		"Start\ntype=file;size=3;modify=20260102030405; /d/f\nEnd",
		"Start\n type=file;UNIX.groupname=domain users;size=3;modify=20260102030405; /d/f\nEnd",
		"Start\n   type=file;size=3; /d/f\n modify=20260102030405; /d/f\n\nEnd",
	} {
		if got, ok := MLST(text); got != want || !ok {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "type=file;size=3; f", "a\nb", "a\nb c\nd", "a\n\nb"} {
		if got, ok := MLST(text); ok {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestParseHuman(t *testing.T) {
	now := day(2026, 11, 24, 12, 0, 0)
	for line, want := range map[string]transport.Entry{
		"-rw-r--r--    1 1000     1000            5 Nov 24 11:30 a b":         {Name: "a b", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2026, 11, 24, 11, 30, 0)},
		"-rw-r--r--    1 1000     1000            5 Nov 25 11:30 skew":        {Name: "skew", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2026, 11, 25, 11, 30, 0)},
		"-rw-r--r--    1 1000     1000            5 Nov 26 11:30 last year":   {Name: "last year", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2025, 11, 26, 11, 30, 0)},
		"-rw-r--r--    1 1000     1000            5 Feb 29 11:30 leap":        {Name: "leap", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2024, 2, 29, 11, 30, 0)},
		"-rwsr-Sr-t    1 ftp      ftp             5 Jan  2  2020 old":         {Name: "old", Type: transport.TypeFile, Size: 5, Perm: 0o745, ModTime: day(2020, 1, 2, 0, 0, 0)},
		"drwxr-xr-x    2 1000     1000         4096 Jan 02 2020 d":            {Name: "d", Type: transport.TypeDir, Size: -1, Perm: 0o755, ModTime: day(2020, 1, 2, 0, 0, 0)},
		"lrwxrwxrwx    1 0        0               6 Jan  2  2020 l -> a -> b": {Name: "l", Type: transport.TypeLink, Size: -1, Perm: 0o777, Target: "a -> b", ModTime: day(2020, 1, 2, 0, 0, 0)},
		"crw-rw-rw-    1 0        0          1,   3 Jan  2  2020 null":        {Name: "null", Type: transport.TypeOther, Size: -1, Perm: 0o666, ModTime: day(2020, 1, 2, 0, 0, 0)},
		"-rw-r--r--   1 owner 5 Jan  2  2020 no group":                        {Name: "no group", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2020, 1, 2, 0, 0, 0)},
		"-rw-r--r--   1 DOM\\the user group 5 Jan  2  2020 x":                 {Name: "x", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2020, 1, 2, 0, 0, 0)},
		"-rw-r--r--+  1 a b 5 Jan  2  2020   spaces ":                         {Name: "  spaces ", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2020, 1, 2, 0, 0, 0)},
		"-rw-r--r--   1 a b 5 2020-01-02 03:04 iso":                           {Name: "iso", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2020, 1, 2, 3, 4, 0)},
		"-rw-r--r--   1 a b 5 Jan  2  2020 7 Jan  3  2021 x":                  {Name: "7 Jan  3  2021 x", Type: transport.TypeFile, Size: 5, Perm: 0o644, ModTime: day(2020, 1, 2, 0, 0, 0)},
		"-rw-r--r--   1 a b 5 Jan 99  2020 odd day":                           {Name: "odd day", Type: transport.TypeFile, Size: 5, Perm: 0o644},
		"-r--------   0 user group 65222236 Feb 24 00:39 week8.csv":           {Name: "week8.csv", Type: transport.TypeFile, Size: 65222236, Perm: 0o400, ModTime: day(2026, 2, 24, 0, 39, 0)},
		"01-02-20  03:04PM       <DIR>          sub dir":                      {Name: "sub dir", Type: transport.TypeDir, Size: -1, ModTime: day(2020, 1, 2, 15, 4, 0)},
		"01-02-2020  03:04PM            1234567 file.txt":                     {Name: "file.txt", Type: transport.TypeFile, Size: 1234567, ModTime: day(2020, 1, 2, 15, 4, 0)},
		"2020-01-02  15:04                 12 f":                              {Name: "f", Type: transport.TypeFile, Size: 12, ModTime: day(2020, 1, 2, 15, 4, 0)},
	} {
		got, skip, ok := parseHuman(line, now)
		if got != want || skip || !ok {
			t.Errorf("%q:\n got %+v, %v\nwant %+v", line, got, ok, want)
		}
	}
	if _, skip, ok := parseHuman("total 12", now); !skip || !ok {
		t.Error("total")
	}
	for _, line := range []string{"", "hello", "ls: cannot open", "-rw-r--r-- 1 a b", "-rw-r--r-- 1 a b x Jan 2 2020 f"} {
		if e, skip, ok := parseHuman(line, now); ok || skip {
			t.Errorf("%q is %+v", line, e)
		}
	}
}

func TestParseTime(t *testing.T) {
	for s, want := range map[string]time.Time{
		"20260102030405": day(2026, 1, 2, 3, 4, 5), "20260102030405.123": day(2026, 1, 2, 3, 4, 5).Add(123 * time.Millisecond),
		"20260102030405.1234567891": day(2026, 1, 2, 3, 4, 5).Add(123456789),
		"":                          {}, "2026": {}, "20260102030405.": {}, "20260102030405.x": {}, "20260102030405 x": {}, "20261302030405": {},
	} {
		if got, ok := Time(s); !got.Equal(want) || ok == want.IsZero() {
			t.Errorf("%q: %v, %v", s, got, ok)
		}
	}
}

func FuzzListing(f *testing.F) {
	f.Add("type=file;size=3;modify=20260102030405.5; a b")
	f.Add("type=OS.unix=slink:/a b;; x")
	f.Add("-rw-r--r--    1 1000     1000            5 Nov 24 11:30 a b")
	f.Add("01-02-20  03:04PM       <DIR>          sub dir")
	f.Add("total 5")
	f.Add("+i8388621.48594,m825718503,r,s280,up644\tdjb.html")
	f.Add("- [R----F--] rhesus             214059       Oct 20 15:27    cx.exe")
	f.Add("lrwxrwxrwx 1 a b 1 2020-01-02 03:04:05.000 +0100 x -> y -> z")
	f.Fuzz(func(t *testing.T, line string) {
		e, self, ok := Facts(line)
		check := func(e transport.Entry) {
			if e.Name == "" || e.Size < -1 || !strings.Contains(line, e.Name) || e.TimeExact && e.ModTime.IsZero() || e.Perm&^0o777 != 0 {
				t.Errorf("%q: %+v", line, e)
			}
		}
		if ok && !self {
			check(e)
		}
		if e, skip, ok := parseHuman(line, time.Unix(1e9, 0)); ok && !skip {
			if strings.TrimLeft(e.Name, " ") != "" {
				check(e)
			}
			if e.TimeExact && line[0] != '+' {
				t.Error("a time of LIST is exact in EPLF alone")
			}
		}
	})
}
