package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
)

// A connection that has been idle for a while is asked whether it lives before work is
// given to it, which could not be told from work that was done when it was lost; one that
// was used just now is not, which would cost a round trip.
func TestIdleConnectionIsAskedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{IdleTimeout: 40 * time.Second})
		sent := &requests{}
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Connect: s.Dial, Hooks: sent.hooks()}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s.Files().Write("f", []byte("f"), time.Now())
		for i, tt := range []struct {
			idle time.Duration
			want []string
		}{
			{10 * time.Second, []string{"RNTO", "MLST", "MLST"}}, // the first of a host is looked at
			{30 * time.Second, []string{"NOOP", "RNTO"}},
			{time.Minute, []string{"RNTO"}}, // it is known to be gone before anything is sent
		} {
			time.Sleep(tt.idle)
			sent.reset()
			names := []string{"f", "g"}
			if i%2 == 1 {
				slices.Reverse(names)
			}
			if err := c.Rename(t.Context(), names[0], names[1]); err != nil {
				t.Error(err)
			}
			sent.want(t, tt.want...)
		}
	})
}

// A connection that was put back and turns out to be dead costs no attempt; one that is
// lost when payload has moved over it does, however it was come by.
func TestWhatADeadConnectionCosts(t *testing.T) {
	for name, tt := range map[string]struct {
		at   memconn.Step
		want int32
	}{"it had died": {memconn.StepRequest, 0}, "it dies": {memconn.StepData, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memconn.New(memconn.Options{})
				var retries atomic.Int32
				o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Connect: s.Dial,
					Hooks: &ftpx.Hooks{Retry: func(context.Context, ftpx.RetryInfo) { retries.Add(1) }}}
				c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := c.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.Inject(nth(1, memconn.Fault{Do: memconn.LostBefore}, func(op memconn.OpInfo) bool {
					return op.Step == tt.at && (tt.at != memconn.StepData || op.Offset > 100<<10)
				}))
				data := content(300 << 10)
				if _, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil); err != nil {
					t.Error(err)
				}
				if n := retries.Load(); n != tt.want || c.Stats().Dials != 2 {
					t.Errorf("%d attempts were spent, want %d; %+v", n, tt.want, c.Stats())
				}
				wantOnDisk(t, s, map[string][]byte{"f": data})
			})
		})
	}
}

// A connection that nobody has a slot for, but somebody rides on, is in use: its time as
// an idle one does not end under him.
func TestRiddenConnectionIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caps := memconn.DefaultCaps(ftpx.SFTP)
		caps.Overlap = 2 // one may ride on it
		s := memconn.New(memconn.Options{Caps: &caps, Rate: 1 << 10, Chunk: 1 << 10})
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Connect: s.Dial}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		data := content(200 << 10)
		s.Files().Write("f", data, time.Now())
		local := filepath.Join(t.TempDir(), "f")
		begin := time.Now()
		res, err := c.Download(t.Context(), "f", local, nil)
		if err != nil || res.Attempts != 1 || time.Since(begin) < 3*time.Minute {
			t.Errorf("%+v, %v", res, err)
		}
		wantFile(t, local, data)
		if st := c.Stats(); st.Dials != 1 || st.Lost != 0 {
			t.Errorf("%+v", st)
		}
		// And nobody rides on it now.
		time.Sleep(5 * time.Minute)
		if st := c.Stats(); st.Open != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// Work that gives up in the very moment in which it is given a slot passes it on.
func TestGivingUpAsTheSlotComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{RoundTrip: 10 * time.Millisecond})
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Connect: s.Dial, Limits: ftpx.Limits{Conns: 1}}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s.Files().Write("f", nil, time.Now())
		gaveUp := 0
		for range 300 {
			done := make(chan error, 2)
			go func() {
				_, err := c.Stat(t.Context(), "f")
				done <- err
			}()
			synctest.Wait() // it has the slot, for another round trip
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			go func() {
				_, err := c.Stat(ctx, "f")
				done <- err
			}()
			for range 2 {
				if err := <-done; errors.Is(err, context.DeadlineExceeded) {
					gaveUp++
				} else if err != nil {
					t.Fatal(err)
				}
			}
			cancel()
			now, end := context.WithTimeout(t.Context(), time.Minute)
			if err := c.Ping(now); err != nil {
				t.Fatalf("the slot is lost: %v", err)
			}
			end()
		}
		if gaveUp < 100 {
			t.Errorf("%d gave up", gaveUp)
		}
	})
}
