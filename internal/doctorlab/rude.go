//go:build linux

package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
)

// rudeTLS is an imitated FTPS server that closes its data connections without close_notify
// (RFC 8446 section 6.1), as some in the field do.
func (b *bench) rudeTLS() (setup, error) {
	pair, err := b.certificate(pki.CertOptions{Hosts: hosts, NotAfter: time.Now().AddDate(1, 0, 0)})
	if err != nil {
		return setup{}, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{*pair}}
	set, err := b.imitated(ftpx.FTPS, func(c net.Conn) { (&rude{conn: c, config: config}).serve() })
	set.cfg.TLS.CAFile = b.caFile
	return set, err
}

// rude serves one control connection.
type rude struct {
	conn    net.Conn
	config  *tls.Config
	passive net.Listener
}

// answers are to commands that do nothing here.
var answers = map[string]string{
	"USER": "331 And the password?", "PASS": "230 Welcome", "SYST": "215 UNIX Type: L8", "FEAT": "211 No features", "TYPE": "200 Type is set",
	"PBSZ": "200 PBSZ is 0", "PROT": "200 PROT is set", "PASV": "502 Use EPSV", "SIZE": "550 No such file", "MDTM": "550 No such file", "RNFR": "550 No such file",
	"REST": "350 Go on", "NOOP": "200 Well", "AVBL": "502 Unknown", "OPTS": "502 Unknown",
}

func (r *rude) serve() {
	_ = r.conn.SetDeadline(time.Now().Add(time.Minute))
	defer func() {
		if r.passive != nil {
			_ = r.passive.Close()
		}
	}()
	fmt.Fprint(r.conn, "220 A server without manners\r\n")
	lines := bufio.NewReader(r.conn)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "QUIT":
			fmt.Fprint(r.conn, "221 Goodbye\r\n")
			return
		case "AUTH":
			fmt.Fprint(r.conn, "234 Go on\r\n")
			over := tls.Server(r.conn, r.config)
			if over.Handshake() != nil {
				return
			}
			r.conn, lines = over, bufio.NewReader(over)
		case "EPSV":
			if r.passive, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
				return
			}
			fmt.Fprintf(r.conn, "229 Here (|||%d|)\r\n", r.passive.Addr().(*net.TCPAddr).Port)
		case "LIST", "MLSD":
			r.list()
		default:
			answer := answers[verb]
			if answer == "" {
				answer = "502 Unknown"
			}
			fmt.Fprint(r.conn, answer+"\r\n")
		}
	}
}

func (r *rude) list() {
	if r.passive == nil {
		fmt.Fprint(r.conn, "425 EPSV first\r\n")
		return
	}
	raw, err := r.passive.Accept()
	_ = r.passive.Close()
	r.passive = nil
	if err != nil {
		return
	}
	fmt.Fprint(r.conn, "150 Here it comes\r\n")
	over := tls.Server(raw, r.config)
	_ = raw.SetDeadline(time.Now().Add(10 * time.Second))
	if over.Handshake() == nil {
		fmt.Fprint(over, "-rw-r--r-- 1 user group 5 Jan 01 00:00 file\r\n")
	}
	_ = raw.(*net.TCPConn).CloseWrite() // and no close_notify before it
	_ = raw.Close()
	fmt.Fprint(r.conn, "226 That was all\r\n")
}
