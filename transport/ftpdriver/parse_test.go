package ftpdriver

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport/internal/ftplist"
)

func day(y int, m time.Month, d, h, min, s int) time.Time {
	return time.Date(y, m, d, h, min, s, 0, time.UTC)
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
		r, err := readReplyTo(br, "")
		if err != nil {
			return
		}
		if r.code < 100 || r.code > 699 || len(r.text) > maxReply || strings.ContainsRune(r.text, '\r') && strings.Contains(r.text, "\r\n") {
			t.Fatalf("%d %q", r.code, r.text)
		}
		// What the library is given means the same, and is one reply.
		again := bufio.NewReaderSize(bytes.NewReader(r.wire(r.code)), 2*maxLine)
		r2, err := readReplyTo(again, "")
		if err != nil || r2.code != r.code || r2.text != r.text {
			t.Fatalf("%q is handed on as %q: %q, %v", r.text, r.wire(r.code), r2.text, err)
		}
		if _, err := again.ReadByte(); err != io.EOF {
			t.Fatalf("%q is handed on as more than one reply", r.text)
		}
		parseFeatures(r).hashes()
		_, _ = ftplist.MLST(r.text)
		_, _ = parsePWD(r.text)
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
