package ftpx

import "sync/atomic"

// Stats are a client's counters since it was opened.
type Stats struct {
	// Dials counts attempts to connect, DialsFailed those that failed.
	Dials, DialsFailed int64
	// Lost counts connections that ended in the middle of an operation.
	Lost int64
	// Retries counts failed attempts that were followed by another.
	Retries int64
	// Resumes counts transfers that went on from an offset above 0.
	Resumes int64
	// Failovers counts how often work moved to another host, and back.
	Failovers int64
	// Done, Failed and Unknown count transfers by their outcome.
	Done, Failed, Unknown int64
	// BytesSent and BytesReceived count payload handed to, or taken from, a
	// connection, what had to be sent again included.
	BytesSent, BytesReceived int64
	// BytesNeeded counts the bytes of the transfers that are done, once each,
	// less what was there already when they began.
	BytesNeeded int64
	// Open and Idle are connections now.
	Open, Idle int
}

type counters struct {
	dials, dialsFailed, lost, retries, resumes, failovers atomic.Int64
	done, failed, unknown                                 atomic.Int64
	sent, received, needed                                atomic.Int64
}

func (c *client) Stats() Stats {
	open, idle := c.sess.Counts()
	return Stats{
		Dials: c.stats.dials.Load(), DialsFailed: c.stats.dialsFailed.Load(), Lost: c.stats.lost.Load(),
		Retries: c.stats.retries.Load(), Resumes: c.stats.resumes.Load(), Failovers: c.stats.failovers.Load(),
		Done: c.stats.done.Load(), Failed: c.stats.failed.Load(), Unknown: c.stats.unknown.Load(),
		BytesSent: c.stats.sent.Load(), BytesReceived: c.stats.received.Load(), BytesNeeded: c.stats.needed.Load(),
		Open: open, Idle: idle,
	}
}
