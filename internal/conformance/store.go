package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// sizes lie around the borders of buffers and packets.
var sizes = []int{0, 1, 32<<10 - 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 3 << 20}

func caseStore(e *env) {
	type plain struct{ io.Reader }
	sources := []struct {
		name string
		of   func(e *env, data []byte) io.Reader
	}{
		{"file", func(e *env, data []byte) io.Reader { return e.localFile(data) }},
		{"limited file", func(e *env, data []byte) io.Reader {
			return &io.LimitedReader{R: e.localFile(append(bytes.Clone(data), "more than the limit"...)), N: int64(len(data))}
		}},
		{"bytes", func(_ *env, data []byte) io.Reader { return bytes.NewReader(data) }},
		{"buffer", func(_ *env, data []byte) io.Reader { return bytes.NewBuffer(bytes.Clone(data)) }},
		{"slow", func(_ *env, data []byte) io.Reader { return &slowReader{r: plain{bytes.NewReader(data)}} }},
	}
	for _, src := range sources {
		e.sub(src.name, func(e *env) {
			for _, size := range sizes {
				data := random(size)
				name := e.at(fmt.Sprintf("%s %d", src.name, size))
				n, err := e.c.Store(e.ctx, name, 0, src.of(e, data), &transport.IO{Size: int64(size)})
				e.ok(err, "Store of %d bytes", size)
				if n != int64(size) {
					e.Errorf("Store of %d bytes: n = %d", size, n)
				}
				e.holds(name, data)
				st, err := e.c.Stat(e.ctx, name)
				if err != nil || st.Size != int64(size) {
					e.Errorf("Stat right after Store of %d bytes: size %d, %v", size, st.Size, err)
				}
			}
			e.inStep("Store")
		})
	}
}

// Offset 0 empties a file that is there.
func caseStoreReplaces(e *env) {
	for _, size := range []int{100_000, 10, 300_000, 0} {
		data := random(size)
		e.put(e.at("f"), data)
		e.holds(e.at("f"), data)
	}
	e.inStep("Store over a file")
}

func caseStoreAppends(e *env) {
	data := random(700_001)
	src := e.localFile(data)
	type plain struct{ io.Reader }
	at := 0
	for i, next := range []int{1000, 1000, 1001, 300_000, 300_000, 700_001} {
		// An empty append, too: 1000 to 1000.
		var r io.Reader
		switch i % 3 {
		case 0:
			r = bytes.NewReader(data[at:next])
		case 1:
			r = plain{bytes.NewReader(data[at:next])}
		default:
			_, err := src.Seek(int64(at), io.SeekStart)
			e.ok(err, "Seek")
			r = &io.LimitedReader{R: src, N: int64(next - at)}
		}
		n, err := e.c.Store(e.ctx, e.at("f"), int64(at), r, nil)
		e.ok(err, "Store of bytes %d to %d", at, next)
		if n != int64(next-at) {
			e.Errorf("Store of bytes %d to %d: n = %d, want those after the offset alone", at, next, n)
		}
		e.holds(e.at("f"), data[:next])
		at = next
	}
	e.inStep("Store at an offset")
}

// Append adds to what is there, makes what is not, and empties nothing.
func caseStoreAppend(e *env) {
	var want []byte
	for i, size := range []int{1000, 0, 1, 40_000, 600_000} {
		data := random(size)
		r := &transport.Store{Path: e.at("log"), Append: true, Offset: int64(len(want)), Src: bytes.NewReader(data), Size: int64(size)}
		if i%2 == 1 {
			r.Size = -1
		}
		if err := e.c.Do(e.ctx, transport.NewBatch(r)); err != nil || r.Err != nil || r.Stored != int64(size) {
			e.Errorf("append of %d bytes to %d: Stored = %d, %v, %v", size, len(want), r.Stored, r.Err, err)
		}
		want = append(want, data...)
		e.holds(e.at("log"), want)
	}
	e.inStep("Store with Append")
}

// IO.Size is a hint and never a promise, and IO.Limit is none of Store's business.
func caseStoreHints(e *env) {
	for _, opt := range []*transport.IO{
		nil, {}, {Size: 300_000}, {Size: 1}, {Size: 299_999}, {Size: 300_001}, {Size: 100 << 20}, {Limit: 10}, {Limit: 10, Size: 10},
	} {
		data := random(300_000)
		n, err := e.c.Store(e.ctx, e.at("f"), 0, bytes.NewReader(data), opt)
		if err != nil || n != int64(len(data)) {
			e.Errorf("Store of %d bytes with %s: n = %d, %v", len(data), ioText(opt), n, err)
			continue
		}
		e.holds(e.at("f"), data)
		// A source much shorter than the hint.
		n, err = e.c.Store(e.ctx, e.at("f"), 0, bytes.NewReader(data[:5]), opt)
		if err != nil || n != 5 {
			e.Errorf("Store of 5 bytes with %s: n = %d, %v", ioText(opt), n, err)
			continue
		}
		e.holds(e.at("f"), data[:5])
	}
	e.inStep("Store with hints")
}

func ioText(opt *transport.IO) string {
	if opt == nil {
		return "a nil IO"
	}
	return fmt.Sprintf("Size %d and Limit %d", opt.Size, opt.Limit)
}

