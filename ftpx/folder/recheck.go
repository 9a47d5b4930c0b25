package folder

import (
	"context"
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Where a session was lost in the middle of an upload, some servers replace the file when
// they notice (ftpx.Rechecker). Such files are looked at again at the end of the job, and
// those that were replaced are sent again. Until then nothing is done about their sources,
// nothing marks them as whole, and the ledger does not know them. A Single has no end; it looks at the next try.

// doubt is a file that was sent and is to be looked at again.
type doubt struct {
	c    *copying
	seen *snapshot
	item Item
	told bool // or noted anew

	replaced bool // so it was found, and it could not be sent again yet
}

// maxRechecks bounds how often what was sent is looked at.
const maxRechecks = 3

// doubtful reports whether a file that has been sent is to be looked at again.
func (c *copying) doubtful() bool {
	r, ok := c.j.c.(ftpx.Rechecker)
	return ok && c.j.up && !c.j.o.DryRun && r.Doubtful(c.j.dst.full(c.target))
}

// hold puts off what follows a file that was sent, to the end of the job.
func (j *job) hold(c *copying, seen *snapshot, item Item) Item {
	c.waits = true
	j.mu.Lock()
	defer j.mu.Unlock()
	j.doubts = append(j.doubts, &doubt{c: c, seen: seen, item: item})
	return item
}

// recheck looks at what is in doubt, and at what is sent again for it.
func (j *job) recheck(ctx context.Context) {
	for n := 1; ; n++ {
		j.mu.Lock()
		again := j.doubts
		j.doubts = nil
		j.mu.Unlock()
		if len(again) == 0 {
			return
		}
		if j.stopped(ctx) == nil {
			j.work(ctx, func() {
				for _, d := range again {
					j.put(ctx, &task{size: d.item.Size, do: func(ctx context.Context) { j.statAgain(ctx, d, n < maxRechecks) }})
				}
			})
		}
		for _, d := range again { // of what was not begun, that it was sent
			if !d.told {
				j.tell(d.item)
			}
		}
	}
}

// sentAgain is the verdict about a file that was found replaced, whatever its size and
// time say.
func sentAgain() verdict {
	return verdict{copy: true, found: Differs, reason: "it was replaced after it had been sent"}
}

// statAgain looks at a file that was sent, and sends it again if it has been replaced.
func (j *job) statAgain(ctx context.Context, d *doubt, again bool) {
	d.told = true
	err := j.c.(ftpx.Rechecker).Recheck(ctx, j.dst.full(d.c.target))
	switch {
	case err == nil:
		j.tell(d.c.complete(ctx, d.seen, d.item))
		return
	case !errors.Is(err, ftpx.ErrReplaced) || !again:
		// Not to be looked at now, or replaced too often.
		d.item.Err = err
		j.tell(d.item)
		return
	}
	next := *d.c
	next.waits, next.note, next.seen = false, nil, nil
	next.verdict = sentAgain()
	item := next.carry(ctx)
	if item.Err != nil {
		item.Err = fmt.Errorf("%w; and sending it again: %w", err, item.Err)
	}
	if !next.waits {
		j.tell(item)
	}
}
