package doctor

import (
	"net"
	"sync"
	"time"
)

// headBytes is how much of what a server says first is kept: its SSH version line and its
// SSH_MSG_KEXINIT fit.
const headBytes = 16 << 10

// tap is a connection that remembers what went over it.
type tap struct {
	net.Conn

	opened time.Time
	took   time.Duration // of the connect

	mu      sync.Mutex // guards what follows
	head    []byte     // what came first
	in      int64
	firstIn time.Time

	counts    tcpCounts
	countsSet bool
	records   recordTail
}

// Read implements net.Conn.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	if n > 0 && t.in == 0 {
		t.firstIn = time.Now()
	}
	t.in += int64(n)
	if room := headBytes - len(t.head); room > 0 {
		t.head = append(t.head, p[:min(n, room)]...)
	}
	t.records.feed(p[:n])
	return n, err
}

// Close implements net.Conn. The kernel's counters are read first: they go with the socket.
func (t *tap) Close() error {
	t.count()
	return t.Conn.Close()
}

// count keeps the kernel's counters of the connection, where it has some.
func (t *tap) count() {
	c, ok := countsOf(t.Conn)
	t.mu.Lock()
	defer t.mu.Unlock()
	if ok && (!t.countsSet || c.sent >= t.counts.sent) {
		t.counts, t.countsSet = c, true
	}
}

// said returns what came first, and how much came in all.
func (t *tap) said() (head []byte, in int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]byte(nil), t.head...), t.in
}

// tcpCounts is what the kernel counts of a connection.
type tcpCounts struct {
	sent   uint32 // segments
	resent uint32 // segments sent again
}

// recordTail follows the records of TLS (RFC 8446 section 5.1) by their headers, which are
// in clear, to tell whether the last one was an alert: close_notify.
type recordTail struct {
	header []byte // of the record that is coming in
	left   int    // bytes of its body that are still to come
	kind   byte   // of the last whole record
	size   int
	broken bool
}

// Content types, and the size of an alert in TLS 1.3, where all records claim to be
// application data: two bytes, a content type, and the tag of the cipher.
const (
	recordAlert   = 21
	recordData    = 23
	tls13Alert    = 2 + 1 + 16
	recordHeader  = 5
	longestRecord = 1<<14 + 256
)

func (r *recordTail) feed(p []byte) {
	for len(p) > 0 && !r.broken {
		if r.left > 0 {
			n := min(r.left, len(p))
			r.left -= n
			p = p[n:]
			continue
		}
		n := min(recordHeader-len(r.header), len(p))
		r.header = append(r.header, p[:n]...)
		p = p[n:]
		if len(r.header) < recordHeader {
			return
		}
		r.kind, r.size = r.header[0], int(r.header[3])<<8|int(r.header[4])
		r.left, r.header = r.size, r.header[:0]
		r.broken = r.kind < 20 || r.kind > 24 || r.size > longestRecord
	}
}

// alert reports whether the last record was an alert; known is false where the bytes were
// no records of TLS.
func (r *recordTail) alert() (alert, known bool) {
	if r.broken || r.size == 0 {
		return false, false
	}
	return r.left == 0 && (r.kind == recordAlert || r.kind == recordData && r.size == tls13Alert), true
}
