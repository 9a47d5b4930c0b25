package folder

import (
	"context"
	"errors"
	"io/fs"
	"path"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// unshown is a remote folder about which the server refuses to say anything, as one that
// may only be written to, or only be read from by name. A refused look is no answer: what
// may be done there shows when it is tried.
type unshown struct {
	*remote
	dest bool
}

// refusedLook reports whether a server has refused to say what is there.
func refusedLook(err error) bool {
	switch ftpx.KindOf(err) {
	case transport.KindPermission, transport.KindUnsupported, transport.KindRefused:
		return true
	}
	return false
}

// makesUnseen reports whether nothing is known of the destination's folders, so that an
// upload makes what it needs.
func (j *job) makesUnseen() bool {
	_, blind := j.dst.(unshown)
	return blind || j.up && j.o.Delivery == ftpx.DeliverDrop
}

// list lists a source. Of a destination it is tried as well; one that shows nothing is
// taken for empty, so that all is sent.
func (u unshown) list(ctx context.Context, rel string) ([]entry, error) {
	entries, err := u.remote.list(ctx, rel)
	if u.dest && (refusedLook(err) || errors.Is(err, fs.ErrNotExist)) {
		return nil, nil
	}
	return entries, err
}

// stat looks at a name, or for it in the listing of its folder. A source of which neither
// is allowed may be a file, which fetching it tells; a destination is taken for missing.
func (u unshown) stat(ctx context.Context, rel string) (entry, error) {
	e, err := u.remote.stat(ctx, rel)
	if !refusedLook(err) {
		return e, err
	}
	entries, lerr := u.remote.list(ctx, path.Dir(rel))
	for _, e := range entries {
		if lerr == nil && e.name == path.Base(rel) && e.kind != isUntold {
			return e, nil
		}
	}
	switch {
	case lerr == nil || u.dest && refusedLook(lerr):
		return entry{}, fs.ErrNotExist
	case refusedLook(lerr):
		return entry{name: path.Base(rel), kind: isFile, size: -1}, nil
	}
	return entry{}, lerr
}
