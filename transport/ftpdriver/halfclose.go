package ftpdriver

import "github.com/seed01fc2e40/go-ftpx/transport"

// halfClosed is up to which length our direction of a data connection is ended before a
// part has come, on servers that end a transfer when both directions have ended: a short
// one has no round trip to spare for that. Of a long one it would be held against us:
// what stands on the way forgets connections that are half closed. Of a whole file it is
// smallFile.
const halfClosed = 128 << 10

// short reports whether what comes goes into the buffers of the kernel, on a server that
// ends a transfer when both directions have ended.
func (g *download) short() bool {
	if !g.r.c.traits.endsTogether {
		return false
	}
	if g.q.Limit > 0 {
		return g.q.Limit <= halfClosed
	}
	size, ok := g.expected()
	return ok && size <= smallFile
}

// expected is how much there is from the offset on, if a Stat before it has told that.
func (g *download) expected() (int64, bool) {
	for i := g.at - 1; i >= 0; i-- {
		q, ok := g.r.reqs[i].(*transport.Stat)
		if !ok || q.Path != g.q.Path {
			continue
		}
		known := i < g.r.next && q.Err == nil
		for _, p := range g.w.parts {
			known = known || p.q == transport.Request(q) && p.judged && p.look == nil && p.err == nil
		}
		return q.Entry.Size - g.q.Offset, known && q.Entry.Type == transport.TypeFile && q.Entry.Size >= 0
	}
	return 0, false
}

// toEnd reports whether the server is expected to come to the end of what it sends:
// where a transfer is cut off, replies in another order could not be told apart.
func (g *download) toEnd() bool { return g.q.Limit <= 0 || g.ranged || g.q.Last }

// nothingToSend ends our direction of a download, under TLS with close_notify, where
// that is read: left unread it makes a reset of the end of the server's own direction.
func (c *Conn) nothingToSend(d *dataConn) {
	if d.tls != nil && !c.traits.leavesAlert {
		_ = d.tls.CloseWrite()
	}
	_ = d.wire.CloseWrite()
	d.ended = true
}
