package ftpx_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

// exchanged records what goes over the control connections, in order.
type exchanged struct {
	mu   sync.Mutex
	said []string
	hold *hold
}

// hold is for a ping that keeps its connection.
type hold struct {
	begun, until chan struct{}
	once         sync.Once
}

func (e *exchanged) hooks() *ftpx.Hooks {
	return &ftpx.Hooks{
		Command: func(i ftpx.CommandInfo) { e.note(">" + strings.SplitN(i.Line, " ", 2)[0]) },
		Reply:   func(i ftpx.ReplyInfo) { e.note(fmt.Sprint("<", i.Code)) },
		Attempt: func(i ftpx.AttemptInfo) {
			e.mu.Lock()
			h := e.hold
			e.mu.Unlock()
			if i.Op == "ping" && h != nil {
				h.once.Do(func() { close(h.begun) })
				<-h.until
			}
		},
	}
}

// crowd makes n uploads that all wait for the one connection before the first begins.
func (e *exchanged) crowd(t *testing.T, c ftpx.Client, n int) {
	t.Helper()
	h := &hold{begun: make(chan struct{}), until: make(chan struct{})}
	e.mu.Lock()
	e.hold = h
	e.mu.Unlock()
	pinged := make(chan error, 1)
	go func() { pinged <- c.Ping(t.Context()) }()
	<-h.begun
	go func() {
		defer close(h.until)
		for ftpx.Waiting(c) < n && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	uploads(t.Context(), t, c, n)
	if err := <-pinged; err != nil {
		t.Error(err)
	}
}

func (e *exchanged) note(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.said = append(e.said, s)
}

// late counts the renames that went out together with the next upload.
func (e *exchanged) late() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Count(strings.Join(e.said, " "), ">RNFR >RNTO >STOR")
}

// uploads makes n uploads at once; the file i holds content(i+1).
func uploads(ctx context.Context, t *testing.T, c ftpx.Client, n int) {
	var all sync.WaitGroup
	for i := range n {
		local := localFile(t, content(i+1))
		all.Go(func() {
			res, err := c.Upload(ctx, local, fmt.Sprint("f", i), nil)
			if err != nil || res.Outcome != ftpx.Done || !res.TimeKept || !res.Verified.Size {
				t.Errorf("f%d: %+v, %v", i, res, err)
			}
		})
	}
	all.Wait()
}

func wantUploads(t *testing.T, dir string, n int) {
	t.Helper()
	for i := range n {
		wantFile(t, filepath.Join(dir, fmt.Sprint("f", i)), content(i+1))
	}
	// What begins with a dot is left by the server, which carries out the beginning
	// of a command line that a reset has cut.
	if names, err := filepath.Glob(filepath.Join(dir, "f*")); err != nil || len(names) != n {
		t.Errorf("%q, %v", names, err)
	}
}

