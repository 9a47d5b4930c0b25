package ftpx

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fetchAtOnce looks at the file and fetches it in the same round trip, where the
// connection can do that and there is nothing yet to go on from. It returns false if
// it has done nothing.
func (d *download) fetchAtOnce(ctx context.Context, l *lease) (bool, error) {
	if d.begun || d.noLook || d.anyPart() {
		return false, nil
	}
	w := &partWriter{d: d}
	ok, err := l.retrieveLook(ctx, d.remote, w, &transport.IO{Progress: func(n int64) {
		d.res.Moved += n
		l.moved = true
		d.c.stats.received.Add(n)
		report(d.c.hooks, d.opts.Progress, ProgressInfo{Op: d.t.op, Local: d.t.local, Remote: d.t.remote, Offset: w.pos, Size: d.size})
	}}, l.site.pool.crowded(), func(st Entry) error {
		if err := noFolder(d.remote, st); err != nil {
			return err
		}
		if !l.carries(st.Size) {
			return errTooLarge
		}
		if err := d.open(st); err != nil {
			return err
		}
		if d.at > 0 { // a part has come up since
			return transport.ErrNoLook
		}
		d.synced.start(d)
		return nil
	})
	d.synced.stop()
	if !ok {
		return false, nil
	}
	if err == errTooLarge {
		d.res.Attempts--
		return false, err
	}
	if err == nil && !d.begun {
		err = &transport.Error{Op: "RETR", Path: d.remote, Kind: transport.KindProtocol, Protocol: l.proto, Addr: l.Info().Addr, Err: transport.ErrNoLook}
	}
	if err != nil && !d.begun && ctx.Err() == nil {
		d.noLook = true // the next attempt goes the long way
	}
	if w.pos > 0 {
		l.attempt.Progress()
		d.furthest = d.at
	}
	if errors.Is(err, transport.ErrNoLook) {
		d.noLook = true
		if l.Usable() {
			return false, nil
		}
		return false, &transport.Error{Op: "RETR", Path: d.remote, Kind: transport.KindLost, Protocol: l.proto, Addr: l.Info().Addr, Err: err}
	}
	return true, err
}

// anyPart reports whether an earlier download has left anything.
func (d *download) anyPart() bool {
	for _, name := range partNames(d.local) {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}
