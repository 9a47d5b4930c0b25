package ftpx_test

import (
	"bytes"
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
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// pair is a client of a primary "a" and a standby "b" in simulated time.
type pair struct {
	ftpx.Client
	a, b *memconn.Server
	mu   sync.Mutex // guards seen
	seen []ftpx.HostInfo
}

func (p *pair) moves() []ftpx.HostInfo {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// onPair runs f with hosts that share their storage, and again with hosts that
// do not.
func onPair(t *testing.T, change func(a, b *memconn.Options, o *ftpx.Options), f func(t *testing.T, p *pair, shared bool)) {
	for _, proto := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		for _, shared := range []bool{true, false} {
			t.Run(fmt.Sprintf("%v/shared=%v", proto, shared), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ao := memconn.Options{Chunk: 16 << 10, RoundTrip: 10 * time.Millisecond, Rate: 1 << 20}
					bo := ao
					if shared {
						ao.Files = memconn.NewFiles()
						bo.Files = ao.Files
					}
					o := ftpx.Options{Protocols: []ftpx.Protocol{proto}, Standbys: []ftpx.Standby{{Host: "b"}}}
					if change != nil {
						change(&ao, &bo, &o)
					}
					p := &pair{a: memconn.New(ao), b: memconn.New(bo)}
					ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
						if ep.Host == "b" {
							return p.b.Dial(ctx, ep)
						}
						return p.a.Dial(ctx, ep)
					})
					o.Hooks = &ftpx.Hooks{Host: func(_ context.Context, i ftpx.HostInfo) {
						p.mu.Lock()
						p.seen = append(p.seen, i)
						p.mu.Unlock()
					}}
					c, err := ftpx.New(t.Context(), ftpx.Config{Host: "a", User: "u", Options: o})
					if err != nil {
						t.Fatal(err)
					}
					defer synctest.Wait()
					defer c.Close()
					p.Client = c
					f(t, p, shared)
				})
			})
		}
	}
}

// A transfer in flight moves to the standby, within the time that is promised
// for each way in which a primary can die, and sends again only what it must.
func TestTransferMovesToTheStandby(t *testing.T) {
	for _, death := range []struct {
		name   string
		kill   func(s *memconn.Server)
		within time.Duration
	}{
		{"refused", func(s *memconn.Server) { s.SetDown(transport.KindUnreachable); s.Cut() }, 3 * time.Second},
		{"reset", func(s *memconn.Server) { s.SetDown(transport.KindLost); s.Cut() }, 3 * time.Second},
		{"black-holed", func(s *memconn.Server) { s.SetDown(transport.KindTimeout); s.SetSilent(true) }, 11 * time.Second}, // promised: 15
	} {
		t.Run(death.name, func(t *testing.T) {
			onPair(t, nil, func(t *testing.T, p *pair, shared bool) {
				data := content(4 << 20)
				var died, moved time.Time
				p.a.Inject(func(op memconn.OpInfo) memconn.Fault {
					if died.IsZero() && op.Step == memconn.StepData && op.Offset >= 2<<20 {
						died = time.Now()
						death.kill(p.a)
					}
					return memconn.Fault{}
				})
				p.b.Inject(func(op memconn.OpInfo) memconn.Fault {
					if moved.IsZero() && op.Step == memconn.StepData && (op.Request == "STOR" || op.Request == "SSH_FXP_WRITE") {
						moved = time.Now()
					}
					return memconn.Fault{}
				})
				res, err := p.Put(t.Context(), "f", bytes.NewReader(data), nil)
				if err != nil || res.Outcome != ftpx.Done {
					t.Fatalf("%+v, %v", res, err)
				}
				wantOnDisk(t, p.b, map[string][]byte{"f": data})
				if took := moved.Sub(died); moved.IsZero() || took > death.within {
					t.Errorf("bytes flowed on the standby %v after the primary died, want within %v", took, death.within)
				}
				again := p.a.Stats().Received + p.b.Stats().Received - int64(len(data))
				if shared && again > 512<<10 {
					t.Errorf("%d bytes arrived more than once on hosts that share their storage", again)
				}
				if len(p.moves()) != 1 || p.moves()[0].Host != "b" || p.moves()[0].Err == nil {
					t.Errorf("moves: %+v", p.moves())
				}
			})
		})
	}
}

