package sftpdriver

import (
	"errors"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Erlang/OTP's ssh_sftpd answers SSH_FXP_OPEN with a handle that is still open, where
// three or more are. What is then written to the older file goes into the newer one, and
// each answer is a success. So each session knows which handles are open, and ends with
// the answer that gives one away twice.
//
// That is in time where a server answers in the order in which it acts, as that one does
// (a session of it is one process): what came before the answer was about the older file
// alone, and nothing that comes behind it is believed. What may be wrong are the files
// that were open at that moment and those that were being opened, all of which fail with
// [transport.ErrHandleReused].

// lacksOwnHandles is the word in [transport.Learned] for a server that has done so, or that
// refuses to open a second file. Its sessions have one open file each.
const lacksOwnHandles = "a handle of its own for each open file"

// answered follows which handles are open on the session. It is called for the answers in
// the order in which they come, by the goroutine that reads them.
func (p *pipe) answered(r *reply, typ byte, body []byte) error {
	switch r.typ {
	case fxpClose:
		// Also where the server refuses: it has nothing better to say of it later.
		delete(p.open, r.closes)
	case fxpOpen, fxpOpendir:
		if len(p.open) > 0 && p.crowd.refuses(typ, body) && p.alone != nil {
			p.alone()
		}
		if typ != fxpHandle {
			break
		}
		handle := (&reader{b: body}).string()
		if len(handle) > maxHandle {
			break // it is not used
		}
		if p.open[handle] {
			return transport.ErrHandleReused
		}
		if p.open == nil {
			p.open = make(map[string]bool)
		}
		p.open[handle] = true
	}
	return nil
}

// crowd is how requests to open ended while something was open on the session. Some servers
// have one open file a session, and say no more than SSH_FX_FAILURE to another.
type crowd struct {
	granted bool
	refused int
}

// crowdRefusals is how many refusals, with nothing ever granted, make such a server.
const crowdRefusals = 3

// refuses takes note of an answer, and reports whether it is the one that shows it.
func (c *crowd) refuses(typ byte, body []byte) bool {
	switch {
	case typ == fxpHandle:
		c.granted = true
	case typ == fxpStatus && (&reader{b: body}).uint32() == fxFailure:
		c.refused++
		return c.refused == crowdRefusals && !c.granted
	}
	return false
}

// endFor ends the connection because a session on it has ended with err.
func (l *line) endFor(err error, ep *transport.Endpoint) {
	if errors.Is(err, transport.ErrHandleReused) {
		ep.Learned.Note(ep.Addr(), lacksOwnHandles, true)
		l.note(err) // the cause, for all that shared the connection
	}
	_ = l.Abort()
}

// sole reports whether a session of this server may have no more than one file open.
func (c *Conn) sole() bool { return c.ep.Learned.Lacks(c.info.Addr, lacksOwnHandles) }
