package session

import (
	"errors"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// noDataFor is for how long no data connection may be had, with a policy that counts
// attempts, until that is taken for the host's state.
const noDataFor = 10 * time.Second

// noData is for how long a host has let us in and no data connection could be opened, over
// all operations. It is a state of the host and not of a file: the budget for it is one,
// not one for each file.
type noData struct {
	mu    sync.Mutex // guards what follows
	since time.Time  // of the first failure since a data connection was had, zero for none
	times int
}

// had takes note of a data connection.
func (n *noData) had() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.since, n.times = time.Time{}, 0
}

// judge ends an operation for good that met this when the budget of a policy has been
// used, by whatever operations.
func (n *noData) judge(err error, p retry.Policy) error {
	if !errors.Is(err, transport.ErrNoDataConn) {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if n.times++; n.since.IsZero() {
		n.since = now
	}
	attempts, most := p.MaxAttempts, p.MaxElapsed
	if attempts == 0 {
		attempts = retry.DefaultMaxAttempts
	}
	if most <= 0 {
		most = noDataFor
	}
	if now.Sub(n.since) < most || n.times < attempts && p.MaxElapsed <= 0 {
		return err
	}
	return retry.Stop(err)
}
