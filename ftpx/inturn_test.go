package ftpx_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Small uploads that wait for a connection share one on which batches go in turn: the end
// of one leaves with the beginning of the next.

// inTurn is a client with one connection, over a server that takes two batches at once
// on it, one after the other. shared counts the batches that had company.
type inTurn struct {
	ftpx.Client
	s      *memconn.Server
	shared atomic.Int32
}

// sharing counts the batches of a connection that began while another was under way.
type sharing struct {
	transport.Conn
	busy   atomic.Int32
	shared *atomic.Int32
}

func (c *sharing) Do(ctx context.Context, b *transport.Batch) error {
	if c.busy.Add(1) > 1 {
		c.shared.Add(1)
	}
	defer c.busy.Add(-1)
	return c.Conn.Do(ctx, b)
}

func newInTurn(t *testing.T, p ftpx.Protocol, change func(*memconn.Options, *ftpx.Options)) *inTurn {
	t.Helper()
	caps := memconn.DefaultCaps(p)
	caps.Overlap, caps.InTurn = 2, true
	so := memconn.Options{Caps: &caps, RoundTrip: 20 * time.Millisecond}
	opts := ftpx.Options{Protocols: []ftpx.Protocol{p}, Limits: ftpx.Limits{Conns: 1}, AllowPlaintext: true}
	if change != nil {
		change(&so, &opts)
	}
	k := &inTurn{s: memconn.New(so)}
	opts.Connect = func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		c, err := k.s.Dial(ctx, ep)
		if err != nil {
			return nil, err
		}
		return &sharing{Conn: c, shared: &k.shared}, nil
	}
	var err error
	if k.Client, err = ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.Close() })
	return k
}

func text(i int) string { return strings.Repeat(fmt.Sprint("file ", i, "\n"), 10+i) }

// put makes n uploads at once; the file f<i> gets text(i). The results are by number.
func (k *inTurn) put(ctx func(i int) context.Context, n int) (results []ftpx.Result, errs []error) {
	results, errs = make([]ftpx.Result, n), make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			results[i], errs[i] = k.Put(ctx(i), fmt.Sprint("f", i), strings.NewReader(text(i)), &ftpx.PutOptions{ModTime: time.Unix(1700000000, 0)})
		})
	}
	all.Wait()
	return results, errs
}

// wantTruth fails the test where an outcome is not what the disk shows. Unknown is
// allowed where it is said to be.
func (k *inTurn) wantTruth(t *testing.T, results []ftpx.Result, errs []error, unknown bool) {
	t.Helper()
	for i, res := range results {
		got, ok := k.s.Files().Read(fmt.Sprint("f", i))
		if ok && string(got) != text(i) {
			t.Errorf("f%d holds %d bytes that are not its own", i, len(got))
		}
		switch {
		case (errs[i] == nil) != (res.Outcome == ftpx.Done):
			t.Errorf("f%d: %v, but %v", i, res.Outcome, errs[i])
		case res.Outcome == ftpx.Unknown && !unknown:
			t.Errorf("f%d: unknown: %v", i, errs[i])
		case res.Outcome != ftpx.Unknown && ok != (res.Outcome == ftpx.Done):
			t.Errorf("f%d is there: %v, and the outcome %v: %v", i, ok, res.Outcome, errs[i])
		}
	}
}

func allOf(ctx context.Context) func(int) context.Context {
	return func(int) context.Context { return ctx }
}

// Many small uploads over one connection end with all files under their names, also where
// there were others and the server refuses to replace them in one step.
func TestManyUploadsOverOneConnection(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.FTPS, ftpx.FTP} {
		for _, refuse := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v refuse=%v", p, refuse), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k := newInTurn(t, p, func(o *memconn.Options, _ *ftpx.Options) { o.RefuseReplace = refuse })
					const n = 40
					for range 2 { // the second time the files are there
						k.shared.Store(0)
						results, errs := k.put(allOf(t.Context()), n)
						k.wantTruth(t, results, errs, false)
						for i, res := range results {
							if errs[i] != nil || !res.TimeKept || !res.Verified.Size || res.Attempts != 1 {
								t.Errorf("f%d: %+v, %v", i, res, errs[i])
							}
						}
						if shared := k.shared.Load(); shared < n/2 {
							t.Errorf("%d of %d uploads shared the connection", shared, n)
						}
					}
					if names := k.s.Files().Paths(); len(names) != n {
						t.Errorf("on the disk: %q", names)
					}
					if st := k.s.Stats(); st.Logins != 1 {
						t.Errorf("%d logins", st.Logins)
					}
					if st := k.Stats(); st.Open != 1 || st.Idle != 1 {
						t.Errorf("%+v", st)
					}
				})
			})
		}
	}
}

