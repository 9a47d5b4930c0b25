package sftpdriver

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// session watches what the server says beside the SFTP stream, which must be
// read for the channel not to fill up.
type session struct {
	stderr []byte        // its beginning
	heard  chan struct{} // closed at its end
}

func (s *session) listen(r io.Reader) {
	buf := make([]byte, 1024)
	for {
		n, err := r.Read(buf)
		if len(s.stderr) < 1024 {
			s.stderr = append(s.stderr, buf[:n]...)
		}
		if err != nil {
			close(s.heard)
			return
		}
	}
}

// explain tells a subsystem that prints text, or ends at once, from a lost
// connection.
func (s *session) explain(err error, first *firstBytes, conn ssh.Conn, l *line) error {
	if l.lost() != nil {
		return err
	}
	_ = l.Abort() // now the connection ends, with what ended it before, if anything
	if end := conn.Wait(); end != nil && !errors.Is(end, net.ErrClosed) {
		return end
	}
	<-s.heard
	said := string(s.stderr)
	if said == "" {
		// What pkg/sftp did not come to read is still there.
		_, _ = io.CopyN(io.Discard, first, 200)
		said = string(first.seen)
	}
	if said = beginning(said); said == "" {
		return &subsystemError{fmt.Sprintf("the server's SFTP subsystem does not answer as one (%v): its sftp-server may be missing, or the account may not use it", err)}
	}
	return &subsystemError{fmt.Sprintf("the server's SFTP subsystem does not speak SFTP (%v): it said %q; "+
		"a login script that prints something is the usual reason", err, transport.Printable(said))}
}

// beginning is the text that bytes begin with: a server that prints something may speak SFTP
// right behind it. It is "" where they begin with no text.
func beginning(said string) string {
	if i := strings.IndexFunc(said, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' }); i >= 0 {
		said = said[:i]
	}
	if said = strings.TrimSpace(said); len(said) < 4 { // a packet's length is no text
		return ""
	}
	return said
}

// firstBytes keeps what an SFTP subsystem says first.
type firstBytes struct {
	ssh.Channel
	seen []byte
}

func (f *firstBytes) Read(p []byte) (int, error) {
	n, err := f.Channel.Read(p)
	if len(f.seen) < 200 {
		f.seen = append(f.seen, p[:min(n, 200)]...)
	}
	return n, err
}

// A subsystemError says that SSH is here, but not SFTP.
type subsystemError struct{ text string }

func (e *subsystemError) Error() string { return e.text }
