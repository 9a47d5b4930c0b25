package fleet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// copy fetches a file from another target into the spool and sends it on. Each half goes on
// where it was; the spool is this machine's, so another worker fetches anew.
func (w *Worker) copy(ctx context.Context, c ftpx.Client, j *Job) (Result, error) {
	if w.o.Spool == "" {
		return Result{}, local(fmt.Errorf("worker %s has no spool: set spool to a folder in its configuration: %w", w.o.Name, fs.ErrNotExist))
	}
	name, remote, _ := splitPlace(j.Source)
	t := w.limit[name]
	if t == nil {
		return Result{}, local(fmt.Errorf("target %q is not known to worker %s: %w", name, w.o.Name, fs.ErrNotExist))
	}
	if err := os.MkdirAll(w.o.Spool, 0o700); err != nil {
		return Result{}, local(err)
	}
	file := w.spooled(j.ID)
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		if err := w.spool(ctx, t, remote, file); err != nil {
			return Result{}, err
		}
	}
	f, err := os.Open(file)
	if err != nil {
		return Result{}, local(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Result{}, local(err)
	}
	return w.put(ctx, c, j, f, info.ModTime())
}

func (w *Worker) spooled(id string) string { return filepath.Join(w.o.Spool, id) }

// spool fetches a file over a connection of its target: one that is free, or one that another
// holder of this worker lends.
func (w *Worker) spool(ctx context.Context, t *Target, remote, file string) error {
	if slot := w.takeSlot(ctx, t.Name, 0); slot != nil {
		h := &holder{w: w, t: t, slot: slot}
		defer h.release()
		return h.spool(ctx, remote, file)
	}
	l := w.borrow(ctx, t.Name, w.f.time.ackWait)
	if l == nil {
		return errBusy
	}
	defer close(l.back)
	return (<-l.got).spool(ctx, remote, file)
}

func (h *holder) spool(ctx context.Context, remote, file string) error {
	ctx, cancel := leased(ctx, h.slot)
	defer cancel()
	if h.client == nil {
		client, err := h.w.connect(ctx, h.t)
		if err != nil {
			return fmt.Errorf("%w: %s: %w", errBusy, h.t.Name, err)
		}
		h.client = client
	}
	_, err := h.client.Download(ctx, remote, file, nil)
	return err
}

// forget removes what a job that has ended has left in the spool.
func (w *Worker) forget(id string) {
	if w.o.Spool == "" {
		return
	}
	for _, suffix := range []string{"", ".part", ".part.state"} {
		_ = os.Remove(w.spooled(id) + suffix)
	}
}
