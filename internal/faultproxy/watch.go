package faultproxy

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"
)

const (
	// overtaking is how long a reply may be held back because the data connection
	// whose end it reports has not been seen to end yet.
	overtaking = time.Second
	// settling is how long a fault waits for the other direction's last write.
	settling = 100 * time.Millisecond
)

// watch makes the fault of a control connection come with a data event.
type watch struct {
	conn  *conn
	first int64         // number of the first data connection that counts
	done  chan struct{} // closed once the fault has been inflicted

	// The preliminary reply is the first one after the data connection was
	// opened; it is not the one that reports its end.
	opened  atomic.Bool
	preface chan struct{} // closed by the control connection's Down pump once it is through
}

// data is the number of the data connection that w waits for.
func (w *watch) data() int64 { return w.first + int64(w.conn.fault.When.DataSkip) }

// newWatch registers c's fault if it waits for a data event. It is called with
// p.mu held, so that the data connections to come are known.
func (p *Proxy) newWatch(c *conn) *watch {
	if c.fault.Kind == None || c.fault.When.Data == NoData {
		return nil
	}
	w := &watch{conn: c, first: p.roleSeq[Data], done: make(chan struct{}), preface: make(chan struct{})}
	p.watchMu.Lock()
	defer p.watchMu.Unlock()
	p.watches = append(p.watches, w)
	p.watching.Add(1)
	return w
}

// unwatch forgets w; it may be called more than once.
func (p *Proxy) unwatch(w *watch) {
	p.watchMu.Lock()
	defer p.watchMu.Unlock()
	for i, other := range p.watches {
		if other == w {
			p.watches = append(p.watches[:i:i], p.watches[i+1:]...)
			p.watching.Add(-1)
			return
		}
	}
}

// dataEvent inflicts the faults that wait for an event of data connection c. It
// returns when they have been inflicted.
func (p *Proxy) dataEvent(c *conn, event DataEvent) {
	if p.watching.Load() == 0 {
		return
	}
	for _, w := range p.takeWatches(c, event) {
		if event == DataEnded {
			// A short download can end before its preliminary reply is through,
			// which is not the reply that is to be lost.
			w.conn.waitFor(w.preface, overtaking)
		}
		w.conn.inflict(&w.conn.fault)
		close(w.done)
	}
}

// takeWatches takes away the watches that event fulfils: both pumps of a data
// connection may bring the same event, and a fault happens once.
func (p *Proxy) takeWatches(c *conn, event DataEvent) []*watch {
	p.watchMu.Lock()
	defer p.watchMu.Unlock()
	var hit, rest []*watch
	for _, w := range p.watches {
		when := w.conn.fault.When
		mine := c.info.RoleSeq == w.data()
		if mine && event == DataOpened {
			w.opened.Store(true)
		}
		if mine && when.Data == event && (event != DataMoved || c.up.Load()+c.down.Load() >= when.DataBytes) {
			hit = append(hit, w)
		} else {
			rest = append(rest, w)
		}
	}
	p.watches = rest
	p.watching.Add(-int64(len(hit)))
	return hit
}

// preface returns how many bytes of p, which came from the server, are the
// preliminary reply of the transfer that c's fault waits for: 0 when they are
// none. The final reply may be in the same chunk.
func (c *conn) preface(p []byte) int {
	if c.watch == nil || !c.watch.opened.Load() {
		return 0
	}
	select {
	case <-c.watch.preface:
		return 0
	default:
	}
	const record, header = 0x17, 5 // TLS application data: type, version, length
	n := len(p)
	if p[0] == record && len(p) >= header {
		n = header + int(binary.BigEndian.Uint16(p[3:]))
	} else if i := bytes.IndexByte(p, '\n'); i >= 0 {
		n = i + 1
	}
	return min(n, len(p))
}

// holdReply keeps a reply from overtaking the end of a download that it reports:
// the server closes the data connection first and then replies, but the two
// arrive on different sockets, and the data may not have been read at all yet.
func (c *conn) holdReply() {
	if c.fault.When.Data == DataEnded && c.watch.opened.Load() && c.proxy.transferring(c.watch) {
		c.waitFor(c.watch.done, overtaking)
	}
}

// waitFor waits for an event that is about to come, if it is to come at all.
func (c *conn) waitFor(event <-chan struct{}, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-event:
	case <-timer.C:
	case <-c.over:
	}
}

// transferring reports whether the data connection that w waits for is alive.
func (p *Proxy) transferring(w *watch) bool {
	return slices.ContainsFunc(p.living(), func(c *conn) bool {
		return c.info.Role == Data && c.info.RoleSeq == w.data()
	})
}
