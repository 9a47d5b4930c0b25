package sftpdriver

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/pkg/sftp"
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
	sftp *sftp.Client
	info transport.Info

	limits limits
	trip   atomic.Int64 // see roundTrip
	extras extras

	created created

	readsAhead  bool // see readsAhead
	posixRename atomic.Bool
	noHash      atomic.Bool
	down        atomic.Bool // closed, lost, or in doubt
	closed      atomic.Bool // by Close
}

var (
	_ transport.Conn     = (*Conn)(nil)
	_ transport.Preparer = (*Conn)(nil)
	_ transport.Peeker   = (*Conn)(nil)
	_ transport.Looker   = (*Conn)(nil)
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

// A call is one operation while it runs: the method of [Conn] and, within it,
// the request under way.
type call struct {
	c    *Conn
	ctx  context.Context
	op   *transport.Op
	name string // of the request, without SSH_FXP_
	path string
	acts bool // the operation changes something on the server

	refused bool // by the caller, see retrieveLook
}

// begin starts an operation with its first request. Paths are checked before
// anything is sent.
func (c *Conn) begin(ctx context.Context, name string, acts bool, path string, more ...string) (*call, error) {
	return c.beginWatched(ctx, c.ep.Watch(), name, acts, path, more...)
}

func (c *Conn) beginWatched(ctx context.Context, watch transport.Watch, name string, acts bool, path string, more ...string) (*call, error) {
	k := &call{c: c, ctx: ctx, name: name, path: path, acts: acts}
	for _, p := range append(more, path) {
		if err := transport.CheckPath(p); err != nil {
			return nil, k.error(transport.KindInvalid, 0, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, k.error(transport.KindCanceled, 0, transport.Canceled(ctx))
	}
	if !c.Usable() {
		return nil, k.error(transport.KindLost, 0, c.cause())
	}
	k.op = transport.StartOp(ctx, watch, c.line.Wire).Share()
	k.trace(name, append([]string{path}, more...)...)
	return k, nil
}

// at notes the request under way, for errors and the trace; the one before it
// has been answered.
func (k *call) at(name string, path ...string) {
	k.c.ep.Trace.OnReply(k.c.ep.Protocol, k.c.info.Addr, fxOK, statusName(fxOK))
	k.name = name
	k.trace(name, path...)
}

func (k *call) trace(name string, path ...string) {
	t := k.c.ep.Trace
	if t == nil || t.Command == nil {
		return
	}
	for _, p := range path {
		name += " " + p
	}
	t.OnCommand(k.c.ep.Protocol, k.c.info.Addr, name)
}

// end finishes the operation and turns what went wrong into a
// [*transport.Error]. Where the state of the session is in doubt it is closed.
func (k *call) end(err error) error {
	err = k.op.End(err)
	if k.ctx.Err() != nil || k.op.Stalled() {
		// The socket may have been closed, even if all went well before.
		k.c.fail()
	}
	if err == nil {
		k.c.ep.Trace.OnReply(k.c.ep.Protocol, k.c.info.Addr, fxOK, statusName(fxOK))
		return nil
	}
	te := k.classify(err)
	if t := k.c.ep.Trace; t != nil && t.Reply != nil {
		t.OnReply(k.c.ep.Protocol, k.c.info.Addr, te.Code, te.Err.Error())
	}
	return te
}
