package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
)

// lister is an FTP server that is nothing but its listing: every name is a file that
// holds "x".
type lister struct {
	mlsd  bool
	names []string
}

// start serves and returns the port.
func (l *lister) start(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { l.serve(c) })
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

func (l *lister) serve(c net.Conn) {
	defer c.Close()
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	say("220 ready")
	var data net.Listener
	defer func() {
		if data != nil {
			data.Close()
		}
	}()
	send := func(text string) {
		say("150 here it comes")
		if d, err := data.Accept(); err == nil {
			_, _ = io.WriteString(d, text)
			d.Close()
		}
		say("226 done")
	}
	in := bufio.NewScanner(c)
	for in.Scan() {
		verb, arg, _ := strings.Cut(strings.TrimRight(in.Text(), "\r"), " ")
		switch folder := path.Clean("/" + arg); strings.ToUpper(verb) {
		case "USER":
			say("331 password")
		case "PASS":
			say("230 in")
		case "FEAT":
			if l.mlsd {
				say("211-Features\r\n MLST type*;size*;modify*;\r\n MDTM\r\n SIZE\r\n UTF8\r\n211 End")
			} else {
				say("211-Features\r\n MDTM\r\n SIZE\r\n UTF8\r\n211 End")
			}
		case "TYPE", "OPTS", "NOOP":
			say("200 fine")
		case "PWD":
			say(`257 "/" is here`)
		case "CWD":
			if folder == "/" || folder == "/out" {
				say("250 in")
			} else {
				say("550 no folder")
			}
		case "SIZE":
			if folder == "/out" {
				say("550 a folder")
			} else {
				say("213 1")
			}
		case "MDTM":
			if folder == "/out" {
				say("550 a folder")
			} else {
				say("213 20251103040506")
			}
		case "MLST":
			switch {
			case !l.mlsd:
				say("500 what?")
			case folder == "/out" || folder == "/":
				say("250-here\r\n type=dir;modify=20251103040506; %s\r\n250 end", folder)
			default:
				say("250-here\r\n type=file;size=1;modify=20251103040506; %s\r\n250 end", folder)
			}
		case "EPSV":
			if data != nil {
				data.Close()
			}
			var err error
			if data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return
			}
			say("229 Entering Extended Passive Mode (|||%d|)", data.Addr().(*net.TCPAddr).Port)
		case "MLSD", "LIST":
			if (verb == "MLSD") != l.mlsd {
				say("500 what?")
				continue
			}
			var b strings.Builder
			for _, name := range l.names {
				if l.mlsd {
					fmt.Fprintf(&b, "type=file;size=1;modify=20251103040506; %s\r\n", name)
				} else {
					fmt.Fprintf(&b, "-rw-r--r--   1 u        g               1 Nov 03  2025 %s\r\n", name)
				}
			}
			send(b.String())
		case "RETR":
			send("x")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("500 what?")
		}
	}
}

// TestHostileListing: one name in an FTP listing that would lead elsewhere, or that a
// terminal would obey, fails by itself: it is named, and all others are fetched.
func TestHostileListing(t *testing.T) {
	for _, mlsd := range []bool{true, false} {
		for name, hostile := range map[string]string{
			"up": "../x", "escape": "es\x1b[2Jc", "return": "c\rr", "absolute": "/etc/x", "dots": "..", "C1": "c\u009b2J", "bell": "b\a",
		} {
			t.Run(fmt.Sprint(name, " mlsd ", mlsd), func(t *testing.T) {
				l := &lister{mlsd: mlsd, names: []string{"a", hostile, "zz"}}
				port, outer := l.start(t), t.TempDir()
				local := filepath.Join(outer, "in")
				c := clitest.Command{Main: run}
				s := c.Run(t.Context(), t, "-allow-plaintext", "-ftp-port", port, "-lock-dir", t.TempDir(), "-retry-for", "2s", "-json",
					"ftp://"+clitest.User+"@127.0.0.1/out", local)
				if name == "dots" {
					s.Want(t, cli.ExitDone) // "." and ".." are in many a listing
				} else {
					s.Want(t, cli.ExitSome)
					if n := strings.Count(s.Out, `"op":"refuse"`); n != 1 {
						t.Errorf("%d names refused: %s", n, s.Out)
					}
				}
				clitest.Holds(t, outer, map[string]string{"in/a": "x", "in/zz": "x"})
			})
		}
	}
}
