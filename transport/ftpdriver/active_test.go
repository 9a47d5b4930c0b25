package ftpdriver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// activeFake connects to where the client says, from an address of its own.
type activeFake struct {
	from  string // local address of data connections
	to    string
	first func(to string) // before the data connection proper
	saw   chan error      // how an upload ended
}

func (a *activeFake) dial(s *session) net.Conn {
	if a.first != nil {
		a.first(a.to)
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(a.from)}}
	conn, err := d.Dial("tcp", a.to)
	if err != nil {
		return nil
	}
	s.keep(conn)
	return conn
}

func startActive(t *testing.T, a *activeFake, change func(f *fake)) (*transport.Endpoint, *fake) {
	t.Helper()
	if a.from == "" {
		a.from = "127.0.0.1"
	}
	a.saw = make(chan error, 10)
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		f.feat = []string{"MLST type*;"}
		f.on["EPRT"] = func(_ *session, arg string) string {
			parts := strings.Split(arg, arg[:1])
			a.to = net.JoinHostPort(parts[2], parts[3])
			return "200 ok"
		}
		f.on["PORT"] = func(_ *session, arg string) string {
			n := strings.Split(arg, ",")
			hi, _ := strconv.Atoi(n[4])
			lo, _ := strconv.Atoi(n[5])
			a.to = net.JoinHostPort(strings.Join(n[:4], "."), fmt.Sprint(hi<<8|lo))
			return "200 ok"
		}
		f.on["MLSD"] = func(s *session, _ string) string {
			conn := a.dial(s)
			if conn == nil {
				return "425 no"
			}
			s.say("150 ok")
			_, _ = io.WriteString(conn, "type=file; f\r\n")
			_ = conn.Close()
			return "226 ok"
		}
		f.on["STOR"] = func(s *session, name string) string {
			conn := a.dial(s)
			if conn == nil {
				return "425 no"
			}
			s.say("150 ok")
			data, err := io.ReadAll(conn)
			_ = conn.Close()
			a.saw <- err
			if err != nil {
				return "426 no"
			}
			s.mu.Lock()
			s.files[name] = data
			s.mu.Unlock()
			return "226 ok"
		}
		f.on["RETR"] = func(s *session, name string) string {
			conn := a.dial(s)
			if conn == nil {
				return "425 no"
			}
			s.say("150 ok")
			_, _ = conn.Write(s.file(name))
			_ = conn.Close()
			return "226 ok"
		}
		if change != nil {
			change(f)
		}
	})
	ep.ActiveAddr = ":0"
	return ep, f
}

func TestActiveMode(t *testing.T) {
	for name, tt := range map[string]struct{ addr, eprt string }{
		"EPRT": {":0", ""}, "PORT": {":0", "500 what?"}, "an address": {"127.0.0.1:0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			ep, f := startActive(t, &activeFake{}, func(f *fake) {
				if tt.eprt != "" {
					f.on["EPRT"] = always(tt.eprt)
				}
			})
			ep.ActiveAddr = tt.addr
			c := dial(t, ep)
			for _, data := range [][]byte{random(300_000), nil} {
				if n, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil || n != int64(len(data)) {
					t.Fatal(n, err)
				}
				if !bytes.Equal(f.file("f"), data) {
					t.Error("not what was sent")
				}
				var got bytes.Buffer
				if n, err := c.Retrieve(t.Context(), "f", 0, &got, nil); err != nil || n != int64(len(data)) || !bytes.Equal(got.Bytes(), data) {
					t.Fatal(n, err)
				}
			}
			n := 0
			if err := c.List(t.Context(), ".", func(transport.Entry) bool { n++; return true }); err != nil || n != 1 || !c.Usable() {
				t.Error(n, err)
			}
			if f.count("EPSV")+f.count("PASV") > 0 || (f.count("PORT") > 0) != (tt.eprt != "") {
				t.Errorf("%q", f.got())
			}
		})
	}
}