// A rename whose reply was lost with the primary is looked for on the standby:
// it shows where the storage is shared, and else the file is sent there.
func TestLostRenameAndThePrimaryWithIt(t *testing.T) {
	for _, acted := range []bool{true, false} {
		t.Run(fmt.Sprintf("acted=%v", acted), func(t *testing.T) {
			onPair(t, nil, func(t *testing.T, p *pair, shared bool) {
				p.a.Inject(func(op memconn.OpInfo) memconn.Fault {
					if !rename(op) || op.Step != memconn.StepRequest {
						return memconn.Fault{}
					}
					p.a.SetDown(transport.KindUnreachable)
					if acted {
						return memconn.Fault{Do: memconn.LostAfter}
					}
					return memconn.Fault{Do: memconn.LostBefore}
				})
				data := content(200 << 10)
				res, err := p.Put(t.Context(), "f", bytes.NewReader(data), nil)
				if err != nil || res.Outcome != ftpx.Done {
					t.Fatalf("%+v, %v", res, err)
				}
				wantOnDisk(t, p.b, map[string][]byte{"f": data})
				if sent := p.b.Stats().Received; shared && sent > 0 {
					t.Errorf("%d bytes were sent to a host that had them all", sent)
				}
			})
		})
	}
}

// A primary that is away from the start costs a failed dial, and work returns
// to it once it has been well for half a minute, not with its first sign of life.
func TestReturnToThePrimary(t *testing.T) {
	onPair(t, nil, func(t *testing.T, p *pair, _ bool) {
		p.a.SetDown(transport.KindUnreachable)
		p.a.Cut()
		ping := func() {
			t.Helper()
			if err := p.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		begin := time.Now()
		ping()
		if took := time.Since(begin); took > time.Second || len(p.moves()) != 1 {
			t.Errorf("%v until the standby served, moves %+v", took, p.moves())
		}
		time.Sleep(time.Minute)
		p.a.SetDown(transport.KindUnknown)
		time.Sleep(25 * time.Second)
		if ping(); len(p.moves()) != 1 {
			t.Errorf("it returned at once: %+v", p.moves())
		}
		p.a.SetDown(transport.KindUnreachable) // it was not well yet
		time.Sleep(15 * time.Second)
		p.a.SetDown(transport.KindUnknown)
		time.Sleep(25 * time.Second)
		if ping(); len(p.moves()) != 1 {
			t.Errorf("it returned to a host that had failed meanwhile: %+v", p.moves())
		}
		time.Sleep(30 * time.Second)
		if ping(); len(p.moves()) != 2 || p.moves()[1].Host != "a" || p.moves()[1].Err != nil {
			t.Errorf("it did not return: %+v", p.moves())
		}
	})
}

// What wants a human is not hidden behind a standby, at any host of the list.
func TestNoFailoverForARefusedLogin(t *testing.T) {
	for _, kind := range []transport.Kind{transport.KindAuth, transport.KindHostKey, transport.KindCertificate} {
		onPair(t, nil, func(t *testing.T, p *pair, _ bool) {
			p.a.SetDown(kind)
			p.a.Cut()
			err := p.Ping(t.Context())
			if transport.KindOf(err) != kind || len(p.moves()) != 0 {
				t.Errorf("%v, moves %+v", err, p.moves())
			}
		})
	}
}

// When all hosts are down the error names each.
func TestAllHostsDown(t *testing.T) {
	onPair(t, nil, func(t *testing.T, p *pair, _ bool) {
		for _, s := range []*memconn.Server{p.a, p.b} {
			s.SetDown(transport.KindUnreachable)
			s.Cut()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		err := p.Ping(ctx)
		var he *ftpx.HostsError
		if err == nil || ctx.Err() != nil {
			t.Fatalf("%v", err)
		}
		if errors.As(err, &he) && (len(he.Hosts) != 2 || !strings.Contains(err.Error(), "b: ")) {
			t.Errorf("%v", err)
		}
	})
}

// A hundred transfers that meet a dead host do not dial it a hundred times each:
// the breaker lets one at a time find out, and all go on when the host is back.
func TestBreakerSparesADeadHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{RoundTrip: 10 * time.Millisecond})
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Limits: ftpx.Limits{Conns: 8}}
		ftpx.SetConnect(&o, s.Dial)
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s.SetDown(transport.KindUnreachable)
		s.Cut()
		var failed, done atomic.Int32
		for i := range 100 {
			go func() {
				if _, err := c.Put(t.Context(), fmt.Sprint("f", i), bytes.NewReader(content(1000)), nil); err != nil {
					failed.Add(1)
				}
				done.Add(1)
			}()
		}
		before := s.Stats().Dials
		time.Sleep(20 * time.Second)
		if dials := s.Stats().Dials - before; dials > 30 {
			t.Errorf("100 transfers dialled a dead host %d times in 20 s", dials)
		} else {
			t.Logf("100 transfers dialled a dead host %d times in 20 s", dials)
		}
		s.SetDown(transport.KindUnknown)
		time.Sleep(time.Minute)
		if failed.Load() != 0 || done.Load() != 100 {
			t.Errorf("%d of 100 ended, %d failed", done.Load(), failed.Load())
		}
		// What a server answers is no sign of ill health.
		for range 20 {
			if _, err := c.Stat(t.Context(), "missing"); err == nil {
				t.Error("a file that is missing is there")
			}
		}
		begin := time.Now()
		if err := c.Ping(t.Context()); err != nil || time.Since(begin) > 100*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

