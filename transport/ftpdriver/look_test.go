package ftpdriver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRetrieveWithStat: a file is looked at and fetched in one round trip, and what becomes
// of either is told as Stat and Retrieve tell it.
func TestRetrieveWithStat(t *testing.T) {
	mlst := func(facts string) func(*session, string) string {
		return func(_ *session, name string) string { return "250-there\r\n " + facts + " " + name + "\r\n250 end" }
	}
	machine := func(facts string) func(f *fake) {
		return func(f *fake) {
			f.feat = append(f.feat, "MLST type*;size*;modify*;")
			f.on["MLST"] = mlst(facts)
		}
	}
	vsftpd := func(f *fake) { f.greeting = "220 (vsFTPd 3.0.3)" }
	cut := func(s *session, _ string) string {
		s.say("150 here it comes")
		if conn := s.accept(); conn != nil {
			_, _ = conn.Write([]byte("fi"))
			_ = s.raw.SetLinger(0)
			_ = s.raw.Close()
		}
		return "426 Failure writing network stream."
	}
	for name, c := range map[string]struct {
		change func(f *fake)
		file   string
		skip   bool  // it is not wanted when it has been looked at
		size   int64 // that is known then, -1 for none
		want   string
		kind   transport.Kind
		lost   bool
		verbs  string
	}{
		"plain":                   {size: 4, want: "file", verbs: "PWD EPSV SIZE MDTM CWD CWD RETR"},
		"vsftpd":                  {change: vsftpd, size: 4, want: "file", verbs: "EPSV SIZE MDTM RETR EPSV"},
		"MLST":                    {change: machine("type=file;size=4;modify=20260102030405;"), size: 4, want: "file", verbs: "EPSV MLST RETR"},
		"empty":                   {file: "empty", size: 0, want: ""},
		"a link":                  {change: machine("type=OS.unix=symlink;size=1;"), size: 4, want: "file", verbs: "EPSV MLST RETR SIZE MDTM PWD CWD EPSV RETR"},
		"nonsense":                {change: func(f *fake) { f.on["SIZE"] = always("213 many") }, size: -1, kind: transport.KindProtocol, lost: true},
		"no size":                 {change: func(f *fake) { f.on["SIZE"] = always("502 no"); f.on["MDTM"] = always("213 20260102030405") }, size: -1, want: "file"},
		"missing":                 {file: "none", size: -1, kind: transport.KindNotExist, verbs: "PWD EPSV SIZE MDTM CWD CWD RETR SIZE MDTM CWD"},
		"refused":                 {change: func(f *fake) { f.on["RETR"] = always("550 Permission denied.") }, size: 4, kind: transport.KindPermission},
		"vague":                   {change: func(f *fake) { vsftpd(f); f.on["RETR"] = always("550 Failed to open file.") }, size: 4, kind: transport.KindPermission},
		"not wanted":              {skip: true, size: 4, verbs: "PWD EPSV SIZE MDTM CWD CWD RETR"},
		"missing, and not wanted": {skip: true, file: "none", size: -1, verbs: "PWD EPSV SIZE MDTM CWD CWD RETR"},
		"cut off":                 {change: func(f *fake) { vsftpd(f); f.on["RETR"] = cut }, size: 4, want: "fi", kind: transport.KindLost},
		"goodbye":                 {change: func(f *fake) { f.on["RETR"] = always("421 bye") }, size: 4, kind: transport.KindBusy, lost: true},
		"hangs up":                {change: func(f *fake) { f.on["RETR"] = always(hangUp) }, size: 4, kind: transport.KindLost, lost: true},
		"ended":                   {change: func(f *fake) { f.on["RETR"] = always("226 done") }, size: 4, kind: transport.KindProtocol, lost: true},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.files["file"], f.files["empty"] = []byte("file"), nil
					if c.change != nil {
						c.change(f)
					}
				})
				conn := dial(t, ep)
				f.mu.Lock()
				f.received = nil
				f.mu.Unlock()
				file := c.file
				if file == "" {
					file = "file"
				}
				var got bytes.Buffer
				size, moved, asked := int64(-1), int64(0), 0
				stat := &transport.Stat{Path: file}
				get := &transport.Retrieve{Path: file, Dst: &got, Progress: func(n int64) { moved += n }}
				get.If = func() bool {
					if asked++; stat.Err == nil && stat.Entry.Name != file || got.Len() > 0 {
						t.Errorf("%+v, after %d bytes", stat.Entry, got.Len())
					}
					if size = -1; stat.Err == nil {
						size = stat.Entry.Size
					}
					return !c.skip
				}
				next := &transport.Retrieve{Path: file, Dst: io.Discard}
				next.If = func() bool { return false }
				_ = conn.do(t.Context(), stat, get, next)
				n, err := get.Received, get.Err
				if asked != 1 && name != "nonsense" {
					t.Errorf("the condition was asked %d times", asked)
				}
				// A reset may overtake what came before it.
				if size != c.size || got.String() != c.want && name != "cut off" || n != int64(got.Len()) || moved != n {
					t.Errorf("size %d, %q, %d, %d moved", size, got.String(), n, moved)
				}
				switch {
				case name == "nonsense":
					if transport.KindOf(stat.Err) != c.kind || err != transport.ErrUnsent {
						t.Errorf("%v, %v", stat.Err, err)
					}
				case c.skip:
					if err != transport.ErrSkipped || next.Err != transport.ErrSkipped {
						t.Errorf("%v, %v", err, next.Err)
					}
				case c.kind != transport.KindUnknown:
					if k := transport.KindOf(err); k != c.kind {
						t.Errorf("%v is %q, want %q", err, k, c.kind)
					}
				case err != nil:
					t.Error(err)
				}
				if conn.Usable() == c.lost {
					t.Errorf("usable: %v, after %v", conn.Usable(), err)
				}
				if c.verbs != "" {
					var verbs []string
					for _, line := range f.got() {
						verbs = append(verbs, verbOf(line))
					}
					if v := strings.Join(verbs, " "); v != c.verbs {
						t.Errorf("%q, want %q", v, c.verbs)
					}
				}
				if c.lost {
					return
				}
				// The session is in step.
				got.Reset()
				delete(f.on, "RETR")
				if n, err := conn.Retrieve(t.Context(), "file", 0, &got, nil); err != nil || n != 4 || got.String() != "file" {
					t.Errorf("afterwards: %d, %q, %v", n, got.String(), err)
				}
			})
		}
	}
}

// TestRetrieveWithStatUnreachable: a data connection that cannot be had ends it soon.
func TestRetrieveWithStatUnreachable(t *testing.T) {
	for _, answer := range []string{"", "226 done", "425 no data connection"} {
		t.Run(answer, func(t *testing.T) { unreachable(t, answer) })
	}
}

func unreachable(t *testing.T, answer string) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.files["file"] = []byte("file")
		f.on["RETR"] = func(s *session, _ string) string { s.say("150 waiting"); return answer }
	})
	control := ep.Addr()
	ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr != control {
			return nil, fmt.Errorf("no route to %s", addr)
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
	c := dial(t, ep)
	c.ctl.grace = replyGrace
	get := &transport.Retrieve{Path: "file", Dst: new(bytes.Buffer)}
	_ = c.do(t.Context(), &transport.Stat{Path: "file"}, get)
	n, err := get.Received, get.Err
	if n != 0 || err == nil || !strings.Contains(err.Error(), "no route") {
		t.Errorf("%d, %v", n, err)
	}
}
