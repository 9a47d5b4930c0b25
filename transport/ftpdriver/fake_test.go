package ftpdriver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fake is a small FTP server that says and does what a test wants: on overrides
// a command, by returning the reply ("" for none) or by talking itself.
type fake struct {
	t        testing.TB
	listener net.Listener
	greeting string
	config   *tls.Config // for AUTH TLS and data under PROT P
	implicit bool
	feat     []string
	files    map[string][]byte
	on       map[string]func(s *session, arg string) string

	mu       sync.Mutex
	received []string // command lines, of all sessions
	clear    []string // those that came in clear
	turns    []string // the commands of each write, by their verbs
	conns    []net.Conn
	closed   bool
	wg       sync.WaitGroup
}

type session struct {
	*fake
	conn    net.Conn
	r       *bufio.Reader
	secure  bool
	protect bool
	data    net.Listener
	raw     *net.TCPConn // the data connection last accepted
	rest    int
}

// startFake starts it; change fields through the function, before it listens.
func startFake(t testing.TB, p transport.Protocol, change func(f *fake)) (*transport.Endpoint, *fake) {
	t.Helper()
	f := &fake{t: t, greeting: "220 fake", files: map[string][]byte{}, on: map[string]func(*session, string) string{}}
	if p.Secure() {
		f.config, f.implicit = serverTLS(t), p == transport.FTPSImplicit
	}
	if change != nil {
		change(f)
	}
	var err error
	if f.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f.wg.Go(func() {
		for {
			conn, err := f.listener.Accept()
			if err != nil {
				return
			}
			f.keep(conn)
			f.wg.Go(func() { f.serve(conn) })
		}
	})
	t.Cleanup(f.stop)
	ep := endpoint(p, f.listener.Addr())
	ep.Stall, ep.ConnectTimeout = 20*time.Second, 30*time.Second
	return ep, f
}

func (f *fake) keep(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		_ = c.Close()
	}
	f.conns = append(f.conns, c)
}

func (f *fake) stop() {
	f.mu.Lock()
	f.closed = true
	_ = f.listener.Close()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.mu.Unlock()
	f.wg.Wait()
}

// got returns the command lines so far.
func (f *fake) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.received)
}

// forget begins anew with what got, inTurns and inClear return.
func (f *fake) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.received, f.turns, f.clear = nil, nil, nil
}

// inTurns returns the verbs so far, those of one write together: each write is a
// round trip.
func (f *fake) inTurns() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.turns, ", ")
}

func (f *fake) count(verb string) (n int) {
	for _, line := range f.got() {
		if verbOf(line) == verb {
			n++
		}
	}
	return n
}

func (f *fake) inClear() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.clear)
}

func (f *fake) serve(conn net.Conn) {
	s := &session{fake: f, conn: conn, r: bufio.NewReader(conn)}
	defer func() {
		_ = s.conn.Close()
		if s.data != nil {
			_ = s.data.Close()
		}
	}()
	if f.implicit {
		s.startTLS()
	}
	if f.greeting != "" {
		s.say(f.greeting)
	}
	for {
		turn := s.r.Buffered() == 0 // what comes in one write is read at once
		line, err := s.r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		f.mu.Lock()
		f.received = append(f.received, line)
		if turn {
			f.turns = append(f.turns, verbOf(line))
		} else {
			f.turns[len(f.turns)-1] += " " + verbOf(line)
		}
		if !s.secure {
			f.clear = append(f.clear, line)
		}
		f.mu.Unlock()
		verb := verbOf(line)
		_, arg, _ := strings.Cut(line, " ")
		do := f.on[verb]
		if do == nil {
			do = defaults[verb]
		}
		if do == nil {
			do = func(*session, string) string { return "500 Unknown command." }
		}
		answer := do(s, arg)
		if answer == hangUp {
			return
		}
		if answer != "" {
			s.say(answer)
		}
	}
}

const hangUp = "\x00hang up"

func (s *session) say(text string) {
	if !strings.HasSuffix(text, "\n") {
		text += "\r\n"
	}
	_, _ = io.WriteString(s.conn, text)
}