// A rename that is lost, with the next upload on the same connection, is looked for: the
// outcome is done in the end, and nothing is left behind.
func TestLostRenameOnASharedConnection(t *testing.T) {
	for _, lose := range []memconn.Action{memconn.LostBefore, memconn.LostAfter, memconn.Garbage} {
		for _, at := range []memconn.Step{memconn.StepRequest, memconn.StepReply} {
			t.Run(fmt.Sprint(lose, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					k := newInTurn(t, ftpx.FTPS, func(_ *memconn.Options, o *ftpx.Options) {
						o.Retry = retry.Policy{MaxAttempts: 50, InitialDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond}
					})
					var seen atomic.Int32
					k.s.Inject(func(op memconn.OpInfo) memconn.Fault {
						if op.Step == at && rename(op) && seen.Add(1)%4 == 2 {
							return memconn.Fault{Do: lose}
						}
						return memconn.Fault{}
					})
					const n = 24
					results, errs := k.put(allOf(t.Context()), n)
					k.wantTruth(t, results, errs, false)
					for i, err := range errs {
						if err != nil {
							t.Errorf("f%d: %v", i, err)
						}
					}
					if names := k.s.Files().Paths(); len(names) != n {
						t.Errorf("on the disk: %q", names)
					}
					if st := k.Stats(); st.Lost < 3 || k.shared.Load() == 0 {
						t.Errorf("%d connections were lost, %d batches shared one: the test shows nothing", st.Lost, k.shared.Load())
					}
				})
			})
		}
	}
}

// Whatever is lost, at whatever operation, an outcome is what the disk shows.
func TestSharedConnectionLostAnywhere(t *testing.T) {
	const n = 6
	for at := 0; ; at++ {
		ended := false
		synctest.Test(t, func(t *testing.T) {
			k := newInTurn(t, ftpx.FTPS, func(_ *memconn.Options, o *ftpx.Options) {
				o.Retry = retry.Policy{MaxAttempts: 5, InitialDelay: time.Millisecond}
			})
			begin := k.s.Stats().Ops
			for _, do := range []memconn.Action{memconn.LostBefore, memconn.LostAfter} {
				k.s.Inject(memconn.FailNth(begin+at, memconn.Fault{Do: do}))
				results, errs := k.put(allOf(t.Context()), n)
				k.wantTruth(t, results, errs, false)
				for i, err := range errs {
					if err != nil {
						t.Errorf("%v of operation %d: f%d: %v", do, at, i, err)
					}
				}
				if ops := k.s.Stats().Ops; ops-begin <= at {
					ended = true
				} else {
					begin = ops
				}
			}
		})
		if ended || t.Failed() {
			break
		}
	}
}

// An upload that is canceled takes its connection with it, and nothing of the others: they
// are done, and of it is said what is so.
func TestCanceledUploadHarmsNoOther(t *testing.T) {
	for _, step := range []string{"STOR", "RNTO"} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newInTurn(t, ftpx.FTPS, func(_ *memconn.Options, o *ftpx.Options) {
					o.Retry = retry.Policy{MaxAttempts: 20, InitialDelay: time.Millisecond}
				})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				const n, victim = 12, 5
				var hit atomic.Bool
				k.s.Inject(func(op memconn.OpInfo) memconn.Fault {
					mine := strings.HasPrefix(op.Path, fmt.Sprintf(".f%d.", victim))
					if op.Step == memconn.StepRequest && op.Request == step && mine && hit.CompareAndSwap(false, true) {
						cancel()
					}
					return memconn.Fault{}
				})
				results, errs := k.put(func(i int) context.Context {
					if i == victim {
						return ctx
					}
					return t.Context()
				}, n)
				k.wantTruth(t, results, errs, true)
				for i, err := range errs {
					if i != victim && err != nil || i == victim && !errors.Is(err, context.Canceled) {
						t.Errorf("f%d: %v", i, err)
					}
				}
				if !hit.Load() || step == "STOR" && results[victim].Outcome != ftpx.NotDone {
					t.Errorf("the canceled one: %+v", results[victim])
				}
			})
		})
	}
}

// All are canceled in the middle of the first: none is said to be done, and none is there.
func TestAllCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newInTurn(t, ftpx.FTP, nil)
		ctx, cancel := context.WithCancel(t.Context())
		k.s.Inject(func(op memconn.OpInfo) memconn.Fault {
			if op.Request == "STOR" {
				cancel()
			}
			return memconn.Fault{}
		})
		results, errs := k.put(allOf(ctx), 8)
		for i, err := range errs {
			if !errors.Is(err, context.Canceled) || results[i].Outcome != ftpx.NotDone {
				t.Errorf("f%d: %+v, %v", i, results[i], err)
			}
		}
		if names := k.s.Files().Paths(); slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "/f") || strings.HasPrefix(n, "f") }) {
			t.Errorf("on the disk: %q", names)
		}
	})
}

// Close in the middle ends all that is under way or waits, at once, and says of none that
// it is done or not done against what the disk shows.
func TestCloseAmongSharedUploads(t *testing.T) {
	for after := range 12 {
		synctest.Test(t, func(t *testing.T) {
			k := newInTurn(t, ftpx.FTPS, nil)
			go func() {
				time.Sleep(time.Duration(after) * 15 * time.Millisecond)
				k.Close()
			}()
			begin := time.Now()
			results, errs := k.put(allOf(t.Context()), 20)
			if took := time.Since(begin); took > time.Duration(after)*15*time.Millisecond {
				t.Errorf("closed after %d steps, it took until %v", after, took)
			}
			k.wantTruth(t, results, errs, true)
			closed := 0
			for i, err := range errs {
				if errors.Is(err, ftpx.ErrClosed) {
					closed++
				} else if err != nil {
					t.Errorf("f%d: %v", i, err)
				}
			}
			synctest.Wait() // the calls end before Close does
			if st := k.Stats(); closed == 0 || st.Open != 0 {
				t.Errorf("%d were closed: %+v", closed, st)
			}
		})
	}
}
