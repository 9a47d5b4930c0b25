package ftpdriver

import "context"

// told is what the endpoint's trace has been told of a control connection. Commands are
// answered in the order in which they were sent, so that the number of a reply's follows
// from how many wait; whose they were has to be kept.
type told struct {
	ctx    context.Context   // of the batch that has the session, nil for none yet
	seq    uint64            // commands so far
	owners []context.Context // of the commands that wait for a reply, oldest first
	// carried are lines that are to be sent for the batch before, which carrier is.
	carried []string
	carrier context.Context
}

// owner is whose a line is.
func (t *told) owner(line string) context.Context {
	if len(t.carried) > 0 && t.carried[0] == line {
		t.carried = t.carried[1:]
		return t.carrier
	}
	if t.ctx == nil {
		return context.Background()
	}
	return t.ctx
}

// answered takes note of the final reply to the oldest command.
func (t *told) answered() {
	if len(t.owners) > 0 {
		t.owners = t.owners[1:]
	}
}

// tellCommand tells of a line that is about to be sent.
func (c *control) tellCommand(line string) {
	c.seq++
	if c.ep.Trace == nil {
		return
	}
	ctx := c.owner(line)
	c.owners = append(c.owners, ctx)
	c.ep.OnCommand(ctx, c.seq, redact(line))
}

// tellReply tells of a reply: to the oldest command that waits, if there is one.
func (c *control) tellReply(r reply) {
	if c.ep.Trace == nil {
		return
	}
	ctx, seq := c.ctx, uint64(0)
	if n := uint64(len(c.waiting)); n > 0 {
		seq = c.seq - n + 1
		if len(c.owners) > 0 {
			ctx = c.owners[0]
		}
	}
	if ctx == nil {
		ctx = context.Background()
	}
	c.ep.OnReply(ctx, seq, r.code, r.shown())
}