// The probe of a breaker is over when the host has let it in: nobody waits for
// the large file that it then moves.
func TestNobodyWaitsForWhatAProbeMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{RoundTrip: 10 * time.Millisecond, Rate: 1 << 10, Chunk: 1 << 10})
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}}
		ftpx.SetConnect(&o, s.Dial)
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s.SetDown(transport.KindUnreachable)
		s.Cut()
		sent := make(chan error, 1)
		go func() {
			_, err := c.Put(t.Context(), "large", bytes.NewReader(content(600<<10)), nil) // ten minutes
			sent <- err
		}()
		time.Sleep(5 * time.Second) // five attempts have failed, and the next one probes
		s.SetDown(transport.KindUnknown)
		time.Sleep(time.Minute)
		if s.Stats().Received == 0 {
			t.Fatal("the transfer has not begun")
		}
		begin := time.Now()
		if err := c.Ping(t.Context()); err != nil || time.Since(begin) > time.Second {
			t.Errorf("%v after %v: a ping waits for a transfer", err, time.Since(begin))
		}
		select {
		case err := <-sent:
			t.Error("the transfer has ended already:", err)
		default:
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
	})
}

// An attempt that set out for the primary before work moved on, and gets there
// after all, does not bring all other work back with it.
func TestNoWayBackByAnAttemptThatWasLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := memconn.New(memconn.Options{}), memconn.New(memconn.Options{})
		gate := make(chan struct{})
		var dials atomic.Int32
		var mu sync.Mutex // guards what follows
		var moves []ftpx.HostInfo
		var addr string
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Standbys: []ftpx.Standby{{Host: "b"}}, Hooks: &ftpx.Hooks{
			Host: func(_ context.Context, i ftpx.HostInfo) {
				mu.Lock()
				defer mu.Unlock()
				moves = append(moves, i)
			},
			Attempt: func(context.Context, ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
				return nil, func(e ftpx.AttemptEnd) {
					mu.Lock()
					defer mu.Unlock()
					addr = e.Addr
				}
			},
		}}
		ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
			if ep.Host == "b" {
				return b.Dial(ctx, ep)
			}
			switch dials.Add(1) {
			case 2:
				<-gate
			case 3:
				return nil, ep.Fail("dial", "", transport.KindUnreachable, errors.New("connection refused"))
			}
			return a.Dial(ctx, ep)
		})
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "a", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		a.Cut()
		late := make(chan error, 1)
		go func() { late <- c.Ping(t.Context()) }()
		synctest.Wait() // it dials
		if err := c.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		close(gate)
		if err := <-late; err != nil {
			t.Fatal(err)
		}
		if err := c.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(moves) != 1 || moves[0].Host != "b" || !strings.HasPrefix(addr, "b:") {
			t.Errorf("work goes to %s, moves: %+v", addr, moves)
		}
	})
}

// A primary that is back but refuses the login is not asked again and again:
// servers lock accounts.
func TestReturnDoesNotLockAnAccount(t *testing.T) {
	onPair(t, nil, func(t *testing.T, p *pair, _ bool) {
		p.a.SetDown(transport.KindUnreachable)
		p.a.Cut()
		if err := p.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.a.SetDown(transport.KindAuth)
		before := p.a.Stats().Dials
		time.Sleep(10 * time.Minute)
		if n := p.a.Stats().Dials - before; n != 1 {
			t.Errorf("it was logged in to %d times", n)
		}
	})
}
