package ftpdriver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A small file costs round trips and next to no bandwidth. One that is all in
// memory is therefore sent by a sequence of our own: the data connection is dialled
// while STOR is on its way, TLS on it begins and the file leaves before the 150,
// and what the caller wants to have done at the end goes with the next EPSV in one
// write, where the server allows it in that of STOR, see early.go.

// smallFile is what is sent before the server has agreed to take it: it must go
// into the buffers of the kernel, so that nobody waits for a server that refuses.
const smallFile = 32 << 10

// aheadFor is how long the answer to an EPSV that was sent ahead is good for.
// Firewalls on the way open a port for a while.
const aheadFor = 5 * time.Second

// small reads a source that is said to be small. What it has read of one that is
// not is put back.
func (c *Conn) small(op *transport.Op, offset int64, src io.Reader, opt *IO) (data []byte, whole bool, rest io.Reader) {
	size := opt.SizeHint()
	if offset > 0 || size > smallFile || size == 0 || !c.together() {
		return nil, false, src
	}
	data = make([]byte, size+1)
	n, err := io.ReadFull(op.Reader(src), data)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		return data[:n], true, nil
	}
	rest = io.MultiReader(bytes.NewReader(data[:n]), src)
	if err != nil {
		rest = io.MultiReader(bytes.NewReader(data[:n]), failsWith{err})
	}
	return nil, false, rest
}

type failsWith struct{ err error }

func (f failsWith) Read([]byte) (int, error) { return 0, f.err }

// storeSmall sends data as one file.
func (c *Conn) storeSmall(op *transport.Op, path string, data []byte, opt *IO) error {
	f := opt.Finishing()
	if err := c.wantDigest(f, path, int64(len(data))); err != nil {
		return err
	}
	port, early, err := c.nextPort()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(op.Context(), c.ep.ConnectBudget())
	d := &dataConn{ctl: c.ctl, op: op, upload: true}
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		c.deliver(ctx, d, port, data)
	}()
	defer func() {
		cancel()
		<-delivered
		if d.wire != nil {
			d.release()
		}
	}()
	lines, ends := append(c.carriedLines(), "STOR "+path), c.endLines(path, f)
	if !c.readsLater(lines, ends) {
		ends = nil
	}
	if err := c.ctl.send(append(lines, ends...)...); err != nil {
		if c.carried != nil {
			c.settle(op.Context(), nil, err, len(c.ctl.waiting) > 0)
		}
		return err
	}
	var stor reply
	var begun bool
	if err = c.delivered(op.Context()); err == nil {
		if stor, begun, err = c.ctl.final(); err == nil && begun {
			stor, ends, err = c.ordered(stor, ends)
		}
	}
	if err != nil || !begun || stor.code >= 400 {
		cancel() // what has not arrived by now is not wanted
	}
	<-delivered
	late := early && d.err != nil && d.wire == nil
	d.excuse(err)
	if begun || err != nil {
		opt.Report(d.sent) // else it has gone nowhere
	}
	switch {
	case err != nil:
		if late && d.err != nil {
			lateHosts.add(c.addr)
		}
		return c.transferError(d, err, 0)
	case !begun && stor.positive():
		c.ctl.broken.Store(true)
		return as(transport.KindProtocol, fmt.Errorf("the server ended a transfer that it had not begun: %w", stor.err()))
	}
	if stor.code >= 400 {
		err = stor.err()
	}
	for range ends {
		r, _, rerr := c.ctl.final()
		if rerr != nil {
			c.halfAnswered = true
			break // the caller will find the session lost, if it needs it
		}
		c.took(r, f, err == nil)
	}
	if len(c.ctl.waiting) > 0 {
		return err
	}
	c.ctl.last = stor
	if err = c.transferError(d, err, 0); err == nil && len(ends) == 0 {
		c.finishFile(path, f)
	}
	return err
}

// deliver dials the data connection and sends a file that fits into its buffers.
func (c *Conn) deliver(ctx context.Context, d *dataConn, port int, data []byte) {
	c.reach(ctx, d, port)
	if d.err != nil {
		return
	}
	if _, err := d.Write(data); err == nil {
		_ = d.finish()
	}
}

// reach makes a data connection while the command that wants it is on its way.
func (c *Conn) reach(ctx context.Context, d *dataConn, port int) {
	if c.connectData(ctx, d, port) {
		c.secureData(ctx, d)
	}
}

