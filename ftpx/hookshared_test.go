package ftpx_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
)

// TestSharedConnectionThatDiedInAPause: what several small operations meet at once on a
// connection that had died before is no loss of one in use, or the reset rate would count
// each server that ends idle sessions. In the middle of their use it is one.
func TestSharedConnectionThatDiedInAPause(t *testing.T) {
	for name, c := range map[string]struct {
		between time.Duration // from the first use after the pause until the loss
		inUse   bool
		idle    time.Duration
	}{
		"in the pause":            {idle: 10 * time.Second},
		"when it was used again":  {between: 3 * time.Second, inUse: true},
		"a moment after its use ": {between: 50 * time.Millisecond, inUse: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caps := memconn.DefaultCaps(ftpx.SFTP)
				caps.Overlap = 8
				s := memconn.New(memconn.Options{Caps: &caps, RoundTrip: 10 * time.Millisecond})
				s.Files().Write("there", []byte("some text"), time.Unix(1e9, 0))
				got := make(chan ftpx.ConnInfo, 10)
				opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Connect: s.Dial, Hooks: ends(got)}
				client, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
				must(t, err)
				defer client.Close()
				time.Sleep(10 * time.Second)
				if c.between > 0 {
					must(t, errOf(client.Stat(t.Context(), "there")))
					time.Sleep(min(c.between, 300*time.Millisecond))
				}
				s.Inject(onceAt(memconn.StepRequest, memconn.Fault{Do: memconn.Unsent}))
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() { must(t, errOf(client.Stat(t.Context(), "there"))) })
				}
				all.Wait()
				if i := <-got; i.InUse != c.inUse || i.Idle != c.idle || i.Cause != ftpx.CauseReset {
					t.Errorf("%+v", i)
				}
			})
		})
	}
}
