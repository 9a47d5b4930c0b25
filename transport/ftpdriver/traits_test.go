package ftpdriver

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/ftplist"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// 0xFF is doubled for ProFTPD, known by its greeting or its features, and for
// nobody else.
func TestByte255(t *testing.T) {
	for name, tt := range map[string]struct {
		greeting, feat, sent string
	}{
		"ProFTPD":           {"220 ProFTPD Server (x) [127.0.0.1]", "SIZE", "\xff\xff\xfb \xff\xff\xff\xff"},
		"ProFTPD, nameless": {"220 ready", "MFF modify;UNIX.group;UNIX.mode;", "\xff\xff\xfb \xff\xff\xff\xff"},
		"vsftpd":            {"220 (vsFTPd 3.0.3)", "SIZE", "\xff\xfb \xff\xff"},
		"Pure-FTPd":         {"220---------- Welcome to Pure-FTPd ----------\r\n220 x", "SIZE", "\xff\xfb \xff\xff"},
		"another with MFF":  {"220 ready", "MFF modify;create;", "\xff\xfb \xff\xff"},
	} {
		for _, p := range []transport.Protocol{transport.FTP, transport.FTPS} {
			ep, f := startFake(t, p, func(f *fake) { f.greeting, f.feat = tt.greeting, []string{tt.feat} })
			c := dial(t, ep)
			const path = "\xff\xfb \xff\xff"
			if err := c.Remove(t.Context(), path); err != nil { // through the library
				t.Errorf("%s: %v", name, err)
			}
			if err := c.Rename(t.Context(), path, "x", false); err != nil { // past it
				t.Errorf("%s: %v", name, err)
			}
			if got := f.got(); got[len(got)-3] != "DELE "+tt.sent || got[len(got)-2] != "RNFR "+tt.sent {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// UTF-8 is asked for where names are in it, and not where they are in something else.
func TestUTF8IsAskedFor(t *testing.T) {
	for _, other := range []bool{false, true} {
		ep, f := startFake(t, transport.FTP, func(f *fake) { f.feat = []string{"UTF8"} })
		if other {
			ep.Charset = charmap.Windows1252
		}
		dial(t, ep)
		if asked := strings.Contains(strings.Join(f.got(), "\n"), "OPTS UTF8"); asked == other {
			t.Errorf("%q", f.got())
		}
	}
}

// endlessLines is a listing that does not end.
type endlessLines struct {
	line string
	rest string
}

func (e *endlessLines) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if e.rest == "" {
			e.rest = e.line
		}
		m := copy(p[n:], e.rest)
		e.rest = e.rest[m:]
		n += m
	}
	return n, nil
}

// A listing is given up at 256 MiB, whatever becomes of its entries.
func TestListingWithoutEnd(t *testing.T) {
	lines := 0
	l := &lister{parse: ftplist.Facts, yield: func(transport.Entry) bool { lines++; return true }}
	op := wire.StartOp(t.Context(), wire.Watch{})
	err := op.End(l.read(op, &endlessLines{line: "type=file; " + strings.Repeat("x", 30<<10) + "\r\n"}))
	var as *kindError
	if !errors.Is(err, transport.ErrListingTooLong) || !errors.As(err, &as) || as.kind != transport.KindRefused {
		t.Errorf("%v", err)
	}
	if want := maxListing / (30<<10 + 13); lines < want-1 || lines > want+1 {
		t.Errorf("%d lines, want about %d", lines, want)
	}
}

// A form that is not known is said to be so at once; what is garbled in a listing
// that else makes sense may be right the next time.
func TestUnknownForms(t *testing.T) {
	for text, kind := range map[string]transport.Kind{
		"Inhalt von ANONYMOUS\r\n\r\nA.TXT | 29.01.96 | 1 Blatt\r\nB | 08.09.96 | Ordner\r\n": transport.KindUnsupported,
		"nonsense\r\n": transport.KindProtocol,
		"-rw-r--r-- 1 a b 3 Jan 2 2026 f\r\nx\r\ny\r\nz\r\n": transport.KindProtocol,
	} {
		ep, _ := startFake(t, transport.FTP, func(f *fake) {
			f.on["CWD"] = always("250 ok")
			f.on["LIST"] = func(s *session, _ string) string { return s.send([]byte(text)) }
		})
		c := dial(t, ep)
		err := c.List(t.Context(), ".", func(transport.Entry) bool { return true })
		if transport.KindOf(err) != kind || !c.Usable() {
			t.Errorf("%q: %v", text, err)
		}
		t.Log(err)
	}
}
