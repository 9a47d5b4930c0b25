package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// copying is one file that is to be copied.
type copying struct {
	j       *job
	n       *node // its folder
	rel     string
	entry   entry // of the source
	verdict verdict
}

func (c *copying) do(ctx context.Context) {
	j := c.j
	if ctx.Err() != nil {
		return // never begun
	}
	item := Item{Action: j.action, Path: c.rel, Size: c.entry.size, Reason: c.verdict.reason}
	switch err := j.ensure(ctx, c.n); {
	case err != nil:
		item.Err = fmt.Errorf("its folder could not be made: %w", err)
	case j.o.DryRun:
	case j.up:
		item.Result, item.Err = c.send(ctx)
	default:
		item.Result, item.Err = c.fetch(ctx)
	}
	j.tell(item)
}

func (c *copying) send(ctx context.Context) (ftpx.Result, error) {
	j := c.j
	local, remote := j.src.full(c.rel), j.dst.full(c.rel)
	note, err := c.before(local)
	if err != nil {
		return ftpx.Result{}, err
	}
	res, err := j.c.Upload(ctx, local, remote, &ftpx.UploadOptions{
		// What is known to differ or to be missing is not worth a look.
		Always: !c.verdict.prove,
		Verify: j.o.Verify,
	})
	if err != nil {
		return res, err
	}
	if !res.TimeKept {
		j.count(func(r *Report) { r.TimesLost++ })
	}
	if note != nil {
		// The hash is of the content before; it is only worth something if it is
		// what was sent.
		if info, err := os.Stat(local); err == nil && info.Size() == note.Source.Size && info.Size() == res.Size && info.ModTime().Equal(note.Source.ModTime) {
			note.Dest = ledger.Identity{Size: res.Size}
			if res.TimeKept {
				note.Dest.ModTime, note.Dest.TimeExact = info.ModTime(), true
			}
			c.record(note, res)
		}
	}
	return res, nil
}

// before is what the ledger is to know of a file that is about to be sent, nil
// without a ledger.
func (c *copying) before(local string) (*ledger.Entry, error) {
	l := c.j.o.Ledger
	if l == nil {
		return nil, nil
	}
	f, err := os.Open(local)
	if err != nil {
		return nil, err
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
	return &ledger.Entry{Source: ledger.Identity{Size: info.Size(), ModTime: info.ModTime(), TimeExact: true, Hash: hash}}, err
}

func (c *copying) fetch(ctx context.Context) (ftpx.Result, error) {
	j := c.j
	local, remote := j.dst.full(c.rel), j.src.full(c.rel)
	if c.verdict.prove && j.o.Compare == CompareProof {
		if res, same, err := c.compare(ctx, local, remote); same || err != nil {
			return res, err
		}
	}
	res, err := j.c.Download(ctx, remote, local, &ftpx.DownloadOptions{Verify: j.o.Verify})
	if err != nil || j.o.Ledger == nil || c.entry.size >= 0 && res.Size != c.entry.size {
		return res, err // of another size: not the version that was listed
	}
	info, err := os.Lstat(local)
	if err != nil {
		return res, nil // consumed already; it is looked at again the next time
	}
	hash, err := hashFile(local, info.Size(), j.o.Ledger.FullHash())
	if err != nil {
		return res, nil
	}
	c.record(&ledger.Entry{
		Source: ledger.Identity{Size: res.Size, ModTime: c.entry.time(), TimeExact: c.entry.exact, Hash: hash},
		Dest:   ledger.Identity{Size: info.Size(), ModTime: info.ModTime(), TimeExact: true},
	}, res)
	return res, nil
}

// record writes to the ledger what is done. If that cannot be, the job ends: it
// would copy the same again.
func (c *copying) record(e *ledger.Entry, res ftpx.Result) {
	e.Addr, e.Protocol, e.Verified = res.Addr, res.Protocol.String(), res.Verified.String()
	if err := c.j.record(c.rel, e); err != nil {
		c.j.abort(err)
	}
}

func (j *job) record(rel string, e *ledger.Entry) error {
	e.Job, e.Path = j.name, rel
	e.Local, e.Remote = j.src.full(rel), j.dst.full(rel)
	if !j.up {
		e.Local, e.Remote = e.Remote, e.Local
	}
	return j.o.Ledger.Record(*e)
}

// learn tells the ledger of a file that is there although it does not know it:
// copied by a run that was killed before it could write that down. Otherwise it
// would be copied again when the receiver has taken it away.
func (j *job) learn(rel string, s, d *entry, v verdict) error {
	if !j.o.Once || !v.same || j.o.DryRun {
		return nil
	}
	return j.record(rel, &ledger.Entry{
		Source:   ledger.Identity{Size: s.size, ModTime: s.time(), TimeExact: s.exact},
		Dest:     ledger.Identity{Size: d.size, ModTime: d.time(), TimeExact: d.exact},
		Verified: "size and time, found there",
	})
}

var errDiffers = errors.New("the local file differs")

// compare reads the remote file and stops at the first byte that differs from the
// local one.
func (c *copying) compare(ctx context.Context, local, remote string) (res ftpx.Result, same bool, err error) {
	f, err := os.Open(filepath.Clean(local))
	if err != nil {
		return res, false, nil // to be fetched, or to fail there
	}
	defer f.Close()
	w := &comparer{r: f}
	res, err = c.j.c.Get(ctx, remote, w, nil)
	if errors.Is(err, errDiffers) || err == nil && !w.atEnd() {
		return res, false, nil
	}
	if err != nil {
		return res, false, err
	}
	res.Unchanged = true
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
