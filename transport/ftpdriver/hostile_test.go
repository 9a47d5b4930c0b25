package ftpdriver

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestHashReplies(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	good := hex.EncodeToString(sum[:])
	for name, tt := range map[string]struct {
		feat  []string
		verb  string
		reply string
		kind  transport.Kind // 0 for success
		n     int64
	}{
		"draft":             {[]string{"HASH SHA-256"}, "HASH", "213 SHA-256 0-49 " + good + " f", 0, -1},
		"ProFTPD":           {[]string{"HASH SHA-256"}, "HASH", "213-Computing SHA-256 digest\r\n213 SHA-256 0-50 " + good + " f", 0, -1},
		"another algorithm": {[]string{"HASH SHA-256"}, "HASH", "213 SHA-1 0-49 " + good + " f", transport.KindProtocol, -1},
		"another range":     {[]string{"HASH SHA-256"}, "HASH", "213 SHA-256 0-39 " + good + " f", transport.KindProtocol, -1},
		"another start":     {[]string{"HASH SHA-256"}, "HASH", "213 SHA-256 1-50 " + good + " f", transport.KindProtocol, -1},
		"short":             {[]string{"HASH SHA-256"}, "HASH", "213 SHA-256 0-50 " + good[2:] + " f", transport.KindProtocol, -1},
		"no hex":            {[]string{"HASH SHA-256"}, "HASH", "213 SHA-256 0-50 " + good[2:] + "xx f", transport.KindProtocol, -1},
		"nothing":           {[]string{"HASH SHA-256"}, "HASH", "213 ", transport.KindProtocol, -1},
		"refused":           {[]string{"HASH SHA-256"}, "HASH", "550 f: Permission denied", transport.KindPermission, -1},
		"unknown after all": {[]string{"HASH SHA-256"}, "HASH", "500 what?", transport.KindUnsupported, -1},
		"part, no RANG":     {[]string{"HASH SHA-256"}, "HASH", "213 SHA-256 0-50 " + good + " f", transport.KindUnsupported, 10},
		"part":              {[]string{"HASH SHA-256", "RANG STREAM"}, "HASH", "213 SHA-256 0-9 " + good + " f", 0, 10},
		"part ignored":      {[]string{"HASH SHA-256", "RANG STREAM"}, "HASH", "213 SHA-256 0-50 " + good + " f", transport.KindProtocol, 10},
		"X":                 {[]string{"XSHA256"}, "XSHA256", "250-Computing SHA256 digest\r\n250 " + strings.ToUpper(good), 0, 10},
		"X with the name":   {[]string{"XSHA256"}, "XSHA256", "250 f " + good, 0, 10},
		"X nothing":         {[]string{"XSHA256"}, "XSHA256", "250 ", transport.KindProtocol, 10},
		"X short":           {[]string{"XSHA256"}, "XSHA256", "250 abcdef", transport.KindProtocol, 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				f.feat = tt.feat
				f.files["f"] = make([]byte, 50)
				f.on[tt.verb] = always(tt.reply)
				f.on["RANG"] = always("350 ok")
			})
			c := dial(t, ep)
			got, err := c.Hash(t.Context(), "f", "sha256", 0, tt.n)
			if tt.kind == 0 {
				if err != nil || string(got) != string(sum[:]) {
					t.Fatalf("%x, %v, sent %q", got, err, f.got())
				}
			} else if transport.KindOf(err) != tt.kind {
				t.Fatalf("%v, want %q", err, tt.kind)
			}
			if tt.verb == "HASH" && len(tt.feat) > 1 && !strings.Contains(strings.Join(f.got(), ","), "RANG 0 9,HASH /home/f,RANG 1 0") {
				t.Errorf("%q", f.got())
			}
		})
	}
}

func TestCRCWithoutZeros(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"XCRC"}
		f.files["f"] = make([]byte, 50)
		f.on["XCRC"] = always("250 ABC")
	})
	c := dial(t, ep)
	if got, err := c.Hash(t.Context(), "f", "crc32", 0, 50); err != nil || hex.EncodeToString(got) != "00000abc" {
		t.Errorf("%x, %v", got, err)
	}
}

// A server that reads its disk for long is not stalled.
func TestSlowHash(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"XCRC"}
		f.on["XCRC"] = func(*session, string) string { time.Sleep(1200 * time.Millisecond); return "250 00000abc" }
	})
	ep.Stall = 300 * time.Millisecond
	c := dial(t, ep)
	if _, err := c.Hash(t.Context(), "f", "crc32", 0, 60*hashRate); err != nil {
		t.Error(err)
	}
}

