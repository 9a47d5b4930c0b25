package sftpdriver

import (
	"fmt"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// readAhead is how many SSH_FXP_READDIR are under way: OpenSSH answers with at
// most a hundred entries, so that a large folder is otherwise a round trip for
// each hundred. The server answers them in order (section 6.1).
const readAhead = 4

// mostEmpty is how many answers in a row may be without a name. None should be; a server
// that only ever says so would be listened to for ever.
const mostEmpty = 100

var errNameless = fmt.Errorf("%w: %d answers in a row without a name", errMalformed, mostEmpty)

// list calls Yield for each entry of a folder while it is being read; what is held in
// memory are a few answers, whatever the size of the folder.
func (s *step) list(q *transport.List) error {
	pipe := s.c.pipe
	handle, err := s.reply.handle()
	if err != nil {
		return err
	}
	s.at("READDIR")
	request := putString(nil, handle)
	var queue []*reply
	defer func() {
		for _, r := range queue {
			r.drop()
		}
	}()
	for empty := 0; ; {
		for len(queue) < readAhead {
			queue = append(queue, pipe.send(fxpReaddir, request))
		}
		next := queue[0]
		queue = queue[1:]
		n, more, err := s.names(next, q.Yield)
		s.op.Heard()
		if empty++; n > 0 {
			empty = 0
		}
		if err == nil && more && empty == mostEmpty {
			return errNameless
		}
		if st := statusOf(err); st != nil && st.code == fxEOF {
			err, more = nil, false
		}
		if err != nil || !more {
			// The answer says nothing that matters: the folder has been read.
			pipe.send(fxpClose, request).drop()
			return err
		}
	}
}

// names hands the entries of one answer to yield, and counts them.
func (s *step) names(answer *reply, yield func(transport.Entry) bool) (got int, more bool, err error) {
	typ, buf, err := answer.wait()
	if err != nil {
		return 0, false, err
	}
	defer answer.p.buffers.put(buf)
	r := &reader{b: *buf}
	if typ == fxpStatus {
		if err := r.status(); err != nil {
			return 0, false, err
		}
		return 0, false, errMalformed
	}
	if typ != fxpName {
		return 0, false, errMalformed
	}
	// The count is the server's word; the bytes that are there decide.
	for n := r.uint32(); n > 0; n-- {
		name, long := r.string(), r.bytes()
		a := r.attrs()
		if r.bad {
			return got, false, errMalformed
		}
		if name == "." || name == ".." {
			continue
		}
		e := a.entry(lastElement(name), string(long[:min(len(long), 1)]))
		// What the caller does meanwhile is not silence of the line.
		got++
		s.op.Aside(func() { more = yield(e) })
		if !more {
			return got, false, nil
		}
	}
	if r.bad {
		return got, false, errMalformed
	}
	return got, true, nil
}

// lastElement is the name itself where a server sends a path for one, as some
// do; a name that is nothing but separators stays what it is.
func lastElement(name string) string {
	if i := strings.LastIndexByte(strings.TrimRight(name, "/"), '/'); i >= 0 {
		return strings.TrimRight(name, "/")[i+1:]
	}
	return name
}