func (s *session) startTLS() {
	s.conn = tls.Server(s.conn, s.config)
	s.r = bufio.NewReader(s.conn)
	s.secure = true
}

// accept returns the data connection.
func (s *session) accept() net.Conn {
	if s.data == nil {
		return nil
	}
	_ = s.data.(*net.TCPListener).SetDeadline(time.Now().Add(5 * time.Second))
	conn, err := s.data.Accept()
	_ = s.data.Close()
	s.data = nil
	if err != nil {
		return nil
	}
	s.keep(conn)
	s.raw = conn.(*net.TCPConn)
	if s.protect {
		return tls.Server(conn, s.config)
	}
	return conn
}

func (s *session) passive() int {
	if s.data != nil {
		_ = s.data.Close()
	}
	var err error
	if s.data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return 0
	}
	return s.data.Addr().(*net.TCPAddr).Port
}

// send answers a RETR or a listing.
func (s *session) send(data []byte) string {
	s.say("150 here it comes")
	conn := s.accept()
	if conn == nil {
		return "425 no data connection"
	}
	_, err := conn.Write(data)
	_ = conn.Close()
	if err != nil {
		return "426 Failure writing network stream."
	}
	return "226 done"
}

func (s *session) take(name string) string {
	s.say("150 go ahead")
	conn := s.accept()
	if conn == nil {
		return "425 no data connection"
	}
	data, err := io.ReadAll(conn)
	_ = conn.Close()
	s.mu.Lock()
	s.files[name] = slices.Concat(s.files[name][:min(s.rest, len(s.files[name]))], data)
	s.rest = 0
	s.mu.Unlock()
	if err != nil {
		return "426 Failure reading network stream."
	}
	return "226 done"
}

func (f *fake) file(name string) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.files[name])
}

func always(text string) func(*session, string) string {
	return func(*session, string) string { return text }
}

var defaults map[string]func(s *session, arg string) string

func init() {
	defaults = map[string]func(s *session, arg string) string{
		"USER": always("331 password?"),
		"PASS": always("230 in"),
		"TYPE": always("200 ok"), "NOOP": always("200 ok"), "PBSZ": always("200 ok"), "OPTS": always("200 ok"),
		"PWD": always(`257 "/home" is where you are`), "CWD": always("550 No such file or directory"),
		"QUIT": func(s *session, _ string) string { s.say("221 bye"); return hangUp },
		"DELE": always("250 gone"), "MKD": always("257 made"), "RMD": always("250 gone"),
		"RNFR": always("350 to?"), "RNTO": always("250 moved"), "REST": always("350 from there"),
		"SIZE": func(s *session, name string) string {
			if data, ok := s.files[name]; ok {
				return fmt.Sprintf("213 %d", len(data))
			}
			return "550 Could not get file size."
		},
		"MDTM": always("550 Could not get file modification time."),
		"FEAT": func(s *session, _ string) string {
			return "211-Features:\r\n " + strings.Join(append(s.feat, "EPSV"), "\r\n ") + "\r\n211 End"
		},
		"AUTH": func(s *session, _ string) string {
			if s.config == nil {
				return "500 AUTH not understood"
			}
			s.say("234 go ahead")
			s.startTLS()
			return ""
		},
		"PROT": func(s *session, arg string) string { s.protect = arg == "P"; return "200 ok" },
		"EPSV": func(s *session, _ string) string { return fmt.Sprintf("229 ok (|||%d|)", s.passive()) },
		"PASV": func(s *session, _ string) string {
			p := s.passive()
			return fmt.Sprintf("227 ok (10,255,255,1,%d,%d)", p>>8, p&255)
		},
		"STOR": func(s *session, name string) string { return s.take(name) },
		"RETR": func(s *session, name string) string {
			data, ok := s.files[name]
			if !ok {
				return "550 Failed to open file."
			}
			return s.send(data)
		},
		"LIST": func(s *session, _ string) string { return s.send(nil) },
	}
}
