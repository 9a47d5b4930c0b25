package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fetch retrieves into memory and compares.
func (e *env) fetch(remote string, offset int64, opt *transport.IO, want []byte) {
	e.Helper()
	var out bytes.Buffer
	out.Grow(len(want) + bytes.MinRead)
	n, err := e.c.Retrieve(e.ctx, remote, offset, &out, opt)
	what := fmt.Sprintf("Retrieve of %q from %d with %s", remote, offset, ioText(opt))
	if err != nil {
		e.Fatalf("%s: unexpected error %v", what, err)
	}
	if n != int64(out.Len()) {
		e.Errorf("%s: n = %d, but the destination got %d", what, n, out.Len())
	}
	e.same(what, out.Bytes(), want)
}

func caseRetrieve(e *env) {
	for _, size := range sizes {
		data := random(size)
		name := e.at(fmt.Sprint(size))
		e.put(name, data)
		e.fetch(name, 0, nil, data)
	}
	e.inStep("Retrieve")
}

func caseRetrieveOffsets(e *env) {
	const size = 1<<20 + 7
	data := random(size)
	e.put(e.at("f"), data)
	for _, offset := range []int64{0, 1, 32<<10 - 1, 32 << 10, 256<<10 + 1, size - 1, size} {
		e.fetch(e.at("f"), offset, nil, data[offset:])
		e.fetch(e.at("f"), offset, &transport.IO{Size: size - offset}, data[offset:])
	}
	e.put(e.at("empty"), nil)
	e.fetch(e.at("empty"), 0, nil, nil)
	e.inStep("Retrieve at offsets")
}

// Servers refuse an offset beyond the end or send nothing; bytes must not come.
func caseRetrieveBeyondEnd(e *env) {
	e.put(e.at("f"), random(1000))
	var out bytes.Buffer
	n, err := e.c.Retrieve(e.ctx, e.at("f"), 1001, &out, nil)
	if n != 0 || out.Len() != 0 {
		e.Errorf("Retrieve from 1001 of 1000 bytes: n = %d, the destination got %d", n, out.Len())
	}
	if err != nil {
		e.fails("Retrieve beyond the end", err)
	}
	e.inStepOrUnusable("Retrieve beyond the end")
}

// limitSize is more than the buffers between here and a server on this machine
// mostly hold, so that a limit does cut something off.
const limitSize = 5 << 20

// Reaching the limit is success, and no byte beyond it arrives.
func caseRetrieveLimit(e *env) {
	data := random(limitSize)
	e.put(e.at("f"), data)
	for _, tt := range []struct{ offset, limit, size int64 }{
		{0, 1, 0}, {0, 1, 1}, {0, 32<<10 - 1, 32<<10 - 1}, {0, 256<<10 + 1, 0}, {0, 256<<10 + 1, 256<<10 + 1},
		{0, limitSize - 1, limitSize - 1}, {0, limitSize, limitSize}, {0, limitSize + 1, limitSize}, {0, 1 << 60, 0},
		{1000, 1, 0}, {1000, 32 << 10, 32 << 10}, {1000, 256<<10 + 1, limitSize}, {1000, limitSize, 0},
		{limitSize - 5, 1, 1}, {limitSize - 5, 5, 5}, {limitSize - 5, 5, 0}, {limitSize - 5, 6, 6}, {limitSize - 5, 1 << 40, 0},
		{limitSize, 1, 1},
	} {
		want := data[tt.offset:]
		if tt.limit < int64(len(want)) {
			want = want[:tt.limit]
		}
		e.fetch(e.at("f"), tt.offset, &transport.IO{Limit: tt.limit, Size: tt.size}, want)
		e.inStepOrUnusable("a limited Retrieve")
		if !e.c.Usable() {
			e.connect()
		}
	}
}

// The connection outlives a limit that was reached, so that proving the tail of a
// partial does not cost a new login.
func caseRetrieveLimitKeeps(e *env) {
	data := random(limitSize)
	e.put(e.at("f"), data)
	for _, limit := range []int64{1, 32 << 10, 256<<10 + 1, limitSize - 1, limitSize} {
		e.fetch(e.at("f"), 0, &transport.IO{Limit: limit}, data[:limit])
		if e.inStep(fmt.Sprintf("a Retrieve limited to %d of %d bytes", limit, limitSize)); !e.c.Usable() {
			e.connect()
		}
	}
}

