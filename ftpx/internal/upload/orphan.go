package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A session that was lost may have the partial open for a while. On a server that writes
// at offsets, what it still writes are the same bytes at the same place. Others store a
// whole object when a file is closed: with what that session had received, under
// whatever name the file has by then ("rclone serve sftp" follows a rename). So until a
// host has shown that it writes at offsets, a partial that such a session may have open
// is continued, which shows whether it does, and never begun anew: that is done under
// another name. Where it was complete already and has been renamed, the destination is
// looked at again, and once more at the end (Doubt); so is each upload that has lost a
// session to a host which is known to store whole objects.

// ErrReplaced: a file that had been uploaded was found to be another one when it was
// looked at again.
var ErrReplaced = errors.New("the file at the destination is no longer what was put there: the server has stored what a lost session had sent, or another program has replaced it")

// orphaned reports whether the partial must not be begun anew under its name.
func (u *upload) orphaned(l *session.Lease) bool {
	return u.part.orphan && !l.Host.Offsets(l.Proto).Taken.Load()
}

// doubtful reports whether what is at the destination may be replaced by a session that
// was lost.
func (u *upload) doubtful() bool {
	if u.where.host == nil || u.spec.Delivery == Drop {
		return false
	}
	o := u.where.host.Offsets(u.res.Protocol)
	return !o.Taken.Load() && (u.part.orphan || u.replaced || u.bereft && o.Refused.Load())
}

// statAgain looks at what has been put at the destination. Who polls for it may have
// taken it away already.
func (u *upload) statAgain(ctx context.Context, l *session.Lease) error {
	st, err := l.Stat(ctx, u.spec.Dest)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || l.Usable() {
			return nil
		}
		return err
	}
	at := int64(-1)
	if st.Size == u.part.confirmed {
		u.part.acked = 0 // what was acknowledged was another name
		at, _, err = u.prove(ctx, l, u.spec.Dest, st.Size)
		if transport.KindOf(err) == transport.KindLocal {
			return nil // the source is no longer what was sent, or cannot be read again
		}
		if err != nil || at == st.Size {
			return err
		}
	}
	err = &transport.Error{Op: u.task.Op, Path: u.spec.Dest, Kind: transport.KindTruncated, Protocol: l.Proto, Addr: l.Info().Addr,
		MayHaveActed: true, Err: ErrReplaced}
	u.commit.done, u.checked, u.replaced, u.most.confirmed = false, false, true, 0
	u.nextGeneration()
	if u.restarts++; u.restarts >= transfer.MaxRestarts {
		return retry.Stop(err)
	}
	return err
}

// Doubt is a file that the server may yet replace, with what there is to know it by.
type Doubt struct {
	host  *session.Host
	proto transport.Protocol
	size  int64
	left  []string // the partials before the last one, which the server may make again
	tail  []byte   // digest of its last tailLength bytes, nil where the source could not be read again
}

// doubt is about an upload that is done, nil if there is none.
func (u *upload) doubt() *Doubt {
	if !u.doubtful() {
		return nil
	}
	d := &Doubt{host: u.where.host, proto: u.res.Protocol, size: u.part.confirmed, left: u.partialsLeft()}
	h := sha256.New()
	from := max(d.size-tailLength, 0)
	if _, err := io.Copy(h, io.NewSectionReader(u.src, from, d.size-from)); err == nil && u.src.Check() == nil {
		d.tail = h.Sum(nil)
	}
	return d
}

// Open reports whether there is doubt still: not if the host has since shown that it
// writes at offsets.
func (d *Doubt) Open() bool { return !d.host.Offsets(d.proto).Taken.Load() }

// Small reports whether a look at the file may share a connection.
func (d *Doubt) Small() bool { return d.size <= session.ShareMost }

// Look removes what the server has made again, and compares the file with what was
// uploaded: its size, and its end.
func (d *Doubt) Look(ctx context.Context, l *session.Lease, name string) error {
	if l.Host != d.host {
		return nil // that host has failed, and what it holds is nobody's concern now
	}
	replaced := &transport.Error{Op: "stat", Path: name, Kind: transport.KindExist, Protocol: l.Proto, Addr: l.Info().Addr,
		MayHaveActed: true, Err: ErrReplaced}
	for _, left := range d.left {
		if err := l.Remove(ctx, left); err != nil && !l.Usable() {
			return err
		}
	}
	st, err := l.Stat(ctx, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // its receiver has taken it
	case err != nil:
		return err
	case st.Size >= 0 && st.Size != d.size:
		return replaced
	case d.size == 0 || d.tail == nil:
		return nil
	}
	h, from := sha256.New(), max(d.size-tailLength, 0)
	n, err := l.Retrieve(ctx, name, from, h, &transport.IO{Size: d.size - from, Limit: d.size - from})
	if err != nil {
		return err
	}
	if n < d.size-from { // a data connection that ends too soon says nothing about the file
		return &transport.Error{Op: "read back", Path: name, Kind: transport.KindTruncated, Protocol: l.Proto, Addr: l.Info().Addr,
			Err: fmt.Errorf("%d of %d bytes came", n, d.size-from)}
	}
	if !bytes.Equal(h.Sum(nil), d.tail) {
		return replaced
	}
	return nil
}
