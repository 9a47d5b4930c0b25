package folder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// ErrUnsettled: a file was sent by a [Single], but a session was lost meanwhile, and the
// server may still store what that session had sent ([ftpx.Rechecker]). Its source is as
// it was, no marker says that it is whole and the ledger does not know it, until the next try has looked at it again.
var ErrUnsettled = errors.New("it was sent, but the server may still replace it by what a lost session had sent: it is looked at again at the next try, and until then nothing is done about its source")

// held are the files of a Single that were sent and are to be looked at again, by their
// paths. One whose source is gone is dropped when it is tried; of others there is one
// for each file that was sent.
type held struct {
	mu    sync.Mutex // guards files
	files map[string]*doubt
}

func (h *held) put(rel string, d *doubt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.files == nil {
		h.files = map[string]*doubt{}
	}
	h.files[rel] = d
}

func (h *held) take(rel string) *doubt {
	h.mu.Lock()
	defer h.mu.Unlock()
	d := h.files[rel]
	delete(h.files, rel)
	return d
}

// Held returns the files that failed with [ErrUnsettled], sorted: to Copy each once more
// settles it.
func (s *Single) Held() []string {
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	names := make([]string, 0, len(s.held.files))
	for rel := range s.held.files {
		names = append(names, rel)
	}
	slices.Sort(names)
	return names
}

// hold puts off what follows a file that was sent, to the next try.
func (s *Single) hold(c *copying, seen *snapshot, item Item) Item {
	s.held.put(c.rel, &doubt{c: c, seen: seen, item: item})
	item.Err = ErrUnsettled
	return item
}

// holds reports whether anything depends on a file's being there to stay.
func (j *job) holds() bool {
	return j.o.Ledger != nil || j.o.After != (After{})
}

// settle looks at a file that an earlier try has sent. done says that item is what came
// of it. What is returned as replaced has to be sent again, and is to be put back if that
// fails.
func (s *Single) settle(ctx context.Context, seen *snapshot, rel string) (item Item, done bool, replaced *doubt) {
	d := s.held.take(rel)
	if d == nil || d.seen.differs(seen) != nil {
		return Item{}, false, nil // another version, which is sent as any other
	}
	if d.replaced {
		return Item{}, false, d
	}
	item = d.item
	// What was moved has been told of.
	item.Result.Moved, item.Result.Kept = 0, item.Result.Size
	err := s.j.c.(ftpx.Rechecker).Recheck(ctx, s.j.dst.full(d.c.target))
	switch {
	case err == nil:
		return d.c.complete(ctx, d.seen, item), true, nil
	case errors.Is(err, ftpx.ErrReplaced):
		d.replaced = true
		return Item{}, false, d
	}
	s.held.put(rel, d)
	item.Err = fmt.Errorf("%w: %w", ErrUnsettled, err)
	return item, true, nil
}
