package memconn

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Conn is one logged-in connection to a [Server].
type Conn struct {
	s    *Server
	ep   *transport.Endpoint
	id   int
	sftp bool
	caps transport.Caps

	seq  atomic.Uint64 // the last request
	turn chan struct{} // of the batch that is under way, where they have to take turns
	done chan struct{} // closed when the connection has ended

	mu   sync.Mutex // guards what follows
	why  error      // why it ended
	last time.Time  // of the last use
	busy int        // batches under way
}

var _ transport.Conn = (*Conn)(nil)

var errClosed = errors.New("the connection has been closed")

func newConn(s *Server, ep *transport.Endpoint) *Conn {
	c := &Conn{s: s, ep: ep, sftp: ep.Protocol == transport.SFTP, caps: DefaultCaps(ep.Protocol),
		done: make(chan struct{}), turn: make(chan struct{}, 1), last: time.Now()}
	if s.opts.Caps != nil {
		c.caps = *s.opts.Caps
	}
	return c
}

// Info describes the connection. What was negotiated is made up.
func (c *Conn) Info() transport.Info {
	info := transport.Info{Protocol: c.ep.Protocol, Addr: c.ep.Addr(), Server: "memconn", RoundTrip: max(c.s.opts.RoundTrip, 1), Caps: c.caps}
	switch {
	case c.sftp:
		info.Security = &transport.Security{Version: "SSH 2.0", KeyExchange: "curve25519-sha256", Cipher: "aes128-gcm@openssh.com", HostKey: "SHA256:bWVtY29ubg"}
	case c.ep.Protocol.Secure():
		info.Security = &transport.Security{Version: "TLS 1.3", KeyExchange: "X25519", Cipher: "TLS_AES_128_GCM_SHA256", HostKey: "SHA256:bWVtY29ubg",
			CertificateExpiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	return info
}

// Usable reports whether the session is in a known state.
func (c *Conn) Usable() bool {
	if c.sftp && c.idledOut() {
		c.lose(errIdle)
	}
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

var errIdle = errors.New("421 Timeout: the server has closed the idle connection")

func (c *Conn) idledOut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := c.s.opts.IdleTimeout
	return limit > 0 && c.busy == 0 && time.Since(c.last) >= limit
}

// Close ends the session and frees a call under way.
func (c *Conn) Close() error {
	c.end(errClosed, true)
	return nil
}

// lose ends the connection from the other side, or because it is in doubt.
func (c *Conn) lose(why error) { c.end(why, false) }

func (c *Conn) end(why error, closed bool) {
	c.mu.Lock()
	first := c.why == nil
	if first {
		c.why = why
		close(c.done)
	}
	c.mu.Unlock()
	if first {
		c.s.leave(c, closed)
	}
}

// reason returns why the connection ended, nil while it lives.
func (c *Conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// dataConn counts a data connection, of which FTP has one for each file and listing.
func (c *Conn) dataConn() {
	if !c.sftp {
		c.ep.Traffic.AddDataConn()
	}
}

// cutOff is what a transfer that was ended before its end costs.
func (c *Conn) cutOff() {
	if c.s.opts.CutCosts && !c.sftp {
		c.lose(errCutOff)
	}
}

var errCutOff = errors.New("the data connection was cut, and nobody knows what the server will say next")

// A call is one request while it runs.
type call struct {
	c    *Conn
	ctx  context.Context
	op   string // the FTP command or SFTP request under way
	path string
	to   string // of a rename
	acts bool   // it changes something on the server
	seq  uint64 // its number on the connection
}

// begin checks what the contract wants checked before anything is sent.
func (c *Conn) begin(ctx context.Context, method string, acts bool, path string, more ...string) (*call, error) {
	k := &call{c: c, ctx: ctx, op: c.request(method), path: path, acts: acts}
	if len(more) > 0 {
		k.to = more[0]
	}
	if path != "" || method != "Ping" {
		for _, p := range append(more, path) {
			if err := transport.CheckPath(p); err != nil {
				return nil, k.fail(transport.KindInvalid, err)
			}
		}
	}
	if ctx.Err() != nil {
		return nil, k.fail(transport.KindCanceled, canceled(ctx))
	}
	if why := c.reason(); why != nil {
		return nil, k.fail(transport.KindLost, why) // nothing was sent
	}
	return k, nil
}

// requests are the names that errors, the trace and OpInfo go by.
var requests = map[string][2]string{
	"Stat": {"MLST", "SSH_FXP_STAT"}, "List": {"MLSD", "SSH_FXP_OPENDIR"}, "Store": {"STOR", "SSH_FXP_OPEN"},
	"Retrieve": {"RETR", "SSH_FXP_OPEN"}, "Rename": {"RNTO", "SSH_FXP_RENAME"}, "Remove": {"DELE", "SSH_FXP_REMOVE"},
	"Mkdir": {"MKD", "SSH_FXP_MKDIR"}, "Rmdir": {"RMD", "SSH_FXP_RMDIR"}, "Chtimes": {"MFMT", "SSH_FXP_SETSTAT"}, "Chmod": {"SITE", "SSH_FXP_SETSTAT"},
	"Truncate": {"SITE", "SSH_FXP_SETSTAT"}, "Hash": {"HASH", "SSH_FXP_EXTENDED"}, "Ping": {"NOOP", "SSH_FXP_REALPATH"},
	"Write": {"STOR", "SSH_FXP_WRITE"}, "Read": {"RETR", "SSH_FXP_READ"}, "Close": {"STOR", "SSH_FXP_CLOSE"},
}

func (c *Conn) request(method string) string {
	if c.sftp {
		return requests[method][1]
	}
	return requests[method][0]
}

func (k *call) fail(kind transport.Kind, err error) *transport.Error {
	return k.c.ep.Fail(k.op, k.path, kind, err)
}

// lost ends the connection and says so. Whether a request was acted on nobody
// here can know, unless it never left.
func (k *call) lost(kind transport.Kind, why error, sent bool) *transport.Error {
	k.c.lose(why)
	e := k.fail(kind, why)
	e.MayHaveActed = k.acts && sent
	return e
}

// interrupted returns why the call cannot go on: the context has ended, which
// costs the connection, or the connection has. Nil if it can.
func (k *call) interrupted() error {
	if k.ctx.Err() != nil {
		return k.lost(transport.KindCanceled, canceled(k.ctx), true)
	}
	if why := k.c.reason(); why != nil {
		return k.lost(transport.KindLost, why, true)
	}
	return nil
}

// wait lets time pass on the line. Beyond the stall time it is a stall.
func (k *call) wait(d time.Duration) error {
	stall := k.c.ep.Stall
	if stall > 0 && d >= stall {
		return k.stall()
	}
	if pause(k.ctx, k.c.done, d) != nil {
		return k.interrupted()
	}
	return nil
}

// stall is silence until something ends it.
func (k *call) stall() error {
	stall := k.c.ep.Stall
	var timeout <-chan time.Time
	if stall > 0 {
		t := time.NewTimer(stall)
		defer t.Stop()
		timeout = t.C
	}
	select {
	case <-timeout:
		return k.lost(transport.KindStalled, transport.ErrStalled, true)
	case <-k.ctx.Done():
	case <-k.c.done:
	}
	return k.interrupted()
}

// next numbers an I/O operation of this call.
func (k *call) next(step Step, offset, n int64) Fault {
	return k.c.s.next(OpInfo{Conn: k.c.id, Step: step, Protocol: k.c.ep.Protocol, Request: k.op, Path: k.path, To: k.to, Offset: offset, Len: n})
}

// refused makes the error of a definite no.
func (k *call) refused(r *refusal) error {
	e := r.error(k.c.ep, k.op, k.path)
	k.trace(e.Code, e.Err.Error())
	if e.Code == 421 {
		k.c.lose(e.Err) // "closing control connection"
	}
	return e
}

func (k *call) trace(code int, text string) {
	k.c.ep.OnReply(k.ctx, k.seq, code, text)
}

// ask carries out one request: act is what the server does when it arrives, and
// returns a refusal or nil. It runs with the disk locked and must not wait.
func (k *call) ask(act func() *refusal) error {
	k.seq = k.c.seq.Add(1)
	k.c.ep.OnCommand(k.ctx, k.seq, k.op+" "+k.path)
	half := k.c.s.opts.RoundTrip / 2
	f := k.next(StepRequest, 0, 0)
	if f.Do == Unsent {
		return k.lost(transport.KindLost, errReset, false)
	}
	if err := k.interrupted(); err != nil {
		return err
	}
	if err := k.wait(half); err != nil {
		return err
	}
	var no *refusal
	switch f.Do {
	case LostBefore, ShortWrite, Hole, LateWrites:
		return k.lost(transport.KindLost, errReset, true)
	case Stall:
		return k.stall()
	case Refuse:
		no = newRefusal(f.Kind, f)
	default:
		k.c.s.files.lock()
		no = act()
		k.c.s.files.unlock()
	}
	if err := k.wait(k.c.s.opts.RoundTrip - half); err != nil {
		return err
	}
	switch f.Do {
	case LostAfter:
		return k.lost(transport.KindLost, errReset, true)
	case Garbage:
		return k.lost(transport.KindProtocol, errGarbage, true)
	}
	return k.reply(no)
}

var errGarbage = errors.New("the reply makes no sense")

// reply is the answer to the request under way.
func (k *call) reply(no *refusal) error {
	f := k.next(StepReply, 0, 0)
	if err := k.interrupted(); err != nil {
		return err
	}
	switch f.Do {
	case Unsent, LostBefore, ShortWrite, Hole, LateWrites:
		return k.lost(transport.KindLost, errReset, true)
	case Stall:
		return k.stall()
	case Garbage:
		return k.lost(transport.KindProtocol, errGarbage, true)
	case Refuse:
		no = newRefusal(f.Kind, f)
	case LostAfter:
		defer k.c.lose(errReset)
	}
	if no != nil {
		return k.refused(no)
	}
	code := 0
	if !k.c.sftp {
		code = 200
	}
	k.trace(code, "OK")
	return nil
}
