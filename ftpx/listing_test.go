package ftpx_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A server whose folders hold folders, and each of these as well, without end.
type endless struct {
	each  int // how many folders a folder holds, 0 for no end
	port  int
	asked atomic.Int64 // listings
	conns atomic.Int64 // connections
}

// listen serves connections until the test ends.
func (e *endless) listen(t *testing.T, serve func(net.Conn)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.port = l.Addr().(*net.TCPAddr).Port
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			e.conns.Add(1)
			stop := context.AfterFunc(t.Context(), func() { conn.Close() })
			wg.Go(func() {
				defer stop()
				defer conn.Close()
				serve(conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
}

// ftp is enough of FTP for a login and MLSD, or for LIST.
func (e *endless) ftp(config *tls.Config, implicit, mlsd bool) func(net.Conn) {
	return func(conn net.Conn) {
		var data net.Listener
		protect := false
		if implicit {
			conn = tls.Server(conn, config)
		}
		say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
		say("220 ready")
		r := bufio.NewReader(conn)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			verb, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch verb {
			case "AUTH":
				say("234 go ahead")
				conn = tls.Server(conn, config)
				r = bufio.NewReader(conn)
			case "FEAT":
				if mlsd {
					say("211-Features:\r\n MLST type*;\r\n211 End")
				} else {
					say("211-Features:\r\n SIZE\r\n211 End")
				}
			case "USER":
				say("331 password?")
			case "PASS":
				say("230 in")
			case "PWD":
				say(`257 "/"`)
			case "CWD":
				say("250 ok")
			case "PROT":
				protect = arg == "P"
				say("200 ok")
			case "EPSV":
				if data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
					return
				}
				say(fmt.Sprintf("229 ok (|||%d|)", data.Addr().(*net.TCPAddr).Port))
			case "MLST":
				say("250-Here\r\n type=dir; /\r\n250 End")
			case "MLSD", "LIST":
				say("150 here it comes")
				d, err := data.Accept()
				data.Close()
				if err != nil {
					return
				}
				if protect {
					d = tls.Server(d, config)
				}
				ended := e.list(d, verb)
				d.Close()
				if ended {
					say("226 done")
				} else {
					say("426 Failure writing network stream.")
				}
			case "DELE":
				say("550 Is a directory")
			case "RMD":
				say("550 Directory not empty")
			default:
				say("200 ok")
			}
		}
	}
}

// list reports whether it came to its end.
func (e *endless) list(d net.Conn, verb string) bool {
	e.asked.Add(1)
	form := "type=dir; %d\r\n"
	if verb == "LIST" {
		form = "drwxr-xr-x 1 a b 5 Jan 2 2020 %d\r\n"
	}
	w := bufio.NewWriterSize(d, 64<<10)
	for i := 0; e.each == 0 || i < e.each; i++ {
		if _, err := fmt.Fprintf(w, form, i); err != nil {
			return false
		}
	}
	return w.Flush() == nil
}

// ssh is an SFTP server with the same folder.
func (e *endless) ssh(key ssh.Signer) func(net.Conn) {
	config := &ssh.ServerConfig{PasswordCallback: func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) { return nil, nil }}
	config.AddHostKey(key)
	return func(raw net.Conn) {
		conn, channels, requests, err := ssh.NewServerConn(raw, config)
		if err != nil {
			return
		}
		defer conn.Close()
		var wg sync.WaitGroup
		defer wg.Wait()
		wg.Go(func() { ssh.DiscardRequests(requests) })
		for c := range channels {
			channel, requests, err := c.Accept()
			if err != nil {
				continue
			}
			wg.Go(func() {
				for r := range requests {
					_ = r.Reply(r.Type == "subsystem", nil)
				}
			})
			wg.Go(func() {
				server := sftp.NewRequestServer(channel, sftp.Handlers{FileList: e, FileCmd: e})
				_ = server.Serve()
				_ = server.Close()
				_ = channel.Close()
			})
		}
	}
}

// Filecmd is part of sftp.FileCmder.
func (e *endless) Filecmd(*sftp.Request) error { return sftp.ErrSSHFxFailure }

// Filelist is part of sftp.FileLister.
func (e *endless) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method == "List" {
		e.asked.Add(1)
	}
	return lister{e, r.Method == "Stat"}, nil
}

type lister struct {
	e    *endless
	stat bool
}

