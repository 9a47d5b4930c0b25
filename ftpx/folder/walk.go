package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// node is a folder of the source, and its counterpart.
type node struct {
	rel    string
	parent *node
	there  bool // the counterpart was there
	all    bool // Options.Include takes it, or a folder above it
	linked bool // it lies beneath a link to a folder
	unseen bool // the counterpart is there, and may not be looked into

	made first // ensure
	err  error // why the counterpart could not be made

	lists *lists // its listings, if they were asked for ahead
}

// walk goes through the source folder by folder, parents first, names in order, and
// hands what is to be done to the workers. It holds the listings of one folder and
// the names of the folders that are still to come beside it and above it.
func (j *job) walk(ctx context.Context, there bool) {
	ctx, cancel := context.WithCancel(ctx)
	asking := crew{stop: cancel}
	defer asking.Wait()
	defer cancel()
	root := &node{rel: ".", there: there, all: len(j.filter.include) == 0}
	if !there {
		j.putFolder(ctx, root)
	}
	stack := []*node{root}
	listing := 0
	for len(stack) > 0 && j.stopped(ctx) == nil {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if n.lists != nil {
			listing--
		} else {
			j.ask(ctx, n, &asking)
		}
		// The next folders' listings are under way while this one is worked on.
		for i := len(stack) - 1; i >= 0 && listing < prefetchDepth && len(stack)-i <= prefetchDepth; i-- {
			if stack[i].lists == nil {
				j.ask(ctx, stack[i], &asking)
				listing++
			}
		}
		folders := j.folder(ctx, n)
		slices.Reverse(folders)
		stack = append(stack, folders...)
	}
}

// prefetchDepth is how many folders are listed before their turn.
const prefetchDepth = 3

// lists are the two listings of a folder, once done is closed.
type lists struct {
	done     chan struct{}
	src, dst []entry
	serr     error
	derr     error
	unseen   bool // what is at the other side, see needsNoListing
}

// ask lists a folder at both sides, each once.
func (j *job) ask(ctx context.Context, n *node, asking *crew) {
	l := &lists{done: make(chan struct{}), serr: ftpx.ErrNoReturn}
	n.lists = l
	asking.Go(func() {
		defer close(l.done)
		if n.parent == nil && j.o.Names != nil {
			l.src, l.dst, l.derr = j.named(ctx, n.there)
			if l.serr = nil; j.needsNoListing(l.derr) {
				l.dst, l.derr, l.unseen, n.unseen = nil, nil, true, true
			}
			return
		}
		if l.src, l.serr = j.src.list(ctx, n.rel); l.serr != nil || !n.there {
			return
		}
		if l.dst, l.derr = j.dst.list(ctx, n.rel); j.needsNoListing(l.derr) {
			l.dst, l.derr, l.unseen, n.unseen = nil, nil, true, true
		} else if errors.Is(l.derr, fs.ErrNotExist) {
			l.derr = fmt.Errorf("it was there a moment ago: %w", l.derr)
		}
		sorted(l.src, j.folded)
		sorted(l.dst, j.folded)
	})
}

// needsNoListing reports whether to go on without what an error of the other side kept from
// being seen. A refused look is no answer: a folder that shows nothing may take files that
// are delivered directly, and of others it shows what stands in their way. Each is sent, as
// if nothing were there.
func (j *job) needsNoListing(err error) bool {
	return j.up && !j.o.Delete && refusedLook(err)
}

// blind reports whether nothing is known of what is in the counterpart.
func (n *node) blind() bool {
	for ; n != nil; n = n.parent {
		if n.unseen {
			return true
		}
	}
	return false
}

// folder works on one folder and returns those in it.
func (j *job) folder(ctx context.Context, n *node) []*node {
	l := n.lists
	n.lists = nil
	<-l.done
	if !n.there {
		sorted(l.src, j.folded)
	}
	self := &entry{kind: isDir, size: -1}
	if l.serr != nil {
		j.blind = true
		if ctx.Err() == nil {
			j.refuse(n.rel, self, fmt.Errorf("the folder cannot be read: %w", l.serr))
		}
		return nil
	}
	if l.derr != nil {
		if ctx.Err() == nil {
			j.refuse(n.rel, self, fmt.Errorf("the folder at the other side cannot be read: %w", l.derr))
		}
		return nil
	}
	j.there += len(l.dst)
	m := &merge{j: j, ctx: ctx, n: n, src: l.src, dst: l.dst, unseen: l.unseen}
	m.run()
	return m.folders
}

// ensure makes a folder's counterpart, once, whoever needs it first.
func (j *job) ensure(ctx context.Context, n *node) error {
	err := n.made.do(ctx, func() {
		if n.there || j.o.Delivery == ftpx.DeliverDrop || n.blind() { // there an upload makes what it needs
			return
		}
		if n.parent != nil {
			if n.err = j.ensure(ctx, n.parent); n.err != nil {
				return
			}
		}
		if !j.o.DryRun {
			n.err = j.dst.mkdir(ctx, n.rel)
		}
		j.tell(Item{Action: Mkdir, Path: n.rel, Dir: true, Size: -1, Reason: "it is not there", Finding: Missing, Err: n.err})
	})
	if err != nil {
		return err
	}
	return n.err
}

// first is a sync.Once for what takes long: who waits for it does so until the context
// ends, and is seen to wait by testing/synctest.
type first struct {
	mu   sync.Mutex // guards done
	done chan struct{}
}

// do calls f, or waits until the first call has ended. The error is the context's.
func (o *first) do(ctx context.Context, f func()) error {
	o.mu.Lock()
	done := o.done
	if done == nil {
		o.done = make(chan struct{})
		defer close(o.done)
		o.mu.Unlock()
		f()
		return nil
	}
	o.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// putFolder has a missing folder made, also if nothing goes into it. Folders go
// before all files: others wait for them.
func (j *job) putFolder(ctx context.Context, n *node) bool {
	if !n.all {
		return true // when the first file needs it
	}
	return j.put(ctx, &task{size: folderSize, do: func(ctx context.Context) { _ = j.ensure(ctx, n) }})
}
