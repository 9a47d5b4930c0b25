package sftpdriver

import (
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A channel of SSH takes 2 MiB before its receiver must grant more (RFC 4254
// section 5.2; a constant in x/crypto and in OpenSSH), so that one channel moves
// 2 MiB a round trip and no more: 50 MB/s at 40 ms. A large file on a long line
// therefore travels on several, each a session of its own with a handle of its
// own, within one connection: opening it costs three round trips and no login.
const (
	// maxChannels bounds the sessions of a connection. OpenSSH's MaxSessions is 10.
	maxChannels = 8
	// channelBytes is what is under way on one of several channels: the window.
	channelBytes = 2 << 20
	// channelsFrom is the round trip above which the window is what limits: at 16 ms
	// it lets 130 MB/s pass. Below, more under way is more to lose with a connection:
	// at 10 ms and 100 MB/s channels sent a file over a bad line 2.1 times, not 1.3.
	channelsFrom = 16 * time.Millisecond
	// channelWorth is how much of a file there must be for each channel.
	channelWorth = 4 << 20
	// overlap is how many owners may use a connection at once: enough for 4,000 small
	// files a second at 10 ms. What a lost connection costs of them is bounded by what
	// is under way on it, the window, however many they are.
	overlap = 128
	// firstChannels are opened as soon as a file is large enough, and the others
	// once the windows are seen to limit. A large file on a long line gets all of
	// them at once: it would be over before that is seen.
	firstChannels = 4
	longTrip      = 20 * time.Millisecond
	longFile      = 32 << 20
)

// extras are the channels of a connection besides its main session. They are opened
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

// want opens channels until there are n, without waiting for them.
func (c *Conn) want(n int) {
	x := &c.extras
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.pipes)+x.opening < min(n, x.limit) {
		x.opening++
		go c.openChannel()
	}
}

// openChannel opens one. That a server refuses is no failure: one remembers how many
// it takes. The goroutine ends with the connection at the latest.
func (c *Conn) openChannel() {
	x := &c.extras
	p, end, err := c.dialChannel()
	if err == nil && c.traits.readsAhead {
		x.mu.Lock()
		x.hailed = append(x.hailed, p)
		x.openPipelined()
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

// openPipelined opens the file on the channels that have not been answered yet. It is called
// with mu held.
func (x *extras) openPipelined() {
	for i, p := range x.hailed {
		if x.open != nil && x.opened[p] == nil && len(x.pipes)+i < x.until {
			x.opened[p] = p.send(fxpOpen, x.open)
		}
	}
}

// dialChannel opens a session and greets it. end closes it alone.
func (c *Conn) dialChannel() (p *pipe, end func(), err error) {
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

// channelsAtFirst is how many channels a transfer begins with, of which window bytes may be
// under way, if that is positive.
func (c *Conn) channelsAtFirst(size, window int64) int {
	trip, most := c.roundTrip(), maxChannels
	if window > 0 {
		most = int(min(maxChannels, max(window/channelBytes, 1)))
	}
	switch {
	case trip < channelsFrom || size < 2*channelWorth || c.sole() || c.traits.oneStream:
		return 1
	case trip >= longTrip && size >= longFile:
		return most
	}
	return min(firstChannels, int(size/channelWorth), most)
}

// prepareChannels opens the channels that a transfer will want, before its file is opened: one
// takes two round trips to open, and would otherwise queue behind the first megabytes.
func (c *Conn) prepareChannels(q transport.Request) {
	var size, window int64
	switch q := q.(type) {
	case *transport.Store:
		size, window = q.Size, q.Window
	case *transport.Retrieve:
		size = hint(q)
	}
	if n := c.channelsAtFirst(size, window); n > 1 {
		c.want(n - 1)
	}
}