// ListAt is part of sftp.ListerAt.
func (l lister) ListAt(into []os.FileInfo, from int64) (int, error) {
	if l.stat {
		into[0] = folderInfo("/")
		return 1, io.EOF
	}
	for i := range into {
		if l.e.each > 0 && int(from)+i >= l.e.each {
			return i, io.EOF
		}
		into[i] = folderInfo(fmt.Sprint(int(from) + i))
	}
	return len(into), nil
}

type folderInfo string

func (f folderInfo) Name() string     { return string(f) }
func (folderInfo) Size() int64        { return 0 }
func (folderInfo) Mode() os.FileMode  { return os.ModeDir | 0o755 }
func (folderInfo) ModTime() time.Time { return time.Unix(1e9, 0) }
func (folderInfo) IsDir() bool        { return true }
func (folderInfo) Sys() any           { return nil }

// eachEndless runs f with a client of such a server, in every protocol.
func eachEndless(t *testing.T, each int, f func(t *testing.T, c ftpx.Client, e *endless)) {
	ca, err := pki.NewCA("authority of a test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.ServerFor("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	for name, tt := range map[string]struct {
		p     ftpx.Protocol
		serve func(e *endless) func(net.Conn)
	}{
		"SFTP":          {ftpx.SFTP, func(e *endless) func(net.Conn) { return e.ssh(key.Signer) }},
		"FTPS":          {ftpx.FTPS, func(e *endless) func(net.Conn) { return e.ftp(config, false, true) }},
		"FTPS implicit": {ftpx.FTPSImplicit, func(e *endless) func(net.Conn) { return e.ftp(config, true, true) }},
		"FTP, MLSD":     {ftpx.FTP, func(e *endless) func(net.Conn) { return e.ftp(nil, false, true) }},
		"FTP, LIST":     {ftpx.FTP, func(e *endless) func(net.Conn) { return e.ftp(nil, false, false) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := &endless{each: each}
			e.listen(t, tt.serve(e))
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: "u", Options: ftpx.Options{
				Password: "p", Protocols: []ftpx.Protocol{tt.p}, AllowPlaintext: true,
				Ports: ftpx.Ports{SFTP: e.port, FTP: e.port, FTPSImplicit: e.port},
				SSH:   transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(key.Signer.PublicKey())}},
				TLS:   transport.TLS{Config: &tls.Config{RootCAs: ca.Pool()}},
				Retry: retry.Policy{InitialDelay: time.Millisecond},
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			f(t, c, e)
		})
	}
}

func wantTooLong(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, transport.ErrListingTooLong) || ftpx.KindOf(err) != transport.KindRefused {
		t.Errorf("%s: %v", what, err)
	}
}

// A listing without end is an error at once, with what it is; it is not asked for
// again, and its connection is not lost for others.
func TestEndlessListings(t *testing.T) {
	eachEndless(t, 0, func(t *testing.T, c ftpx.Client, e *endless) {
		ftpx.SetMaxListing(c, 1<<20)
		n := 0
		for _, err := range c.List(t.Context(), ".") {
			n++
			wantTooLong(t, "list", err)
		}
		if n != 1 {
			t.Errorf("%d entries", n)
		}
		wantTooLong(t, "walk", c.Walk(t.Context(), ".", func(_ string, _ ftpx.Entry, err error) error { return err }))
		wantTooLong(t, "remove", c.RemoveAll(t.Context(), "x"))
		if asked, conns := e.asked.Load(), e.conns.Load(); asked != 3 || conns != 1 {
			t.Errorf("%d listings over %d connections, want 3 over 1", asked, conns)
		}
	})
}

// Folders in folders without end are no way around it: what a walk holds of those
// above counts.
func TestEndlessDepth(t *testing.T) {
	eachEndless(t, 1000, func(t *testing.T, c ftpx.Client, e *endless) {
		ftpx.SetMaxListing(c, 1000*150*3)
		depth := 0
		wantTooLong(t, "walk", c.Walk(t.Context(), ".", func(p string, _ ftpx.Entry, err error) error {
			depth = max(depth, strings.Count(p, "/")+1)
			return err
		}))
		wantTooLong(t, "remove", c.RemoveAll(t.Context(), "x"))
		if asked := e.asked.Load(); depth != 3 || asked != 8 {
			t.Errorf("%d deep, %d listings", depth, asked)
		}
	})
}
