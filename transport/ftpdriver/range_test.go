package ftpdriver

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRangeIsAskedForExactly: where a server takes RANG, it is asked for the bytes that
// are wanted, the last one included and no other. It comes to the end of what it sends, the
// data connection ends in good order, and the session goes on.
func TestRangeIsAskedForExactly(t *testing.T) {
	data := random(600 << 10)
	for _, r := range []struct{ offset, limit int }{{10 << 10, 1}, {10 << 10, 1 << 10}, {1, 500 << 10}, {0, 100}, {200_000, 300_001}} {
		for i, p := range slices.Repeat(protocols, 3) {
			// The last is sent one command at a time, by the library.
			greeting := []string{"220 fake", "220 ProFTPD Server (test)", "220 Microsoft FTP Service"}[i/len(protocols)]
			t.Run(fmt.Sprint(greeting, " ", p, " ", r.offset, "+", r.limit), func(t *testing.T) {
				ended := make(chan error, 8)
				ep, f := startFake(t, p, func(f *fake) {
					f.greeting = greeting
					f.feat = append(f.feat, "RANG STREAM")
					f.files["f"] = data
					first, last := 0, -1
					f.on["RANG"] = func(s *session, arg string) string {
						_, _ = fmt.Sscan(arg, &first, &last)
						return "350 that range"
					}
					f.on["RETR"] = func(s *session, name string) string {
						s.say("150 here it comes")
						conn := s.accept()
						_, err := conn.Write(s.files[name][first : last+1])
						if c, ok := conn.(interface{ CloseWrite() error }); ok && err == nil {
							err = c.CloseWrite()
						}
						_ = s.raw.CloseWrite()
						_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
						if err == nil {
							_, err = io.Copy(io.Discard, conn) // their end, or a reset
						}
						_ = conn.Close()
						ended <- err
						if err != nil {
							return "426 Failure writing network stream."
						}
						return "226 done"
					}
				})
				c := dial(t, ep)
				for range 2 { // the second on the same session
					var got bytes.Buffer
					n, err := c.Retrieve(t.Context(), "f", int64(r.offset), &got, &transport.IO{Limit: int64(r.limit)})
					if err != nil || n != int64(r.limit) || !bytes.Equal(got.Bytes(), data[r.offset:r.offset+r.limit]) {
						t.Fatalf("%d bytes: %v", n, err)
					}
					if err := <-ended; err != nil {
						t.Errorf("the server saw %v in place of the end", err)
					}
					if !c.Usable() {
						t.Fatal("the session was given up")
					}
				}
				if err := c.Ping(t.Context()); err != nil {
					t.Error(err)
				}
				want := fmt.Sprintf("RANG %d %d", r.offset, r.offset+r.limit-1)
				asked := slices.DeleteFunc(f.got(), func(line string) bool { return !strings.HasPrefix(line, "RANG") })
				if len(asked) != 2 || asked[0] != want || asked[1] != want {
					t.Errorf("%q, want %q twice", asked, want)
				}
				if n := f.count("USER"); n != 1 {
					t.Errorf("%d logins", n)
				}
			})
		}
	}
}

// TestRangeInTurn: where commands go one by one, a range that is refused is asked for from
// its offset on.
func TestRangeInTurn(t *testing.T) {
	data := random(100 << 10)
	for name, c := range map[string]struct {
		rang  string
		short bool // RETR says that the file ends before
		limit int64
		turns string
		again string // for a second one
	}{
		"as asked":        {rang: "350 that range", limit: 1 << 10, turns: "EPSV, RANG, RETR", again: "EPSV, RANG, RETR"},
		"unknown":         {rang: "500 what?", limit: 95 << 10, turns: "EPSV, RANG, REST, RETR", again: "EPSV, REST, RETR"},
		"not of the file": {rang: "554 no", limit: 95 << 10, turns: "EPSV, RANG, REST, RETR", again: "EPSV, RANG, REST, RETR"},
		"too long": {rang: "350 that range", short: true, limit: 95 << 10, turns: "EPSV, RANG, RETR, EPSV, REST, RETR",
			again: "EPSV, RANG, RETR, EPSV, REST, RETR"},
	} {
		for _, p := range protocols {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.greeting, f.feat = "220 Microsoft FTP Service", []string{"RANG STREAM"}
					f.files["f"] = data
					fromRest(f)
					ranged, accept, give := false, f.on["RANG"], f.on["RETR"]
					f.on["RANG"] = func(s *session, arg string) string {
						if ranged = c.rang[0] == '3'; ranged && !c.short {
							return accept(s, arg)
						}
						return c.rang
					}
					f.on["RETR"] = func(s *session, name string) string {
						if ranged && c.short {
							ranged = false
							return "554 the file ends before"
						}
						return give(s, name)
					}
				})
				conn := dial(t, ep)
				const offset = 10 << 10
				want := data[offset:min(len(data), offset+int(c.limit))]
				for _, turns := range []string{c.turns, c.again} {
					f.forget()
					var got bytes.Buffer
					n, err := conn.Retrieve(t.Context(), "f", offset, &got, &transport.IO{Limit: c.limit})
					if err != nil || n != int64(len(want)) || !bytes.Equal(got.Bytes(), want) {
						t.Fatalf("%d bytes, %v", n, err)
					}
					if s := f.inTurns(); s != turns {
						t.Errorf("%q, want %q", s, turns)
					}
				}
			})
		}
	}
}
