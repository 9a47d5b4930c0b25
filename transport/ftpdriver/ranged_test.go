package ftpdriver

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fromRest has the fake honour REST, and RANG where it is offered, for RETR.
func fromRest(f *fake) {
	end := 0
	f.on["REST"] = func(s *session, n string) string { s.rest, _ = strconv.Atoi(n); return "350 from there" }
	f.on["RANG"] = func(s *session, arg string) string {
		_, _ = fmt.Sscan(arg, &s.rest, &end)
		return "350 that range"
	}
	f.on["RETR"] = func(s *session, name string) string {
		data := s.files[name][s.rest:]
		if end > 0 {
			data = s.files[name][s.rest : end+1]
		}
		s.rest, end = 0, 0
		return s.send(data)
	}
}

// TestPartInOneWrite: part of a file takes a write, for which its data connection does
// not wait, and where another transfer follows on vsftpd the port for that comes along.
func TestPartInOneWrite(t *testing.T) {
	vsftpd := func(f *fake) { f.greeting = "220 (vsFTPd 3.0.3)" }
	data := random(100 << 10)
	for name, c := range map[string]struct {
		change func(f *fake)
		get    transport.Retrieve
		more   bool // another transfer follows
		want   []byte
		turns  string
		beyond bool
	}{
		"to the end":     {get: transport.Retrieve{Limit: 90 << 10, Last: true}, want: data[10<<10:], turns: "EPSV, REST RETR"},
		"grown":          {get: transport.Retrieve{Limit: 80 << 10, Last: true}, want: data[10<<10 : 90<<10], turns: "EPSV, REST RETR", beyond: true},
		"in the middle":  {get: transport.Retrieve{Limit: 1 << 10}, want: data[10<<10 : 11<<10], turns: "EPSV, REST RETR"},
		"without limit":  {want: data[10<<10:], turns: "EPSV, REST RETR"},
		"on vsftpd":      {change: vsftpd, get: transport.Retrieve{Limit: 90 << 10}, want: data[10<<10:], turns: "EPSV, REST RETR"},
		"more follows":   {get: transport.Retrieve{Limit: 90 << 10}, more: true, want: data[10<<10:], turns: "EPSV, REST RETR"},
		"more on vsftpd": {change: vsftpd, get: transport.Retrieve{Limit: 90 << 10}, more: true, want: data[10<<10:], turns: "EPSV, REST RETR EPSV"},
		"a range": {change: func(f *fake) { f.feat = append(f.feat, "RANG STREAM") },
			get: transport.Retrieve{Limit: 1 << 10}, want: data[10<<10 : 11<<10], turns: "EPSV, RANG RETR"},
		"no range at the end": {change: func(f *fake) { f.feat = append(f.feat, "RANG STREAM") },
			get: transport.Retrieve{Limit: 90 << 10, Last: true}, want: data[10<<10:], turns: "EPSV, REST RETR"},
		"the range is refused": {change: func(f *fake) {
			f.feat = append(f.feat, "RANG STREAM")
			f.on["RANG"] = always("501 no")
		}, get: transport.Retrieve{Limit: 90 << 10}, want: data[10<<10:], turns: "EPSV, RANG RETR, EPSV, REST RETR"},
		"the file ends before": {change: func(f *fake) {
			f.feat = append(f.feat, "RANG STREAM")
			f.on["RANG"] = always("350 that range")
			give, first := f.on["RETR"], true
			f.on["RETR"] = func(s *session, name string) string {
				if first {
					first = false
					return "554 the file ends before"
				}
				return give(s, name)
			}
		}, get: transport.Retrieve{Limit: 95 << 10}, want: data[10<<10:], turns: "EPSV, RANG RETR, EPSV, REST RETR"},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				asked := make(chan struct{}, 8)
				ep, f := startFake(t, p, func(f *fake) {
					f.files["f"] = data
					fromRest(f)
					if c.change != nil {
						c.change(f)
					}
					give := f.on["RETR"]
					f.on["RETR"] = func(s *session, name string) string { asked <- struct{}{}; return give(s, name) }
				})
				dialsWhen(ep, asked)
				conn := dial(t, ep)
				f.forget()
				var got bytes.Buffer
				get := c.get
				get.Path, get.Offset, get.Dst = "f", 10<<10, &got
				follows := &transport.Retrieve{Path: "f", Dst: io.Discard}
				follows.If = func() bool { return false }
				reqs := []transport.Request{&get, follows}
				if !c.more {
					reqs = reqs[:1]
				}
				err := conn.do(t.Context(), reqs...)
				if c.more && follows.Err == transport.ErrSkipped {
					err = get.Err
				}
				if n := get.Received; err != nil || n != int64(len(c.want)) || !bytes.Equal(got.Bytes(), c.want) {
					t.Fatalf("%d bytes, want %d: %v", n, len(c.want), err)
				}
				if turns := f.inTurns(); turns != c.turns {
					t.Errorf("%q, want %q", turns, c.turns)
				}
				if get.Beyond != c.beyond {
					t.Errorf("beyond is %v", get.Beyond)
				}
				if err := conn.Ping(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestRefusedPartIsCutOff: what RETR sends from 0 after a refused REST goes nowhere, and
// the session goes on.
func TestRefusedPartIsCutOff(t *testing.T) {
	for _, answer := range []string{"502 Command not implemented.", "550 REST is not permitted", "503 Bad sequence", "200 restarting", "250 ok"} {
		for _, p := range protocols {
			ep, f := startFake(t, p, func(f *fake) {
				f.files["f"] = random(4 << 20)
				f.on["REST"] = always(answer)
			})
			c := dial(t, ep)
			f.forget()
			var got bytes.Buffer
			get := &transport.Retrieve{Path: "f", Offset: 5, Limit: 64 << 10, Dst: &got, Written: true}
			err := c.do(t.Context(), get, &transport.Store{Path: "g", Src: strings.NewReader("")})
			code, _ := strconv.Atoi(answer[:3])
			if te := wantKind(t, err, transport.KindRestart, code); get.Received != 0 || got.Len() != 0 || te.Op != "REST" {
				t.Errorf("%d bytes came, %v", got.Len(), te)
			}
			if err := c.Ping(t.Context()); err != nil {
				t.Errorf("%s: %v", p, err)
			}
		}
	}
}

// TestPortOfAPartIsUsed: the port that came with a part is the next transfer's, and
// where it cannot be reached another is asked for.
func TestPortOfAPartIsUsed(t *testing.T) {
	const again = "EPSV, REST RETR EPSV, REST RETR EPSV, EPSV, REST RETR" // none is asked for in advance again
	for trouble, want := range map[string]string{"": "EPSV, REST RETR EPSV, REST, STOR", "unreachable": again, "425": again} {
		ep, f := startFake(t, transport.FTP, func(f *fake) {
			f.greeting = "220 (vsFTPd 3.0.3)"
			f.files["f"] = []byte("hello")
			fromRest(f)
			give, asked := f.on["RETR"], 0
			f.on["RETR"] = func(s *session, name string) string {
				if asked++; asked == 2 && trouble != "" {
					return "425 Failed to establish connection."
				}
				return give(s, name)
			}
		})
		// Of the dials of data connections the second is refused, where it is to be.
		control := ep.Addr()
		var dials atomic.Int32
		ep.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != control {
				if dials.Add(1) == 2 && trouble == "unreachable" {
					addr = "127.0.0.1:1"
				}
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}
		c := dial(t, ep)
		f.forget()
		var got [3]strings.Builder
		read := func(i int) *transport.Retrieve {
			return &transport.Retrieve{Path: "f", Offset: 1, Limit: 4, Dst: &got[i], Last: true}
		}
		reqs := []transport.Request{read(0)}
		if trouble != "" {
			reqs = append(reqs, read(1), read(2))
			reqs[2].Common().If = func() bool { return false }
		} else {
			reqs = append(reqs, &transport.Store{Path: "f", Offset: 5, Src: bytes.NewReader(random(64 << 10))})
		}
		if err := c.do(t.Context(), reqs...); err != nil && err != transport.ErrSkipped {
			t.Fatal(err)
		}
		for i := range got {
			if text := got[i].String(); text != "ello" && (i == 0 || i == 1 && trouble != "") || text != "" && i == 2 {
				t.Fatalf("%d: %q", i, text)
			}
		}
		if turns := f.inTurns(); turns != want {
			t.Errorf("%q, want %q", turns, want)
		}
		if c.lacks(lacksIdlePort) != (trouble != "") {
			t.Errorf("%q, and remembered is %v", trouble, trouble == "")
		}
	}
}

// TestPortWithAPart: ProFTPD is asked for the port for the next transfer with RETR, and
// our direction has ended before a short part has come. A server that reads the question
// too soon costs nothing but that.
func TestPortWithAPart(t *testing.T) {
	for reads, want := range map[string]string{
		"later":         "EPSV, REST RETR EPSV, REST RETR EPSV",
		"at once":       "EPSV, REST RETR EPSV, EPSV, REST RETR EPSV",
		"and says what": "EPSV, REST RETR EPSV",
	} {
		t.Run(reads, func(t *testing.T) {
			ep, f := startFake(t, transport.FTPS, func(f *fake) {
				f.greeting = "220 ProFTPD Server (test)"
				f.files["f"] = []byte("content")
				fromRest(f)
				f.on["RETR"] = func(s *session, name string) string {
					s.say("150 here it comes")
					conn := s.accept()
					if err := conn.(*tls.Conn).Handshake(); err != nil {
						return "425 " + err.Error()
					}
					_ = s.raw.SetReadDeadline(time.Now().Add(10 * time.Second))
					if rest, err := io.ReadAll(s.raw); err != nil || len(rest) > 0 {
						t.Errorf("%d bytes and %v before the part: our direction has not ended", len(rest), err)
					}
					_ = s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
					if _, err := s.r.Peek(1); err != nil {
						t.Error("nothing came before the part")
					}
					_ = s.conn.SetReadDeadline(time.Time{})
					if reads != "later" {
						_, _ = s.r.ReadString('\n')
						f.mu.Lock()
						f.turns[len(f.turns)-1] += " EPSV"
						f.mu.Unlock()
						s.say("450 EPSV: data transfer in progress")
					}
					_, _ = conn.Write(s.files[name][s.rest:])
					_ = conn.Close()
					if reads == "and says what" {
						return "200 fine"
					}
					return "226 done"
				}
			})
			c := dial(t, ep)
			f.forget()
			var got [3]strings.Builder
			var reqs []transport.Request
			for i := range got {
				reqs = append(reqs, &transport.Retrieve{Path: "f", Offset: 3, Limit: 4, Dst: &got[i], Last: true})
			}
			reqs[2].Common().If = func() bool { return false }
			err := c.Do(t.Context(), transport.NewBatch(reqs...))
			for i, r := range reqs[:2] {
				if reads == "and says what" && i > 0 {
					if c.Usable() || r.Common().Err != transport.ErrUnsent {
						t.Error("nothing is known of the session, and it goes on")
					}
				} else if r.Common().Err != nil || got[i].String() != "tent" {
					t.Fatalf("%q, %v, %v", got[i].String(), r.Common().Err, err)
				}
			}
			if got := f.inTurns(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}
