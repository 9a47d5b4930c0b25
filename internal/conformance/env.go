package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// env is what a case works with: a connection, and a folder of its own.
type env struct {
	T
	name string // of the case
	open func(T) transport.Conn
	opts *Options
	ctx  context.Context
	c    transport.Calls
	dir  string // remote
}

var folders atomic.Int64

func newEnv(t T, name string, open func(T) transport.Conn, opts *Options) *env {
	e := &env{T: t, name: name, open: open, opts: opts, ctx: t.Context()}
	e.connect()
	e.dir = fmt.Sprintf("%s-%d", name, folders.Add(1))
	e.ok(e.c.Mkdir(e.ctx, e.dir), "Mkdir of the case's folder")
	return e
}

func (e *env) connect() {
	e.Helper()
	c := e.open(e.T)
	if c == nil {
		e.Fatalf("open returned no connection")
	}
	e.Cleanup(func() { _ = c.Close() })
	e.c = transport.Calls{Conn: c}
}

// sub runs part of a case under a name of its own, on the same connection as long
// as that is usable.
func (e *env) sub(name string, f func(*env)) {
	e.Helper()
	e.Run(name, func(t T) {
		t.Helper()
		if why, ok := e.opts.Skip[e.name+"/"+name]; ok {
			t.Skipf("%s", why)
		}
		s := *e
		s.T, s.ctx = t, t.Context()
		if !s.c.Usable() {
			s.connect()
		}
		f(&s)
	})
}

// at returns the remote path of a name in the case's folder.
func (e *env) at(name string) string { return e.dir + "/" + name }

// disk returns where a remote path is on the server's disk, "" if that cannot be
// looked at.
func (e *env) disk(remote string) string {
	if e.opts.Root == "" {
		return ""
	}
	return filepath.Join(e.opts.Root, filepath.FromSlash(remote))
}

// ok ends the case on an error.
func (e *env) ok(err error, what string, args ...any) {
	e.Helper()
	if err != nil {
		e.Fatalf("%s: unexpected error %v", fmt.Sprintf(what, args...), err)
	}
}

// put stores a file by one Store.
func (e *env) put(remote string, data []byte) {
	e.Helper()
	n, err := e.c.Store(e.ctx, remote, 0, bytes.NewReader(data), nil)
	e.ok(err, "Store of %d bytes to %q", len(data), remote)
	if n != int64(len(data)) {
		e.Fatalf("Store to %q: n = %d without an error, want %d", remote, n, len(data))
	}
}

// content returns what is stored under a remote path.
func (e *env) content(remote string) []byte {
	e.Helper()
	if name := e.disk(remote); name != "" {
		data, err := os.ReadFile(name)
		e.ok(err, "reading the server's disk")
		return data
	}
	if !e.c.Usable() {
		e.connect()
	}
	var out bytes.Buffer
	_, err := e.c.Retrieve(e.ctx, remote, 0, &out, nil)
	e.ok(err, "Retrieve of %q", remote)
	return out.Bytes()
}

// holds checks what is stored under a remote path.
func (e *env) holds(remote string, want []byte) {
	e.Helper()
	e.same(fmt.Sprintf("%q on the server", remote), e.content(remote), want)
}

// same compares bytes and says where they part.
func (e *env) same(what string, got, want []byte) {
	e.Helper()
	if bytes.Equal(got, want) {
		return
	}
	const block = 4 << 10
	i, n := 0, min(len(got), len(want))
	for i+block <= n && bytes.Equal(got[i:i+block], want[i:i+block]) {
		i += block
	}
	for i < n && got[i] == want[i] {
		i++
	}
	e.Errorf("%s: %d bytes, want %d; the first difference is at byte %d", what, len(got), len(want), i)
}

// gone checks that there is nothing under a remote path.
func (e *env) gone(remote string) {
	e.Helper()
	if name := e.disk(remote); name != "" {
		if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
			e.Errorf("%q is on the server's disk and should not be (%v)", remote, err)
		}
		return
	}
	_, err := e.c.Stat(e.ctx, remote)
	if transport.KindOf(err) != transport.KindNotExist || err == nil {
		e.Errorf("%q should not be there: Stat says %v", remote, err)
	}
}

