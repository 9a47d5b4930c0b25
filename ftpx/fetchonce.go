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
	w := &stretchWriter{l: l}
	ok, err := l.retrieveLook(ctx, d.remote, w, nil, l.site.pool.crowded(), func(st Entry) error {
		if err := noFolder(d.remote, st); err != nil {
			return err
		}
		if !l.carries(st.Size) {
			return errTooLarge
		}
		if err := d.open(st); err != nil {
			return err
		}
		if d.parts.have() > 0 { // a part has come up since
			return transport.ErrNoLook
		}
		w.x = d.newLanes(ctx, l)
		w.p = w.x.first()
		return nil
	})
	if w.x != nil {
		err = w.x.all(ctx, w.x.fetched(w, err, false))
	}
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
	if w.x != nil {
		err = d.judge(l, w.x, err)
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
