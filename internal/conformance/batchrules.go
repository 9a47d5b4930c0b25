package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// wrong says what is wrong with the results by themselves, or "".
func (t *trial) wrong(err error) string {
	if len(t.bad) > 0 {
		return strings.Join(t.bad, "\n")
	}
	skipped := false
	for i, q := range t.requests {
		h := q.Common()
		var te *transport.Error
		switch {
		case h.Err == nil:
		case h.Err == errPending:
			return fmt.Sprintf("request %d, %s, was left without a result", i, t.list[i])
		case h.Err == transport.ErrSkipped:
			skipped = true
			continue
		case h.Err == transport.ErrUnsent:
		case !errors.As(h.Err, &te):
			return fmt.Sprintf("request %d, %s: %T is no error of a request: %v", i, t.list[i], h.Err, h.Err)
		case te.Op == "" || te.Err == nil || te.Addr != t.conn.Info().Addr:
			return fmt.Sprintf("request %d, %s: the error does not say whose it is: %+v", i, t.list[i], te)
		case te.MayHaveActed && t.conn.Usable():
			return fmt.Sprintf("request %d, %s: refused, and may have acted: %v", i, t.list[i], h.Err)
		}
		switch {
		case skipped:
			return fmt.Sprintf("request %d, %s, stands behind one that was skipped, and was not: %v", i, t.list[i], h.Err)
		case h.Err == transport.ErrUnsent && (err == nil || t.conn.Usable()):
			return fmt.Sprintf("request %d, %s, was not sent; Do says %v and the session is usable: %v", i, t.list[i], err, t.conn.Usable())
		}
	}
	if err != nil && t.conn.Usable() {
		return fmt.Sprintf("Do says %v and the session is usable", err)
	}
	return ""
}

// ended checks a batch in which the session ended: what is said to have had no effect
// had none, and Do says that it has ended. Names of requests behind the end are their
// own. What the server does late is missed, and never taken for what it is not.
func (t *trial) ended(err error) string {
	tree := t.disk.Tree(t.dir)
	there := func(name string) bool {
		return slices.ContainsFunc(tree, func(line string) bool {
			return line == name || strings.HasPrefix(line, name+" ") || strings.HasPrefix(line, name+"/")
		})
	}
	if t.conn.Usable() {
		return "the session is usable after its end"
	}
	lost := false
	for i := t.ending; i < len(t.requests); i++ {
		q, w := t.requests[i], t.list[i]
		h := q.Common()
		lost = lost || h.Err != nil
		if h.Err == nil && i > t.ending {
			return fmt.Sprintf("request %d, %s, was carried out after the end of the session", i, w)
		}
		if kind := transport.KindOf(h.Err); h.Err != nil && h.Err != transport.ErrUnsent && kind != transport.KindLost {
			return fmt.Sprintf("request %d, %s, failed with %q at the end of the session: %v", i, w, kind, h.Err)
		}
		if i > t.ending || w.cond.kind == "ends" {
			var te *transport.Error
			if may := errors.As(h.Err, &te) && te.MayHaveActed; !may && there(w.path) {
				return fmt.Sprintf("request %d, %s, had no effect, as its error says (%v), and what it makes is there", i, w, h.Err)
			}
		}
	}
	if lost && err == nil {
		return "the session ended, and Do does not say so"
	}
	return ""
}