func TestHostileListings(t *testing.T) {
	for name, tt := range map[string]struct {
		mlsd, list string
		want       int
		kind       transport.Kind
	}{
		"fine":          {"type=file;size=1; a\r\ntype=cdir; .\r\ntype=dir; b\n\r\n", "", 2, 0},
		"empty":         {"", "", 0, 0},
		"endless line":  {"type=file; a\r\ntype=file; " + strings.Repeat("x", 40_000), "", 1, transport.KindProtocol},
		"unknown lines": {"type=file; a\r\nnonsense\r\ntype=file; b\r\n", "", 2, transport.KindProtocol},
		"ls":            {"500", "total 3\r\n-rw-r--r-- 1 a b 3 Jan 2 2026 f\r\ndrwxr-xr-x 1 a b 3 Jan 2 2026 ..\r\n", 1, 0},
		"ls unknown":    {"500", "-rw-r--r-- 1 a b 3 Jan 2 2026 f\r\nls: cannot access g\r\n", 1, transport.KindProtocol},
		"nasty names":   {"type=file; ../../etc/passwd\r\ntype=file; a\x00b\r\ntype=file; \x1b[2J\r\n", "", 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ep, _ := startFake(t, transport.FTP, func(f *fake) {
				f.feat = []string{"MLST type*;"}
				f.on["CWD"] = always("250 ok")
				f.on["MLSD"] = func(s *session, _ string) string {
					if tt.mlsd == "500" {
						return "500 what?"
					}
					return s.send([]byte(tt.mlsd))
				}
				f.on["LIST"] = func(s *session, _ string) string { return s.send([]byte(tt.list)) }
			})
			c := dial(t, ep)
			n := 0
			err := c.List(t.Context(), ".", func(transport.Entry) bool { n++; return true })
			if n != tt.want || tt.kind == 0 && err != nil || tt.kind != 0 && transport.KindOf(err) != tt.kind {
				t.Errorf("%d entries, %v", n, err)
			}
			if !c.Usable() {
				t.Error("the session is given up")
			}
		})
	}
}

// 200,000 entries take no more memory than a few.
func TestLongListing(t *testing.T) {
	const n = 200_000
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"MLST type*;"}
		f.on["MLSD"] = func(s *session, _ string) string {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, "type=file;size=%d;modify=20260102030405; file %d\r\n", i, i)
			}
			return s.send([]byte(b.String()))
		}
	})
	c := dial(t, ep)
	i := int64(0)
	err := c.List(t.Context(), ".", func(e transport.Entry) bool {
		if e.Size != i {
			t.Fatal(e)
		}
		i++
		return true
	})
	if err != nil || i != n {
		t.Error(i, err)
	}
	i = 0
	err = c.List(t.Context(), ".", func(transport.Entry) bool { i++; return i < 10 })
	if err != nil || i != 10 {
		t.Error(i, err)
	}
}

func TestChtimesOnOtherServers(t *testing.T) {
	for name, tt := range map[string]struct {
		feat, reply string
		kind        transport.Kind
		kept        bool
	}{
		"vsftpd":                {"MDTM", "213 File modification time set.", 0, true},
		"vsftpd, missing":       {"MDTM", "550 Could not set file modification time.", transport.KindNotExist, true},
		"vsftpd, no mdtm_write": {"MDTM", "550 Could not get file modification time.", transport.KindUnsupported, false},
		"tells a time":          {"MDTM", "213 20260102030405", transport.KindUnsupported, false},
		"unknown":               {"MDTM", "500 what?", transport.KindUnsupported, false},
		"neither":               {"SIZE", "", transport.KindUnsupported, false},
	} {
		ep, f := startFake(t, transport.FTP, func(f *fake) {
			f.feat = []string{tt.feat}
			f.on["MDTM"] = always(tt.reply)
		})
		c := dial(t, ep)
		err := c.Chtimes(t.Context(), "f", day(2026, 1, 2, 3, 4, 5))
		if tt.kind == 0 && err != nil || tt.kind != 0 && transport.KindOf(err) != tt.kind || !c.Usable() {
			t.Errorf("%s: %v", name, err)
		}
		if c.Info().Caps.SetTime != tt.kept {
			t.Errorf("%s: SetTime is %v", name, !tt.kept)
		}
		before := f.count("MDTM")
		if before > 0 && !strings.Contains(strings.Join(f.got(), ","), "MDTM 20260102030405 f") {
			t.Errorf("%q", f.got())
		}
		if _ = c.Chtimes(t.Context(), "f", time.Now()); !tt.kept && f.count("MDTM") != before {
			t.Errorf("%s: asked again", name)
		}
	}
}

func TestStatOddities(t *testing.T) {
	var lost atomic.Bool
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"MLST type*;"}
		f.files["link"] = make([]byte, 7)
		f.files["full"] = make([]byte, 7)
		f.on["MLST"] = func(_ *session, name string) string {
			switch name {
			case "link":
				return "250-x\r\n type=OS.unix=slink:full;size=4; link\r\n250 end"
			case "full":
				return "250-x\r\n type=file;size=4;UNIX.mode=0777; full\r\n250 end"
			case "odd":
				return "250 not what RFC 3659 says"
			}
			return "250-x\r\n type=file;size=5;modify=20260102030405.123;perm=r; " + name + "\r\n250 end"
		}
		f.on["CWD"] = func(_ *session, name string) string {
			if name == "odd" || name == "/home" && !lost.Load() {
				return "250 ok"
			}
			return "550 no"
		}
	})
	c := dial(t, ep)
	for name, want := range map[string]transport.Entry{
		"d/plain": {Name: "plain", Type: transport.TypeFile, Size: 5, ModTime: day(2026, 1, 2, 3, 4, 5).Add(123 * time.Millisecond), TimeExact: true},
		"link":    {Name: "link", Type: transport.TypeFile, Size: 7}, "full": {Name: "full", Type: transport.TypeFile, Size: 7}, "odd": {Name: "odd", Type: transport.TypeDir, Size: -1},
	} {
		if got, err := c.Stat(t.Context(), name); got != want || err != nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	// A folder that cannot be left again would put files in the wrong place.
	lost.Store(true)
	_, err := c.Stat(t.Context(), "odd")
	if err == nil {
		t.Error("no error")
	}
	wantBroken(t, c, f)
}
