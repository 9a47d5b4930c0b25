package upload

import (
	"context"
	"errors"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
)

// leftWhole reports whether all of the source has left over FTP, so that the session was lost
// with the last word at most. What is there as a whole was opened before it was written: no
// opening of that session is still on its way that could empty it.
func (p *put) leftWhole() bool {
	size := p.u.src.Size()
	return p.l.Proto.IsFTP() && size > 0 && p.moved >= size
}

// sendLate looks, before a small file is sent again under another name, whether all of it has
// arrived: servers, and what stands before them, lose the control connection with the answer
// to STOR.
func (u *upload) sendLate(ctx context.Context, l *session.Lease) (done bool, err error) {
	size := u.src.Size()
	st, err := l.Stat(ctx, u.part.name)
	if err != nil && !l.Usable() {
		return false, err
	}
	if err == nil && !st.IsDir() && st.Size == size {
		at, by, err := u.prove(ctx, l, u.part.name, size)
		if err != nil && !l.Usable() {
			return false, err
		}
		if err == nil && at == size {
			u.where.late = false
			u.resumed(l, size, by)
			return u.put(ctx, l, size)
		}
	}
	// That session may still have it open, so the next one takes another name.
	if err == nil && u.spec.Delivery == Atomic {
		if err := l.Remove(ctx, u.part.name); err != nil && !errors.Is(err, fs.ErrNotExist) && !l.Usable() {
			return false, err
		}
	}
	u.where.late = false
	u.nextGeneration()
	return u.put(ctx, l, 0)
}
