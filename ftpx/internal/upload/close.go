package upload

import (
	"context"
	"errors"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Over SFTP a server takes the bytes first and says at SSH_FXP_CLOSE whether it keeps them: a
// scanner has found something, a network file system could not store what it had
// acknowledged. What is there then may have the right size and bytes, and is refused all the
// same. So it does not count, in this call or another, until it was written and closed again
// without a refusal.

// closeRefused reports whether the server has refused to close what it was sent.
func (p *put) closeRefused(err error) bool {
	var te *transport.Error
	return !p.l.Proto.IsFTP() && p.l.Usable() && errors.As(err, &te) && te.Op == "SSH_FXP_CLOSE" && te.Code != 0
}

// notKept sees to it that what was refused is not gone on with. The same answer twice, word
// for word, is the last one.
func (u *upload) notKept(ctx context.Context, l *session.Lease, cause error) error {
	said := u.where.notClosed
	u.where.notClosed = cause.Error()
	u.most.confirmed = 0
	u.sentWhole = false // it was refused
	if u.spec.Delivery != Drop {
		if err := l.Remove(ctx, u.part.name); err != nil && !l.Usable() {
			u.nextGeneration()
			return err
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			_ = l.Truncate(ctx, u.part.name, 0) // no later call may take it for sent
			u.nextGeneration()
		}
	}
	u.part = u.newPartial(u.part.generation)
	u.part.known, u.part.restart = true, true
	if u.restarts++; said == u.where.notClosed || u.restarts >= transfer.MaxRestarts {
		return retry.Stop(cause)
	}
	return cause
}
