package ftpdriver

import (
	"bytes"
	"errors"
	"io"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// Text is moved one command after the other: TYPE A, the transfer, and TYPE I again, in which
// all else is done. SIZE in TYPE A would have to count line ends, which servers refuse.

var errNoPart = errors.New("a transfer of type A has no offsets: the server's file has another size than what is sent, so it goes whole")

// isText reports whether a request moves text.
func isText(q transport.Request) bool {
	switch q := q.(type) {
	case *transport.Store:
		return q.ASCII
	case *transport.Retrieve:
		return q.ASCII
	}
	return false
}

// asText carries out such a transfer.
func (c *Conn) asText(op *wire.Op, q transport.Request) error {
	if r, err := c.ctl.command("TYPE A"); err != nil {
		return err
	} else if r.code/100 == 5 && r.code != 530 {
		return as(transport.KindUnsupported, r.err())
	} else if !r.positive() { // about the session, such as 421, and not about the type
		_, path := nameOf(q)
		return c.refused(r, path)
	}
	var err error
	switch q := q.(type) {
	case *transport.Store:
		err = c.storeText(op, q)
	case *transport.Retrieve:
		err = c.retrieveText(op, q)
	}
	if !c.ctl.inStep() {
		return err
	}
	last := c.ctl.last
	if r, terr := c.ctl.command("TYPE I"); terr != nil || !r.positive() {
		c.ctl.broken.Store(true) // the next file would be changed on its way
	}
	c.ctl.last = last
	return err
}

func (c *Conn) storeText(op *wire.Op, q *transport.Store) (err error) {
	src := &toNetwork{src: q.Src, read: func(n int64) {
		if q.Progress != nil {
			op.Aside(func() { q.Progress(n) })
		}
	}}
	own := *q
	own.Src, own.Progress, own.Size = src, nil, -1
	if _, err = c.storeInTurn(op, &own); c.deniesPath(q.Path, err) {
		err = c.storeInside(op, &own, src, err)
	}
	if err == nil {
		q.Stored = src.total
	}
	return err
}

func (c *Conn) retrieveText(op *wire.Op, q *transport.Retrieve) (err error) {
	dst := &fromNetwork{dst: q.Dst}
	own := *q
	own.Dst, own.Size = dst, -1
	if err = c.retrieveInTurn(op, &own); c.deniesPath(q.Path, err) {
		err = c.retrieveInside(op, &own, err)
	}
	if err == nil {
		if ferr := dst.flush(); ferr != nil && !errors.Is(ferr, transport.ErrEnough) {
			err = &transport.LocalError{Writing: true, Err: ferr}
		}
	}
	q.Received = dst.total
	return err
}

// toNetwork makes CRLF of the line ends of a source.
type toNetwork struct {
	src   io.Reader
	read  func(n int64)
	total int64 // of the source
	buf   [16 << 10]byte
	out   []byte // to be given next
	after bool   // the last byte was a CR
	err   error
}

func (t *toNetwork) Read(p []byte) (int, error) {
	for len(t.out) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		var n int
		n, t.err = t.src.Read(t.buf[:])
		if n == 0 {
			continue
		}
		t.total += int64(n)
		t.read(int64(n))
		t.out = t.out[:0:0]
		for _, b := range t.buf[:n] {
			if b == '\n' && !t.after {
				t.out = append(t.out, '\r')
			}
			t.out, t.after = append(t.out, b), b == '\r'
		}
	}
	n := copy(p, t.out)
	t.out = t.out[n:]
	return n, nil
}

// fromNetwork makes LF of CRLF. A CR that no LF follows stays.
type fromNetwork struct {
	dst   io.Writer
	total int64
	held  bool // a CR, of which it is not known yet what follows
}

func (f *fromNetwork) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	text := p
	if f.held {
		text = append([]byte{'\r'}, p...)
	}
	f.held = text[len(text)-1] == '\r'
	if f.held {
		text = text[:len(text)-1]
	}
	if err := f.give(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush gives what has been held back.
func (f *fromNetwork) flush() error {
	if !f.held {
		return nil
	}
	f.held = false
	return f.give([]byte{'\r'})
}

func (f *fromNetwork) give(p []byte) error {
	n, err := f.dst.Write(p)
	f.total += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite // no size would tell
	}
	return err
}
