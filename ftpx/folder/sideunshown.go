package folder

import (
	"context"
	"io/fs"
	"path"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// unshown is a remote source about which the server refuses to say anything. A refused look
// is no answer: what may be done there shows when it is tried.
type unshown struct{ *remote }

// refusedLook reports whether a server has refused to say what is there.
func refusedLook(err error) bool {
	switch ftpx.KindOf(err) {
	case transport.KindPermission, transport.KindUnsupported, transport.KindRefused:
		return true
	}
	return false
}

// stat looks at a name, or for it in the listing of its folder. Where neither is allowed it
// may be a file, which fetching it tells.
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
	case lerr == nil:
		return entry{}, fs.ErrNotExist
	case refusedLook(lerr):
		return entry{name: path.Base(rel), kind: isFile, size: -1}, nil
	}
	return entry{}, lerr
}
