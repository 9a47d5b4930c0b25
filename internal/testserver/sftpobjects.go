package testserver

import (
	"errors"
	"os"
	"path"
	"sync"
	"time"
)

// objects are the files that are open for writing on a server that stores whole ones.
type objects struct {
	linger time.Duration

	mu   sync.Mutex // guards what follows, and the fields of each object
	open map[*object]bool
	late sync.WaitGroup // those whose session was lost
	over bool
}

// object is one of them.
type object struct {
	all  *objects
	file *file // as it looks meanwhile
	name string
	data []byte
	lost bool
	next sync.Cond // signalled when data has grown
}

// inSequence is how long a write waits for those before it, which may be on their way.
const inSequence = 50 * time.Millisecond

func (o *objects) add(f *file, name string) *object {
	h := &object{all: o, file: f, name: path.Clean(name)}
	h.next.L = &o.mu
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open[h] = true
	return h
}

// ReadAt is part of io.ReaderAt.
func (h *object) ReadAt([]byte, int64) (int, error) { return 0, status(os.ErrPermission) }

// WriteAt is part of io.WriterAt. The library may call it for several writes at once.
func (h *object) WriteAt(p []byte, off int64) (int, error) {
	o := h.all
	o.mu.Lock()
	defer o.mu.Unlock()
	waited := false
	wake := time.AfterFunc(inSequence, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		waited = true
		h.next.Broadcast()
	})
	defer wake.Stop()
	for int64(len(h.data)) != off && !waited {
		h.next.Wait()
	}
	if int64(len(h.data)) != off {
		return 0, status(errors.New("illegal seek"))
	}
	n, err := h.file.WriteAt(p, off)
	h.data = append(h.data, p[:n]...)
	h.next.Broadcast()
	return n, status(err)
}

// TransferError is called before Close where the session was lost.
func (h *object) TransferError(error) {
	h.all.mu.Lock()
	defer h.all.mu.Unlock()
	h.lost = true
}

// Close stores the object.
func (h *object) Close() error {
	o := h.all
	o.mu.Lock()
	if !h.lost || o.over {
		defer o.mu.Unlock()
		return status(h.store())
	}
	o.late.Add(1)
	o.mu.Unlock()
	time.AfterFunc(o.linger, func() {
		defer o.late.Done()
		o.mu.Lock()
		defer o.mu.Unlock()
		_ = h.store() // there is nobody left to be told
	})
	return nil
}

// store replaces the file that has the object's name by now. It is called with mu held.
func (h *object) store() error {
	delete(h.all.open, h)
	tree := h.file.tree
	if err := h.file.Close(); err != nil {
		return err
	}
	f, err := tree.open(h.name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(h.data)
	return errors.Join(err, f.Close())
}

// shut waits for what is still to be stored.
func (o *objects) shut() {
	if o == nil {
		return
	}
	o.late.Wait()
	o.mu.Lock()
	o.over = true
	o.mu.Unlock()
}

// rename is the tree's, which objects that are open follow.
func (f *sftpFs) rename(from, to string, replace bool) error {
	if f.objects == nil {
		return f.tree.rename(from, to, replace)
	}
	o := f.objects
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := f.tree.rename(from, to, replace); err != nil {
		return err
	}
	for h := range o.open {
		if h.name == path.Clean(from) {
			h.name = path.Clean(to)
		}
	}
	return nil
}
