package ftpdriver

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

type batchKey struct{}

// TestTraceKnowsItsBatch: commands are numbered, a reply has the number of its command, and
// both have the context of their batch, also where the end of one batch is sent by the next.
func TestTraceKnowsItsBatch(t *testing.T) {
	ep, _ := startFake(t, transport.FTP, func(f *fake) { f.files["f"] = []byte("1") })
	var mu sync.Mutex // guards what follows
	var told []string
	last := uint64(0)
	ep.Trace = &transport.Trace{Conn: 7,
		Command: func(ctx context.Context, c transport.TraceCommand) {
			mu.Lock()
			defer mu.Unlock()
			if last++; c.Seq != last || c.Conn != 7 || c.Protocol != transport.FTP || c.Addr != ep.Addr() {
				t.Errorf("%+v, want number %d", c, last)
			}
			verb, _, _ := strings.Cut(c.Line, " ")
			told = append(told, fmt.Sprint("> ", verb, " ", c.Seq, " ", ctx.Value(batchKey{})))
		},
		Reply: func(ctx context.Context, r transport.TraceReply) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint("< ", r.Seq, " ", ctx.Value(batchKey{})))
		},
	}
	raw, err := Dial(context.WithValue(t.Context(), batchKey{}, "dial"), ep)
	if err != nil {
		t.Fatal(err)
	}
	c := &tconn{raw, transport.Calls{Conn: raw}}
	defer c.Close()
	mu.Lock()
	if told[0] != "< 0 dial" { // the greeting
		t.Errorf("%q", told)
	}
	for _, line := range told {
		if !strings.HasSuffix(line, " dial") {
			t.Errorf("%q", line)
		}
	}
	told = nil
	before := last
	mu.Unlock()

	first, second := context.WithValue(t.Context(), batchKey{}, "first"), context.WithValue(t.Context(), batchKey{}, "second")
	rename := &transport.Rename{From: "f", To: "g"}
	done := make(chan error, 1)
	rename.If = func() bool {
		go func() { done <- c.Do(second, transport.NewBatch(&transport.Ping{})) }()
		c.awaitWaiter()
		return true
	}
	if err := c.Do(first, transport.NewBatch(rename)); err != nil || rename.Err != nil {
		t.Fatal(err, rename.Err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	want := []string{fmt.Sprint("> RNFR ", before+1, " first"), fmt.Sprint("> RNTO ", before+2, " first"), fmt.Sprint("> NOOP ", before+3, " second"),
		fmt.Sprint("< ", before+1, " first"), fmt.Sprint("< ", before+2, " first"), fmt.Sprint("< ", before+3, " second")}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}

// awaitWaiter waits until another call waits for the session.
func (c *tconn) awaitWaiter() {
	for {
		c.mu.Lock()
		waits := c.next != nil
		c.mu.Unlock()
		if runtime.Gosched(); waits {
			return
		}
	}
}
