package folder

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
)

// fewNames is up to how many of Options.Names are looked at one by one at the other side,
// where a listing of the folder might be a long one.
const fewNames = 8

// named looks at what Options.Names names, in place of two listings of the folder. What
// cannot be had at the source is told of; what cannot be seen at the other side is an error.
func (j *job) named(ctx context.Context, there bool) (src, dst []entry, err error) {
	names := slices.Clone(j.o.Names)
	slices.Sort(names)
	names = slices.Compact(names)
	src = j.sources(ctx, names)
	sorted(src, j.folded)
	if !there || ctx.Err() != nil {
		return src, nil, nil
	}
	targets, known := j.targetsOf(src)
	if !known || len(targets) > fewNames {
		if dst, err = j.dst.list(ctx, "."); err != nil {
			return src, nil, err
		}
		if known {
			dst = slices.DeleteFunc(dst, func(e entry) bool { return !targets[j.key(e.name)] })
		}
		return src, sorted(dst, j.folded), nil
	}
	var mu sync.Mutex // guards dst and err
	var asking sync.WaitGroup
	for name := range targets {
		asking.Go(func() {
			e, serr := j.dst.stat(ctx, name)
			e.name = name
			mu.Lock()
			defer mu.Unlock()
			switch {
			case serr == nil:
				dst = append(dst, e)
			case !errors.Is(serr, fs.ErrNotExist):
				err = serr
			}
		})
	}
	asking.Wait()
	return src, sorted(dst, j.folded), err
}

// sources looks at names of the source, several at a time.
func (j *job) sources(ctx context.Context, names []string) []entry {
	found, errs := make([]entry, len(names)), make([]error, len(names))
	turns := make(chan struct{}, DefaultSmall)
	var asking sync.WaitGroup
	for i, name := range names {
		turns <- struct{}{}
		asking.Go(func() {
			defer func() { <-turns }()
			if errs[i] = remoteName(name); errs[i] == nil {
				found[i], errs[i] = j.src.stat(ctx, name)
			}
			found[i].name = name
		})
	}
	asking.Wait()
	var out []entry
	for i, err := range errs {
		switch {
		case err == nil:
			out = append(out, found[i])
		case ctx.Err() == nil:
			j.blind = true
			j.tell(Item{Action: Refuse, Path: names[i], Size: -1, Err: err})
		}
	}
	return out
}

// targetsOf returns the names that entries would have at the other side, as far as they
// can be known without a listing.
func (j *job) targetsOf(src []entry) (targets map[string]bool, known bool) {
	if j.h.target.set() || j.folded {
		return nil, false
	}
	targets = map[string]bool{}
	for i := range src {
		name := src[i].name
		if j.h.name != nil && src[i].kind == isFile {
			target, _, err := j.h.names(name, facts{name: name, now: j.now, mtime: src[i].time()})
			if err != nil {
				continue // the merge says so
			}
			name = target
		}
		targets[name] = true
	}
	return targets, true
}

// key is what names of the folder are compared by.
func (j *job) key(name string) string {
	if j.folded {
		return fold(name)
	}
	return name
}
