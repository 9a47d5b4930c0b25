package doctor

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// mostListing bounds what is read of a listing: a folder may hold millions of names.
const mostListing = 1 << 20

// list asks for ports in both ways and lists the login folder over a data connection.
func (s *seen) list(c *control, config *tls.Config) {
	if s.stop != nil || s.ep.ActiveAddr != "" {
		return // in active mode the server connects, and no passive port matters
	}
	s.data.control = hostOf(c.conn.RemoteAddr())
	var err error
	if s.ftp.pasv, err = c.command("PASV"); err != nil {
		s.stopAt(atServed, "waiting for the answer to PASV", err, reply{})
		return
	}
	host, port, _ := parsePASV(s.ftp.pasv)
	s.data.passive = host
	if s.ftp.epsv, err = c.command("EPSV"); err != nil {
		s.stopAt(atServed, "waiting for the answer to EPSV", err, reply{})
		return
	}
	if p, ok := parseEPSV(s.ftp.epsv); ok {
		port = p
	}
	if port == 0 {
		s.stopAt(atServed, "asking for a data connection", nil, s.ftp.epsv)
		return
	}
	s.data.tried = true
	conn, err := s.dialData(c.ctx, c.conn, port, 0)
	if err != nil {
		s.data.dialErr = err
		s.stopAt(atServed, "opening a data connection", err, reply{})
		return
	}
	defer conn.Close()
	if err := s.readList(c, conn, config); err != nil {
		s.stopAt(atServed, "listing the login folder", err, reply{})
		if timedOut(err) && s.data.bytes == 0 {
			s.listSmall(c, config)
		}
	}
}

// readList sends LIST and reads what comes. A refusal without a listing is a stop by itself.
func (s *seen) readList(c *control, conn *tap, config *tls.Config) error {
	line := "LIST"
	if s.lists("MLST") || s.lists("MLSD") {
		line = "MLSD"
	}
	r, err := c.command(line)
	if err != nil {
		return fmt.Errorf("waiting for the answer to %s: %w", line, err)
	}
	if r.code >= 200 {
		s.data.reply = r
		if !r.positive() {
			s.stopAt(atServed, "listing the login folder", nil, r)
			return nil
		}
	}
	var from net.Conn = conn
	_ = conn.SetDeadline(time.Now().Add(s.opt.StepTimeout))
	if config != nil {
		over := tls.Client(conn, config)
		if err := over.Handshake(); err != nil {
			s.data.tlsErr = err
			if r.code < 200 {
				// What the server makes of it is the better evidence.
				s.data.reply, _ = c.next(s.opt.StepTimeout)
			}
			if s.data.reply.code >= 400 {
				s.stopAt(atServed, "protecting the data connection", nil, s.data.reply)
				return nil
			}
			return fmt.Errorf("shaking hands on the data connection: %w", err)
		}
		s.data.resumed = over.ConnectionState().DidResume
		from = over
	}
	s.data.bytes, err = io.Copy(io.Discard, io.LimitReader(from, mostListing))
	s.data.readErr = err
	if config != nil && s.data.bytes < mostListing {
		s.data.notified, s.data.notifySet = conn.records.alert()
	}
	_ = from.Close()
	if r.code < 200 {
		if s.data.reply, err = c.next(s.opt.StepTimeout); err != nil {
			return fmt.Errorf("waiting for the final reply to %s: %w", line, errors.Join(s.data.readErr, err))
		}
		// What was read to its bound was cut off by us.
		if !s.data.reply.positive() && s.data.bytes < mostListing {
			s.stopAt(atServed, "listing the login folder", nil, s.data.reply)
		}
	}
	return nil
}

// listSmall lists once more over a data connection of small segments, which tells lost
// full-size packets from a server that says nothing.
func (s *seen) listSmall(c *control, config *tls.Config) {
	if s.ep.Dial != nil || smallSegments(smallest) == nil || c.ctx.Err() != nil {
		return
	}
	s.tcp.smallTried, s.tcp.smallWhat = true, s.stop.what
	c.deadline(time.Second)
	_, _ = c.read() // the first listing's end, if it comes
	r, err := c.command("EPSV")
	if err != nil {
		return
	}
	port, ok := parseEPSV(r)
	if !ok {
		return
	}
	conn, err := s.dialData(c.ctx, c.conn, port, smallest)
	if err != nil {
		return
	}
	defer conn.Close()
	before := s.data
	err = s.readList(c, conn, config)
	s.tcp.smallWorks = err == nil && s.data.bytes > 0
	s.data = before
}

// hostOf is the address without its port.
func hostOf(a net.Addr) string {
	if a == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return ""
	}
	return host
}

// parsePASV reads "227 Entering Passive Mode (h1,h2,h3,h4,p1,p2)" (RFC 959 section 4.1.2).
func parsePASV(r reply) (host string, port int, ok bool) {
	if r.code != 227 {
		return "", 0, false
	}
	start := strings.IndexAny(r.text, "0123456789")
	if start < 0 {
		return "", 0, false
	}
	rest := r.text[start:]
	if end := strings.IndexFunc(rest, func(c rune) bool { return c != ',' && c != ' ' && (c < '0' || c > '9') }); end >= 0 {
		rest = rest[:end]
	}
	var n []int
	for part := range strings.SplitSeq(rest, ",") {
		v, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || v < 0 || v > 255 {
			return "", 0, false
		}
		n = append(n, v)
	}
	if len(n) != 6 {
		return "", 0, false
	}
	return fmt.Sprintf("%d.%d.%d.%d", n[0], n[1], n[2], n[3]), n[4]<<8 | n[5], true
}

// parseEPSV reads "229 Entering Extended Passive Mode (|||6446|)" (RFC 2428 section 3).
func parseEPSV(r reply) (port int, ok bool) {
	if r.code != 229 {
		return 0, false
	}
	_, rest, found := strings.Cut(r.text, "(")
	if !found || len(rest) < 5 {
		return 0, false
	}
	d := rest[:1]
	parts := strings.Split(rest, d)
	if len(parts) < 5 {
		return 0, false
	}
	n, err := strconv.Atoi(parts[3])
	return n, err == nil && n > 0 && n < 1<<16
}
