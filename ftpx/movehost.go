package ftpx

import (
	"context"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// arrive takes note of the host of an attempt. What was learned of another
// host's files is not true here, unless the hosts share their storage, which
// only a look can tell: so everything is looked for again. A rename that may
// have taken effect there is looked for here too, since with shared storage it
// would show; if it does not, this host gets the file from the beginning.
func (u *upload) arrive(ctx context.Context, l *lease) error {
	u.moved = u.moved || u.site != nil && u.site != l.site
	u.site = l.site
	if !u.moved {
		return nil
	}
	if u.placing {
		done, err := u.reconcile(ctx, l)
		if done {
			u.moved = false
			return nil // once finds the same and finishes
		}
		if err != nil && (!l.Usable() || transport.KindOf(err) != transport.KindLost) {
			return err
		}
		if err == nil { // the partial is here: the storage is shared
			u.moved = false
			return nil
		}
	}
	u.moved, u.placing, u.backedUp, u.stored, u.looked = false, false, false, false, false
	u.confirmed, u.acked, u.window, u.looks, u.blocked = 0, 0, 0, 0, 0
	u.furthest = 0 // to get as far here is progress
	return nil
}
