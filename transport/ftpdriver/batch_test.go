package ftpdriver

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestPlainCommandsInOneWrite: commands without a condition between them are one round
// trip; one that changes what an earlier one may have to be asked about again waits for
// that, and what nobody knows the meaning of is kept to itself.
func TestPlainCommandsInOneWrite(t *testing.T) {
	refuse := func() bool { return false }
	for want, reqs := range map[string][]transport.Request{
		"MKD MKD MKD":                  {&transport.Mkdir{Path: "d"}, &transport.Mkdir{Path: "d/e"}, &transport.Mkdir{Path: "f"}},
		"DELE DELE RMD":                {&transport.Remove{Path: "a"}, &transport.Remove{Path: "b"}, &transport.Rmdir{Path: "c"}},
		"DELE, RMD":                    {&transport.Remove{Path: "c/a"}, &transport.Rmdir{Path: "c"}},
		"MKD RNFR RNTO SITE":           {&transport.Mkdir{Path: "d"}, &transport.Rename{From: "a", To: "b"}, &transport.SetMode{Path: "b", Mode: 0o640}},
		"NOOP, DELE":                   {&transport.Ping{}, wanted(&transport.Remove{Path: "a"})},
		"NOOP":                         {&transport.Ping{}, &transport.Remove{Path: "a", Head: transport.Head{If: refuse}}, &transport.Ping{}},
		"NOOP, SITE, NOOP":             {&transport.Ping{}, &transport.Raw{Line: "SITE x"}, &transport.Ping{}},
		"NOOP AVBL":                    {&transport.Ping{}, &transport.Space{Path: "."}},
		"NOOP NOOP":                    {&transport.Ping{}, &transport.Truncate{Path: "a"}, &transport.Link{Path: "a"}, &transport.Ping{}},
		"DELE NOOP":                    {&transport.Remove{Path: "a\n"}, &transport.Remove{Path: "a"}, &transport.Ping{}},
		"NOOP EPSV, NOOP":              {&transport.Ping{}, wanted(&transport.Retrieve{Path: "f\n", Dst: io.Discard}), &transport.Ping{}},
		"MKD EPSV, STOR":               {&transport.Mkdir{Path: "d"}, &transport.Store{Path: "d/f", Src: strings.NewReader("x")}},
		"EPSV, MKD RETR, NOOP":         {&transport.Mkdir{Path: "d"}, &transport.Retrieve{Path: "f", Dst: io.Discard}, &transport.Ping{}},
		"EPSV, STOR, NOOP RNFR RNTO":   {&transport.Store{Path: "g", Src: strings.NewReader("x")}, &transport.Ping{}, &transport.Rename{From: "g", To: "h"}},
		"EPSV, STOR, EPSV, STOR, DELE": {&transport.Store{Path: "g", Src: strings.NewReader("x")}, &transport.Store{Path: "h", Src: strings.NewReader("x")}, &transport.Remove{Path: "h"}},
	} {
		t.Run(want, func(t *testing.T) {
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				f.feat = []string{"AVBL"}
				f.files["f"] = []byte("f")
				f.on["AVBL"] = always("213 1234567")
				f.on["SITE"] = always("200 ok")
			})
			c := dial(t, ep)
			f.forget()
			if err := c.Do(t.Context(), transport.NewBatch(reqs...)); err != nil {
				t.Fatal(err)
			}
			if got := f.inTurns(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			skipped := false
			for _, q := range reqs {
				kind := transport.KindUnknown
				switch q := q.(type) {
				case *transport.Truncate, *transport.Link:
					kind = transport.KindUnsupported
				case *transport.Space:
					if q.Free != 1234567 || q.Total != -1 {
						t.Errorf("%+v", q)
					}
				case *transport.Raw:
					if q.Code != 200 || q.Text != "ok" {
						t.Errorf("%+v", q)
					}
				case *transport.Retrieve:
					if strings.Contains(q.Path, "\n") {
						kind = transport.KindInvalid
					}
				case *transport.SetMode:
					if !slices.Contains(f.got(), "SITE CHMOD 0640 b") {
						t.Errorf("%q", f.got())
					}
				case *transport.Remove:
					if strings.Contains(q.Path, "\n") {
						kind = transport.KindInvalid
					}
					skipped = skipped || q.If != nil && !q.If()
				}
				err := q.Common().Err
				if skipped != (err == transport.ErrSkipped) || !skipped && transport.KindOf(err) != kind {
					t.Errorf("%T: %v", q, err)
				}
			}
		})
	}
}

func wanted(q transport.Request) transport.Request {
	q.Common().If = func() bool { return true }
	return q
}

