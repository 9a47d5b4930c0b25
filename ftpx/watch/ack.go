package watch

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// errNoStream is for an Event that no stream has yielded.
var errNoStream = errors.New("watch: this event is not of Local or Remote, so that nothing can be said about it")

// register is what a stream remembers beyond the process of what became of its files.
type register struct {
	ledger folder.Ledger // nil for none
	job    string
}

func newRegister(o *Options, side, dir string) *register {
	return &register{ledger: o.Folder.Ledger, job: cmp.Or(o.Folder.Job, "watch "+side+" "+dir)}
}

// settled reports whether a version of a file needs nothing more, by the ledger.
func (r *register) settled(f *file) (bool, error) {
	if r == nil || r.ledger == nil {
		return false, nil
	}
	e, found, err := r.ledger.Lookup(r.job, f.path)
	if err != nil || !found || e.State != "" && e.State != ledger.StateDead {
		return false, err
	}
	return e.Source.Size == f.size && e.Source.ModTime.Equal(f.mtime), nil
}

func (r *register) record(e *Event, state ledger.State) error {
	if r == nil {
		return errNoStream
	}
	if r.ledger == nil {
		return nil
	}
	err := r.ledger.Record(ledger.Entry{Job: r.job, Path: e.Path, State: state, Dest: ledger.Identity{Size: -1},
		Source: ledger.Identity{Size: e.Size, ModTime: e.ModTime, TimeExact: e.TimeExact}})
	if err != nil {
		return fmt.Errorf("watch: the ledger: %w", err)
	}
	return nil
}

// Done says that the file has been dealt with. This version is not yielded any more: with a
// Ledger, by no later stream of the job either. Without any of Done, Again and Dead the
// file is not yielded again by this stream, and is by the next.
func (e Event) Done() error { return e.by.record(&e, "") }

// Dead says that nothing can be done about the file. It is as after [Event].Done until it
// changes; with a Ledger its entry says [ledger.StateDead]. The file stays where it is:
// move it with the client where somebody looks.
func (e Event) Dead() error { return e.by.record(&e, ledger.StateDead) }

// Again has the file yielded once more, if it is still there and the same: after
// Options.RetryAfter, each time twice as long as before, up to 10 min. Attempt counts.
func (e Event) Again() error {
	if e.by == nil || e.giveBack == nil {
		return errNoStream
	}
	e.giveBack(failure{event: e, again: true})
	return nil
}
