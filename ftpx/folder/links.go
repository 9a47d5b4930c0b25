package folder

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// keepLink makes a link that says what the source's says, see [LinkKeep]. It returns false if
// the walk is to end.
func (m *merge) keepLink(rel string, s, d *entry) bool {
	j := m.j
	if !m.n.all && !j.filter.takes(rel, false) {
		j.left(rel, s, "no pattern of Include takes it")
		return true
	}
	if d != nil && d.kind != isLink {
		j.refuse(rel, s, otherKind(s, d))
		return true
	}
	n, there := m.n, d != nil
	return j.put(m.ctx, &task{size: folderSize, do: func(ctx context.Context) {
		j.tell(j.makeLink(ctx, n, rel, there))
	}})
}

func (j *job) makeLink(ctx context.Context, n *node, rel string, there bool) Item {
	item := Item{Action: Link, Path: rel, Size: -1, Reason: "it is not there", Finding: Missing}
	target, err := j.src.readLink(ctx, rel)
	if err == nil {
		err = j.checkTarget(rel, target)
	}
	if item.Err = err; err != nil {
		return item
	}
	if there {
		has, err := j.dst.readLink(ctx, rel)
		if item.Err = err; err != nil {
			return item
		}
		if has == target {
			j.count(func(r *Report) { r.Unchanged++ })
			item.Action, item.Reason, item.Finding = Skip, "it says the same", Same
			return item
		}
		item.Finding, item.Reason = Differs, fmt.Sprintf("it says %q and not %q", has, target)
	}
	if j.o.DryRun {
		return item
	}
	if item.Err = j.ensure(ctx, n); item.Err != nil {
		item.Err = fmt.Errorf("its folder could not be made: %w", item.Err)
		return item
	}
	if there {
		if item.Err = j.dst.remove(ctx, rel); item.Err != nil {
			return item
		}
	}
	item.Err = j.dst.symlink(ctx, target, rel)
	return item
}

// checkTarget refuses what a link must not say. ".." is taken at the beginning only: behind
// a name it leaves wherever that leads, which another link can decide.
func (j *job) checkTarget(rel, target string) error {
	outside := func() error {
		return fmt.Errorf("%w: %q says %q", ErrLinkOutside, transport.Printable(rel), transport.Printable(target))
	}
	if target == "" || path.IsAbs(target) || filepath.IsAbs(target) {
		return outside()
	}
	depth, named := strings.Count(rel, "/"), false
	for _, element := range strings.Split(strings.TrimRight(target, "/"), "/") {
		switch element {
		case "", ".":
		case "..":
			if depth--; named || depth < 0 {
				return outside()
			}
		default:
			named = true
			if err := j.dst.check(element); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *local) readLink(_ context.Context, rel string) (target string, err error) {
	if l.held != nil {
		target, err = l.held.Readlink(filepath.FromSlash(rel))
	} else {
		target, err = os.Readlink(l.full(rel))
	}
	return filepath.ToSlash(target), err
}

func (l *local) symlink(_ context.Context, target, rel string) error {
	return l.held.Symlink(filepath.FromSlash(target), filepath.FromSlash(rel))
}

func (r *remote) readLink(ctx context.Context, rel string) (string, error) {
	return r.c.ReadLink(ctx, r.full(rel))
}

func (r *remote) symlink(ctx context.Context, target, rel string) error {
	return r.c.Symlink(ctx, target, r.full(rel))
}