// TestBatchIsLost: each request of a write with which the session ends says whether it
// may have acted, and what was not sent that it was not.
func TestBatchIsLost(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, func(f *fake) { f.on["MKD"] = always(hangUp) })
		c := dial(t, ep)
		f.forget()
		reqs := []transport.Request{&transport.Remove{Path: "a"}, &transport.Mkdir{Path: "d"}, &transport.Ping{}, &transport.Rename{From: "b", To: "c"},
			wanted(&transport.Remove{Path: "e"})}
		err := c.Do(t.Context(), transport.NewBatch(reqs...))
		if te := wantKind(t, err, transport.KindLost, 0); te.Op != "MKD" || te.Path != "d" || !te.MayHaveActed {
			t.Error(te)
		}
		for i, acted := range map[int]bool{1: true, 2: false, 3: true} {
			if te := wantKind(t, reqs[i].Common().Err, transport.KindLost, 0); te.MayHaveActed != acted {
				t.Errorf("%d: %v, may have acted: %v", i, te, te.MayHaveActed)
			}
		}
		if reqs[0].Common().Err != nil || reqs[4].Common().Err != transport.ErrUnsent {
			t.Error(reqs[0].Common().Err, reqs[4].Common().Err)
		}
		if got := f.inTurns(); !strings.HasPrefix(got, "DELE MKD") || strings.Contains(got, ",") {
			t.Errorf("%q", got)
		}
		wantBroken(t, c, f)
	}
}

// TestRefusalIsNotTheEndOfTheSession: what ended it is told, and not what was refused
// before.
func TestRefusalIsNotTheEndOfTheSession(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) {
		f.files["f"] = random(1 << 20)
		f.on["RETR"] = func(s *session, name string) string {
			s.say("150 here it comes")
			_, _ = io.Copy(s.accept(), bytes.NewReader(s.files[name]))
			return hangUp
		}
	})
	c := dial(t, ep)
	gone := &transport.Stat{Path: "none"}
	get := &transport.Retrieve{Path: "f", Dst: io.Discard}
	get.If = func() bool { return gone.Err == nil }
	err := c.Do(t.Context(), transport.NewBatch(&transport.Stat{Path: "f"}, &transport.Mkdir{Path: "f"}, gone, get))
	if err != nil || !errors.Is(get.Err, transport.ErrSkipped) || transport.KindOf(gone.Err) != transport.KindNotExist || c.Usable() {
		t.Errorf("%v, %v, %v, usable: %v", err, gone.Err, get.Err, c.Usable())
	}
}

// TestResumedUpload: the round trips of an upload that is resumed, on a server that reads
// commands when a transfer is over.
func TestResumedUpload(t *testing.T) {
	for _, p := range protocols {
		ep, f := startFake(t, p, func(f *fake) {
			f.greeting, f.feat = "220 (vsFTPd 3.0.3)", []string{"MDTM"}
			f.files["f.part"] = []byte("hello")
			fromRest(f)
			f.on["MDTM"] = always("213 File modification time set.")
			f.on["STOR"] = func(s *session, name string) string {
				said := s.take(name)
				_ = s.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
				if _, err := s.r.Peek(1); err != nil {
					t.Errorf("nothing came before the 226: %v", err)
				}
				_ = s.conn.SetReadDeadline(time.Time{})
				return said
			}
		})
		c := dial(t, ep)
		f.forget()
		var tail, all bytes.Buffer
		proof := &transport.Retrieve{Path: "f.part", Offset: 1, Limit: 4, Last: true, Written: true, Dst: &tail}
		put := &transport.Store{Path: "f.part", Offset: 5, Src: strings.NewReader(" world")}
		put.If = func() bool { return proof.OK() && tail.String() == "ello" && !proof.Beyond }
		stat := &transport.Stat{Path: "f.part"}
		rename := &transport.Rename{From: "f.part", To: "f"}
		rename.If = func() bool { return stat.OK() && stat.Entry.Size == 11 && all.String() == "hello world" }
		err := c.do(t.Context(), proof, put, &transport.SetTime{Path: "f.part", Time: time.Unix(1e9, 0)}, stat,
			&transport.Retrieve{Path: "f.part", Dst: &all}, rename)
		if err != nil {
			t.Error(err, tail.String(), all.String(), stat.Entry)
		}
		const want = "EPSV, REST RETR EPSV, REST, STOR MDTM SIZE MDTM EPSV, RETR, RNFR RNTO"
		if got := f.inTurns(); got != want {
			t.Errorf("%v: %q, want %q", p, got, want)
		}
	}
}
