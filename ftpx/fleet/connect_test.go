package fleet

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestOneAtATime: a client connects again after a pause, and not after a refused login.
func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o ftpx.Options
		var at []time.Duration
		begin := time.Now()
		var fail error
		o.Connect = func(context.Context, *transport.Endpoint) (transport.Conn, error) {
			at = append(at, time.Since(begin))
			return nil, fail
		}
		tuning(nil, time.Second)(&o)
		if o.Limits.Conns != 1 || o.Retry.MaxElapsed != progressTimeout {
			t.Errorf("%d connections, %v", o.Limits.Conns, o.Retry)
		}
		connect := func() error { _, err := o.Connect(t.Context(), &transport.Endpoint{}); return err }
		_ = connect()
		fail = &transport.Error{Op: "login", Kind: transport.KindAuth, Err: errors.New("530")}
		first, second := connect(), connect()
		if first == nil || !errors.Is(second, first) {
			t.Errorf("%v, %v", first, second)
		}
		if len(at) != 2 || at[0] != 0 || at[1] != time.Second {
			t.Errorf("connected at %v, want at once and a second later", at)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var p ftpx.Options
		p.Connect = o.Connect
		tuning(nil, time.Hour)(&p)
		_, _ = p.Connect(ctx, &transport.Endpoint{})
		if _, err := p.Connect(ctx, &transport.Endpoint{}); err == nil {
			t.Error("it waited in spite of an ended context")
		}
	})
}

// TestPauses: they grow, vary and have an end.
func TestPauses(t *testing.T) {
	if got := pauseAfter(0, 5*time.Second, 0.5); got != 5*time.Second {
		t.Error(got)
	}
	if got := pauseAfter(3, 5*time.Second, 0.5); got != 40*time.Second {
		t.Error(got)
	}
	if got := pauseAfter(1000, 5*time.Second, 0.5); got != longestPause {
		t.Error(got)
	}
	if low, high := downFor(1, 0), downFor(1, 0.999); low >= high || low < firstDown/2 || high > 2*firstDown {
		t.Error(low, high)
	}
	if yields(2, 1) || !yields(2, 0) || !yields(3, 1) {
		t.Error("a slot goes to who has two fewer")
	}
}
