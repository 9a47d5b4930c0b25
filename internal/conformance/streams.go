package conformance

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
)

// random returns n bytes that no part of resembles another, the same for the same
// n. They are shared: nobody changes them.
func random(n int) []byte {
	if b, ok := randoms.Load(n); ok {
		return b.([]byte)
	}
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}).Read(b)
	randoms.Store(n, b)
	return b
}

var randoms sync.Map

// localFile returns an open file with some content.
func (e *env) localFile(data []byte) *os.File {
	e.Helper()
	name := filepath.Join(e.TempDir(), "source")
	e.ok(os.WriteFile(name, data, 0o600), "writing a local file")
	f, err := os.Open(name)
	e.ok(err, "opening a local file")
	e.Cleanup(func() { f.Close() })
	return f
}

// slowReader gives a few bytes at a time, of changing number, and lets others run
// in between.
type slowReader struct {
	r    io.Reader
	step int
}

func (s *slowReader) Read(p []byte) (int, error) {
	runtime.Gosched()
	s.step = s.step*7%8191 + 1
	return s.r.Read(p[:min(len(p), s.step)])
}

// errOwn is what the sources and destinations of tests fail with.
var errOwn = errors.New("the test's own failure")

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// failingReader fails when its bytes are used up.
type failingReader struct{ r io.Reader }

func (f failingReader) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err == io.EOF {
		err = errOwn
	}
	return n, err
}

// failingWriter takes so many bytes and then fails with err; err may be nil.
type failingWriter struct {
	room int
	got  []byte
	err  error
}

func (f *failingWriter) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	f.room -= n
	f.got = append(f.got, p[:n]...)
	if n < len(p) {
		return n, f.err
	}
	return n, nil
}

// gate stops whoever comes through, once, until it is told to go on.
type gate struct {
	once    sync.Once
	reached chan struct{} // closed when somebody stands at it
	open    chan struct{} // close it to let him go on
}

func newGate() *gate { return &gate{reached: make(chan struct{}), open: make(chan struct{})} }

func (g *gate) pass() {
	g.once.Do(func() {
		close(g.reached)
		<-g.open
	})
}

// endless is more than any buffer between here and a server holds.
const endless = 64 << 20

// gatedReader gives some bytes, stops at the gate, and gives endlessly more. Each
// read lets others run, so that what was set off before the gate opened happens
// long before the end.
type gatedReader struct {
	*gate
	given, first int
	err          error // to return after the gate, nil to go on
}

func (g *gatedReader) Read(p []byte) (int, error) {
	if g.given >= g.first {
		g.pass()
		if g.err != nil {
			return 0, g.err
		}
	}
	runtime.Gosched()
	if g.given >= endless {
		return 0, io.EOF
	}
	n := min(len(p), 16<<10)
	if g.given < g.first {
		n = min(n, g.first-g.given)
	}
	g.given += n
	return n, nil
}

// gatedWriter takes some bytes, stops at the gate, and takes everything then.
type gatedWriter struct {
	*gate
	first int
	taken atomic.Int64
}

func (g *gatedWriter) Write(p []byte) (int, error) {
	if g.taken.Load() >= int64(g.first) {
		g.pass()
	}
	runtime.Gosched()
	g.taken.Add(int64(len(p)))
	return len(p), nil
}

// meter is a Progress that adds up and notices calls that overlap.
type meter struct {
	inside atomic.Int32
	sum    int64
	calls  int
	bad    string
}

func (m *meter) add(n int64) {
	if m.inside.Add(1) != 1 {
		m.bad = "calls overlap"
	}
	runtime.Gosched()
	if n <= 0 {
		m.bad = "a call with nothing"
	}
	m.sum += n
	m.calls++
	m.inside.Add(-1)
}
