package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"net/textproto"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// quiet are commands that change nothing on the server: without an answer there
// is nothing that may have happened.
var quiet = map[string]bool{
	"": true, "USER": true, "PASS": true, "AUTH": true, "PBSZ": true, "PROT": true, "FEAT": true, "OPTS": true, "TYPE": true,
	"NOOP": true, "PWD": true, "CWD": true, "SIZE": true, "MLST": true, "MLSD": true, "LIST": true, "NLST": true, "STAT": true, "SYST": true, "HELP": true,
	"EPSV": true, "PASV": true, "PRET": true, "REST": true, "RANG": true, "RETR": true, "RNFR": true, "QUIT": true,
	"HASH": true, "XSHA512": true, "XSHA256": true, "XSHA1": true, "XSHA": true, "XMD5": true, "XCRC": true,
}

// failure makes the driver's error of what a request brought up. pending are those of its
// command lines that have been sent and not answered: they tell which command is at
// fault and whether it may have acted. cmd names the request where neither they nor the
// error do.
func (c *Conn) failure(ctx context.Context, q transport.Request, err error, pending []string) *transport.Error {
	var own *transport.Error
	if errors.As(err, &own) {
		return own
	}
	cmd, path := nameOf(q)
	verb, acted := cmd, false
	for _, line := range pending {
		verb = verbOf(line)
		acted = acted || !quiet[verb] && !(verb == "MDTM" && cmd == "MLST")
	}
	if len(pending) == 0 && isReply(err) && c.ctl.last.verb != "" {
		verb = c.ctl.last.verb
	}
	kind := c.kindOf(verb, err)
	if kind == transport.KindAuth && !isReply(err) {
		kind = transport.KindProtocol // a TLS alert about our certificate, which was good for the login
	}
	if ctx.Err() != nil {
		kind = transport.KindCanceled
		if !errors.Is(err, ctx.Err()) {
			err = fmt.Errorf("%w (%w)", cause(ctx), err)
		}
	}
	if r, ok := q.(*transport.Rename); ok && verb == "RNTO" {
		path = r.To
	}
	e := c.ep.Fail(verb, path, kind, err)
	e.MayHaveActed = acted
	return e
}

// refused makes an error of a reply that need not be the last one read.
func (c *Conn) refused(r reply, path string) error {
	return c.ep.Fail(r.verb, path, c.kindOf(r.verb, r.err()), r.err())
}

func isReply(err error) bool {
	var reply *textproto.Error
	return errors.As(err, &reply)
}

// kindOf names the kind of an error of an operation, whose command at fault was
// verb.
func (c *Conn) kindOf(verb string, err error) transport.Kind {
	var reply *textproto.Error
	var kinded *kindError
	var bad *notReply
	switch {
	case errors.As(err, &kinded):
		return kinded.kind
	case errors.Is(err, transport.ErrStalled), errors.Is(err, context.Canceled):
		return transport.KindOf(err)
	case errors.Is(err, errLocked):
		return transport.KindLocked
	case errors.As(err, &bad), errors.Is(err, errLongLine), errors.Is(err, errLongReply), errors.Is(err, errUnsolicited), errors.Is(err, errNotPending):
		c.ctl.broken.Store(true)
		return transport.KindProtocol
	case errors.Is(err, errBroken), errors.Is(err, errHurry), errors.Is(err, errDropped):
		return transport.KindLost
	case errors.As(err, &reply):
		kind := transport.KindOfReply(verb, reply.Code, reply.Msg)
		if reply.Code == 150 && verb == "RETR" {
			return transport.KindLost // Pure-FTPd's end of a transfer that was cut off
		}
		if kind == transport.KindProtocol || (reply.Code == 425 || reply.Code == 426) && !moves(verb) {
			// A reply that this command cannot have: it is most likely that of
			// an earlier one.
			c.ctl.broken.Store(true)
		}
		return kind
	}
	kind := transport.KindOf(err)
	if kind == transport.KindUnknown {
		kind = kindOfTLSText(err)
	}
	if c.secure != nil && (kind == transport.KindInsecure || kind == transport.KindNotOffered) {
		// TLS has been agreed on: that it is refused now, by an alert or by bytes
		// that are no TLS, is the line's doing, and a new connection worth a try.
		return transport.KindProtocol
	}
	return kind
}

// moves reports whether a command uses a data connection.
func moves(verb string) bool {
	switch verb {
	case "STOR", "APPE", "RETR", "LIST", "MLSD", "EPSV", "PASV":
		return true
	}
	return false
}

// kindOfTLSText judges errors of crypto/tls that have no type.
func kindOfTLSText(err error) transport.Kind {
	text := err.Error()
	switch {
	case strings.Contains(text, "unsupported protocol version"), strings.Contains(text, "unconfigured cipher suite"),
		strings.Contains(text, "no mutually supported"), strings.Contains(text, "unsupported curve"):
		return transport.KindInsecure
	case strings.Contains(text, "tls: "):
		return transport.KindProtocol
	}
	return transport.KindUnknown
}

// kindError gives an error a kind that its cause alone does not have.
type kindError struct {
	kind transport.Kind
	err  error
}

func (e *kindError) Error() string { return e.err.Error() }
func (e *kindError) Unwrap() error { return e.err }

// as gives err a kind, nil stays nil.
func as(kind transport.Kind, err error) error {
	if err == nil {
		return nil
	}
	return &kindError{kind, err}
}

// joinErr joins a second error that tells less to the first.
func joinErr(err, other error) error {
	switch {
	case err == nil:
		return other
	case other == nil || errors.Is(err, other):
		return err
	}
	return fmt.Errorf("%w (%w)", err, other)
}
