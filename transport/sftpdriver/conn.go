package sftpdriver

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Conn is an SSH connection with an SFTP session, and with more of them while a
// large file wants them. Its methods may be called concurrently, up to
// [transport.Caps.Overlap] at once.
type Conn struct {
	ep   *transport.Endpoint
	line *line
	ssh  ssh.Conn
	pipe *pipe
	lib  library
	info transport.Info

	limits limits
	trip   atomic.Int64  // see roundTrip
	seq    atomic.Uint64 // the last request that the trace was told of
	extras extras

	traits      traits
	posixRename atomic.Bool
	posixMeant  atomic.Bool // see rename.go
	asksMore    atomic.Bool // see asksOn
	noHash      atomic.Bool
	down        atomic.Bool // closed, lost, or in doubt
	closed      atomic.Bool // by Close
}

// firstRequests is how many requests opening a session takes: the subsystem and INIT.
const firstRequests = 2

var (
	_ transport.Conn = (*Conn)(nil)
)

// Info describes the connection.
func (c *Conn) Info() transport.Info {
	info := c.info
	info.RoundTrip = time.Duration(c.trip.Load())
	info.Caps.ReplaceOnRename = c.posixRename.Load()
	if c.sole() {
		info.Caps.Overlap = 0
	}
	if c.noHash.Load() {
		info.Caps.Hashes, info.Caps.HashRanges = nil, false
	}
	return info
}

// Usable reports whether the session is in a known state. It turns false by
// itself when the connection is lost.
func (c *Conn) Usable() bool {
	if c.down.Load() {
		return false
	}
	select {
	case <-c.pipe.ended:
		return false
	default:
		return true
	}
}

// Close ends the session by closing the socket, which is all the goodbye that
// SSH needs: sftp-server ends at the end of its input. A polite end of the
// channel would be a write, and hang on a dead line or behind a stalled key
// exchange (trap 9). Calls under way return with [transport.KindLost].
func (c *Conn) Close() error {
	c.closed.Store(true)
	c.fail()
	return nil
}

// fail makes the connection unusable and frees whatever waits on it.
func (c *Conn) fail() {
	c.down.Store(true)
	_ = c.line.Abort()
}

// cause returns why the connection ended: what the socket said, or the
// server's disconnect message. The SSH layer ends as soon as its socket is
// closed, so this does not wait for the server.
func (c *Conn) cause() error {
	c.fail()
	said := c.ssh.Wait()
	switch err := c.line.lost(); {
	case c.closed.Load():
		return errClosed
	case err != nil:
		return err
	case said != nil && !errors.Is(said, net.ErrClosed):
		return said
	}
	return errSubsystemEnded
}

var (
	errClosed         = errors.New("the connection has been closed")
	errSubsystemEnded = errors.New("the server ended the SFTP session")
)

// at notes the request under way, for errors and the trace; the one before it
// has been answered.
func (s *step) at(name string, paths ...string) {
	s.answered(fxOK, statusName(fxOK))
	s.name = name
	s.command(paths...)
}

// instead notes another request in place of the one under way, which ended with err.
func (s *step) instead(err error, name string, paths ...string) {
	if st := statusOf(err); st != nil {
		s.answered(int(st.code), st.Error())
	} else {
		s.answered(fxOK, statusName(fxOK))
	}
	s.name = name
	s.command(paths...)
}

// trace tells of the step's first request.
func (s *step) trace() { s.command(s.paths...) }

func (s *step) command(paths ...string) {
	t := s.c.ep.Trace
	if t == nil {
		return
	}
	if s.seq = s.c.seq.Add(1); t.Command == nil {
		return
	}
	name := s.name
	for _, p := range paths {
		name += " " + p
	}
	s.c.ep.OnCommand(s.ctx, s.seq, name)
}

// answered tells of the answer to the request under way. What was never sent has none.
func (s *step) answered(code int, text string) {
	if t := s.c.ep.Trace; t != nil && t.Reply != nil && s.seq > 0 {
		s.c.ep.OnReply(s.ctx, s.seq, code, text)
	}
}
