package ftpdriver

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A large file is asked for by STOR while its data connection is dialled, which is a
// round trip less than one after the other. Nothing of it leaves, and nothing of it is
// read, before the server has agreed to take it: a refusal finds the source where it was.
// The price is that a file may have been created, or emptied, when it turns out that its
// data connection is not to be had.

// largeStore is one such call of Store.
type largeStore struct {
	c      *Conn
	op     *transport.Op
	path   string
	offset int64
	src    io.Reader
	moved  func(int64)
	finish *Finish
	sent   int64
	// finished: what finish wants has been asked for.
	finished bool
	// rested: the server has been told where the next STOR begins, and no STOR came.
	rested bool
}

// together reports whether a command and its data connection can be on their way at the
// same time.
func (c *Conn) together() bool { return !c.serial && c.ep.ActiveAddr == "" && !c.wantsPRET() }

func (s *largeStore) store() error {
	c := s.c
	port, early, err := c.nextPort()
	if err != nil {
		return err
	}
	again, err := s.through(port, early)
	if again {
		// Nothing has left: the server has forgotten the port that it had been asked
		// for ahead, or something on the way has.
		lateHosts.add(c.addr)
		c.ctl.unhurry()
		if port, err = c.passive(); err == nil {
			_, err = s.through(port, false)
		}
	}
	if s.rested {
		c.ctl.broken.Store(true) // else the next file would begin there
	}
	return err
}

// through stores the file by a data connection to port. again says that it may be tried
// with another port.
func (s *largeStore) through(port int, early bool) (again bool, err error) {
	c := s.c
	d := c.dialBeside(s.op, port, false)
	defer d.free()
	d.upload, d.moved = true, s.moved
	first, err := s.ask(d)
	granted := err == nil && first.preliminary()
	if granted {
		d.join()
	} else {
		d.giveUp()
	}
	d.inVain(early)
	if !granted {
		if d.wire != nil {
			d.wire.Reset() // this is not an empty file
		}
		return s.refused(d.dataConn, first, err, early)
	}
	if d.err == nil {
		_, err = d.ReadFrom(sourceOf(s.op, s.src))
		_ = d.Close()
	}
	s.sent = d.sent
	last, ferr := s.final(d.dataConn)
	if ferr != nil && unreached(d.dataConn, last) {
		return early, d.err
	}
	return false, c.transferError(d.dataConn, besides(err, ferr), s.offset)
}

// final reads the final reply. A server that reads no command before it has sent that
// gets those for the end of the file at once, when all of the file has left.
func (s *largeStore) final(d *dataConn) (reply, error) {
	c := s.c
	var ends []string
	if d.err == nil && c.isVSFTPD() && c.ctl.br.Buffered() == 0 { // else the reply is there
		if ends = c.endLines(s.path, s.finish); len(ends) > 0 && c.ctl.send(ends...) != nil {
			ends = nil // what follows tells
		}
	}
	last, _, err := c.ctl.final()
	if err != nil {
		return last, err
	}
	if !last.positive() || last.code == 202 {
		err = last.err()
	}
	s.finished = len(ends) > 0
	for range ends {
		r, _, rerr := c.ctl.final()
		if rerr != nil {
			break // the caller will find the session lost, if it needs it
		}
		c.took(r, s.finish, err == nil)
	}
	c.ctl.last = last
	return last, err
}

// ask sends STOR, with REST before it where that is wanted, and returns the first reply
// to it, or that to REST if that is refused. REST has a round trip of its own: where it
// is refused and STOR is not, the server would have emptied the file.
func (s *largeStore) ask(d *beside) (reply, error) {
	c := s.c
	if s.offset > 0 {
		r, err := c.ctl.command("REST " + strconv.FormatInt(s.offset, 10))
		if err != nil || r.code != 350 {
			return r, err
		}
		s.rested = true
		select {
		case <-d.reached:
			if d.err != nil {
				return reply{}, errUnreached
			}
		default:
		}
	}
	if err := c.ctl.send("STOR " + s.path); err != nil {
		return reply{}, err
	}
	c.ctl.asked.Store(true)
	s.rested = false
	return c.ctl.receive()
}

// errUnreached: STOR was not sent, because the data connection had failed before.
var errUnreached = errors.New("the data connection was not had")

// refused judges the first reply to STOR or REST, which is not the one that was hoped
// for, or what came instead of it.
func (s *largeStore) refused(d *dataConn, first reply, err error, early bool) (again bool, _ error) {
	c := s.c
	if errors.Is(err, errUnreached) {
		return early, d.err
	}
	d.excuse(err)
	switch {
	case err != nil:
		return false, c.transferError(d, err, s.offset)
	case unreached(d, first):
		return early, d.err
	case first.verb == "STOR" && first.positive():
		c.ctl.broken.Store(true)
		return false, as(transport.KindProtocol, fmt.Errorf("the server ended a transfer that it had not begun: %w", first.err()))
	}
	return early && first.code == 425, c.transferError(d, first.err(), s.offset)
}

// unreached reports whether a reply says no more than that there was no data connection,
// of which we know why.
func unreached(d *dataConn, r reply) bool { return d.wire == nil && d.err != nil && r.code == 425 }