// A destination that wants no more ends it as a limit does.
func caseRetrieveEnough(e *env) {
	data := random(limitSize)
	e.put(e.at("f"), data)
	for _, tt := range []struct{ offset, most int64 }{
		{0, 0}, {0, 1}, {0, 256<<10 + 1}, {1000, 1 << 20}, {1000, limitSize - 1001}, {1000, limitSize - 1000},
	} {
		what := fmt.Sprintf("Retrieve from %d into what wants %d bytes", tt.offset, tt.most)
		out := sated{most: int(tt.most)}
		n, err := e.c.Retrieve(e.ctx, e.at("f"), tt.offset, &out, &transport.IO{Size: limitSize - tt.offset})
		e.ok(err, "%s", what)
		if n != tt.most {
			e.Errorf("%s: n = %d", what, n)
		}
		e.same(what, out.Bytes(), data[tt.offset:tt.offset+tt.most])
		e.inStepOrUnusable(what)
		if !e.c.Usable() {
			e.connect()
		}
	}
}

// sated takes so many bytes and wants no more.
type sated struct {
	bytes.Buffer
	most int
}

func (s *sated) Write(p []byte) (int, error) {
	if n := s.most - s.Len(); n < len(p) {
		s.Buffer.Write(p[:n])
		return n, transport.ErrEnough
	}
	return s.Buffer.Write(p)
}

func caseRetrieveHints(e *env) {
	data := random(300_000)
	e.put(e.at("f"), data)
	for _, opt := range []*transport.IO{nil, {}, {Size: 1}, {Size: 299_999}, {Size: 300_000}, {Size: 300_001}, {Size: 100 << 20}} {
		e.fetch(e.at("f"), 0, opt, data)
	}
	e.inStep("Retrieve with hints")
}

func caseRetrieveProgress(e *env) {
	data := random(3<<20 + 1)
	e.put(e.at("f"), data)
	for _, limit := range []int64{0, 1 << 20} {
		var m meter
		n, err := e.c.Retrieve(e.ctx, e.at("f"), 0, io.Discard, &transport.IO{Size: int64(len(data)), Limit: limit, Progress: m.add})
		e.ok(err, "Retrieve")
		want := int64(len(data))
		if limit > 0 {
			want = limit
		}
		if n != want {
			e.Errorf("Retrieve with Limit %d: n = %d, want %d", limit, n, want)
		}
		m.check(e, fmt.Sprintf("Retrieve with Limit %d", limit), n, 3)
	}
}

func caseRetrieveMissing(e *env) {
	for _, offset := range []int64{0, 5} {
		var out bytes.Buffer
		n, err := e.c.Retrieve(e.ctx, e.at("missing"), offset, &out, nil)
		e.fails("Retrieve of a missing file", err, transport.KindNotExist)
		if n != 0 || out.Len() != 0 {
			e.Errorf("n = %d, the destination got %d", n, out.Len())
		}
		e.inStep("Retrieve of a missing file")
	}
}

func caseRetrieveFolder(e *env) {
	e.ok(e.c.Mkdir(e.ctx, e.at("folder")), "Mkdir")
	var out bytes.Buffer
	n, err := e.c.Retrieve(e.ctx, e.at("folder"), 0, &out, nil)
	e.fails("Retrieve of a folder", err, refused...)
	if n != 0 || out.Len() != 0 {
		e.Errorf("n = %d, the destination got %d", n, out.Len())
	}
	e.inStep("Retrieve of a folder")
}

// What fails is the destination: KindLocal, its own error, and n what it took.
func caseRetrieveSinkFails(e *env) {
	const size = 3 << 20
	data := random(size)
	e.put(e.at("f"), data)
	for _, room := range []int{0, 1, 100_000, size - 1} {
		for _, cause := range []error{errOwn, nil} {
			e.sub(fmt.Sprintf("after %d, %v", room, cause), func(e *env) {
				w := &failingWriter{room: room, err: cause}
				n, err := e.c.Retrieve(e.ctx, e.at("f"), 0, w, &transport.IO{Size: size})
				e.fails("Retrieve", err, transport.KindLocal)
				want := cause
				if cause == nil {
					want = io.ErrShortWrite // less taken than given, without a word
				}
				if !errors.Is(err, want) {
					e.Errorf("errors.Is does not find %v in %v", want, err)
				}
				if n != int64(room) {
					e.Errorf("n = %d, the destination took %d", n, room)
				}
				e.same("what the destination took", w.got, data[:room])
				e.inStepOrUnusable("a destination that failed")
			})
		}
	}
}
