package folder

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What the ledger is told, and when.

// sent tells the ledger of a file that was sent. The hash is of the content before; it
// is only worth something if it is what was sent: of the same file, and not of one with
// its size and time that has come into its place.
func (c *copying) sent(note *noted, local string, res *ftpx.Result) {
	if note == nil {
		return
	}
	info, err := os.Stat(local)
	if err != nil || !os.SameFile(info, note.file) || info.Size() != note.Source.Size || info.Size() != res.Size || !info.ModTime().Equal(note.Source.ModTime) {
		return
	}
	note.Dest = ledger.Identity{Size: res.Size}
	if res.TimeKept {
		note.Dest.ModTime, note.Dest.TimeExact = info.ModTime(), true
	}
	c.record(&note.Entry, *res)
}

// noted is what the ledger is to know of a file, and which file that was.
type noted struct {
	ledger.Entry
	file fs.FileInfo
}

// before is what the ledger is to know of a file that is about to be sent, nil
// without a ledger.
func (c *copying) before(local string) (*noted, error) {
	l := c.j.o.Ledger
	if l == nil {
		return nil, nil
	}
	f, err := os.Open(local)
	if err != nil {
		return nil, &transport.LocalError{Err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	hash, err := ledger.Hash(f, info.Size(), l.FullHash())
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil // it is changing: let the upload complain
	}
	source := ledger.Identity{Size: info.Size(), ModTime: info.ModTime(), TimeExact: true, Hash: hash}
	return &noted{ledger.Entry{Source: source}, info}, err
}

// fetched tells the ledger of a file that was fetched.
func (c *copying) fetched(local string, res *ftpx.Result) {
	if c.j.o.Ledger == nil || c.entry.size >= 0 && res.Size != c.entry.size {
		return // of another size: not the version that was listed
	}
	info, err := os.Lstat(local)
	if err != nil {
		return // consumed already; it is looked at again the next time
	}
	hash, err := hashFile(local, info.Size(), c.j.o.Ledger.FullHash())
	if err != nil {
		return
	}
	c.record(&ledger.Entry{
		Source: ledger.Identity{Size: res.Size, ModTime: c.entry.time(), TimeExact: c.entry.exact, Hash: hash},
		Dest:   ledger.Identity{Size: info.Size(), ModTime: info.ModTime(), TimeExact: true},
	}, *res)
}

// record writes to the ledger what is done. If that cannot be, the job ends: it
// would copy the same again.
func (c *copying) record(e *ledger.Entry, res ftpx.Result) {
	e.Addr, e.Protocol, e.Verified = res.Addr, res.Protocol.String(), res.Verified.String()
	if err := c.j.record(c.rel, c.target, e); err != nil {
		c.j.abort(err)
	}
}

func (j *job) record(rel, target string, e *ledger.Entry) error {
	e.Job, e.Path = j.name, rel
	e.Local, e.Remote = j.src.full(rel), j.dst.full(target)
	if !j.up {
		e.Local, e.Remote = e.Remote, e.Local
	}
	return j.o.Ledger.Record(*e)
}

// learn tells the ledger of a file that is there although it does not know it: copied
// by a run that was killed before it could write that down, or taken for one that may
// have been delivered. Otherwise it would be copied again, or be in doubt again, when the
// receiver has taken it away.
func (j *job) learn(rel, target string, s, d *entry, v verdict) error {
	if j.o.Ledger == nil || j.o.DryRun || d == nil {
		return nil
	}
	if !j.o.Once || !v.same {
		old, found, err := j.o.Ledger.Lookup(j.name, rel)
		if err != nil || !found || old.State != ledger.StateUnknown {
			return err
		}
	}
	verified := "size, found there"
	if v.same {
		verified = "size and time, found there"
	}
	return j.know(rel, target, s, d, verified)
}

// know tells the ledger of a file that is there already.
func (j *job) know(rel, target string, s, d *entry, verified string) error {
	return j.record(rel, target, &ledger.Entry{
		Source:   ledger.Identity{Size: s.size, ModTime: s.time(), TimeExact: s.exact},
		Dest:     ledger.Identity{Size: d.size, ModTime: d.time(), TimeExact: d.exact},
		Verified: verified,
	})
}
