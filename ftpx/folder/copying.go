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

	seen  *snapshot // a fresh one, nil for none
	spare bool      // no dead letter: it is to be tried again

	// hold keeps what was sent and is in doubt until it is looked at again; nil where
	// nothing depends on that.
	hold  func(c *copying, seen *snapshot, item Item) Item
	waits bool                        // it is told about when that has been done
	note  func(context.Context) error // marks what was sent, and tells the ledger of it
}

func (c *copying) do(ctx context.Context) {
	if ctx.Err() != nil {
		return // never begun
	}
	c.hold = c.j.hold
	if c.verdict.ask && c.settled(ctx) {
		return
	}
	if item := c.carry(ctx); !c.waits {
		c.j.tell(item)
	}
}

// carry copies the file and does what is to be done then.
func (c *copying) carry(ctx context.Context) Item {
	j := c.j
	item := Item{Action: j.action, Path: c.rel, Size: c.entry.size, Reason: c.verdict.reason, Finding: c.verdict.found}
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
		if item.Result, err = c.transfer(ctx, seen); item.Result.Unchanged {
			item.Finding = Same
		}
	}
	switch {
	case j.o.Ready.set() && (errors.Is(err, ftpx.ErrSourceChanged) || errors.Is(err, errChanged)):
		return j.unready(item, err.Error())
	case err != nil:
		item.Err = err
		if seen != nil {
			c.deadLetter(ctx, seen, &item)
		}
		return item
	}
	if c.hold != nil && c.doubtful() {
		return c.hold(c, seen, item)
	}
	return c.complete(ctx, seen, item)
}

// complete does what follows a file that is at the other side.
func (c *copying) complete(ctx context.Context, seen *snapshot, item Item) Item {
	if c.note != nil {
		if err := c.note(ctx); err != nil {
			item.Err = err
			if seen != nil {
				c.deadLetter(ctx, seen, &item)
			}
			return item
		}
	}
	if err := c.after(ctx, seen, &item); err != nil {
		item.Err = fmt.Errorf("%w: %w", ErrPostProcess, err)
	}
	return item
}

// transfer makes the file appear at the other side under its name. One that was fetched
// is marked and noted, too; for one that was sent there is a note.
func (c *copying) transfer(ctx context.Context, seen *snapshot) (ftpx.Result, error) {
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
func (c *copying) after(ctx context.Context, seen *snapshot, item *Item) error {
	j := c.j
	res := item.Result
	if j.o.After.Source != SourceKeep && !c.verdict.proven && !j.o.DryRun {
		word := j.o.Delivery == ftpx.DeliverDrop && res.Verified.Acknowledged // which is what was asked for
		if res.Outcome != ftpx.Done || !res.Verified.Size && !word {
			return errUnproven
		}
		if res.Size != seen.size {
			item.After = "left there: " + errChanged.Error()
			return nil
		}
	}
	return c.finish(ctx, seen, item)
}

// appear gives what was copied its name, where it had another.
func (c *copying) appear(ctx context.Context) error {
	if c.first == c.target {
		return nil
	}
	return c.j.dst.rename(ctx, c.first, c.target)
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
		Always:      !c.verdict.prove,
		Verify:      j.o.Verify,
		CreateDirs:  c.n == nil || j.o.Delivery == ftpx.DeliverDrop || c.n.blind(),
		Delivery:    j.o.Delivery,
		PartialName: j.o.PartialName,
		Mode:        j.modeOf(&c.entry),
	})
	if err == nil && j.o.KeepModes && !res.ModeSet {
		j.count(func(r *Report) { r.ModesLost++ })
	}
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
	c.note = func(ctx context.Context) error {
		err := c.markTarget(ctx)
		if err == nil {
			c.sent(note, local, &res)
		}
		return err
	}
	return res, nil
}

func (c *copying) fetch(ctx context.Context, seen *snapshot) (ftpx.Result, error) {
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
		c.keepMode(ctx)
		err = c.appear(ctx)
	}
	if err == nil {
		err = c.markTarget(ctx)
	}
	if err != nil {
		return res, err
	}
	c.fetched(local, &res)
	return res, nil
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
