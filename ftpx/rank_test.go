package ftpx_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fleet is a client of the host a with standbys, all in memory. It notes who was dialled.
type fleet struct {
	ftpx.Client
	servers map[string]*memconn.Server

	mu    sync.Mutex // guards dials
	dials []string
}

func newFleet(t *testing.T, standbys ...ftpx.Standby) *fleet {
	t.Helper()
	f := &fleet{servers: map[string]*memconn.Server{"a": memconn.New(memconn.Options{})}}
	for _, s := range standbys {
		f.servers[s.Host] = memconn.New(memconn.Options{})
	}
	o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Standbys: standbys}
	ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		f.mu.Lock()
		f.dials = append(f.dials, ep.Host)
		f.mu.Unlock()
		return f.servers[ep.Host].Dial(ctx, ep)
	})
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "a", User: "u", Options: o})
	if err != nil {
		t.Fatal(err)
	}
	f.Client = c
	return f
}

// down takes hosts away, up brings them back.
func (f *fleet) down(hosts ...string) {
	for _, h := range hosts {
		f.servers[h].SetDown(transport.KindUnreachable)
		f.servers[h].Cut()
	}
}

func (f *fleet) up(hosts ...string) {
	for _, h := range hosts {
		f.servers[h].SetDown(transport.KindUnknown)
	}
}

// ping works, and returns the hosts that were dialled for it.
func (f *fleet) ping(t *testing.T) string {
	t.Helper()
	f.mu.Lock()
	f.dials = nil
	f.mu.Unlock()
	if err := f.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.dials, " ")
}

// back brings work home to a: the client looks for half a minute, and idle connections to
// the others end after two.
func (f *fleet) back(t *testing.T) {
	t.Helper()
	f.up("a")
	time.Sleep(5 * time.Minute)
	if got := f.ping(t); got != "a" && got != "" {
		t.Fatalf("work is not back: %s", got)
	}
}

// Where ranks differ, as they do by default, the past of a standby does not matter.
func TestStandbysKeepTheirOrder(t *testing.T) {
	for _, standbys := range [][]ftpx.Standby{{{Host: "b"}, {Host: "c"}}, {{Host: "c", Rank: 7}, {Host: "b", Rank: 3}}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, standbys...)
			defer f.Close()
			for range 3 {
				f.down("a", "b")
				if got := f.ping(t); got != "a b c" {
					t.Errorf("dialled %s, want a b c", got)
				}
				f.up("b")
				f.back(t)
			}
		})
	}
}

// Of equal ones the one that is likelier to work comes first, whatever the list says; the
// other is still tried when that one fails.
func TestStandbysOfEqualRank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, ftpx.Standby{Host: "b", Rank: 1}, ftpx.Standby{Host: "c", Rank: 1}, ftpx.Standby{Host: "d", Rank: 2})
		defer f.Close()
		f.down("a", "b")
		if got := f.ping(t); got != "a b c" {
			t.Errorf("nothing is known of them: dialled %s, want a b c", got)
		}
		f.up("b")
		f.back(t)
		f.down("a")
		if got := f.ping(t); got != "a c" {
			t.Errorf("b has failed last time: dialled %s, want a c", got)
		}
		f.back(t)
		f.down("a", "c")
		if got := f.ping(t); got != "a c b" {
			t.Errorf("c is down and b is well: dialled %s, want a c b", got)
		}
		f.back(t)
		f.down("a", "b", "c")
		got := strings.Fields(f.ping(t))
		if slices.Sort(got[1:3]); strings.Join(got, " ") != "a b c d" {
			t.Errorf("dialled %s, want a, both of rank 1, and d", got)
		}
	})
}

// Work does not go from one standby to another of its rank as that one recovers.
func TestNoReturnAmongEquals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, ftpx.Standby{Host: "b", Rank: 1}, ftpx.Standby{Host: "c", Rank: 1})
		defer f.Close()
		f.down("a", "b")
		f.ping(t)
		f.up("b")
		moves := f.Stats().Failovers
		time.Sleep(10*time.Minute + 7*time.Second) // between two looks at the preferred host
		f.servers["c"].Cut()                       // what is dialled now shows where work goes
		if got := f.ping(t); got != "c" || f.Stats().Failovers != moves {
			t.Errorf("dialled %s, %d moves more", got, f.Stats().Failovers-moves)
		}
	})
}

func TestNegativeRank(t *testing.T) {
	_, err := ftpx.New(t.Context(), ftpx.Config{Host: "a", User: "u", Options: ftpx.Options{Standbys: []ftpx.Standby{{Host: "b"}, {Host: "c", Rank: -1}}}})
	if want := "Options.Standbys[1].Rank is -1: use 1 or more, or 0 for its place in the list"; err == nil || !strings.Contains(fmt.Sprint(err), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

// A standby in use that fails is followed by the best host that is well, which may be one
// before it in the list.
func TestBetterHostAfterAStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, ftpx.Standby{Host: "b"}, ftpx.Standby{Host: "c"})
		defer f.Close()
		f.down("a")
		if got := f.ping(t); got != "a b" {
			t.Fatalf("dialled %s, want a b", got)
		}
		f.up("a")
		time.Sleep(time.Second) // until a may be tried, and less than it takes to return there
		f.down("b")
		if got := f.ping(t); got != "b a" {
			t.Errorf("dialled %s, want b a", got)
		}
	})
}
