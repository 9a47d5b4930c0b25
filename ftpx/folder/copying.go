package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// copying is one file that is to be copied.
type copying struct {
	j       *job
	n       *node  // its folder
	rel     string // its path at the source
	target  string // and at the other side
	first   string // and there until it is complete
	entry   entry  // of the source
	verdict verdict
	now     time.Time // of dates in names

	seen  *sighting // a fresh one, nil for none
	spare bool      // no dead letter: it is to be tried again

	// hold keeps what was sent and is in doubt until it is looked at again; nil where
	// nothing depends on that.
	hold  func(c *copying, seen *sighting, item Item) Item
	waits bool   // it is told about when that has been done
	note  func() // tells the ledger that it was sent
}

func (c *copying) do(ctx context.Context) {
	if ctx.Err() != nil {
		return // never begun
	}
	c.hold = c.j.hold
	if item := c.carry(ctx); !c.waits {
		c.j.tell(item)
	}
}

// carry copies the file and does what is to be done then.
func (c *copying) carry(ctx context.Context) Item {
	j := c.j
	item := Item{Action: j.action, Path: c.rel, Size: c.entry.size, Reason: c.verdict.reason}
	if c.target != c.rel {
		item.Target = c.target
	}
	seen, release, why, err := c.begin(ctx)
	defer release()
	if why != "" {
		return j.unready(item, why)
	}
	if err == nil && c.verdict.proven {
		item.Action = Skip
		j.count(func(r *Report) { r.Unchanged++ })
	} else if err == nil {
		item.Result, err = c.transfer(ctx, seen)
	}
	switch {
	case j.o.Ready.set() && (errors.Is(err, ftpx.ErrSourceChanged) || errors.Is(err, errChanged)):
		return j.unready(item, err.Error())
	case err != nil:
		item.Err = err
		if seen != nil {
			c.bury(ctx, seen, &item)
		}
		return item
	}
	if c.hold != nil && c.doubtful() {
		return c.hold(c, seen, item)
	}
	return c.complete(ctx, seen, item)
}

// complete does what follows a file that is at the other side.
func (c *copying) complete(ctx context.Context, seen *sighting, item Item) Item {
	if c.note != nil {
		c.note()
	}
	if err := c.after(ctx, seen, &item); err != nil {
		item.Err = fmt.Errorf("%w: %w", ErrAfter, err)
	}
	return item
}

// transfer makes the file appear at the other side under its name, marked and noted.
func (c *copying) transfer(ctx context.Context, seen *sighting) (ftpx.Result, error) {
	j := c.j
	if c.n != nil {
		if err := j.ensure(ctx, c.n); err != nil {
			return ftpx.Result{}, fmt.Errorf("its folder could not be made: %w", err)
		}
	}
	switch {
	case j.o.DryRun:
		return ftpx.Result{}, nil
	case j.up:
		return c.send(ctx)
	}
	return c.fetch(ctx, seen)
}

// after is done about a file that is at the other side.
func (c *copying) after(ctx context.Context, seen *sighting, item *Item) error {
	j := c.j
	res := item.Result
	if j.o.After.Source != SourceKeep && !c.verdict.proven && !j.o.DryRun {
		if res.Outcome != ftpx.Done || !res.Verified.Size {
			return errUnproven
		}
		if res.Size != seen.size {
			item.After = "left there: " + errChanged.Error()
			return nil
		}
	}
	return c.finish(ctx, seen, item)
}

// appear gives what was copied its name, where it had another, and its marker.
func (c *copying) appear(ctx context.Context) error {
	j := c.j
	if c.first != c.target {
		if err := j.dst.rename(ctx, c.first, c.target); err != nil {
			return err
		}
	}
	return c.markTarget(ctx)
}

func (c *copying) markTarget(ctx context.Context) error {
	if !c.j.h.target.set() {
		return nil
	}
	return c.j.dst.mark(ctx, c.j.h.markOf(c.target), time.Time{})
}