// TestRenameGoesOutWithTheNextUpload: where uploads wait for a connection, the rename
// of one costs no round trip, and each is done when it is. The last has no next; and
// where the server refuses to replace, nothing is left to it the second time.
func TestRenameGoesOutWithTheNextUpload(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.FTPS, ftpx.FTP} {
		for _, existing := range []bool{false, true} { // the server refuses to replace
			t.Run(fmt.Sprintf("%v existing=%v", p, existing), func(t *testing.T) {
				trio := startTrio(t, func(o *testserver.TrioOptions) {
					o.FTP = func(f *testserver.FTPOptions) { f.RefuseOverwrite = existing }
				})
				var said exchanged
				opts := optionsFor(trio, p)
				opts.Hooks, opts.MaxConns = said.hooks(), 1
				c := connect(t, trio, opts)
				const n = 40
				want := n - 1
				for i := range 2 {
					said.crowd(t, c, n)
					wantUploads(t, trio.Root, n)
					if late := said.late(); late < want {
						t.Errorf("%d of %d renames went out late", late, n*(i+1))
					}
					if !existing {
						want += n - 1
					}
				}
				if s := c.Stats(); s.Open > 1 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// TestLateRenameWhateverIsLost: an upload whose rename went with the connection of
// another one looks what became of it.
func TestLateRenameWhateverIsLost(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.FTPS, ftpx.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			trio := startTrio(t)
			proxy := faultproxy.New(faultproxy.Options{Seed: 7})
			defer proxy.Close()
			route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.Control, Target: trio.FTP.Addr().String(), Plan: func(i faultproxy.ConnInfo) faultproxy.Fault {
				return faultproxy.ResetAt(faultproxy.Both, 3000+i.Rand.Int64N(6000))
			}})
			if err != nil {
				t.Fatal(err)
			}
			var said exchanged
			opts := optionsFor(trio, p)
			opts.Hooks, opts.MaxConns = said.hooks(), 1
			opts.Ports.FTP = route.Port()
			opts.Retry = retry.Policy{MaxAttempts: 50, InitialDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond}
			c := connect(t, trio, opts)
			const n = 60
			said.crowd(t, c, n)
			wantUploads(t, trio.Root, n)
			if late := said.late(); late < n/4 {
				t.Errorf("%d of %d renames went out late", late, n)
			}
			if s := c.Stats(); s.Lost < 3 {
				t.Errorf("only %d connections were lost: the test shows nothing", s.Lost)
			}
		})
	}
}

// TestLateRenameCanceled: an upload that is canceled before its rename has gone out has
// not happened.
func TestLateRenameCanceled(t *testing.T) {
	trio := startTrio(t)
	opts := optionsFor(trio, ftpx.FTP)
	opts.MaxConns = 1
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var stored sync.WaitGroup
	opts.Hooks = &ftpx.Hooks{Command: func(i ftpx.CommandInfo) {
		if strings.HasPrefix(i.Line, "STOR") {
			cancel() // those that wait give up, the one that has the connection is broken off
		}
	}}
	c := connect(t, trio, opts)
	for i := range 8 {
		local := localFile(t, content(i+1))
		stored.Go(func() {
			res, err := c.Upload(ctx, local, fmt.Sprint("f", i), nil)
			if !errors.Is(err, context.Canceled) || res.Outcome == ftpx.Done {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
	stored.Wait()
	wantNoFinal(t, trio.Root)
}

// TestLateRenameGoesOutAlone: whoever the connection was for may not use it. Then the
// upload sends its rename itself.
func TestLateRenameGoesOutAlone(t *testing.T) {
	trio := startTrio(t)
	var said exchanged
	opts := optionsFor(trio, ftpx.FTP)
	opts.MaxConns, opts.Hooks = 1, said.hooks()
	var c ftpx.Client
	second, changes := localFile(t, content(2)), make(chan error, 1)
	opts.Hooks.Attempt = func(i ftpx.AttemptInfo) {
		if i.Remote != "first" {
			return
		}
		go func() {
			_, err := c.Upload(t.Context(), second, "second", &ftpx.UploadOptions{OnSourceChange: ftpx.SourceChangeFail})
			changes <- err
		}()
		for !ftpx.Crowded(c) && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if err := os.WriteFile(second, content(3), 0o644); err != nil {
			t.Error(err)
		}
	}
	c = connect(t, trio, opts)
	if _, err := c.Upload(t.Context(), localFile(t, content(1)), "first", nil); err != nil {
		t.Error(err)
	}
	if err := <-changes; !errors.Is(err, ftpx.ErrSourceChanged) {
		t.Errorf("the second upload: %v", err)
	}
	wantFile(t, filepath.Join(trio.Root, "first"), content(1))
	wantNames(t, trio.Root, "first")
	if said.late() > 0 {
		t.Errorf("it went out with another upload: %q", said.said)
	}
}

// wantNoFinal fails the test if there is anything but partials.
func wantNoFinal(t *testing.T, dir string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "f*"))
	if err != nil || len(names) > 0 {
		t.Errorf("%q, %v", names, err)
	}
}
