package ftpx

import (
	"context"
	"errors"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// attempt is once, and what its end means for the partial.
func (u *upload) attempt(ctx context.Context, l *lease) error {
	err := u.once(ctx, l)
	if errors.Is(err, transport.ErrHandleReused) && !u.stored {
		// Another file's bytes may be in it, and the server may write more of them.
		u.leave()
	}
	return err
}
