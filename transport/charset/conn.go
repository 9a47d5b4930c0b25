package charset

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Conn is a connection whose names are in UTF-8 here and in another character set
// on the server.
type Conn struct {
	// Conn is the connection that speaks to the server. What has no path is
	// passed on to it.
	transport.Conn
	set encoding.Encoding
}

var _ transport.Conn = (*Conn)(nil)

// New puts a character set, which must have passed [Check], before a connection.
func New(conn transport.Conn, set encoding.Encoding) *Conn { return &Conn{Conn: conn, set: set} }

// Text decodes, for people, what a server said. It is for concurrent use, and
// meant for [transport.Trace].
func Text(set encoding.Encoding) func(string) string {
	return func(s string) string { return newNames(set).text(s) }
}

// path encodes a path, or says why not.
func (c *Conn) path(n *names, p string) (string, error) {
	raw, err := n.encode(p)
	if err == nil {
		return raw, nil
	}
	info := c.Info()
	return "", &transport.Error{Op: "encode name", Path: p, Addr: info.Addr, Protocol: info.Protocol, Kind: transport.KindName,
		Err: fmt.Errorf("the server's names are in %s: %w; rename the file, or use the character set that the server has (Options.Charset)", nameOf(c.set), err)}
}

// failure makes an error speak of the paths that were given.
func (n *names) failure(err error) error {
	te, ok := err.(*transport.Error)
	if !ok {
		return err
	}
	e := *te
	e.Path = n.decode(te.Path)
	if e.Err != nil {
		e.Err = n.readable(e.Err)
	}
	return &e
}

// readable decodes an error's text. That of a reply is quoted, byte by byte.
func (n *names) readable(err error) error {
	text := err.Error()
	var reply *textproto.Error
	if errors.As(err, &reply) && !utf8.ValidString(reply.Msg) {
		decoded := &textproto.Error{Code: reply.Code, Msg: n.text(reply.Msg)}
		text = strings.Replace(text, reply.Error(), decoded.Error(), 1)
	}
	if text = n.text(text); text == err.Error() {
		return err
	}
	return &readable{err, text}
}

// readable is an error whose text has been decoded.
type readable struct {
	err  error
	text string
}

func (r *readable) Error() string { return r.text }
func (r *readable) Unwrap() error { return r.err }
