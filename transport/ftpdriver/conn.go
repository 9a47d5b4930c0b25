package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Conn is a logged-in FTP or FTPS connection, see [transport.Conn].
type Conn struct {
	ep        *transport.Endpoint
	ctl       *control
	lib       *ftp.ServerConn
	tls       *tlsSetup // nil on plain FTP
	server    string
	addr      string
	secure    *transport.Security
	roundTrip time.Duration

	data *dataConn // the connection that the library is to be given next
	// What has been learned. Only the owner's calls use it.
	feats    features
	home     string // the login folder, "" until asked for
	hashAlgo string // what OPTS HASH has chosen last
	lacking
	noted  lacking // of that, what the endpoint's memory has been told
	serial bool    // send one command at a time
	// cwdTells: CWD has refused a name that is no folder.
	cwdTells bool
	// namesItself: a listing for machines had the folder that was listed.
	namesItself bool
	// aheadPort is where the next data connection goes, from an EPSV sent ahead.
	aheadPort int
	aheadAt   time.Time
	digest    digestWanted // with the end of the file that is being stored
	carried   *laterRename // what this operation has to send first
	unsent    bool         // it has failed with that, and has sent nothing of its own
	// halfAnswered: the last exchange got some of its replies and no more.
	halfAnswered bool

	mu     sync.Mutex // guards what follows
	caps   transport.Caps
	busy   bool
	closed bool
	later  *laterRename // what the next operation has to send first
}

var _ transport.Conn = (*Conn)(nil)

// Info describes the connection.
func (c *Conn) Info() transport.Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	return transport.Info{Protocol: c.ep.Protocol, Addr: c.addr, Server: c.server, RoundTrip: c.roundTrip,
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
	idle := !c.busy && !c.ctl.broken.Load()
	unsent := c.later
	c.later = nil
	c.mu.Unlock()
	c.drop(unsent)
	if !first {
		return nil
	}
	if idle {
		_ = c.ctl.wire.SetWriteDeadline(time.Now().Add(byeTimeout))
		_ = c.ctl.send("QUIT")
	}
	c.ctl.broken.Store(true)
	_ = c.ctl.wire.Abort()
	return nil
}

// Ping sends NOOP.
func (c *Conn) Ping(ctx context.Context) error {
	return c.do(ctx, "NOOP", "", func(*transport.Op) error { return c.lib.NoOp() })
}

// Truncate is not part of FTP.
func (c *Conn) Truncate(_ context.Context, path string, _ int64) error {
	return c.ep.Fail("truncate", path, transport.KindUnsupported, errors.New("FTP has no command that cuts a file"))
}

// forbidden are commands that would change what the driver relies on.
var forbidden = map[string]string{
	"AUTH": "", "CCC": "", "PBSZ": "", "PROT": "", "REIN": "", "USER": "", "QUIT": "use Close",
	"PORT": "", "EPRT": "", "PASV": "", "EPSV": "", "LPRT": "", "LPSV": "", "SPSV": "", "CPSV": "", "SSCN": "",
	"RETR": "use Retrieve", "STOR": "use Store", "STOU": "", "APPE": "", "LIST": "use List", "NLST": "use List", "MLSD": "use List",
	"REST": "", "RANG": "", "ABOR": "", "TYPE": "", "MODE": "", "STRU": "", "SMNT": "",
	"RNFR": "use Rename", "RNTO": "use Rename",
	"CWD": "give absolute paths", "XCWD": "give absolute paths", "CDUP": "give absolute paths", "XCUP": "give absolute paths",
}

