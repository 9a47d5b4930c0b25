package ftpdriver

import (
	"errors"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// lockedAfter is how long STOR may go unanswered.
func lockedAfter(stall time.Duration) time.Duration {
	const most = 6 * time.Second
	if stall <= 0 {
		return most
	}
	return min(most, stall*9/10) // before the watchdog, which knows less
}

// transferError picks, of all that went wrong in a transfer, what tells most:
// the caller's own source or destination, then the server's definite word (disk
// full, quota), then the data connection, then the control connection. The rest
// stays in the cause.
func (c *Conn) transferError(d *dataConn, err error, offset int64) error {
	if err == nil && d.err == nil {
		return nil
	}
	last := c.ctl.last
	answered := len(c.ctl.waiting) == 0 && (last.code >= 400 || last.verb == "REST")
	var said error
	if answered {
		said = last.err()
	}
	kind := transport.KindUnknown
	if d.err != nil {
		kind = c.kindOf(last.verb, d.err)
	}
	switch {
	case kind == transport.KindLocal, kind == transport.KindCertificate, kind == transport.KindInsecure:
		// A source that fails is cut off, and the reply is then negative, as it
		// should be.
		return as(kind, joinErr(d.err, said))
	case answered && c.wantsResumption(d, last):
		return as(transport.KindUnsupported, joinErr(errNoTickets, said))
	case answered && offset > 0 && d.sent == 0 && restartRefused(last):
		return as(transport.KindRestart, said)
	case answered && kind == transport.KindLost && d.got > 0 && c.kindOf(last.verb, said) == transport.KindRefused:
		// "551 Error reading file" is no more than what the server saw of the loss. Of an
		// upload it is not: what is sent before it is refused is cut off by the server.
		return as(kind, joinErr(said, d.err))
	case answered:
		return as(c.kindOf(last.verb, said), joinErr(said, d.err))
	case d.err != nil && errors.Is(err, errHurry):
		return as(kind, joinErr(d.err, errHurry))
	case d.err != nil:
		return d.err
	}
	return err
}

// wantsResumption recognises the refusal of a data connection because it has not
// resumed a TLS session, where none ever will: trying again is no use. vsftpd says
// 522 "session reuse required", ProFTPD 425 "Operation not permitted".
func (c *Conn) wantsResumption(d *dataConn, r reply) bool {
	if d.tls == nil || r.code != 522 && r.code != 425 || !c.tls.neverResumes() {
		return false
	}
	return strings.Contains(r.text, "Operation not permitted") || strings.Contains(r.text, "session reuse required")
}

// restartRefused reports whether the reply to REST, or to the STOR after it, says
// that this server does not go on from an offset. ProFTPD without
// AllowStoreRestart takes REST and answers STOR with 451, which elsewhere is a
// passing fault; without offset there is nothing that could be meant by it. To REST,
// whatever is said but 350 refuses it, unless it is about the session: "200 restarting" is
// not believed, since whoever is wrong about it empties a file.
func restartRefused(r reply) bool {
	switch r.verb {
	case "REST":
		switch r.kind() {
		case transport.KindBusy, transport.KindLost, transport.KindAuth, transport.KindInsecure:
			return false
		}
		return r.code != 350 && r.code != 421
	case "STOR":
		if r.code != 451 && r.code != 550 && r.code != 554 && r.code != 501 {
			return false
		}
	default:
		return false
	}
	switch r.kind() {
	case transport.KindRestart, transport.KindTemporary, transport.KindRefused, transport.KindUnsupported, transport.KindName:
		return true
	}
	return false
}

// retrieveError is transferError with what REST means here: 554 to it, or to the
// RETR after it, is an offset that the server refuses.
func (c *Conn) retrieveError(d *dataConn, err error, offset int64) error {
	if last := c.ctl.last; offset > 0 && isReply(err) && last.verb == "REST" && restartRefused(last) {
		return as(transport.KindRestart, err)
	}
	return c.transferError(d, err, 0)
}
