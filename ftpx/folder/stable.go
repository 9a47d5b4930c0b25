package folder

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// candidate is a file that was seen once and is to be seen again.
type candidate struct {
	group  int // its folder, in job.groups
	name   string
	target string
	first  string
	reason string
	size   int64
	mtime  int64
	flags  byte
	found  Finding
}

// The flags of a candidate.
const (
	timedFlag = 1 << iota
	exactFlag
	proveFlag
	provenFlag
	finishFlag
	askFlag
	markedFlag
)

func (c candidate) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(c.group))
	for _, s := range []string{c.name, c.target, c.first, c.reason} {
		b = appendString(b, s)
	}
	b = binary.AppendVarint(b, c.size)
	return append(binary.AppendVarint(b, c.mtime), c.flags, byte(c.found))
}

func (candidate) read(r *bufio.Reader) (c candidate, err error) {
	group, err := binary.ReadUvarint(r)
	c.group = int(group)
	for _, s := range []*string{&c.name, &c.target, &c.first, &c.reason} {
		if err == nil {
			*s, err = readString(r)
		}
	}
	for _, n := range []*int64{&c.size, &c.mtime} {
		if err == nil {
			*n, err = binary.ReadVarint(r)
		}
	}
	if err == nil {
		c.flags, err = r.ReadByte()
	}
	if err == nil {
		var found byte
		found, err = r.ReadByte()
		c.found = Finding(found)
	}
	return c, err
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func readString(r *bufio.Reader) (string, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return "", err
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return string(b), err
}

// waiting are the files that are to be seen again.
type waiting struct {
	files  spool[candidate]
	groups []*node   // the folders that they are in, in the order of the walk
	since  time.Time // when the last of them was seen
}

// postpone notes a file that is to be seen again before it is copied.
func (j *job) postpone(c *copying) bool {
	w := &j.waiting
	if len(w.groups) == 0 || w.groups[len(w.groups)-1] != c.n {
		w.groups = append(w.groups, c.n)
		w.since = time.Now()
	}
	x := candidate{group: len(w.groups) - 1, name: lastOf(c.rel), target: c.target, first: c.first, reason: c.verdict.reason, size: c.entry.size, mtime: c.entry.mtime, found: c.verdict.found}
	for flag, on := range map[byte]bool{timedFlag: c.entry.timed, exactFlag: c.entry.exact, proveFlag: c.verdict.prove, provenFlag: c.verdict.proven, finishFlag: c.verdict.finish,
		askFlag: c.verdict.ask, markedFlag: c.verdict.marked} {
		if on {
			x.flags |= flag
		}
	}
	if err := w.files.add(x); err != nil {
		j.abort(fmt.Errorf("noting which files are to be looked at again: %w", err))
		return false
	}
	return true
}

func (x *candidate) copying(j *job, n *node) *copying {
	return &copying{j: j, n: n, rel: join(n.rel, x.name), target: x.target, first: x.first, now: j.now,
		entry: entry{name: x.name, size: x.size, mtime: x.mtime, kind: isFile, timed: x.flags&timedFlag != 0, exact: x.flags&exactFlag != 0},
		verdict: verdict{copy: true, prove: x.flags&proveFlag != 0, proven: x.flags&provenFlag != 0, finish: x.flags&finishFlag != 0,
			ask: x.flags&askFlag != 0, marked: x.flags&markedFlag != 0, found: x.found, reason: x.reason}}
}

// settle waits once for all files that were noted, lists their folders again, each
// once, and has those copied that are as they were.
func (j *job) settle(ctx context.Context) {
	w := &j.waiting
	if w.files.n == 0 || j.stopped(ctx) != nil {
		return
	}
	timer := time.NewTimer(time.Until(w.since.Add(j.o.Ready.Stable)))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return
	}
	j.work(ctx, func() {
		group, now, lerr := -1, []entry(nil), error(nil)
		for x, err := range w.files.all() {
			if err != nil {
				j.abort(fmt.Errorf("reading which files are to be looked at again: %w", err))
				return
			}
			if j.stopped(ctx) != nil {
				return
			}
			if x.group != group {
				group = x.group
				if now, lerr = j.src.list(ctx, w.groups[group].rel); lerr == nil {
					now = sorted(now, j.folded)
				}
			}
			if !j.again(ctx, x.copying(j, w.groups[group]), now, lerr) {
				return
			}
		}
	})
}

// again decides about a file that is seen for the second time. It returns false if no
// more is to be begun.
func (j *job) again(ctx context.Context, c *copying, now []entry, lerr error) bool {
	if lerr != nil {
		if ctx.Err() == nil {
			j.blind = true
			j.refuse(c.rel, &c.entry, fmt.Errorf("its folder cannot be read again: %w", lerr))
		}
		return ctx.Err() == nil
	}
	item := Item{Action: j.action, Path: c.rel, Size: c.entry.size}
	key := c.entry.name
	if j.folded {
		key = fold(key)
	}
	e, ok := find(now, key)
	if !ok || e.name != c.entry.name {
		j.tell(j.unready(item, "it has been taken away"))
		return true
	}
	to := *e
	if to.kind == isLink && j.o.follows() {
		if err := j.src.follow(ctx, c.rel, &to); err != nil {
			j.refuse(c.rel, &c.entry, fmt.Errorf("the link cannot be followed: %w", err))
			return true
		}
	}
	before := snapshot{entry: c.entry, coarse: !j.up}
	if err := before.differs(&snapshot{entry: to, coarse: !j.up}); err != nil {
		j.tell(j.unready(item, fmt.Sprintf("not the same for %v: %v", j.o.Ready.Stable, errors.Unwrap(err))))
		return true
	}
	return j.put(ctx, c.task())
}
