package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// Conn is a logged-in FTP or FTPS connection, see [transport.Conn].
type Conn struct {
	ep  *transport.Endpoint
	ctl *control
	lib *ftp.ServerConn
	tls *tlsSetup // nil on plain FTP
	named
	secure    *transport.Security
	roundTrip time.Duration

	learned *transport.Learned // the endpoint's, or one of this connection
	traits  traits
	serial  bool      // send one command at a time
	data    *dataConn // the connection that the library is to be given next
	op      *wire.Op  // the operation that is under way
	// What has been learned. Only the owner's calls use it.
	feats features
	shown
	lacking
	noted lacking // of that, what the endpoint's memory has been told
	prefetched
	inside

	turns
}

// named is what the server goes by.
type named struct {
	server string // its greeting
	addr   string // what was dialled
	peer   string // what the socket is connected to
}

// shown is what the server has shown on this connection.
type shown struct {
	home     string // the login folder, "" until asked for
	hashAlgo string // what OPTS HASH has chosen last
	cwdTells bool   // CWD has refused a name that is no folder
	// namesItself: a listing for machines had the folder that was listed.
	namesItself bool
	lists       bool // MLSD has listed something
	onTrial     bool // it is serial because of a reset alone, see learnOfReset
	// listsNames: LIST has described a file by its name. absentWords are refusals that turned
	// out to mean that nothing is there. inList is what a listing told in the last look.
	listsNames  bool
	absentWords map[string]bool
	inList      listedState
	// On this connection or an earlier one a port of EPSV's could be reached, MLST has
	// described a file, and a transfer was granted for a path.
	reachedEPSV, describes, takesPaths bool
}

var _ transport.Conn = (*Conn)(nil)

// Info describes the connection.
func (c *Conn) Info() transport.Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	return transport.Info{Protocol: c.ep.Protocol, Addr: c.addr, Peer: c.peer, Server: c.server, RoundTrip: c.roundTrip,
		Caps: c.caps, Security: c.secure}
}

// Usable reports whether the session is in a known state.
func (c *Conn) Usable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.closed && !c.ctl.broken.Load()
}

// byeTimeout bounds the writing of QUIT: closing never waits for a server.
const byeTimeout = 100 * time.Millisecond

// Close ends the session. A call under way on another goroutine is aborted.
func (c *Conn) Close() error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	idle := c.calls == 0 && !c.ctl.broken.Load()
	c.mu.Unlock()
	if !first {
		return nil
	}
	if idle {
		_ = c.ctl.wire.SetWriteDeadline(time.Now().Add(byeTimeout))
		_ = c.ctl.send("QUIT")
	}
	c.lose()
	return nil
}

// lose ends the session at once.
func (c *Conn) lose() {
	c.ctl.broken.Store(true)
	_ = c.ctl.wire.Abort()
}

// pipelines reports whether the server is sent several commands in one write, and a
// command while its data connection is dialled. Where it is not, the library carries
// out what there is, see library.go.
func (c *Conn) pipelines() bool { return c.overlaps() && !c.noPaths }

// overlaps reports whether two batches may be there at once. It stays as it is.
func (c *Conn) overlaps() bool { return !c.serial && c.ep.ActiveAddr == "" && !c.wantsPRET() }

// operate runs f as one operation: cancellable, watched, and ending with the session in
// sync or broken. An error is f's own, and before it why the operation was ended.
func (c *Conn) operate(ctx context.Context, watch wire.Watch, f func(op *wire.Op) error) error {
	op := wire.StartOp(ctx, watch, c.ctl.wire)
	c.op, c.ctl.ctx = op, ctx
	returned := false
	defer func() {
		if !returned {
			op.Abandon()
		}
	}()
	err := op.End(f(op))
	returned = true
	c.op = nil
	if ctx.Err() != nil || op.Stalled() {
		// The sockets are being closed, even if f was faster.
		c.ctl.broken.Store(true)
	}
	if op.Stalled() && c.ctl.halfAnswered {
		c.lacksNow(lacksPipelining)
	}
	c.learnOfReset(err)
	return err
}

// settle is for the end of an operation, when its errors have been told. Unless every
// reply has been read, the session is broken: the next command would be given the last
// one's answer.
func (c *Conn) settle() {
	if !c.ctl.inStep() {
		c.lose()
	}
	c.remember()
	c.ctl.answers, c.ctl.readBack, c.ctl.halfAnswered, c.data = nil, false, false, nil
	c.ctl.lengthenWait()
}

// cause returns why ctx ended, known for a cancellation and for what it was.
func cause(ctx context.Context) error {
	if c := context.Cause(ctx); c != nil && !errors.Is(c, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), c)
	}
	return ctx.Err()
}
