package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/jlaffaye/ftp"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// This is the one door to jlaffaye/ftp, which sees [control] as its socket: the login,
// and the serial way, one command after the other. That serves every server that is
// known to take no more, or has shown that it does not, active mode, and PRET.

// login hands the connection to the library and logs in. The library sends USER,
// PASS, FEAT, TYPE I and, under TLS, PBSZ 0 and PROT P.
func (c *Conn) login(greeting reply) (step string, err error) {
	user, password := c.ep.User, c.ep.Password.Reveal()
	if user == "" {
		user = "anonymous"
		if password == "" {
			password = "anonymous@"
		}
	}
	c.ctl.pending = greeting.wire(220)
	c.traits = traitsOf(c.server, nil)
	if c.isSerial(); !c.serial {
		c.ctl.batch = []string{"TYPE I"}
		if c.tls != nil {
			c.ctl.batch = append(c.ctl.batch, "PBSZ 0", "PROT P")
		}
		if c.traits.asksHome {
			c.ctl.tail = []string{"PWD"}
		}
		if c.traits.asksUTF8 && c.ep.Charset == nil {
			c.ctl.tail = append(c.ctl.tail, askUTF8)
		}
		c.ctl.eager = c.traits.eager && !c.lacks(lacksEagerness)
	}
	options := []ftp.DialOption{
		ftp.DialWithDialFunc(c.hand),
		// We do it below: the library fails where a server does not know it.
		ftp.DialWithDisabledUTF8(true),
	}
	if c.tls != nil {
		// Not DialWithExplicitTLS, which with a dial function leaves the data
		// connections in clear after PROT P.
		options = append(options, ftp.DialWithTLS(c.tls.config))
	}
	if c.lib, err = ftp.Dial(c.ep.Addr(), options...); err != nil {
		return "login", err
	}
	if err = c.lib.Login(user, password); err == nil {
		err = c.readTail()
	}
	if err != nil {
		last := c.ctl.last
		if errors.Is(err, errDropped) {
			c.lacksNow(lacksPipelining)
		}
		c.learnOfReset(err)
		if !isReply(err) && last.verb == "USER" && last.code != 230 && last.code != 331 {
			// The library makes an error of a refused USER that has no code.
			err = last.err()
		}
		if last.code == 332 && isReply(err) {
			err = as(transport.KindAuth, fmt.Errorf("the server asks for an account besides the password (ACCT), which is not supported: %w", err))
		}
		return "login", err
	}
	c.ctl.pipelined, c.ctl.taken = nil, 0
	c.learn()
	if c.traits.doublesIAC {
		c.ctl.conn = telnet{c.ctl.conn}
	}
	if err := c.wantUTF8(); err != nil {
		return "login", err
	}
	c.roundTrip = c.ctl.rtt
	c.ctl.grace += 4 * c.roundTrip
	return "", nil
}

// readTail reads the replies that the library does not know of.
func (c *Conn) readTail() error {
	for range c.ctl.tail {
		r, _, err := c.ctl.final()
		if err != nil {
			return err
		}
		if r.verb == "PWD" {
			_ = c.tookHome(r) // whoever needs it asks again, and says what is wrong
		}
	}
	return nil
}

// askUTF8 asks for names in UTF-8, whatever the answer: 501, 504 and 202 have all been
// seen.
const askUTF8 = "OPTS UTF8 ON"

// wantUTF8 asks for names in UTF-8, where they are and it has not been done, and in the
// same write for the login folder, which the look at a name needs where there is no MLST.
func (c *Conn) wantUTF8() error {
	if !c.feats.has("UTF8") || c.ep.Charset != nil || slices.Contains(c.ctl.tail, askUTF8) {
		return nil
	}
	lines := []string{askUTF8}
	if !c.serial && c.home == "" && (!c.feats.has("MLST") || c.noMLST) {
		lines = append(lines, "PWD")
	}
	replies, err := c.exchange(lines...)
	if err == nil && len(replies) > 1 {
		_ = c.tookHome(replies[1])
	}
	return err
}

// hand is the library's dial function: it gets the control connection first and
// then each data connection that was made ready for it.
func (c *Conn) hand(string, string) (net.Conn, error) {
	if c.lib == nil {
		return c.ctl, nil
	}
	if c.data == nil {
		return nil, errors.New("no data connection is ready")
	}
	d := c.data
	c.data = nil
	return d, nil
}

// serially carries out one request of a batch.
func (c *Conn) serially(ctx context.Context, q transport.Request) error {
	if c.goesInside(q) {
		defer c.settle()
		return c.inFolder(ctx, q, c.serialOne)
	}
	return c.serialOne(ctx, q)
}

// serialOne carries it out where the session is.
func (c *Conn) serialOne(ctx context.Context, q transport.Request) error {
	defer c.settle()
	if err := c.check(q); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return c.unsent(q, transport.KindCanceled, cause(ctx))
	}
	if c.takesMore(q) {
		return c.own(ctx, q)
	}
	err := c.operate(ctx, wire.WatchOf(c.ep), func(op *wire.Op) (err error) {
		if isText(q) {
			return c.asText(op, q)
		}
		switch q := q.(type) {
		case *transport.Store:
			if q.Stored, err = c.storeInTurn(op, q); c.deniesPath(q.Path, err) {
				return c.storeInside(op, q, q.Src, err)
			}
			return err
		case *transport.Retrieve:
			if err = c.retrieveInTurn(op, q); c.deniesPath(q.Path, err) {
				return c.retrieveInside(op, q, err)
			}
			return err
		case *transport.Remove:
			return c.clarify("DELE", q.Path, c.lib.Delete(q.Path))
		case *transport.Mkdir:
			return c.clarify("MKD", q.Path, c.lib.MakeDir(q.Path))
		case *transport.Rmdir:
			return c.clarify("RMD", q.Path, c.lib.RemoveDir(q.Path))
		case *transport.Ping:
			return c.lib.NoOp()
		case *transport.Rename:
			replies, err := c.exchange("RNFR "+q.From, "RNTO "+q.To)
			return c.renamed(replies, err, q.From, q.To)
		}
		return c.inTurn(q)
	})
	if err != nil {
		return c.failure(ctx, q, err, c.ctl.waiting)
	}
	return nil
}

