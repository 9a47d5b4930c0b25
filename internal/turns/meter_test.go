package turns

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// smallStream is up to which size a stream of payload is checked for pauses.
const smallStream = 256 << 10

// A meter counts the turns of all connections of one client.
type meter struct {
	mu     sync.Mutex
	clocks []*clock
	said   []string // commands that the hooks have told and the wire has not carried yet
	ending bool     // the pings that end a measurement are under way
}

// A clock counts the turns of one connection.
type clock struct {
	m     *meter
	turns []turn
	from  int // turns before the measurement; -1 before the first of it
	heard int // the largest depth that has reached the client
	at    int // the largest depth that has reached the server; for FTP
	last  int // the largest depth that has left the client

	// For SFTP only.
	moved    int // as heard, of the answers to READ and WRITE
	unmoved  int // READ and WRITE that are not answered
	requests map[request]sent
	streams  map[string]*stream
}

// A turn is what left together, in words.
type turn []string

// A request is an SFTP request that is not answered.
type request struct{ channel, id uint32 }

type sent struct {
	depth  int
	write  bool
	stream *stream // nil but for READ and WRITE
}

// A stream is the READ or WRITE requests on one handle.
type stream struct {
	depth, out, bytes, moved int
}

// open is called for each connection that the client makes.
func (m *meter) open() *clock {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &clock{m: m, requests: map[request]sent{}, streams: map[string]*stream{}}
	m.clocks = append(m.clocks, c)
	return c
}

// say is told of a command just before it is written.
func (m *meter) say(word string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, word)
}

// begin begins a measurement. What was sent before does not count, also if what is
// sent next leaves before it is answered.
func (m *meter) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = nil
	for _, c := range m.clocks {
		clear(c.turns)
		c.from = -1
	}
}

// end returns the turns since begin, connection by connection. What a client has sent
// last and does not wait for may still be on its way to the relay; so it is pinged,
// and the pings do not count.
func (m *meter) end(ping func()) []turn {
	m.mu.Lock()
	m.ending = true
	m.mu.Unlock()
	ping()
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []turn
	for _, c := range m.clocks {
		if c.from >= 0 {
			all = append(all, c.turns[c.from:]...)
		}
	}
	return all
}

// note adds words to the turn of a depth.
func (c *clock) note(depth int, words ...string) {
	c.last = max(c.last, depth)
	if c.m.ending {
		words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "NOOP" || w == "REALPATH" })
		if len(words) == 0 {
			return
		}
	}
	if c.from < 0 {
		c.from = depth - 1
	}
	for len(c.turns) < depth {
		c.turns = append(c.turns, nil)
	}
	c.turns[depth-1] = append(c.turns[depth-1], words...)
}

// leaves is called when bytes of a control connection have left the client; it
// returns their depth.
func (c *clock) leaves() int {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	depth := c.heard + 1
	c.note(depth, c.m.said...)
	c.m.said = nil
	return depth
}

// reaches is called when bytes of a depth are about to reach the server.
func (c *clock) reaches(depth int) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.at = max(c.at, depth)
}

// answers returns the depth of what the server has just sent.
func (c *clock) answers() int {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.at
}

// hears is called when bytes of a depth are about to reach the client.
func (c *clock) hears(depth int) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.heard = max(c.heard, depth)
}

// asks is called when an SFTP request has left the client.
func (c *clock) asks(channel uint32, p packet) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	depth := c.heard + 1
	if c.unmoved == 0 {
		depth = max(depth, c.moved+1) // it may have waited for the payload
	}
	depth = max(depth, c.last) // it does not leave before what has left
	if !p.payload() {
		c.requests[request{channel, p.id}] = sent{depth: depth}
		c.note(depth, p.word())
		if p.kind == fxpClose {
			delete(c.streams, p.stream(channel, fxpRead))
			delete(c.streams, p.stream(channel, fxpWrite))
		}
		return
	}
	name := p.stream(channel, p.kind)
	s := c.streams[name]
	switch {
	case s == nil:
		s = &stream{depth: depth}
		c.streams[name] = s
	case s.out == 0 && s.bytes <= smallStream:
		s.depth = max(s.depth, s.moved+1)
	}
	s.out++
	s.bytes += p.length
	c.unmoved++
	c.requests[request{channel, p.id}] = sent{depth: s.depth, write: p.kind == fxpWrite, stream: s}
	c.note(s.depth, p.word())
}

// told is called when the answer to an SFTP request is about to reach the client.
func (c *clock) told(channel, id uint32) {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	r, ok := c.requests[request{channel, id}]
	if !ok {
		return
	}
	delete(c.requests, request{channel, id})
	if r.stream == nil {
		c.heard = max(c.heard, r.depth)
		return
	}
	r.stream.out--
	r.stream.moved = max(r.stream.moved, r.depth)
	c.unmoved--
	c.moved = max(c.moved, r.depth)
}

// isWrite reports whether a number is that of a WRITE that is not answered.
func (c *clock) isWrite(channel, id uint32) bool {
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	return c.requests[request{channel, id}].write
}

// String gives the words of a turn. Of READ and WRITE in a row there is one: how many
// they are depends on where a connection was reset.
func (t turn) String() string {
	if len(t) == 0 {
		return "(TLS)"
	}
	var words []string
	for _, w := range t {
		if n := len(words); n > 0 && (w == "READ" || w == "WRITE") && words[n-1] == w {
			continue
		}
		words = append(words, w)
	}
	return strings.Join(words, ", ")
}

// transcript numbers the turns, one a line.
func transcript(turns []turn) string {
	var b strings.Builder
	for i, t := range turns {
		fmt.Fprintf(&b, "%d: %s\n", i+1, t)
	}
	return b.String()
}

// spoken gives the word of an FTP command.
func spoken(line string) string {
	verb, args, _ := strings.Cut(line, " ")
	if verb == "OPTS" {
		option, _, _ := strings.Cut(args, " ")
		verb += " " + option
	}
	return word(verb, args)
}

// word gives a command without what differs from run to run.
func word(name string, args ...string) string {
	words := []string{name}
	for _, a := range args {
		switch {
		case strings.Contains(a, ".ftpx-"):
			words = append(words, "part")
		case strings.Contains(a, remoteName):
			words = append(words, "dest")
		}
	}
	return strings.Join(slices.Compact(words), " ")
}
