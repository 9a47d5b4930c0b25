package conformance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// caseSequence does fifty things on one connection, failures among them, and looks
// at each answer: one that belongs to another question shows.
func caseSequence(e *env) {
	conn := e.c
	for i := range 10 {
		name := e.at(fmt.Sprint("f", i))
		data := random(1000*i + 3)
		e.put(name, data)
		st, err := e.c.Stat(e.ctx, name)
		if err != nil || st.Size != int64(len(data)) || st.Name != fmt.Sprint("f", i) {
			e.Errorf("round %d: Stat: %+v, %v", i, st, err)
		}
		switch i % 5 {
		case 0:
			_, err = e.c.Stat(e.ctx, e.at("missing"))
			e.fails("Stat of a missing file", err, transport.KindNotExist)
		case 1:
			_, err = e.c.Retrieve(e.ctx, e.at("missing"), 0, io.Discard, nil)
			e.fails("Retrieve of a missing file", err, transport.KindNotExist)
		case 2:
			_, err = e.c.Store(e.ctx, e.at("missing/f"), 0, bytes.NewReader(data), nil)
			e.fails("Store into a missing folder", err, refused...)
		case 3:
			e.fails("Remove of a missing file", e.c.Remove(e.ctx, e.at("missing")), transport.KindNotExist)
		case 4:
			e.ok(e.c.Ping(e.ctx), "Ping")
		}
		e.fetch(name, int64(i), nil, data[min(i, len(data)):])
		e.ok(e.c.Rename(e.ctx, name, name+".new", true), "Rename")
		want := map[string]int64{}
		for j := range i + 1 {
			want[fmt.Sprintf("f%d.new", j)] = int64(1000*j + 3)
		}
		e.wantEntries(e.dir, want)
	}
	if e.c != conn {
		e.Errorf("the connection did not last")
	}
	e.inStep("a long sequence")
}

// A context that has ended already: nothing is done, and the connection is left
// as it is.
func caseCanceledBefore(e *env) {
	e.put(e.at("f"), random(10))
	cause := errors.New("the caller's own reason")
	canceled, cancel := context.WithCancelCause(e.ctx)
	cancel(cause)
	late, cancel2 := context.WithDeadline(e.ctx, time.Now().Add(-time.Hour))
	defer cancel2()
	var before int64
	if e.opts.Sent != nil {
		before = e.opts.Sent()
	}
	conn := e.c
	for _, m := range everything(e.c.Info().Caps, e.at("new"), e.at("f")) {
		for _, tt := range []struct {
			ctx  context.Context
			errs []error
		}{{canceled, []error{context.Canceled, cause}}, {late, []error{context.DeadlineExceeded}}} {
			e.within(m.name+" with an ended context", func() {
				touched, err := m.call(tt.ctx, e.c)
				e.fails(m.name+" with an ended context", err, transport.KindCanceled)
				for _, want := range tt.errs {
					if !errors.Is(err, want) {
						e.Errorf("%s with an ended context: errors.Is does not find %q in %v", m.name, want, err)
					}
				}
				if touched {
					e.Errorf("%s with an ended context: the source was read, the destination written or something returned", m.name)
				}
			})
			if !e.c.Usable() {
				e.connect()
			}
		}
	}
	e.fails("Ping with an ended context", e.c.Ping(canceled), transport.KindCanceled)
	if e.opts.Sent != nil && e.c == conn && e.opts.Sent() != before {
		e.Errorf("calls with an ended context have sent %d commands", e.opts.Sent()-before)
	}
	if !e.c.Usable() {
		e.connect()
	}
	e.wantEntries(e.dir, map[string]int64{"f": 10})
	e.holds(e.at("f"), random(10))
}

// interrupted starts a transfer that stops at a gate, does something meanwhile,
// opens the gate and returns what became of the transfer.
func (e *env) interrupted(what string, g *gate, transfer func() (int64, error), meanwhile func()) (n int64, err error) {
	e.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, err = transfer()
	}()
	defer func() {
		select {
		case <-g.open:
		default:
			close(g.open)
		}
	}()
	e.wait(what+" has to come halfway", either(g.reached, done))
	select {
	case <-g.reached:
	default:
		e.Fatalf("%s ended before it came halfway: n = %d, %v", what, n, err)
	}
	meanwhile()
	close(g.open)
	e.wait(what+" has to end", done)
	return n, err
}

// either is closed when a or b is; one of them will be.
func either(a, b <-chan struct{}) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		select {
		case <-a:
		case <-b:
		}
	}()
	return c
}

// big makes a file that no buffer holds, and returns its remote path.
func (e *env) big() string {
	e.Helper()
	remote := e.at("big")
	if name := e.disk(remote); name != "" {
		f, err := os.Create(name)
		e.ok(err, "creating a file on the server's disk")
		defer f.Close()
		e.ok(f.Chmod(0o644), "chmod")
		e.ok(f.Truncate(endless), "making it long") // without using space
		return remote
	}
	e.put(remote, make([]byte, 8<<20))
	return remote
}

// wasCanceled checks what a transfer that was cancelled on its way returned.
func (e *env) wasCanceled(what string, err error, cause error) {
	e.Helper()
	e.fails(what, err, transport.KindCanceled)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		e.Errorf("%s: errors.Is does not find context.Canceled and the cause in %v", what, err)
	}
	e.dead(what + " that was cancelled")
}