func (c *copying) send(ctx context.Context) (ftpx.Result, error) {
	j := c.j
	local, remote := j.src.full(c.rel), j.dst.full(c.first)
	note, err := c.before(local)
	if err != nil {
		return ftpx.Result{}, err
	}
	if c.verdict.finish {
		if res, same, err := c.compare(ctx, local, j.dst.full(c.target)); err != nil || same {
			if err == nil {
				err = c.markTarget(ctx)
				c.sent(note, local, &res)
			}
			return res, err
		}
	}
	res, err := j.c.Upload(ctx, local, remote, &ftpx.UploadOptions{
		// What is known to differ or to be missing is not worth a look.
		Always:     !c.verdict.prove,
		Verify:     j.o.Verify,
		CreateDirs: c.n == nil,
	})
	if err == nil {
		err = c.appear(ctx)
	}
	if err != nil {
		c.doubt(note, err)
		return res, err
	}
	if !res.TimeKept {
		j.count(func(r *Report) { r.TimesLost++ })
	}
	c.note = func() { c.sent(note, local, &res) }
	return res, nil
}

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

func (c *copying) fetch(ctx context.Context, seen *sighting) (ftpx.Result, error) {
	j := c.j
	local, remote := j.dst.full(c.target), j.src.full(c.rel)
	if c.verdict.finish || c.verdict.prove && j.o.Compare == CompareProof {
		if res, same, err := c.compare(ctx, local, remote); err != nil || same {
			if err == nil {
				err = c.markTarget(ctx)
				c.fetched(local, &res)
			}
			return res, err
		}
	}
	res, err := j.c.Download(ctx, remote, j.dst.full(c.first), &ftpx.DownloadOptions{Verify: j.o.Verify})
	if err == nil && j.o.Ready.set() && res.Size >= 0 && seen.size >= 0 && res.Size != seen.size {
		return res, fmt.Errorf("%w: %d bytes have come of %d; it is fetched again the next time", ftpx.ErrSourceChanged, res.Size, seen.size)
	}
	if err == nil {
		err = c.appear(ctx)
	}
	if err != nil {
		return res, err
	}
	c.fetched(local, &res)
	return res, nil
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

// learn tells the ledger of a file that is there although it does not know it:
// copied by a run that was killed before it could write that down. Otherwise it
// would be copied again when the receiver has taken it away.
func (j *job) learn(rel, target string, s, d *entry, v verdict) error {
	if !j.o.Once || !v.same || j.o.DryRun {
		return nil
	}
	return j.record(rel, target, &ledger.Entry{
		Source:   ledger.Identity{Size: s.size, ModTime: s.time(), TimeExact: s.exact},
		Dest:     ledger.Identity{Size: d.size, ModTime: d.time(), TimeExact: d.exact},
		Verified: "size and time, found there",
	})
}

var errDiffers = errors.New("the local file differs")

// compare reads the remote file and stops at the first byte that differs from the
// local one. If all are the same, it is as if it had been transferred and checked.
func (c *copying) compare(ctx context.Context, local, remote string) (res ftpx.Result, same bool, err error) {
	f, err := os.Open(filepath.Clean(local))
	if err != nil {
		return res, false, nil // to be fetched, or to fail there
	}
	defer f.Close()
	w := &comparer{r: f}
	res, err = c.j.c.Get(ctx, remote, w, nil)
	if errors.Is(err, errDiffers) || errors.Is(err, fs.ErrNotExist) && c.j.up || err == nil && !w.atEnd() {
		return ftpx.Result{}, false, nil
	}
	if err != nil {
		return res, false, err
	}
	res.Unchanged, res.Verified = true, ftpx.Verified{Size: true, ReadBack: res.Size}
	return res, true, nil
}

// comparer is an io.Writer that fails when what is written is not what it reads.
type comparer struct {
	r   io.Reader
	buf []byte
}

func (w *comparer) Write(p []byte) (int, error) {
	w.buf = append(w.buf[:0], p...)
	n, err := io.ReadFull(w.r, w.buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, err
	}
	if n < len(p) || !bytes.Equal(w.buf, p) {
		return 0, errDiffers
	}
	return n, nil
}

func (w *comparer) atEnd() bool {
	n, err := w.r.Read(make([]byte, 1))
	return n == 0 && errors.Is(err, io.EOF)
}
