package folder

import (
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// ErrMaybeDelivered: an earlier run sent this very file, the server acknowledged all of it, and
// it was gone then. It may have been delivered, and is not sent again unless
// Options.ResendUnknown is set. The item's error is a [*ftpx.Error] whose Outcome is
// [ftpx.Unknown].
var ErrMaybeDelivered = errors.New("an earlier run has sent it and the server has acknowledged it, but it was gone then: it may have been delivered; " +
	"look at the other side, and set Options.ResendUnknown to send it again")

// acknowledged finds the error of a file that may have been delivered.
func acknowledged(err error) (*ftpx.Error, bool) {
	var e *ftpx.Error
	return e, errors.As(err, &e) && e.Acknowledged
}

// Doubtful reports whether a file may have been delivered although nothing of it was
// found, so that to copy it again may deliver it twice.
func (i Item) Doubtful() bool { _, ok := acknowledged(i.Err); return ok }

// doubt notes a file that may have been delivered, at once: the next run must know it.
func (c *copying) doubt(note *noted, err error) {
	e, ok := acknowledged(err)
	if note == nil || !ok {
		return
	}
	note.State, note.Dest = ledger.StateUnknown, ledger.Identity{Size: -1}
	rerr := c.j.record(c.rel, c.first, &note.Entry)
	if rerr == nil {
		rerr = c.j.o.Ledger.Sync()
	}
	if rerr != nil {
		c.j.abort(fmt.Errorf("%w; and %q may have been delivered, which the next run will not know", rerr, e.Remote))
	}
}

// inDoubt asks the ledger whether this version of a file may have been delivered before.
// The first error is that for the item, the second one of the ledger.
func (j *job) inDoubt(rel string, s *entry) (doubt, err error) {
	if !j.up || j.o.Ledger == nil || j.o.ResendUnknown {
		return nil, nil
	}
	old, found, err := j.o.Ledger.Lookup(j.name, rel)
	if err != nil || !found || old.State != ledger.StateUnknown {
		return nil, err
	}
	if !j.sameSource(old.Source, s) && !j.sameContent(old.Source, rel, s) {
		return nil, nil
	}
	return &ftpx.Error{Op: "upload", Local: j.src.full(rel), Remote: old.Remote, Outcome: ftpx.Unknown, Acknowledged: true, Size: s.size,
		Err: fmt.Errorf("%w (%s)", ErrMaybeDelivered, stamp(old.When))}, nil
}
