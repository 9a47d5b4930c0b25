package session

import (
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// dialLimit bounds how many connections are being opened at once. It begins with two,
// each success allows one more, and a server that refuses one halves them, so that a
// limit of the server is met by few attempts and not by as many as there is work: no
// more than the limit and two, also where the refusal comes after the login, and so
// after the successes. Where a dial failed that had company, from then on one is opened
// after the other: sshd drops connections that have not logged in yet beyond
// MaxStartups, at random and without a word.
type dialLimit struct {
	*limiter
	most   int
	single bool // guarded by limiter.mu
}

func newDialLimit(most int) *dialLimit {
	return &dialLimit{limiter: newLimiter(min(2, most)), most: most}
}

// company reports whether others are dialling.
func (d *dialLimit) company() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held > 1
}

// end ends a turn and reports whether it had company then.
func (d *dialLimit) end(err error) (company bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	company = d.held > 1
	d.held--
	switch {
	case d.single:
	case err == nil:
		d.limit = min(d.limit+1, d.most)
	case oneTooMany(err):
		d.limit = max(d.limit/2, 1)
	}
	d.grant()
	return company
}

// oneTooMany reports whether a dial failed as those do that were one too many.
func oneTooMany(err error) bool {
	k := transport.KindOf(err)
	return k == transport.KindLost || k == transport.KindBusy
}

// again reports whether a dial failed that may not have, had it been the only one.
func (d *dialLimit) again(err error, company bool) bool {
	if !oneTooMany(err) || !company {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.single, d.limit = true, 1
	return true
}