// A file is read from where it stands, as far as the limit says, and stays open.
func caseStoreFileSource(e *env) {
	data := random(2 << 20)
	for _, tt := range []struct{ from, n int64 }{{0, 2 << 20}, {1000, 500_000}, {2<<20 - 1, 1}, {2 << 20, 0}} {
		for _, limited := range []bool{true, false} {
			f := e.localFile(data)
			_, err := f.Seek(tt.from, io.SeekStart)
			e.ok(err, "Seek")
			want, lr := data[tt.from:], &io.LimitedReader{R: f, N: tt.n}
			var src io.Reader = f
			if limited {
				src, want = lr, want[:tt.n]
			}
			n, err := e.c.Store(e.ctx, e.at("f"), 0, src, &transport.IO{Size: int64(len(want))})
			e.ok(err, "Store of a file from %d (limited: %v)", tt.from, limited)
			if n != int64(len(want)) || limited && lr.N != 0 {
				e.Errorf("Store of %d bytes of a file from %d: n = %d, %d left of the limit", len(want), tt.from, n, lr.N)
			}
			e.holds(e.at("f"), want)
			pos, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				e.Errorf("Store has closed the file: %v", err)
			} else if pos != tt.from+int64(len(want)) {
				e.Errorf("the file stands at %d, want %d", pos, tt.from+int64(len(want)))
			}
		}
	}
	e.inStep("Store of files")
}

func caseStoreProgress(e *env) {
	data := random(3<<20 + 1)
	for name, src := range map[string]func() io.Reader{
		"file":         func() io.Reader { return e.localFile(data) },
		"limited file": func() io.Reader { return &io.LimitedReader{R: e.localFile(data), N: int64(len(data))} },
		"bytes":        func() io.Reader { return bytes.NewReader(data) },
	} {
		var m meter
		n, err := e.c.Store(e.ctx, e.at(name), 0, src(), &transport.IO{Size: int64(len(data)), Progress: m.add})
		e.ok(err, "Store of %s", name)
		m.check(e, "Store of "+name, n, 3)
	}
}

func (m *meter) check(e *env, what string, n int64, calls int) {
	e.Helper()
	if m.sum != n || m.bad != "" || m.calls < calls {
		e.Errorf("%s: n is %d, Progress was told of %d in %d calls, want at least %d calls that do not overlap (%s)",
			what, n, m.sum, m.calls, calls, m.bad)
	}
}

// What fails is the source: KindLocal, its own error, and nothing claimed that is
// not there.
func caseStoreSourceFails(e *env) {
	data := random(1 << 20)
	closed := e.localFile(data)
	e.ok(closed.Close(), "Close of a local file")
	for _, tt := range []struct {
		name  string
		src   io.Reader
		given int
		cause error
	}{
		{"at once", failingReader{bytes.NewReader(nil)}, 0, errOwn},
		{"within the first packet", failingReader{bytes.NewReader(data[:1000])}, 1000, errOwn},
		{"later", failingReader{bytes.NewReader(data)}, len(data), errOwn},
		{"file", closed, 0, os.ErrClosed},
		{"limited file", &io.LimitedReader{R: closed, N: 1000}, 0, os.ErrClosed},
	} {
		e.sub(tt.name, func(e *env) {
			remote := e.at("fails " + tt.name)
			n, err := e.c.Store(e.ctx, remote, 0, tt.src, &transport.IO{Size: 2 << 20})
			e.fails("Store", err, transport.KindLocal)
			if !errors.Is(err, tt.cause) {
				e.Errorf("errors.Is does not find the source's own error in %v", err)
			}
			if n < 0 || n > int64(tt.given) || e.ftp() && n != 0 {
				e.Errorf("n = %d after %d bytes of the source; over FTP it is 0", n, tt.given)
			}
			usable := e.c.Usable()
			e.inStepOrUnusable("a source that failed")
			if usable {
				// The server has finished with the file.
				got := e.content(remote)
				if len(got) > tt.given || !bytes.Equal(got, data[:len(got)]) {
					e.Errorf("the server has %d bytes that are not a prefix of the %d that the source gave", len(got), tt.given)
				}
				if int64(len(got)) < n || !e.ftp() && int64(len(got)) != n {
					e.Errorf("the server has %d bytes, n is %d", len(got), n)
				}
			}
		})
	}
}

func caseStoreMissingFolder(e *env) {
	remote := e.at("no such folder/f")
	n, err := e.c.Store(e.ctx, remote, 0, bytes.NewReader(random(300_000)), nil)
	e.fails("Store into a missing folder", err, refused...)
	if n != 0 {
		e.Errorf("n = %d", n)
	}
	e.inStep("Store into a missing folder")
	e.gone(e.at("no such folder"))
}

func caseStoreOntoFolder(e *env) {
	e.ok(e.c.Mkdir(e.ctx, e.at("folder")), "Mkdir")
	e.put(e.at("folder/f"), random(10))
	n, err := e.c.Store(e.ctx, e.at("folder"), 0, bytes.NewReader(random(1000)), nil)
	e.fails("Store onto a folder", err, refused...)
	if n != 0 {
		e.Errorf("n = %d", n)
	}
	e.inStep("Store onto a folder")
	e.holds(e.at("folder/f"), random(10))
}
