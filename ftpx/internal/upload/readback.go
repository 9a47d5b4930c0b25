package upload

import (
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// readBack reads a range of a remote file and compares it with the source.
type readBack struct {
	u           *upload
	path        string
	asked, rest transfer.Range // rest is what of it is not known to be right
	cmp         *transfer.Comparer
	get         *transport.Retrieve // nil where nothing is left to read
	noted       bool
}

// newReadBack makes the request. What is known is not read again. last says that the file
// is expected to end where the range does.
func (u *upload) newReadBack(path string, r transfer.Range, known transfer.Set, last bool) *readBack {
	b := &readBack{u: u, path: path, asked: r, rest: known.Rest(r)}
	if b.rest.Len() == 0 {
		return b
	}
	b.cmp = &transfer.Comparer{Src: u.src, At: b.rest.From}
	b.get = &transport.Retrieve{Path: path, Offset: b.rest.From, Limit: b.rest.Len(), Size: b.rest.Len(), Dst: b.cmp,
		Written: path == u.part.name, Last: last}
	return b
}

// requests are what has to be asked, if anything.
func (b *readBack) requests() []transport.Request {
	if b.get == nil {
		return nil
	}
	return []transport.Request{b.get}
}

// note takes note of what has come, once.
func (b *readBack) note(l *session.Lease) {
	if b.noted || b.get == nil {
		return
	}
	b.noted = true
	b.u.env.Received(b.get.Received)
	if b.path == b.u.part.name {
		b.u.verifiedRange(l, transfer.Range{From: b.rest.From, To: b.cmp.At})
	}
}

// same is up to where the range is the source's.
func (b *readBack) same() int64 {
	if b.get == nil {
		return b.asked.To
	}
	return b.cmp.At
}

// whole reports whether all of it is the source's, and, where the file was to end there,
// that it does.
func (b *readBack) whole() bool {
	return b.get == nil || b.get.Err == nil && !b.cmp.Differs && b.cmp.At == b.rest.To && !b.get.Beyond
}

// beyond reports whether the file goes on behind the range.
func (b *readBack) beyond() bool { return b.get != nil && b.get.Beyond }

// err is why the range could not be compared; nil if it was, and also where it differs.
func (b *readBack) err(lost error) error {
	if b.get == nil {
		return nil
	}
	var local *transport.LocalError
	err := b.get.Err
	switch {
	case errors.As(b.cmp.Err, &local):
		return b.cmp.Err
	case b.cmp.Differs: // it stopped us, we stopped it
		return nil
	case err == transport.ErrUnsent:
		return lost
	case err == nil && b.get.Received != b.rest.Len():
		return &transport.Error{Op: "read back", Path: b.path, Kind: transport.KindTruncated,
			Err: fmt.Errorf("%d of %d bytes came", b.get.Received, b.rest.Len())}
	}
	if b.path == b.u.part.name {
		err = b.u.vanished(err)
	}
	return err
}