// Command sends one command line and returns the final reply, whatever its code:
// err is about the connection alone. It is meant for what the interface does not
// have, such as SITE or STAT. Commands that move data, or that change the state
// that this connection relies on (TYPE, CWD, PROT, REST, RNFR ...), are refused with
// [transport.KindInvalid], as are line ends and NUL. The reply is hostile input.
func (c *Conn) Command(ctx context.Context, line string) (code int, text string, err error) {
	verb := verbOf(line)
	why, bad := forbidden[verb]
	switch {
	case strings.ContainsAny(line, "\r\n\x00"):
		return 0, "", c.ep.Fail(printableVerb(verb), "", transport.KindInvalid, errors.New("the command holds CR, LF or NUL"))
	case verb == "" || len(line) > maxLine:
		return 0, "", c.ep.Fail(printableVerb(verb), "", transport.KindInvalid, errors.New("the command is empty or longer than 4 KiB"))
	case bad:
		if why == "" {
			why = "the connection depends on its state"
		}
		return 0, "", c.ep.Fail(verb, "", transport.KindInvalid, fmt.Errorf("%s cannot be sent as a raw command: %s", verb, why))
	}
	err = c.do(ctx, verb, "", func(*transport.Op) error {
		r, err := c.ctl.command(line)
		code, text = r.code, r.shown()
		return err
	})
	return code, text, err
}

// printableVerb keeps what is no command out of an error.
func printableVerb(verb string) string {
	for _, c := range []byte(verb) {
		if c < 'A' || c > 'Z' {
			return "command"
		}
	}
	return verb
}

// do runs f as one operation: cancellable, watched, and ending with the session
// in step or broken. cmd names the operation where f's error does not.
func (c *Conn) do(ctx context.Context, cmd, path string, f func(op *transport.Op) error) error {
	return c.watched(ctx, c.ep.Watch(), cmd, path, f)
}

// doPath is do after a look at the path.
func (c *Conn) doPath(ctx context.Context, cmd, path string, f func(op *transport.Op) error) error {
	if err := transport.CheckPath(path); err != nil {
		return c.ep.Fail(cmd, path, transport.KindInvalid, err)
	}
	return c.do(ctx, cmd, path, f)
}

func (c *Conn) watched(ctx context.Context, watch transport.Watch, cmd, path string, f func(op *transport.Op) error) error {
	if ctx.Err() != nil {
		return c.ep.Fail(cmd, path, transport.KindCanceled, cause(ctx))
	}
	if err := c.take(); err != nil {
		kind := transport.KindLost
		if errors.Is(err, errBusy) {
			kind = transport.KindInvalid
		}
		return c.ep.Fail(cmd, path, kind, err)
	}
	op := transport.StartOp(ctx, watch, c.ctl.wire)
	c.pickUp()
	c.unsent = false
	var err error
	if cmd != "STOR" { // which sends it together with its own
		err = c.flush(ctx)
	}
	if err == nil {
		err = f(op)
	}
	err = op.End(err)
	if ctx.Err() != nil || op.Stalled() {
		// The sockets are being closed, even if f was faster.
		c.ctl.broken.Store(true)
	}
	if op.Stalled() && c.halfAnswered {
		serialHosts.add(c.addr)
	}
	return c.give(ctx, cmd, path, err)
}

var errBusy = errors.New("the connection is in use by another call: it has one owner at a time")

// take marks the connection as in use.
func (c *Conn) take() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return errClosed
	case c.busy:
		return errBusy
	case c.ctl.broken.Load():
		return errBroken
	}
	c.busy = true
	return nil
}

// give ends the use. Unless every reply has been read, the session is broken:
// the next command would be given the last one's answer.
func (c *Conn) give(ctx context.Context, cmd, path string, err error) error {
	var fail *transport.Error
	if err != nil {
		fail = c.failure(ctx, cmd, path, err)
		if c.unsent {
			e := *fail
			e.Op, e.Path, e.MayHaveActed = cmd, path, false
			fail = &e
		}
	}
	if !c.ctl.inStep() {
		c.ctl.broken.Store(true)
		_ = c.ctl.wire.Abort()
	}
	c.leftOver()
	c.remember()
	c.ctl.answers, c.ctl.readBack, c.data = nil, false, nil
	c.ctl.unhurry()
	c.mu.Lock()
	c.busy = false
	c.mu.Unlock()
	if fail != nil {
		return fail
	}
	return nil
}

// cause returns why ctx ended, known for a cancellation and for what it was.
func cause(ctx context.Context) error {
	if c := context.Cause(ctx); c != nil && !errors.Is(c, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), c)
	}
	return ctx.Err()
}
