package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// onTrippedHost runs f with a client that has given a dead host up: the next work to
// come probes it, alone.
func onTrippedHost(t *testing.T, so memconn.Options, hooks *ftpx.Hooks, f func(t *testing.T, c ftpx.Client, s *memconn.Server)) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(so)
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Connect: s.Dial, Hooks: hooks}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer synctest.Wait()
		defer c.Close()
		s.SetDown(transport.KindUnreachable)
		s.Cut()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := c.Ping(ctx); err == nil {
			t.Fatal("a dead host answered")
		}
		time.Sleep(10 * time.Second) // longer than a pause ever is
		f(t, c, s)
	})
}

// probe calls f, which is to be the probe, and returns its error when it has ended, once
// it dials. Nobody else does meanwhile, which shows that it is one.
func probe(t *testing.T, c ftpx.Client, s *memconn.Server, f func() error) <-chan error {
	t.Helper()
	before, ended := s.Stats().Dials, make(chan error, 1)
	go func() { ended <- f() }()
	synctest.Wait()
	if n := s.Stats().Dials - before; n != 1 {
		t.Fatalf("%d dials: it is not dialling", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := c.Ping(ctx); err == nil || s.Stats().Dials != before+1 {
		t.Fatalf("%v, %d dials: it is no probe", err, s.Stats().Dials-before)
	}
	return ended
}

// wantIn checks that the next caller is let in, at once.
func wantIn(t *testing.T, c ftpx.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begin := time.Now()
	if err := c.Ping(ctx); err != nil || time.Since(begin) > time.Second {
		t.Errorf("the next one: %v after %v", err, time.Since(begin))
	}
}

// The probe's caller gives up while it dials a host that is silent: the next one probes.
func TestProbeThatIsCanceled(t *testing.T) {
	for _, waiting := range []bool{false, true} {
		t.Run(fmt.Sprintf("waiting=%v", waiting), func(t *testing.T) {
			var retries atomic.Int32
			hooks := &ftpx.Hooks{Retry: func(context.Context, ftpx.RetryInfo) { retries.Add(1) }}
			onTrippedHost(t, memconn.Options{RoundTrip: 10 * time.Millisecond}, hooks, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				retries.Store(0)
				s.SetDown(transport.KindTimeout)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := probe(t, c, s, func() error { return c.Ping(ctx) })
				s.SetDown(transport.KindUnknown) // for those that come later
				next := make(chan struct{})
				if waiting {
					go func() {
						defer close(next)
						wantIn(t, c)
					}()
					synctest.Wait()
				}
				cancel()
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Errorf("the probe: %v", err)
				}
				if waiting {
					<-next
				}
				wantIn(t, c)
				if n := retries.Load(); n != 0 {
					t.Errorf("%d attempts of others were spent on it", n)
				}
			})
		})
	}
}

// The probe meets what is no fault of the line: the host answers, and refuses the login.
func TestProbeThatIsNotLetIn(t *testing.T) {
	for _, kind := range []transport.Kind{transport.KindAuth, transport.KindHostKey, transport.KindCertificate} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			onTrippedHost(t, memconn.Options{RoundTrip: 10 * time.Millisecond}, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				s.SetDown(kind)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				ended := probe(t, c, s, func() error { return c.Ping(ctx) })
				if err := <-ended; ftpx.KindOf(err) != kind {
					t.Errorf("the probe: %v", err)
				}
				s.SetDown(transport.KindUnknown)
				wantIn(t, c)
			})
		})
	}
}

// Work that waits for a probe goes on as soon as that is logged in, and it has cost it
// nothing: no attempt, and no dial of its own until then.
func TestWhatWaitsForAProbeGoesOn(t *testing.T) {
	const trip = 200 * time.Millisecond // connecting takes two
	var retries atomic.Int32
	hooks := &ftpx.Hooks{Retry: func(context.Context, ftpx.RetryInfo) { retries.Add(1) }}
	onTrippedHost(t, memconn.Options{RoundTrip: trip, Rate: 64 << 10, Chunk: 4 << 10}, hooks, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.SetDown(transport.KindUnknown)
		retries.Store(0)
		dials := s.Stats().Dials
		begin := time.Now()
		ended := probe(t, c, s, func() error {
			_, err := c.Put(t.Context(), "large", bytes.NewReader(content(2<<20)), nil) // half a minute
			return err
		})
		var others sync.WaitGroup
		for i := range 5 {
			others.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
				defer cancel()
				res, err := c.Put(ctx, fmt.Sprint("f", i), bytes.NewReader(content(1000)), nil)
				if err != nil || res.Attempts != 1 {
					t.Errorf("%+v, %v", res, err)
				}
				if took := time.Since(begin); took < 2*trip || took > 15*trip {
					t.Errorf("it went on after %v, the probe was in after %v", took, 2*trip)
				}
			})
		}
		time.Sleep(2*trip - 5*time.Millisecond)
		if n := s.Stats().Dials - dials; n != 1 {
			t.Errorf("%d dials before the probe was in", n)
		}
		others.Wait()
		if n := retries.Load(); n != 0 {
			t.Errorf("%d attempts were spent on waiting", n)
		}
		select {
		case err := <-ended:
			t.Errorf("the probe's own work has ended already: %v", err)
		default:
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A host is left to itself after failures in a row, not after so many in a day: each work
// that succeeds begins the count again.
func TestFailuresInARowAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{})
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Connect: s.Dial, Retry: retry.Policy{InitialDelay: time.Millisecond}}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s.Files().Write("f", nil, time.Now())
		for range 20 {
			looks := 0
			s.Inject(func(op memconn.OpInfo) memconn.Fault {
				if op.Step != memconn.StepRequest || op.Request != "MLST" {
					return memconn.Fault{}
				}
				if looks++; looks > 2 { // the first one's connection may have died while it was idle
					return memconn.Fault{}
				}
				return memconn.Fault{Do: memconn.LostBefore}
			})
			begin := time.Now()
			if _, err := c.Stat(t.Context(), "f"); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); took > 100*time.Millisecond || looks < 3 {
				t.Fatalf("%d looks took %v", looks, took)
			}
		}
	})
}