// connectData dials a data connection.
func (c *Conn) connectData(ctx context.Context, d *dataConn, port int) bool {
	wire, err := c.dialData(ctx, d.op, port)
	if err != nil {
		d.err = err
		c.ctl.hasten() // the server waits for a connection that will not come
		return false
	}
	d.wire = wire
	if c.tls != nil {
		d.tls = c.tls.client(noDeadline{wire})
	}
	return true
}

// secureData does the TLS handshake, if there is one.
func (c *Conn) secureData(ctx context.Context, d *dataConn) {
	if d.tls == nil {
		return
	}
	if err := d.tls.HandshakeContext(ctx); err != nil {
		_ = d.fail(err)
	}
}

// lateHosts are those on which the port of an EPSV sent ahead could not be reached.
var lateHosts hostSet

// nextPort is the port for the next data connection: what an EPSV sent ahead has
// brought, early, or what one brings now.
func (c *Conn) nextPort() (port int, early bool, err error) {
	port, c.aheadPort = c.aheadPort, 0
	if port > 0 && time.Since(c.aheadAt) < aheadFor {
		return port, true, nil
	}
	port, err = c.passive()
	return port, false, err
}

// endLines are the commands for what a caller wants to have done at the end of a
// file.
func (c *Conn) endLines(path string, f *Finish) (lines []string) {
	if f == nil {
		return nil
	}
	if !f.ModTime.IsZero() && c.Info().Caps.SetTime {
		lines = append(lines, c.timeLine(path, f.ModTime))
	}
	if c.feats.has("MLST") && !c.noMLST {
		lines = append(lines, "MLST "+path)
	} else {
		lines = append(lines, "SIZE "+path)
	}
	if c.digest.x != "" {
		lines = append(lines, c.digest.line)
	}
	if f.More && c.mayAskAhead() {
		lines = append(lines, "EPSV")
	}
	return lines
}

// digestWanted is a digest that is asked for with the end of a file.
type digestWanted struct {
	hashing
	line string
}

// wantDigest prepares the request for a digest of a small file. Large ones are
// asked for by Hash, which gives the server time for them.
func (c *Conn) wantDigest(f *Finish, path string, size int64) error {
	c.digest = digestWanted{}
	if f == nil || f.Hash == "" || !c.Info().Caps.HasHash(f.Hash) {
		return nil
	}
	h, ok := c.hashingOf(f.Hash)
	if !ok || h.x == "" {
		return nil
	}
	h.whole, h.end = true, size
	abs, err := c.absolute(path)
	if err != nil {
		return err
	}
	c.digest = digestWanted{hashing: h, line: h.x + " " + quote(abs)}
	return nil
}

// finishFile does what the caller wants to have done at the end of a file. What
// fails of it is left undone.
func (c *Conn) finishFile(path string, f *Finish) {
	lines := c.endLines(path, f)
	if len(lines) == 0 {
		return
	}
	replies, _ := c.exchange(lines...)
	for _, r := range replies {
		c.took(r, f, true)
	}
}

// took takes a reply to one of endLines.
func (c *Conn) took(r reply, f *Finish, stored bool) {
	switch {
	case r.verb == "EPSV" && r.code == 229:
		if port, err := parseEPSV(r.text); err == nil {
			c.aheadPort, c.aheadAt = port, time.Now()
		}
	case r.verb == "EPSV" && r.code >= 500:
		c.noEPSV = true // as in passive
	case r.verb == "MFMT" && unknown(r):
		c.never("MFMT")
	case r.verb == c.digest.x && unknown(r):
		c.withoutHash(r)
	case !stored:
	case r.verb == c.digest.x && r.positive():
		f.Digest, _ = c.digest.digits(r)
	case r.verb == "MFMT":
		f.TimeSet = r.positive() && r.code != 202
	case r.verb == "MDTM":
		f.TimeSet = r.code == 213 && !isTime(r.text)
	case r.verb == "MLST" && r.positive():
		if e, ok := parseMLST(r.text); ok && !maybeLink(e) {
			f.Entry = &e
		}
	case r.verb == "SIZE" && r.code == 213:
		if n, err := strconv.ParseInt(strings.TrimSpace(r.last()), 10, 64); err == nil && n >= 0 {
			f.Entry = &transport.Entry{Size: n}
		}
	}
}
