package folder

import "context"

// Servers without MLSD list times that are not exact, and tell exact ones if they are
// asked (MDTM). That costs a round trip for each file, so it is done for those alone
// whose time decides: the size is the same, and the ledger does not know them.

// task is the copying as one for the workers. A question is as small as a small file;
// what turns out to be large and to have changed does not count as large then.
func (c *copying) task() *task {
	size := c.entry.size
	if c.verdict.ask {
		size = min(size, smallFile)
	}
	return &task{size: size, do: c.do}
}

// settled asks for the exact time. It returns true if that was all there was to do, and
// has told so; else the verdict says what is to be done.
func (c *copying) settled(ctx context.Context) bool {
	j := c.j
	v, err := c.ask(ctx)
	switch {
	case ctx.Err() != nil:
		return true // never begun
	case err != nil:
		j.abort(err)
		return true
	case v.noTime:
		j.count(func(r *Report) { r.NoTimes++ })
	}
	if c.verdict = v; v.copy {
		return false
	}
	j.count(func(r *Report) { r.Unchanged++ })
	j.tell(Item{Action: Skip, Path: c.rel, Size: c.entry.size, Reason: v.reason, Finding: v.found})
	return true
}

// ask decides about a file by its exact time, and has the ledger remember what was
// found. What cannot be asked leaves the verdict as it was. An error is one of the
// ledger.
func (c *copying) ask(ctx context.Context) (verdict, error) {
	j := c.j
	if j.vague.Load() {
		return c.verdict, nil
	}
	s := c.entry
	d, err := j.dst.stat(ctx, c.target)
	if err == nil && !j.up {
		s, err = j.src.stat(ctx, c.rel)
	}
	switch {
	case err != nil || s.kind != isFile || d.kind != isFile || s.size != c.entry.size || s.size != d.size:
		return c.verdict, nil // to copy it shows what is wrong
	case !s.exact || !d.exact:
		j.vague.Store(true)
		return c.verdict, nil
	}
	v, err := j.decide(c.rel, &s, &d)
	if err != nil || !v.same {
		return v, err
	}
	if !j.o.DryRun && j.o.Ledger != nil {
		// The source as it was listed, by which it is known again.
		if err := j.know(c.rel, c.target, &c.entry, &d, "size and time, found there"); err != nil {
			return v, err
		}
	}
	return j.complete(c.rel, &s, &d, v, c.verdict.marked)
}
