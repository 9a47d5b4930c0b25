package ftpdriver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// takesMore reports whether a request takes more than lines and a data connection, or is
// kept to itself because nobody knows what it does.
func (c *Conn) takesMore(q transport.Request) bool {
	switch q.(type) {
	case *transport.List, *transport.Hash, *transport.Raw:
		return true
	}
	return false
}

// own carries out such a request.
func (c *Conn) own(ctx context.Context, q transport.Request) error {
	err := c.check(q)
	if err != nil {
		return err
	}
	switch q := q.(type) {
	case *transport.Hash:
		err = c.hashOwn(ctx, q)
	case *transport.List:
		err = c.operate(ctx, wire.WatchOf(c.ep), func(op *wire.Op) error { return c.list(op, q.Path, q.Yield) })
	case *transport.Raw:
		err = c.operate(ctx, wire.WatchOf(c.ep), func(*wire.Op) error {
			r, err := c.ctl.command(q.Line)
			q.Code, q.Text = r.code, r.text
			return err
		})
	}
	if err != nil {
		return c.failure(ctx, q, err, c.ctl.waiting)
	}
	return nil
}

// forbidden are commands that would change what the driver relies on.
var forbidden = map[string]string{
	"AUTH": "", "CCC": "", "PBSZ": "", "PROT": "", "REIN": "", "USER": "", "QUIT": "use Close",
	"PORT": "", "EPRT": "", "PASV": "", "EPSV": "", "LPRT": "", "LPSV": "", "SPSV": "", "CPSV": "", "SSCN": "",
	"RETR": "use Retrieve", "STOR": "use Store", "STOU": "", "APPE": "use Store with Append", "LIST": "use List", "NLST": "use List", "MLSD": "use List",
	"REST": "", "RANG": "", "ABOR": "", "TYPE": "", "MODE": "", "STRU": "", "SMNT": "",
	"RNFR": "use Rename", "RNTO": "use Rename",
	"CWD": "give absolute paths", "XCWD": "give absolute paths", "CDUP": "give absolute paths", "XCUP": "give absolute paths",
}

// checkRaw finds out what must not be sent as a line of the caller's.
func checkRaw(line string) error {
	verb := verbOf(line)
	why, bad := forbidden[verb]
	switch {
	case strings.ContainsAny(line, "\r\n\x00"):
		return errors.New("the command holds CR, LF or NUL")
	case verb == "" || len(line) > maxLine:
		return errors.New("the command is empty or longer than 4 KiB")
	case bad:
		if why == "" {
			why = "the connection depends on its state"
		}
		return fmt.Errorf("%s cannot be sent as a raw command: %s", verb, why)
	}
	return nil
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
