package ftpdriver

import (
	"bufio"
	"bytes"
	"io"
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
		got, self, ok := parseFacts(line)
		if got != want || self || !ok {
			t.Errorf("%q:\n got %+v, %v\nwant %+v", line, got, ok, want)
		}
	}
	for _, line := range []string{"type=cdir; /", "type=pdir;modify=20260102030405; .."} {
		if _, self, ok := parseFacts(line); !self || !ok {
			t.Errorf("%q is taken for an entry", line)
		}
	}
	for _, line := range []string{"", "type=file;", "type=file; "} {
		if e, _, ok := parseFacts(line); ok {
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
		if got, ok := parseMLST(text); got != want || !ok {
			t.Errorf("%q: %+v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "type=file;size=3; f", "a\nb", "a\nb c\nd", "a\n\nb"} {
		if got, ok := parseMLST(text); ok {
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

func TestParsePassive(t *testing.T) {
	for text, want := range map[string]int{
		"Entering Extended Passive Mode (|||6446|)": 6446, "ok (!!!1!)": 1, "(a) (|||65535|).": 65535,
		"": 0, "(|||0|)": 0, "(|||65536|)": 0, "(|||)": 0, "(||||)": 0, "(|1|127.0.0.1|6446|)": 0, "(|||-1|)": 0, "(|||12": 0,
	} {
		if got, _ := parseEPSV(text); got != want {
			t.Errorf("EPSV %q: %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]int{
		"Entering Passive Mode (127,0,0,1,25,46).": 25*256 + 46, "Entering Passive Mode. 127,0,0,1,25,46": 25*256 + 46, "=127,0,0,1,0,1": 1,
		"": 0, "(127,0,0,1,0,0)": 0, "(127,0,0,1,256,1)": 0, "(127,0,0,1,1)": 0, "(1,2,3,4,5,6,7)": 0, "(,,,,,)": 0,
	} {
		if got, _ := parsePASV(text); got != want {
			t.Errorf("PASV %q: %d, want %d", text, got, want)
		}
	}
}

func TestParsePWD(t *testing.T) {
	for text, want := range map[string]string{
		`"/" is the current directory`: "/", `"/a ""b"" c" is`: `/a "b" c`, `257 "/x"`: "/x",
		``: "", `"/x`: "", `/x`: "", `""`: "", "\"/a\r\"": "",
	} {
		if got, ok := parsePWD(text); got != want && ok || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func TestParseTime(t *testing.T) {
	for s, want := range map[string]time.Time{
		"20260102030405": day(2026, 1, 2, 3, 4, 5), "20260102030405.123": day(2026, 1, 2, 3, 4, 5).Add(123 * time.Millisecond),
		"20260102030405.1234567891": day(2026, 1, 2, 3, 4, 5).Add(123456789),
		"":                          {}, "2026": {}, "20260102030405.": {}, "20260102030405.x": {}, "20260102030405 x": {}, "20261302030405": {},
	} {
		if got, ok := parseTime(s); !got.Equal(want) || ok == want.IsZero() {
			t.Errorf("%q: %v, %v", s, got, ok)
		}
	}
}

func TestFeatures(t *testing.T) {
	f := parseFeatures(reply{code: 211, text: "Features:\n MLST Type*;Size*;\n rest stream\nHASH SHA-256*;MD5;SHA-1\n\n XCRC\nEnd"})
	if !f.has("MLST") || f["REST"] != "stream" || !f.has("XCRC") || f.has("Features:") || f.has("End") {
		t.Errorf("%q", f)
	}
	if names, ranges := f.hashes(); strings.Join(names, ",") != "crc32" || !ranges {
		t.Error(names, ranges)
	}
	delete(f, "XCRC")
	if names, ranges := f.hashes(); strings.Join(names, ",") != "sha256,sha1,md5" || ranges {
		t.Error(names, ranges)
	}
	f["RANG"] = "STREAM"
	if names, ranges := f.hashes(); strings.Join(names, ",") != "sha256,sha1,md5" || !ranges {
		t.Error(names, ranges)
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{"220 hi\r\n", "220-a\r\n b\r\n220-c\r\n220 d\r\n", "220\r\n", "220-\r\n220\r\n", "22", "999 x\r\n", "220-a\n221 b\n220 c\n", "\r\n", "150-x\r\n150 y\r\n226 z\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		br := bufio.NewReaderSize(bytes.NewReader(data), maxLine)
		r, err := readReply(br)
		if err != nil {
			return
		}
		if r.code < 100 || r.code > 699 || len(r.text) > maxReply || strings.ContainsRune(r.text, '\r') && strings.Contains(r.text, "\r\n") {
			t.Fatalf("%d %q", r.code, r.text)
		}
		// What the library is given means the same, and is one reply.
		again := bufio.NewReaderSize(bytes.NewReader(r.wire(r.code)), 2*maxLine)
		r2, err := readReply(again)
		if err != nil || r2.code != r.code || r2.text != r.text {
			t.Fatalf("%q is handed on as %q: %q, %v", r.text, r.wire(r.code), r2.text, err)
		}
		if _, err := again.ReadByte(); err != io.EOF {
			t.Fatalf("%q is handed on as more than one reply", r.text)
		}
		parseFeatures(r).hashes()
		_, _ = parseMLST(r.text)
		_, _ = parsePWD(r.text)
	})
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
		e, self, ok := parseFacts(line)
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

func FuzzPassive(f *testing.F) {
	f.Add("Entering Extended Passive Mode (|||6446|)")
	f.Add("Entering Passive Mode (127,0,0,1,25,46).")
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (int, error){parseEPSV, parsePASV} {
			if p, err := parse(text); (err == nil) != (p > 0) || p > 65535 {
				t.Errorf("%q: %d, %v", text, p, err)
			}
		}
	})
}

func FuzzHash(f *testing.F) {
	f.Add("SHA-256 0-49 6169 name")
	f.Fuzz(func(t *testing.T, line string) {
		h := hashing{draft: "SHA-256", size: 32, start: 0, end: 50}
		if sum, err := h.check(reply{text: line}); err == nil && len(sum) != 32 {
			t.Error(sum)
		}
	})
}
