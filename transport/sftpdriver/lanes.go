package sftpdriver

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// A channel of SSH takes 2 MiB before its receiver must grant more (RFC 4254
// section 5.2; a constant in x/crypto and in OpenSSH), so that one channel moves
// 2 MiB a round trip and no more: 50 MB/s at 40 ms. A large file on a long line
// therefore travels on several, each a session of its own with a handle of its
// own, within one connection: opening it costs three round trips and no login.
const (
	// mostLanes bounds the sessions of a connection. OpenSSH's MaxSessions is 10.
	mostLanes = 8
	// laneBytes is what is under way on one of several lanes: the window.
	laneBytes = 2 << 20
	// lanesFrom is the round trip above which the window is what limits: at 16 ms
	// it lets 130 MB/s pass. Below, more under way is more to lose with a connection:
	// at 10 ms and 100 MB/s lanes sent a file over a bad line 2.1 times, not 1.3.
	lanesFrom = 16 * time.Millisecond
	// laneWorth is how much of a file there must be for each lane.
	laneWorth = 4 << 20
	// overlap is how many owners may use a connection at once: enough for 4,000 small
	// files a second at 10 ms. What a lost connection costs of them is bounded by what
	// is under way on it, the window, however many they are.
	overlap = 128
	// firstLanes are opened as soon as a file is large enough, and the others
	// once the windows are seen to limit. A large file on a long line gets all of
	// them at once: it would be over before that is seen.
	firstLanes = 4
	longTrip   = 20 * time.Millisecond
	longFile   = 32 << 20
)

// extras are the lanes of a connection besides its main session. They are opened
// when a transfer wants them and serve one transfer at a time.
type extras struct {
	inUse sync.Mutex // held by the transfer that uses them

	mu      sync.Mutex // guards what follows
	pipes   []*pipe
	opening int
	hailed  []*pipe // of those, the ones that take SSH_FXP_OPEN ahead of their answer
	limit   int     // how many the server takes
	// open is what the transfer that uses them sends on each of the first until, as
	// soon as it is there; opened holds the answers that it has not taken note of.
	open   []byte
	until  int
	opened map[*pipe]*reply
}

// want opens lanes until there are n, without waiting for them.
func (c *Conn) want(n int) {
	x := &c.extras
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.pipes)+x.opening < min(n, x.limit) {
		x.opening++
		go c.openLane()
	}
}