func caseCanceledStore(e *env) {
	cause := errors.New("the caller's own reason")
	ctx, cancel := context.WithCancelCause(e.ctx)
	defer cancel(nil)
	src := &gatedReader{gate: newGate(), first: 1 << 20}
	n, err := e.interrupted("Store", src.gate, func() (int64, error) {
		return e.c.Store(ctx, e.at("f"), 0, src, nil)
	}, func() { cancel(cause) })
	e.wasCanceled("Store", err, cause)
	e.claim(n, err)
}

// claim checks n of a Store that failed against the file, which it must not exceed.
func (e *env) claim(n int64, err error) {
	e.Helper()
	if e.ftp() {
		if n != 0 {
			e.Errorf("n = %d of a Store that failed over FTP (%v)", n, err)
		}
		return
	}
	if size := int64(len(e.content(e.at("f")))); n < 0 || n > size {
		e.Errorf("n = %d, the server has %d bytes (%v)", n, size, err)
	}
}

func caseCanceledRetrieve(e *env) {
	remote := e.big()
	cause := errors.New("the caller's own reason")
	ctx, cancel := context.WithCancelCause(e.ctx)
	defer cancel(nil)
	dst := &gatedWriter{gate: newGate(), first: 100_000}
	n, err := e.interrupted("Retrieve", dst.gate, func() (int64, error) {
		return e.c.Retrieve(ctx, remote, 0, dst, nil)
	}, func() { cancel(cause) })
	e.wasCanceled("Retrieve", err, cause)
	if taken := dst.taken.Load(); n != taken {
		e.Errorf("n = %d, the destination took %d", n, taken)
	}
}

// A source that ends with the context's error is a cancellation, not a broken source.
func caseCanceledSource(e *env) {
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	src := &gatedReader{gate: newGate(), first: 1 << 20, err: context.Canceled}
	_, err := e.interrupted("Store", src.gate, func() (int64, error) {
		return e.c.Store(ctx, e.at("f"), 0, src, nil)
	}, cancel)
	e.wasCanceled("Store", err, context.Canceled)
}

func caseCloseTwice(e *env) {
	e.within("Close", func() {
		for i := range 2 {
			if err := e.c.Close(); err != nil {
				e.Errorf("Close, call %d: %v", i+1, err)
			}
		}
	})
	e.dead("Close")
}

// closeMeanwhile closes the connection while a transfer is under way, for which
// Close must not wait.
func (e *env) closeMeanwhile() {
	e.within("Close during a transfer", func() {
		if err := e.c.Close(); err != nil {
			e.Errorf("Close during a transfer: %v", err)
		}
	})
}

func caseCloseFreesStore(e *env) {
	src := &gatedReader{gate: newGate(), first: 1 << 20}
	n, err := e.interrupted("Store", src.gate, func() (int64, error) {
		return e.c.Store(e.ctx, e.at("f"), 0, src, nil)
	}, e.closeMeanwhile)
	e.fails("Store on a connection that was closed meanwhile", err)
	e.dead("Close")
	e.claim(n, err)
}

func caseCloseFreesRetrieve(e *env) {
	remote := e.big()
	dst := &gatedWriter{gate: newGate(), first: 100_000}
	n, err := e.interrupted("Retrieve", dst.gate, func() (int64, error) {
		return e.c.Retrieve(e.ctx, remote, 0, dst, nil)
	}, e.closeMeanwhile)
	e.fails("Retrieve on a connection that was closed meanwhile", err)
	if taken := dst.taken.Load(); n != taken {
		e.Errorf("n = %d, the destination took %d", n, taken)
	}
	e.dead("Close")
}

func caseUseAfterClose(e *env) {
	e.put(e.at("f"), random(10))
	calls := everything(e.c.Info().Caps, e.at("new"), e.at("f"))
	info := e.c.Info()
	_ = e.c.Close()
	for _, m := range calls {
		e.within(m.name+" after Close", func() {
			touched, err := m.call(e.ctx, e.c)
			if te := e.fails(m.name+" after Close", err, transport.KindLost); te.MayHaveActed {
				e.Errorf("%s after Close may have acted: %v", m.name, err)
			}
			if touched {
				e.Errorf("%s after Close: the source was read, the destination written or something returned", m.name)
			}
		})
	}
	e.dead("Close")
	if after := e.c.Info(); after.Addr != info.Addr || after.Protocol != info.Protocol {
		e.Errorf("Info after Close is %+v", after)
	}
	e.connect()
	e.wantEntries(e.dir, map[string]int64{"f": 10})
}

// Close, Usable and Info may be called at any moment from anywhere; the race
// detector looks on.
func caseAskedMeanwhile(e *env) {
	src := &gatedReader{gate: newGate(), first: 1 << 20}
	_, err := e.interrupted("Store", src.gate, func() (int64, error) {
		return e.c.Store(e.ctx, e.at("f"), 0, src, nil)
	}, func() {
		if !e.c.Usable() {
			e.Errorf("a connection is not usable while it is being used")
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				_ = e.c.Info()
				_ = e.c.Usable()
				if i%2 == 1 {
					_ = e.c.Close()
				}
			})
		}
		closed := make(chan struct{})
		go func() { wg.Wait(); close(closed) }()
		e.wait("Info, Usable and Close during a Store", closed)
	})
	e.fails("Store on a connection that was closed meanwhile", err)
	e.dead("Close")
}
