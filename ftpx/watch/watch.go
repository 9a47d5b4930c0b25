package watch

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// ErrGone: the folder that is watched is not there. The watch goes on: it may come back,
// and what was in it is not yielded again then.
var ErrGone = errors.New("watch: the watched folder is not there")

// Local yields each version of each file in a local folder once, when it is whole. A
// version is what has another size or time than before. It ends when ctx does. An error
// comes alone, with the path that it is about if that is not the folder itself; the
// stream goes on after it, unless it is one of the options, which ends it.
//
// The consumer says what became of a file with [Event].Done, Again or Dead. With
// Options.Folder.Ledger that is remembered: what is done or dead is not yielded by a later
// stream of the same Options.Folder.Job either, until it changes, and what nothing was said
// of is. So each file is dealt with at least once, whenever the process ends.
//
// Links to folders are not followed.
func Local(ctx context.Context, dir string, opts *Options) iter.Seq2[Event, error] {
	return events(ctx, opts, func(o Options) (runner, error) {
		s, err := newLocal(o, dir)
		if err == nil {
			s.reg = newRegister(&o, "local", s.dir)
		}
		return s, err
	})
}

// Remote is [Local] for a folder on a server.
func Remote(ctx context.Context, c ftpx.Client, dir string, opts *Options) iter.Seq2[Event, error] {
	return events(ctx, opts, func(o Options) (runner, error) {
		s, err := newRemote(o, c, dir)
		if err == nil {
			s.reg = newRegister(&o, "remote", s.dir)
		}
		return s, err
	})
}

// runner is a localStream or a remoteStream.
type runner interface {
	run(ctx context.Context, yield yield)
	giveBack(failure)
}

func events(ctx context.Context, opts *Options, open func(Options) (runner, error)) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		o, err := opts.resolve()
		var r runner
		if err == nil {
			r, err = open(o)
		}
		if err != nil {
			yield(Event{}, fmt.Errorf("watch: %w", err))
			return
		}
		r.run(ctx, yield)
	}
}

// resolve is withDefaults for options that may be nil.
func (o *Options) resolve() (Options, error) {
	if o == nil {
		o = &Options{}
	}
	return o.withDefaults()
}