// openLane opens one. That a server refuses is no failure: one remembers how many
// it takes. The goroutine ends with the connection at the latest.
func (c *Conn) openLane() {
	x := &c.extras
	p, end, err := c.dialLane()
	if err == nil && c.readsAhead {
		x.mu.Lock()
		x.hailed = append(x.hailed, p)
		x.openAhead()
		x.mu.Unlock()
	}
	if err == nil {
		err = p.greeted()
	}
	if err == nil {
		go p.serve()
	} else if p != nil {
		p.end(err)
		end()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.opening--
	x.hailed = slices.DeleteFunc(x.hailed, func(o *pipe) bool { return o == p })
	if err != nil {
		delete(x.opened, p)
		x.limit = min(x.limit, len(x.pipes)+x.opening)
		return
	}
	x.pipes = append(x.pipes, p)
	if x.open != nil && x.opened[p] == nil && len(x.pipes) <= x.until {
		x.opened[p] = p.send(fxpOpen, x.open)
	}
}

// openAhead opens the file on the lanes that have not been answered yet. It is called
// with mu held.
func (x *extras) openAhead() {
	for i, p := range x.hailed {
		if x.open != nil && x.opened[p] == nil && len(x.pipes)+i < x.until {
			x.opened[p] = p.send(fxpOpen, x.open)
		}
	}
}

// dialLane opens a session and greets it. end closes it alone.
func (c *Conn) dialLane() (p *pipe, end func(), err error) {
	ch, requests, err := c.ssh.OpenChannel("session", nil)
	if err != nil {
		return nil, nil, err
	}
	go ssh.DiscardRequests(requests)
	go func() { _, _ = io.Copy(io.Discard, ch.Stderr()) }()
	end = func() { _ = ch.Close() }
	// The first packet leaves behind the request for the subsystem, whose answer
	// is not waited for: the server's first packet is one.
	_, err = ch.SendRequest("subsystem", false, ssh.Marshal(struct{ Name string }{"sftp"}))
	if err == nil {
		p = newPipe(ch, func(err error) { c.line.endFor(err, c.ep) })
		err = p.hello()
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return p, end, nil
}

// readsAhead reports whether the server is known to take a packet behind SSH_FXP_INIT
// before that has been answered. OpenSSH reads in order. It gives a session no window
// before the subsystem runs, so that INIT itself cannot leave any earlier.
func readsAhead(conn ssh.Conn) bool {
	return bytes.HasPrefix(conn.ServerVersion(), []byte("SSH-2.0-OpenSSH_"))
}

// A lane is one session that carries requests about one open file.
type lane struct {
	pipe   *pipe
	handle string
	stat   *reply // of the file that it has opened, until it has been looked at
	other  bool   // that is not the file of the main session
	open   *reply // SSH_FXP_OPEN while it is under way
	under  int    // bytes under way, as weigh counts them
}

// weigh is what a request counts for: so many small ones are not under way at once.
func weigh(n int) int { return max(n, safePacket) }

// A part is one SSH_FXP_READ or WRITE under way.
type part struct {
	lane   *lane
	offset int64 // of a read
	length int
	reply  *reply
	sent   time.Time
	full   bool // every lane was full when it had been sent
}

// lanes share the requests of one transfer out.
type lanes struct {
	c       *Conn
	open    []byte  // SSH_FXP_OPEN's path and flags
	ready   []*lane // the first is that of the main session
	coming  []*lane // their files are being opened
	holding bool    // of extras.inUse
	looks   bool    // what a lane has opened is looked at, see download.same
	wanted  int
	size    int64 // what is to be moved, as far as it is known
	limit   int   // most bytes under way on a lane
}

// newLanes prepares for moving size bytes. It comes before the file is opened: what
// asks for more sessions would else queue behind the first megabytes.
func (c *Conn) newLanes(open []byte, size int64) *lanes {
	s := &lanes{c: c, open: open, size: size, limit: inFlightBytes, ready: []*lane{{pipe: c.pipe}}}
	if first := c.lanesAtFirst(size); first > 1 && c.extras.inUse.TryLock() {
		s.holding = true
		if s.wish(first); s.wanted > 1 {
			s.limit = laneBytes
		}
	}
	return s
}

// lanesAtFirst is how many lanes a transfer begins with.
func (c *Conn) lanesAtFirst(size int64) int {
	trip := c.roundTrip()
	switch {
	case trip < lanesFrom || size < 2*laneWorth || c.sole():
		return 1
	case trip >= longTrip && size >= longFile:
		return mostLanes
	}
	return min(firstLanes, int(size/laneWorth))
}

// Prepare implements [transport.Preparer]: a session takes two round trips to open.
func (c *Conn) Prepare(size int64) {
	c.want(c.lanesAtFirst(size) - 1)
}

// wish asks for so many lanes, the main one among them.
func (s *lanes) wish(n int) {
	n = min(n, mostLanes, int(s.size/laneWorth))
	if s.holding && n > s.wanted {
		s.wanted = n
		x := &s.c.extras
		x.mu.Lock()
		x.until = n - 1
		x.mu.Unlock()
		s.c.want(n - 1)
	}
}

// begin has the file opened on all lanes but the main one, now that it exists.
func (s *lanes) begin(handle string) {
	s.ready[0].handle = handle
	if !s.holding {
		return
	}
	x := &s.c.extras
	x.mu.Lock()
	x.open, x.opened = s.open, make(map[*pipe]*reply)
	x.openAhead()
	x.mu.Unlock()
	s.join()
}

// join brings in the lanes that have opened since the last look.
func (s *lanes) join() {
	if !s.holding {
		return
	}
	if known := len(s.ready) - 1 + len(s.coming); known < s.wanted-1 {
		x := &s.c.extras
		x.mu.Lock()
		for _, p := range x.pipes[min(known, len(x.pipes)):min(s.wanted-1, len(x.pipes))] {
			open := x.opened[p]
			if delete(x.opened, p); open == nil {
				open = p.send(fxpOpen, s.open)
			}
			s.coming = append(s.coming, &lane{pipe: p, open: open})
		}
		x.mu.Unlock()
	}
	for i := 0; i < len(s.coming); i++ {
		l := s.coming[i]
		if !l.open.answered() {
			continue
		}
		var err error
		l.handle, err = l.open.handle()
		l.open = nil
		if err != nil {
			s.wanted = 0 // an odd server: make do with what there is
		} else {
			if s.looks {
				l.stat = l.pipe.send(fxpFstat, putString(nil, l.handle))
			}
			s.ready = append(s.ready, l)
			s.limit = laneBytes
		}
		s.coming = append(s.coming[:i], s.coming[i+1:]...)
		i--
	}
}

// pick returns the lane with the fewest bytes under way, nil if all are full.
func (s *lanes) pick(n int) *lane {
	best := s.ready[0]
	for _, l := range s.ready[1:] {
		if l.under < best.under && !l.other {
			best = l
		}
	}
	if best.under > 0 && best.under+weigh(n) > s.limit {
		return nil
	}
	return best
}

// sent notes a request.
func (s *lanes) sent(l *lane, n int, r *reply) part {
	l.under += weigh(n)
	return part{lane: l, length: n, reply: r, sent: time.Now(), full: s.pick(n) == nil}
}

// answered notes the answer to a request. One that came a round trip after it had left, with all lanes full, shows that the line
// would take more. One that came much later has waited in line: there more lanes
// would bring nothing.
func (s *lanes) answered(p part) {
	p.lane.under -= weigh(p.length)
	if at := p.reply.at; p.full && len(s.coming) == 0 && len(s.ready) >= s.wanted && !at.IsZero() &&
		at.Sub(p.sent) < 2*s.c.roundTrip() {
		s.wish(2 * len(s.ready))
	}
}

// closing sends SSH_FXP_CLOSE on all lanes but the main one and returns the
// answers. Lanes whose file is still being opened close it when it is.
func (s *lanes) closing() []*reply {
	var closes []*reply
	for _, l := range s.ready[1:] {
		if l.stat != nil {
			l.stat.drop()
		}
		closes = append(closes, l.pipe.send(fxpClose, putString(nil, l.handle)))
	}
	return closes
}

// done gives the lanes back. A file that is being opened must not stay open.
func (s *lanes) done() {
	if !s.holding {
		return
	}
	x, coming := &s.c.extras, s.coming
	x.mu.Lock()
	for p, open := range x.opened {
		coming = append(coming, &lane{pipe: p, open: open})
	}
	x.open, x.opened, x.until = nil, nil, 0
	x.mu.Unlock()
	if len(coming) == 0 {
		s.c.extras.inUse.Unlock()
		return
	}
	go func() {
		defer s.c.extras.inUse.Unlock()
		for _, l := range coming {
			if handle, err := l.open.handle(); err == nil {
				_ = l.pipe.send(fxpClose, putString(nil, handle)).parse(fxpStatus, nil)
			}
		}
	}()
}

// openRequest is the body of SSH_FXP_OPEN.
func openRequest(path string, flags uint32) []byte {
	b := binary.BigEndian.AppendUint32(putString(nil, path), flags)
	return binary.BigEndian.AppendUint32(b, 0) // no attributes
}

// maxHandle is the longest handle (section 6.3). Packets have room for no more.
const maxHandle = 256

// handle reads the answer to SSH_FXP_OPEN.
func (r *reply) handle() (handle string, err error) {
	err = r.parse(fxpHandle, func(rd *reader) { handle = rd.string() })
	if err == nil && len(handle) > maxHandle {
		err = errMalformed
	}
	return handle, err
}