// A connection from elsewhere than the server is sent away, and gets nothing.
func TestActiveModeStranger(t *testing.T) {
	stolen := make(chan int64, 10)
	a := &activeFake{first: func(to string) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		conn, err := d.Dial("tcp", to)
		if err != nil {
			stolen <- 0 // a system with one loopback address
			return
		}
		go func() {
			_, _ = io.WriteString(conn, "type=file; forged\r\n")
			n, _ := io.Copy(io.Discard, conn)
			_ = conn.Close()
			stolen <- n
		}()
	}}
	ep, f := startActive(t, a, nil)
	c := dial(t, ep)
	if _, err := c.Store(t.Context(), "f", 0, strings.NewReader("content"), nil); err != nil || string(f.file("f")) != "content" {
		t.Error(err)
	}
	if err := c.List(t.Context(), ".", func(e transport.Entry) bool {
		if e.Name != "f" {
			t.Error(e)
		}
		return true
	}); err != nil {
		t.Error(err)
	}
	for range 2 {
		if n := <-stolen; n > 0 {
			t.Errorf("a stranger got %d bytes", n)
		}
	}
}

// A source that fails must not leave a file that the server takes for whole.
func TestActiveModeBrokenSource(t *testing.T) {
	a := &activeFake{}
	ep, f := startActive(t, a, nil)
	c := dial(t, ep)
	broken := errors.New("the source is broken")
	_, err := c.Store(t.Context(), "f", 0, io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken)), nil)
	if !errors.Is(err, broken) || transport.KindOf(err) != transport.KindLocal {
		t.Error(err)
	}
	if err := <-a.saw; err == nil || len(f.file("f")) > 0 {
		t.Errorf("the server saw %v", err)
	}
}

// A server that cannot connect says so, or nothing; and a cancelled call ends at once.
func TestActiveModeWithoutConnection(t *testing.T) {
	ep, _ := startActive(t, &activeFake{}, func(f *fake) {
		f.on["MLSD"] = always("425 Can't build data connection: Connection refused")
		f.on["RETR"] = always("150 coming, or not")
	})
	ep.ConnectTimeout = 300 * time.Millisecond
	c := dial(t, ep)
	c.ctl.grace = 300 * time.Millisecond
	if err := c.List(t.Context(), ".", func(transport.Entry) bool { return true }); transport.KindOf(err) != transport.KindLost || !c.Usable() {
		t.Error(err)
	}
	_, err := c.Retrieve(t.Context(), "f", 0, io.Discard, nil)
	if !errors.Is(err, errNoData) || transport.KindOf(err) != transport.KindTimeout {
		t.Error(err)
	}
	t.Log(err)

	ep.ConnectTimeout = time.Minute
	c = dial(t, ep)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := c.Retrieve(ctx, "f", 0, io.Discard, nil); transport.KindOf(err) != transport.KindCanceled || time.Since(begin) > 5*time.Second {
		t.Error(err, time.Since(begin))
	}
}

func TestActiveAddr(t *testing.T) {
	for addr, ok := range map[string]bool{"": true, ":0": true, "127.0.0.1:0": true, "[::1]:2000": true, "127.0.0.1": false, "host:0": false, ":ftp": false, ":65536": false} {
		if err := checkActive(&transport.Endpoint{ActiveAddr: addr}); (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
	}
	if err := checkActive(&transport.Endpoint{ActiveAddr: ":0", Dial: new(net.Dialer).DialContext}); err == nil {
		t.Error("active mode through a tunnel")
	}
	ep, f := startActive(t, &activeFake{}, nil)
	c := dial(t, ep)
	if err := c.announce(netip.MustParseAddrPort("[2001:db8::1%eth0]:21")); err != nil {
		t.Error(err)
	}
	if got := f.got(); got[len(got)-1] != "EPRT |2|2001:db8::1|21|" {
		t.Errorf("%q", got)
	}
}