// inTurn carries out a request by its command lines, each sent when the one before it has
// been answered.
func (c *Conn) inTurn(q transport.Request) (err error) {
	if q, ok := q.(*transport.Stat); ok {
		entry, err := c.stat(q.Path)
		return c.found(q, entry, err)
	}
	p := c.part(q)
	if p.replies, err = c.exchange(p.lines...); err != nil {
		return err
	}
	look, err := p.judge(p.replies)
	if look != nil {
		err = look()
	}
	return err
}

// storeInTurn lets the library send a file when its data connection stands.
func (c *Conn) storeInTurn(op *wire.Op, q *transport.Store) (int64, error) {
	d, err := c.openData(op, storeVerb(q)+" "+q.Path)
	if err != nil {
		return 0, err
	}
	defer d.release()
	if d.upload = true; q.Progress != nil {
		d.moved = func(n int64) { op.Aside(func() { q.Progress(n) }) }
	}
	c.lend(d)
	if q.Offset == 0 || q.Append {
		if err := c.forgetRest(); err != nil {
			return 0, err
		}
	}
	if q.Append {
		err = c.lib.Append(q.Path, sourceOf(op, q.Src))
	} else {
		err = c.lib.StorFrom(q.Path, sourceOf(op, q.Src), uint64(q.Offset))
		c.leavesREST()
	}
	if err = c.transferError(d, err, q.Offset); err != nil {
		return 0, err // what the server has, only a fresh size tells
	}
	c.tookPath(q.Path)
	return d.sent, nil
}

// leavesREST ends the session if REST was answered as if it had been taken, and the library
// gave up: the next file would begin there.
func (c *Conn) leavesREST() {
	if last := c.ctl.last; last.verb == "REST" && last.code < 400 {
		c.ctl.broken.Store(true)
	}
}

// retrieveInTurn asks for a range of a file, where that is to be had, or for the file from
// an offset on.
func (c *Conn) retrieveInTurn(op *wire.Op, q *transport.Retrieve) error {
	if c.asksRange(q) {
		err := c.receiveInTurn(op, q, true)
		if err == nil || q.Received > 0 || c.ctl.last.code != 554 || !c.ctl.inStep() {
			return err
		}
		// The file ends before the range does.
	}
	return c.receiveInTurn(op, q, false)
}

// receiveInTurn lets the library ask for a file when its data connection stands.
func (c *Conn) receiveInTurn(op *wire.Op, q *transport.Retrieve, ranged bool) error {
	d, err := c.openData(op, "RETR "+q.Path)
	if err != nil {
		return err
	}
	defer d.release()
	begin := q.Offset
	if ranged {
		r, err := c.ctl.command(rangeLine(q))
		if err != nil {
			return err
		}
		if r.code == 350 {
			begin = 0 // the range begins where it should
		} else {
			c.noRange(r)
		}
	}
	if begin == 0 {
		if err := c.forgetRest(); err != nil {
			return err
		}
	}
	c.lend(d)
	c.ctl.readBack = q.Written
	resp, err := c.lib.RetrFrom(q.Path, uint64(begin))
	if err != nil {
		d.release()
		c.leavesREST()
		return c.clarify("RETR", q.Path, c.retrieveError(d, err, q.Offset))
	}
	enough, err := receive(op, q, resp, d)
	if err != nil {
		_ = d.fail(err) // where it was Dst that failed, the rest must not come
	}
	c.tookPath(q.Path)
	if err = joinErr(err, resp.Close()); enough {
		return nil // whatever became of the session: the bytes are there
	}
	return c.retrieveError(d, err, q.Offset)
}

// receive takes what comes, up to the limit, and cuts the connection if there is more.
// enough says that the destination, or the limit, wants no more.
func receive(op *wire.Op, q *transport.Retrieve, from io.Reader, d *dataConn) (enough bool, err error) {
	buf := wire.GetBuffer()
	defer wire.PutBuffer(buf)
	var moved func(int64)
	if q.Progress != nil {
		moved = func(n int64) { op.Aside(func() { q.Progress(n) }) }
	}
	some := from
	if q.Limit > 0 {
		some = io.LimitReader(from, q.Limit)
	}
	q.Received, err = wire.CopyBuffer(op.Writer(q.Dst), some, *buf, moved)
	if errors.Is(err, transport.ErrEnough) || err == nil && q.Limit > 0 && q.Received == q.Limit {
		if !atEnd(q, from) {
			d.cutOff()
		}
		return true, nil
	}
	return false, err
}

// atEnd reports whether nothing follows what has been received. If that is the end of
// the file all is in order; else the connection is to be cut, and whether the session
// survives depends on the server.
func atEnd(q *transport.Retrieve, from io.Reader) bool {
	n, err := from.Read(make([]byte, 1))
	if q.Last && n > 0 {
		q.Beyond = true
	}
	return n == 0 && err == io.EOF
}
