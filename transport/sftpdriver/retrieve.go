package sftpdriver

import (
	"errors"
	"math"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// errTruncated: the server said that the file ends before the size that it had
// when it was opened.
var errTruncated = errors.New("the server ended the file early")

// errBeyond: the offset lies behind the end of the file.
var errBeyond = errors.New("the offset is beyond the end of the file")

// sideBytes is how much of the Retrieves behind the one whose turn it is may be under
// way: ranges that are read back to be compared, which would otherwise cost a round
// trip each.
const sideBytes = 1 << 20

// retrieve copies the file from the offset on, with many reads under way. The size is
// asked with the first of them, on the open file: an end before it is
// [transport.KindTruncated].
func (s *step) retrieve(q *transport.Retrieve) error {
	b := &burst{p: s.c.pipe}
	if s.get == nil && s.refused == nil {
		s.read(q, b)
	}
	s.readNext(q, b)
	b.send()
	if s.refused != nil {
		return s.refused
	}
	s.at("READ", q.Path)
	err := s.get.run()
	s.get.done()
	q.Received = s.get.pos - q.Offset
	if errors.Is(err, transport.ErrEnough) {
		return nil
	}
	return err
}

// readNext begins with the small ranges that the next steps read. Their files have been
// opened by now, or the answers follow at once.
func (s *step) readNext(q *transport.Retrieve, b *burst) {
	room := int64(sideBytes)
	for j := s.i + 1; q.Limit > 0 && q.Limit <= room && j < s.sent; j++ {
		n := &s.steps[j]
		next, ok := n.req.(*transport.Retrieve)
		room -= q.Limit
		if !ok || next.If != nil || n.bad != nil || next.Limit <= 0 || next.Limit > room {
			return
		}
		if n.get == nil && n.refused == nil {
			n.read(next, b)
		}
		q = next
	}
}

// read opens the file and puts the first reads into a burst.
func (s *step) read(q *transport.Retrieve, b *burst) {
	handle, err := s.reply.handle()
	if err != nil {
		s.refused = err
		return
	}
	size := s.hint(q)
	channels := s.c.newChannels(openRequest(q.Path, fxfRead), size, 0)
	channels.looks = true
	channels.begin(handle)
	s.c.applyLimits()
	d := &download{
		s: s, q: q, handle: handle, dst: s.op.Writer(q.Dst),
		pos: q.Offset, next: q.Offset, end: math.MaxInt64, size: -1, chunk: s.c.readSize(),
		channels: channels,
	}
	if q.Limit > 0 && q.Limit < math.MaxInt64-q.Offset {
		d.end = q.Offset + q.Limit
	}
	d.begin(size, b)
	s.get = d
}

// hint is how many bytes are expected, 0 where that is not known: what the caller says,
// else what a Stat in the batch has said.
func (s *step) hint(q *transport.Retrieve) int64 {
	size := hint(q)
	for j := s.i - 1; j >= 0 && size == 0; j-- {
		if stat, ok := s.steps[j].req.(*transport.Stat); ok && stat.Path == q.Path && stat.Err == nil {
			return max(stat.Entry.Size-q.Offset, 0)
		}
	}
	return size
}

// hint is what the caller says. A small range is expected to be there.
func hint(q *transport.Retrieve) int64 {
	if q.Size <= 0 && q.Limit > 0 && q.Limit <= sideBytes {
		return q.Limit
	}
	return max(q.Size, 0)
}
