package ftpx_test

import (
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A primary that goes down and comes back, again and again, has the work each time,
// however soon after its return it is gone again.
func TestReturnToThePrimaryEachTime(t *testing.T) {
	for _, well := range []time.Duration{time.Second, 15 * time.Second, 10 * time.Minute} {
		t.Run(well.String(), func(t *testing.T) {
			onPair(t, nil, func(t *testing.T, p *pair, _ bool) {
				for round := range 3 {
					p.a.SetDown(transport.KindUnreachable)
					p.a.Cut()
					p.wantMoves(t, 2*round+1, "b")
					time.Sleep(20 * time.Second)
					p.a.SetDown(transport.KindUnknown)
					time.Sleep(50 * time.Second)
					p.wantMoves(t, 2*round+2, "a")
					time.Sleep(well)
				}
			})
		})
	}
}

// wantMoves does a little work and checks how often it has moved by then, and where to.
func (p *pair) wantMoves(t *testing.T, n int, host string) {
	t.Helper()
	if err := p.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	moves := p.moves()
	if len(moves) != n {
		t.Fatalf("%d moves, want %d: %+v", len(moves), n, moves)
	}
	if last := moves[n-1]; last.Host != host || (last.Err == nil) != (host == "a") {
		t.Fatalf("move %d: %+v, want to %s", n, last, host)
	}
}

// Work returns to a host that has been well for half a minute, and not to one that was well
// half a minute ago and away in between.
func TestReturnToAHostThatFlaps(t *testing.T) {
	onPair(t, nil, func(t *testing.T, p *pair, _ bool) {
		p.a.SetDown(transport.KindUnreachable)
		p.a.Cut()
		p.wantMoves(t, 1, "b")
		p.a.SetDown(transport.KindUnknown)
		time.Sleep(15 * time.Second)
		p.a.SetDown(transport.KindUnreachable)
		time.Sleep(20 * time.Second)
		p.a.SetDown(transport.KindUnknown)
		time.Sleep(15 * time.Second)
		p.wantMoves(t, 1, "b")
		time.Sleep(30 * time.Second)
		p.wantMoves(t, 2, "a")
	})
}
