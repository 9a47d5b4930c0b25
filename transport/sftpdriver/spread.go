package sftpdriver

import "time"

// A channel is one session that carries requests about one open file.
type channel struct {
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
	channel *channel
	offset  int64 // of a read
	length  int
	reply   *reply
	sent    time.Time
	full    bool // every channel was full when it had been sent
}

// channels share the requests of one transfer out.
type channels struct {
	c       *Conn
	open    []byte     // SSH_FXP_OPEN's path and flags
	ready   []*channel // the first is that of the main session
	coming  []*channel // their files are being opened
	holding bool       // of extras.inUse
	looks   bool       // what a channel has opened is looked at, see download.same
	wanted  int
	size    int64 // what is to be moved, as far as it is known
	limit   int   // most bytes under way on a channel
	window  int   // most bytes under way on all of them, 0 for no such bound
	under   int   // bytes under way on all of them, as weigh counts them
}

// newChannels prepares for moving size bytes of a file that has been opened on the main
// session, of which no more than window may be under way, if that is positive. Channels
// that it will want at first have been asked for by then, see [Conn.prepareChannels].
func (c *Conn) newChannels(open []byte, size, window int64) *channels {
	s := &channels{c: c, open: open, size: size, limit: inFlightBytes, ready: []*channel{{pipe: c.pipe}}}
	if window > 0 {
		s.window = int(min(window, maxChannels*channelBytes))
	}
	if first := c.channelsAtFirst(size, window); first > 1 && c.extras.inUse.TryLock() {
		s.holding = true
		if s.wish(first); s.wanted > 1 {
			s.limit = channelBytes
		}
	}
	return s
}

// wish asks for so many channels, the main one among them.
func (s *channels) wish(n int) {
	n = min(n, maxChannels, int(s.size/channelWorth))
	if s.window > 0 {
		n = min(n, s.window/channelBytes) // more would have nothing to carry
	}
	if s.holding && n > s.wanted {
		s.wanted = n
		x := &s.c.extras
		x.mu.Lock()
		x.until = n - 1
		x.mu.Unlock()
		s.c.want(n - 1)
	}
}

// begin has the file opened on all channels but the main one, now that it exists.
func (s *channels) begin(handle string) {
	s.ready[0].handle = handle
	if !s.holding {
		return
	}
	x := &s.c.extras
	x.mu.Lock()
	x.open, x.opened = s.open, make(map[*pipe]*reply)
	x.openPipelined()
	x.mu.Unlock()
	s.join()
}

// join brings in the channels that have opened since the last look.
func (s *channels) join() {
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
			s.coming = append(s.coming, &channel{pipe: p, open: open})
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
			s.limit = channelBytes
		}
		s.coming = append(s.coming[:i], s.coming[i+1:]...)
		i--
	}
}

// pick returns the channel with the fewest bytes under way, nil if all are full.
func (s *channels) pick(n int) *channel {
	best := s.ready[0]
	for _, l := range s.ready[1:] {
		if l.under < best.under && !l.other {
			best = l
		}
	}
	if best.under > 0 && best.under+weigh(n) > s.limit || s.window > 0 && s.under > 0 && s.under+weigh(n) > s.window {
		return nil
	}
	return best
}

// sent notes a request.
func (s *channels) sent(l *channel, n int, r *reply) part {
	l.under += weigh(n)
	s.under += weigh(n)
	return part{channel: l, length: n, reply: r, sent: time.Now(), full: s.pick(n) == nil}
}

// answered notes the answer to a request. One that came a round trip after it had left, with all channels full, shows that the line
// would take more. One that came much later has waited in line: there more channels
// would bring nothing.
func (s *channels) answered(p part) {
	p.channel.under -= weigh(p.length)
	s.under -= weigh(p.length)
	if at := p.reply.at; p.full && len(s.coming) == 0 && len(s.ready) >= s.wanted && !at.IsZero() &&
		at.Sub(p.sent) < 2*s.c.roundTrip() {
		s.wish(2 * len(s.ready))
	}
}

// closing sends SSH_FXP_CLOSE on all channels but the main one and returns the
// answers. Channels whose file is still being opened close it when it is.
func (s *channels) closing() []*reply {
	var closes []*reply
	for _, l := range s.ready[1:] {
		if l.stat != nil {
			l.stat.drop()
		}
		closes = append(closes, l.pipe.send(fxpClose, putString(nil, l.handle)))
	}
	return closes
}

// done gives the channels back. A file that is being opened must not stay open.
func (s *channels) done() {
	if !s.holding {
		return
	}
	x, coming := &s.c.extras, s.coming
	x.mu.Lock()
	for p, open := range x.opened {
		coming = append(coming, &channel{pipe: p, open: open})
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
