package ftpdriver

import "slices"

// exchange sends lines in one write and reads the final reply of each. On an
// error the replies read so far are returned with it.
func (c *control) exchange(lines ...string) ([]reply, error) {
	if err := c.send(lines...); err != nil {
		return nil, err
	}
	return c.answersTo(len(lines))
}

// answersTo reads the final replies to the n oldest commands.
func (c *control) answersTo(n int) ([]reply, error) {
	replies := make([]reply, 0, n)
	for len(replies) < n {
		r, err := c.receive()
		if err == nil && r.preliminary() && c.broken.Load() {
			err = r.err()
		}
		if err != nil {
			c.halfAnswered = len(replies) > 0
			return replies, err
		}
		if r.preliminary() {
			continue
		}
		replies = append(replies, c.last)
		if c.broken.Load() && len(replies) < n {
			return replies, c.why()
		}
	}
	return replies, nil
}

// why returns the reply with which the server has ended the session, or that it has.
func (c *control) why() error {
	if c.last.code == 421 {
		return c.last.err()
	}
	return errBroken
}

// until returns the commands that wait for a reply up to one of a verb, none if that
// does not wait.
func (c *control) until(verb string) []string {
	return c.waiting[:slices.Index(c.waiting, verb)+1]
}

// final reads the final reply of the oldest command. begun tells whether a
// preliminary one came before it.
func (c *control) final() (r reply, begun bool, err error) {
	for {
		r, err := c.receive()
		switch {
		case err != nil:
			return reply{}, begun, err
		case !r.preliminary() || !c.begun: // see endsPure
			return c.last, begun, nil
		case c.broken.Load():
			return reply{}, begun, r.err()
		}
		begun = true
	}
}

// command is exchange for one line.
func (c *control) command(line string) (reply, error) {
	replies, err := c.exchange(line)
	if err != nil {
		return reply{}, err
	}
	return replies[0], nil
}

// exchange sends command lines and returns the final reply of each: in one write where the
// server is not known to mind, which saves a round trip for each line but the first. RFC
// 959 does not forbid it, and vsftpd, ProFTPD, Pure-FTPd and FileZilla Server read line
// by line; a few servers throw away what follows a line. Such a one answers the first and
// is silent: the host is then remembered and the next connection sends line by line.
func (c *Conn) exchange(lines ...string) ([]reply, error) {
	if !c.serial {
		return c.ctl.exchange(lines...)
	}
	var replies []reply
	for _, line := range lines {
		r, err := c.ctl.command(line)
		if err != nil {
			return replies, err
		}
		replies = append(replies, r)
	}
	return replies, nil
}
