package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// pausing gives out data, calls then, and goes on until the context ends, as the body of an
// HTTP request does.
type pausing struct {
	ctx  context.Context
	data io.Reader
	then func()
}

func (p *pausing) Read(b []byte) (int, error) {
	if n, err := p.data.Read(b); err == nil {
		return n, nil
	}
	if p.then != nil {
		p.then()
		p.then = nil
	}
	<-p.ctx.Done()
	return 0, context.Cause(p.ctx)
}

// wantAbandoned demands that a failed Put names its partial, and that it goes away.
func wantAbandoned(t *testing.T, root string, err error) {
	t.Helper()
	var e *ftpx.Error
	if !errors.As(err, &e) || e.Outcome != ftpx.NotDone || e.Partial == "" || path.Dir(e.Partial) == "f" {
		t.Fatalf("%+v, want an error that names the partial", err)
	}
	wantEmpty(t, root)
}

// wantEmpty waits until nothing is left in a folder.
func wantEmpty(t *testing.T, root string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		left, lerr := os.ReadDir(root)
		if lerr != nil {
			t.Fatal(lerr)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%v is left, although nothing can resume it", left)
		}
	}
}

// TestAbortedStreamLeavesNothing: what nobody can resume is named, and removed.
func TestAbortedStreamLeavesNothing(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		data := content(3 << 20)
		ctx, cancel := context.WithCancel(t.Context())
		_, err := c.Put(ctx, "f", &pausing{ctx: ctx, data: bytes.NewReader(data), then: cancel}, nil)
		if ftpx.KindOf(err) != ftpx.KindCanceled && ftpx.KindOf(err) != ftpx.KindLocal {
			t.Errorf("cancelled: %v", err)
		}
		wantAbandoned(t, trio.Root, err)

		// Nothing has been read, and an empty file may have been made.
		ctx, cancel = context.WithCancel(t.Context())
		if _, err := c.Put(ctx, "f", &pausing{ctx: ctx, data: bytes.NewReader(nil), then: cancel}, nil); err == nil {
			t.Error("cancelled: it is done")
		}
		wantEmpty(t, trio.Root)

		broke := errors.New("the body broke")
		_, err = c.Put(t.Context(), "f", io.MultiReader(bytes.NewReader(data), errReader{broke}), nil)
		if !errors.Is(err, broke) {
			t.Errorf("a source that fails: %v", err)
		}
		wantAbandoned(t, trio.Root, err)

		failed := make(chan error, 1)
		under := make(chan struct{})
		go func() {
			_, err := c.Put(context.Background(), "f", &pausing{ctx: t.Context(), data: io.MultiReader(bytes.NewReader(data), onEOF(func() { close(under) }), dripping{}), then: nil}, nil)
			failed <- err
		}()
		<-under
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := filepath.Glob(filepath.Join(trio.Root, ".f*")); len(left) > 0 {
			t.Errorf("Close has left %q", left)
		}
		if err = <-failed; !errors.Is(err, ftpx.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
		wantAbandoned(t, trio.Root, err)
	})
}

type onEOF func()

func (f onEOF) Read([]byte) (int, error) { f(); return 0, io.EOF }

// dripping never ends and always has something.
type dripping struct{}

func (dripping) Read(b []byte) (int, error) { time.Sleep(time.Millisecond); return copy(b, "x"), nil }

// TestCanceledUploadTellsItsOffset: what the server has acknowledged has arrived.
func TestCanceledUploadTellsItsOffset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := ftpxtest.NewClient(ftpxtest.WithRate(1<<20), ftpxtest.WithRoundTrip(10*time.Millisecond))
		defer c.Close()
		for name, source := range map[string]io.Reader{"f": bytes.NewReader(content(8 << 20)), "stream": io.MultiReader(bytes.NewReader(content(8 << 20)))} {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			_, err := c.Put(ctx, name, source, nil)
			cancel()
			var e *ftpx.Error
			if !errors.As(err, &e) || e.Offset < 1<<20 || e.Offset > 4<<20 || e.Partial == "" {
				t.Fatalf("%s: %+v, want the bytes that have arrived, and where", name, e)
			}
			if have, ok := c.ReadFile(e.Partial); name == "f" && (!ok || int64(len(have)) < e.Offset) {
				t.Errorf("%d bytes are there, and %d are said to have arrived", len(have), e.Offset)
			}
			synctest.Wait()
			time.Sleep(10 * time.Second)
			if _, ok := c.ReadFile(e.Partial); ok != (name == "f") {
				t.Errorf("%s: its partial is there: %v", name, ok)
			}
		}
	})
}

// TestAbandonedIsBounded: a server that is gone does not keep Close.
func TestAbandonedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := ftpxtest.NewClient(ftpxtest.WithRate(1 << 20))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Put(ctx, "f", io.MultiReader(bytes.NewReader(content(8<<20))), nil)
		if err == nil {
			t.Fatal("it is done")
		}
		c.Down()
		begin := time.Now()
		c.Close()
		if took := time.Since(begin); took > 6*time.Second {
			t.Errorf("Close took %v", took)
		}
	})
}

// TestCloseDoesNotWaitForASource: a source that gives nothing and does not end keeps Close
// for five seconds.
func TestCloseDoesNotWaitForASource(t *testing.T) {
	for _, first := range []int{0, 3 << 20} {
		synctest.Test(t, func(t *testing.T) {
			c := ftpxtest.NewClient()
			r, w := io.Pipe()
			ended := make(chan error)
			go func() {
				_, err := c.Put(context.Background(), "f", io.MultiReader(bytes.NewReader(content(first)), r), nil)
				ended <- err
			}()
			synctest.Wait()
			begin := time.Now()
			c.Close()
			if took := time.Since(begin); took > 6*time.Second {
				t.Errorf("Close took %v", took)
			}
			w.Close()
			if err := <-ended; !errors.Is(err, ftpx.ErrClosed) {
				t.Error(err)
			}
		})
	}
}
