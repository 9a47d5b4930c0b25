package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// snapshot is a source file as it was seen at one moment.
type snapshot struct {
	entry
	info   fs.FileInfo // of a local one
	coarse bool        // its time is a server's, which may tell fractions of a second or not
}

// errChanged: the source is not the file any more that it was.
var errChanged = errors.New("the file has changed since it was looked at")

// differs says what is different between two sightings of what should be one file, or
// nothing.
func (a *snapshot) differs(b *snapshot) error {
	switch {
	case b.kind != isFile:
		return fmt.Errorf("%w: it is %s now", errChanged, b.kind)
	case a.size != b.size:
		return fmt.Errorf("%w: it had %d bytes and has %d now", errChanged, a.size, b.size)
	case a.info != nil && b.info != nil && !os.SameFile(a.info, b.info):
		return fmt.Errorf("%w: another has taken its place", errChanged)
	case a.timed && b.timed && a.exact == b.exact && !a.sameTime(b):
		return fmt.Errorf("%w: it was written %s and is of %s now", errChanged, stamp(a.time()), stamp(b.time()))
	}
	return nil
}

func (a *snapshot) sameTime(b *snapshot) bool {
	if a.coarse || b.coarse {
		return a.time().Unix() == b.time().Unix()
	}
	return a.mtime == b.mtime
}

func (l *local) takeSnapshot(_ context.Context, rel string, follow bool) (snapshot, error) {
	info, err := os.Lstat(l.full(rel))
	if err == nil && follow && info.Mode()&fs.ModeSymlink != 0 {
		info, err = os.Stat(l.full(rel))
	}
	if err != nil {
		return snapshot{}, err
	}
	return snapshot{entry: localEntry(info), info: info}, nil
}

func (r *remote) takeSnapshot(ctx context.Context, rel string, _ bool) (snapshot, error) {
	e, err := r.c.Stat(ctx, r.full(rel))
	return snapshot{entry: remoteEntry(&e), coarse: true}, err
}
