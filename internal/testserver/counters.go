package testserver

import (
	"maps"
	"sync"
	"sync/atomic"
)

// Stats is what a server has counted since it started.
type Stats struct {
	Accepted int64 // connections to the control or SSH port
	Refused  int64 // of these, turned away by a limit
	Logins   int64 // successful ones
	Failures int64 // failed ones
	Data     int64 // FTP data connections
	Received int64 // bytes read: from FTP data connections, from SSH connections
	Sent     int64 // bytes written, likewise
	// HandlesReused counts what SFTPOptions.ReuseHandles did.
	HandlesReused int64
	// Commands counts FTP commands by verb, in capitals. SFTP servers leave it nil.
	Commands map[string]int64
}

type counters struct {
	accepted, refused, logins, failures, data, received, sent, reused atomic.Int64

	mu       sync.Mutex
	commands map[string]int64
}

func (c *counters) command(verb string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.commands == nil {
		c.commands = make(map[string]int64)
	}
	c.commands[verb]++
}

func (c *counters) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Stats{
		Accepted:      c.accepted.Load(),
		Refused:       c.refused.Load(),
		Logins:        c.logins.Load(),
		Failures:      c.failures.Load(),
		Data:          c.data.Load(),
		Received:      c.received.Load(),
		Sent:          c.sent.Load(),
		HandlesReused: c.reused.Load(),
		Commands:      maps.Clone(c.commands),
	}
}
