package download

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fetchAtOnce stats the file and fetches it in one batch, where there is nothing yet to
// continue. It returns false if it has done nothing.
func (d *download) fetchAtOnce(ctx context.Context, l *session.Lease) (bool, error) {
	if d.begun || d.anyPart() {
		return false, nil
	}
	w := &segmentWriter{l: l}
	stat := &transport.Stat{Path: d.spec.Remote}
	get := &transport.Retrieve{Path: d.spec.Remote, Dst: w}
	var judged error
	get.If = func() bool {
		if w.x, judged = d.begin(ctx, l, stat); w.x == nil {
			return false
		}
		w.p = w.x.first()
		return true
	}
	lost := l.Do(ctx, transport.NewBatch(stat, get))
	switch {
	case judged == session.ErrTooLarge:
		d.res.Attempts--
		return false, judged
	case judged != nil:
		return true, judged
	case stat.Err != nil && stat.Err != transport.ErrUnsent && !unseen(l, stat.Err):
		return true, stat.Err
	case w.x == nil && lost != nil:
		return true, lost
	case w.x == nil: // a part has come up since
		if l.Usable() {
			return false, nil
		}
		return true, &transport.Error{Op: "RETR", Path: d.spec.Remote, Kind: transport.KindLost, Protocol: l.Proto, Addr: l.Info().Addr, Err: errPartAppeared}
	}
	err := get.Err
	if err == transport.ErrUnsent {
		err = lost
	}
	return true, d.judge(l, w.x, w.x.all(ctx, w.x.fetched(w, err, false)))
}

var errPartAppeared = errors.New("a part of the file has appeared meanwhile")

// begin judges what Stat said, before the first byte is taken. It returns no streams where
// nothing is to be taken.
func (d *download) begin(ctx context.Context, l *session.Lease, stat *transport.Stat) (*streams, error) {
	if unseen(l, stat.Err) {
		stat.Entry = d.unknown()
	} else if stat.Err != nil {
		return nil, nil
	}
	if err := noFolder(d.spec.Remote, stat.Entry); err != nil {
		return nil, err
	}
	if !l.Carries(stat.Entry.Size) {
		return nil, session.ErrTooLarge
	}
	if err := d.open(stat.Entry); err != nil {
		return nil, err
	}
	if d.parts.have() > 0 {
		return nil, nil
	}
	return d.newStreams(ctx, l), nil
}

// unseen reports whether a server refuses to describe a file, which says nothing about reading
// it: some let their users do nothing but open, read and write. Over SFTP the end of what is
// read is certain without a size.
func unseen(l *session.Lease, err error) bool {
	if l.Proto.IsFTP() || !l.Usable() {
		return false
	}
	switch transport.KindOf(err) {
	case transport.KindPermission, transport.KindUnsupported:
		return err != nil
	}
	return false
}

// unknown is the description of such a file. Nothing shows whether it is the one of which
// some has come, so that it begins anew.
func (d *download) unknown() transport.Entry {
	d.nothing()
	return transport.Entry{Size: -1, Type: transport.TypeUnknown}
}

// withoutSize is what was checked of a file whose size nobody has told. Equal digests of the
// whole are equal sizes, too; without them the server's word for its end is all there is.
func withoutSize(v transfer.Verified) transfer.Verified {
	if v.Hash != "" {
		v.Size = true
	} else {
		v.Acknowledged = v.ReadBack == 0
	}
	return v
}

// anyPart reports whether an earlier download has left anything.
func (d *download) anyPart() bool {
	for _, name := range PartNames(d.spec.Local) {
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}