// isDir checks that there is a folder under a remote path.
func (e *env) isDir(remote string) {
	e.Helper()
	if name := e.disk(remote); name != "" {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			e.Errorf("%q is no folder on the server's disk (%v)", remote, err)
		}
		return
	}
	st, err := e.c.Stat(e.ctx, remote)
	if err != nil || !st.IsDir() {
		e.Errorf("%q is no folder: %+v, %v", remote, st, err)
	}
}

// fails checks that a call failed with an [*transport.Error] of one of the kinds,
// of any kind but KindUnknown where none is given, that says who it is about.
func (e *env) fails(what string, err error, kinds ...transport.Kind) *transport.Error {
	e.Helper()
	if err == nil {
		e.Errorf("%s: no error, want %v", what, kindsText(kinds))
		return &transport.Error{}
	}
	var te *transport.Error
	if !errors.As(err, &te) {
		e.Errorf("%s: %T is no *transport.Error: %v", what, err, err)
		return &transport.Error{}
	}
	matches := len(kinds) == 0 && te.Kind != transport.KindUnknown
	for _, k := range kinds {
		matches = matches || te.Kind == k
	}
	if !matches {
		e.Errorf("%s: kind %q, want %s: %v", what, te.Kind, kindsText(kinds), err)
	}
	info := e.c.Info()
	if te.Op == "" || te.Addr != info.Addr || te.Protocol != info.Protocol || te.Err == nil {
		e.Errorf("%s: Op %q, Addr %q, Protocol %v, Err %v: want all of them filled, as in Info (%q, %v)",
			what, te.Op, te.Addr, te.Protocol, te.Err, info.Addr, info.Protocol)
	}
	return te
}

func kindsText(kinds []transport.Kind) string {
	if len(kinds) == 0 {
		return "a known kind"
	}
	var names []string
	for _, k := range kinds {
		names = append(names, fmt.Sprintf("%q", k))
	}
	return strings.Join(names, " or ")
}

// refused is what a server says to what it cannot do, in words of its own: any
// definite no.
var refused = []transport.Kind{transport.KindRefused, transport.KindTemporary, transport.KindExist, transport.KindNotExist,
	transport.KindPermission, transport.KindName, transport.KindUnsupported}

// inStep checks that the connection is usable and that answers still belong to
// their questions.
func (e *env) inStep(after string) {
	e.Helper()
	if !e.c.Usable() {
		e.Errorf("after %s the connection is not usable", after)
		return
	}
	if err := e.c.Ping(e.ctx); err != nil {
		e.Errorf("after %s Ping fails: %v", after, err)
		return
	}
	st, err := e.c.Stat(e.ctx, e.dir)
	if err != nil || !st.IsDir() {
		e.Errorf("after %s Stat of a folder gives %+v, %v", after, st, err)
		return
	}
	missing := e.at("there is nothing of this name")
	if _, err := e.c.Stat(e.ctx, missing); transport.KindOf(err) != transport.KindNotExist {
		e.Errorf("after %s Stat of a missing file gives %v", after, err)
	}
}

// inStepOrUnusable is inStep where the contract lets a connection be given up.
func (e *env) inStepOrUnusable(after string) {
	e.Helper()
	if e.c.Usable() {
		e.inStep(after)
		return
	}
	e.Logf("after %s the connection is not usable, as it may be", after)
	e.dead(after)
}

// dead checks that a connection that is not usable does nothing any more.
func (e *env) dead(after string) {
	e.Helper()
	if e.c.Usable() {
		e.Errorf("after %s the connection says that it is usable", after)
	}
	e.within("Ping on a dead connection", func() {
		if err := e.c.Ping(e.ctx); err == nil {
			e.Errorf("after %s Ping succeeds", after)
		}
	})
}

// within runs f, which must return without delay. If it does not, the connection
// is closed to free it.
func (e *env) within(what string, f func()) {
	e.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	e.wait(what, done)
}

// wait waits for something that should happen at once.
func (e *env) wait(what string, done <-chan struct{}) {
	e.Helper()
	timer := time.NewTimer(e.opts.Timeout)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		c := e.c
		go func() { _ = c.Close() }() // it might hang as well
		e.Fatalf("%s: still waiting after %v", what, e.opts.Timeout)
	}
}

// ftp reports whether the protocol is one of FTP's.
func (e *env) ftp() bool { return e.c.Info().Protocol.IsFTP() }
