package wire

import (
	"context"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// DialControl is [Dial] to the endpoint's own address, as the first phases of
// connecting.
func DialControl(ctx context.Context, ep *transport.Endpoint) (*Wire, error) {
	if ep.Phase == nil {
		return Dial(ctx, ep, ep.Addr())
	}
	t := &dialTimes{begin: time.Now()}
	w, err := Dial(httptrace.WithClientTrace(ctx, t.trace()), ep, ep.Addr())
	t.tell(ep, time.Now(), err)
	return w, err
}

// dialTimes is what net.Dialer tells of a dial, wherever below it is.
type dialTimes struct {
	begin time.Time

	mu               sync.Mutex // guards what follows
	asked, resolved  time.Time  // the first name that was looked up, and the last answer
	dialled, reached time.Time  // the first address that was dialled, and the first that was reached
	resolveErr       error
}

func (t *dialTimes) trace() *httptrace.ClientTrace {
	first := func(at *time.Time) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if at.IsZero() {
			*at = time.Now()
		}
	}
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { first(&t.asked) },
		DNSDone: func(i httptrace.DNSDoneInfo) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.resolved, t.resolveErr = time.Now(), i.Err
		},
		ConnectStart: func(string, string) { first(&t.dialled) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				first(&t.reached)
			}
		},
	}
}

// tell tells of the phases that there were. Of what failed the last one has the error.
func (t *dialTimes) tell(ep *transport.Endpoint, end time.Time, err error) {
	t.mu.Lock()
	asked, resolved, dialled, reached, resolveErr := t.asked, t.resolved, t.dialled, t.reached, t.resolveErr
	t.mu.Unlock()
	at := t.begin
	if !asked.IsZero() {
		if resolved.IsZero() {
			resolved = end
		}
		if failed := err != nil && (resolveErr != nil || dialled.IsZero() && ep.Dial == nil); failed {
			ep.Phase(transport.PhaseResolve, resolved.Sub(asked), err)
			return
		}
		ep.Phase(transport.PhaseResolve, resolved.Sub(asked), nil)
		at = resolved
	}
	switch {
	case ep.Dial == nil:
		ep.Phase(transport.PhaseTCP, end.Sub(at), err)
		return
	case !dialled.IsZero() && reached.IsZero() && err != nil:
		ep.Phase(transport.PhaseTCP, end.Sub(dialled), err)
		return
	case !reached.IsZero():
		ep.Phase(transport.PhaseTCP, reached.Sub(dialled), nil)
		at = reached
	}
	ep.Phase(transport.PhaseProxy, end.Sub(at), err)
}
