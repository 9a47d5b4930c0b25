package ftpdriver

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// resets has the connection reset at a command for which it is due.
func (f *fake) resets(verb string, due func(s *session) bool) {
	instead(f, verb, func(s *session, _, was string) string {
		if !due(s) {
			return was
		}
		_ = s.conn.(*net.TCPConn).SetLinger(0)
		return hangUp
	})
}

// together reports whether the command has come with others.
func together(s *session) bool { return s.r.Buffered() > 0 }

// TestResetMakesTheNextConnectionSerial: a connection in clear that is reset directly after
// several commands were sent at once makes the next one send one at a time.
func TestResetMakesTheNextConnectionSerial(t *testing.T) {
	for _, verb := range []string{"FEAT", "SIZE"} { // in the login, and after it
		t.Run(verb, func(t *testing.T) {
			ep, f := startFake(t, transport.FTP, func(f *fake) {
				f.files["f"] = []byte("1")
				f.resets(verb, together)
			})
			use := func() error {
				c, err := Dial(t.Context(), ep)
				if err != nil {
					return err
				}
				defer c.Close()
				_, err = (transport.Calls{Conn: c}).Stat(t.Context(), "f")
				return err
			}
			if err := use(); transport.KindOf(err) != transport.KindLost {
				t.Fatalf("with several commands at once: %v", err)
			}
			f.forget()
			if err := use(); err != nil {
				t.Fatalf("one at a time: %v", err)
			}
			if turns := f.inTurns(); strings.Contains(strings.ReplaceAll(turns, ", ", ","), " ") {
				t.Errorf("several commands at once: %s", turns)
			}
		})
	}
}

// TestResetOfTheLine: where a serial connection is reset as well it was the line, and after
// two such tries nothing is concluded from a reset any more.
func TestResetOfTheLine(t *testing.T) {
	bad := true
	ep, f := startFake(t, transport.FTP, func(f *fake) { f.resets("SIZE", func(*session) bool { return bad }) })
	serial := func() (was bool) {
		f.forget()
		c := dial(t, ep)
		defer c.Close()
		_, _ = c.Stat(t.Context(), "f")
		return c.serial
	}
	want := []bool{false, true, false, true, false, false, false}
	for i, w := range want {
		if got := serial(); got != w {
			t.Fatalf("connection %d is serial: %v, want %v", i+1, got, w)
		}
	}
}

// TestNoResetNoSuspicion: a connection that ends in good order, that is reset when some of
// what was sent together has been answered, after one command, or under TLS, says nothing.
func TestNoResetNoSuspicion(t *testing.T) {
	for name, c := range map[string]struct {
		proto transport.Protocol
		verb  string
		how   func(f *fake)
	}{
		"eof": {transport.FTP, "SIZE", func(f *fake) { f.on["SIZE"] = always(hangUp) }},
		"after an answer": {transport.FTP, "MDTM", func(f *fake) {
			f.resets("MDTM", func(*session) bool { time.Sleep(50 * time.Millisecond); return true })
		}},
		"one command": {transport.FTP, "NOOP", func(f *fake) { f.resets("NOOP", func(*session) bool { return true }) }},
	} {
		t.Run(name, func(t *testing.T) {
			ep, _ := startFake(t, c.proto, func(f *fake) { f.files["f"] = []byte("1"); c.how(f) })
			conn := dial(t, ep)
			if c.verb == "NOOP" {
				_ = conn.Ping(t.Context())
			} else {
				_, _ = conn.Stat(t.Context(), "f")
			}
			if conn.Usable() {
				t.Fatal("it was not lost")
			}
			if ep.Learned.Lacks(ep.Addr(), lacksBursts) {
				t.Error("the next connection is serial")
			}
		})
	}
}
