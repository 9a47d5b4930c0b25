package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	jobEvery = 5 * time.Second
	jobLimit = 30 * time.Second // a job that takes longer has not been available
)

// outages breaks a server through a day: now and then it refuses, resets, is full
// or black-holed for 20 to 100 seconds.
func outages(ctx context.Context, s *memconn.Server, seed uint64) (down time.Duration) {
	r := rand.New(rand.NewPCG(seed, 2))
	for i := 0; ctx.Err() == nil; i++ {
		if sleepFor(ctx, time.Duration(r.Int64N(int64(2*92*time.Minute)))) != nil {
			return down
		}
		long := 20*time.Second + time.Duration(r.Int64N(int64(80*time.Second)))
		down += long
		switch i % 4 {
		case 0:
			s.SetDown(transport.KindUnreachable)
			s.Cut()
		case 1:
			s.SetDown(transport.KindLost)
			s.Cut()
		case 2:
			s.SetDown(transport.KindBusy)
			s.Cut()
		case 3:
			s.SetDown(transport.KindTimeout)
			s.SetSilent(true)
		}
		err := sleepFor(ctx, long)
		s.SetDown(transport.KindUnknown)
		s.SetSilent(false)
		if err != nil {
			return down
		}
	}
	return down
}

func sleepFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// plainly is what a program without this library does: one connection to one
// host, opened again when it fails, and a job tried again each second until its
// time is up.
type plainly struct {
	s    *memconn.Server
	turn chan struct{} // one job at a time
	conn transport.Conn
}

func (p *plainly) put(ctx context.Context, name string, data []byte) error {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		err := p.once(ctx, name, data)
		if err == nil {
			return nil
		}
		if sleepFor(ctx, time.Second) != nil {
			return err
		}
	}
}

func (p *plainly) once(ctx context.Context, name string, data []byte) (err error) {
	if p.conn == nil || !p.conn.Usable() {
		ep := &transport.Endpoint{Protocol: transport.SFTP, Host: "a", User: "u", Stall: 8 * time.Second, ConnectTimeout: 5 * time.Second}
		if p.conn, err = p.s.Dial(ctx, ep); err != nil {
			p.conn = nil
			return err
		}
	}
	n, err := transport.Calls{Conn: p.conn}.Store(ctx, name, 0, bytes.NewReader(data), nil)
	if err == nil && n != int64(len(data)) {
		err = errors.New("short")
	}
	return err
}

// A job every five seconds for a day on three hosts, each with outages of a
// known schedule of its own. With FTPX_SWEEP=more, three days.
func TestADayOfOutages(t *testing.T) {
	seeds := []uint64{37, 7, 27}
	if os.Getenv("FTPX_SWEEP") == "" {
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { dayOfOutages(t, seed) })
	}
}

func dayOfOutages(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		files := memconn.NewFiles()
		servers := map[string]*memconn.Server{}
		for _, host := range []string{"a", "b", "c"} {
			servers[host] = memconn.New(memconn.Options{RoundTrip: 20 * time.Millisecond, Files: files})
		}
		o := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Standbys: []ftpx.Standby{{Host: "b"}, {Host: "c"}}}
		ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
			return servers[ep.Host].Dial(ctx, ep)
		})
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "a", User: "u", Options: o})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		plain := &plainly{s: servers["a"], turn: make(chan struct{}, 1)}
		day, stop := context.WithTimeout(t.Context(), 24*time.Hour)
		defer stop()
		var down [3]time.Duration
		var wg sync.WaitGroup
		for i, host := range []string{"a", "b", "c"} {
			wg.Go(func() { down[i] = outages(day, servers[host], seed+uint64(i)) })
		}
		data := content(4 << 10)
		var jobs, ours, theirs, wrong atomic.Int64
		var slowest atomic.Int64
		for i := 0; day.Err() == nil; i++ {
			jobs.Add(1)
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), jobLimit)
				defer cancel()
				begin := time.Now()
				name := fmt.Sprintf("ours/%d", i%100)
				if _, err := c.Put(ctx, name, bytes.NewReader(data), &ftpx.PutOptions{CreateDirs: true}); err == nil {
					ours.Add(1)
				} else {
					t.Logf("job %d at %v: %v", i, time.Duration(i)*jobEvery, err)
				}
				if took := int64(time.Since(begin)); took > slowest.Load() {
					slowest.Store(took)
				}
				if got, ok := files.Read(name); ok && !bytes.Equal(got, data) {
					wrong.Add(1)
				}
			})
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), jobLimit)
				defer cancel()
				if plain.put(ctx, fmt.Sprintf("theirs%d", i%100), data) == nil {
					theirs.Add(1)
				}
			})
			time.Sleep(jobEvery)
		}
		wg.Wait()
		all := float64(jobs.Load())
		mine, their := 100*float64(ours.Load())/all, 100*float64(theirs.Load())/all
		t.Logf("%d jobs in a day; the primary was down for %v, the standbys for %v and %v: %.4f %% available (slowest job %v), one plain connection with retries %.2f %%",
			jobs.Load(), down[0].Round(time.Second), down[1].Round(time.Second), down[2].Round(time.Second), mine, time.Duration(slowest.Load()).Round(time.Millisecond), their)
		if mine < 99.995 {
			t.Errorf("%.4f %% of the jobs were done in time, want 99.995 %%", mine)
		}
		if their > 99.5 || their < 98.5 {
			t.Errorf("a plain connection shows %.2f %%: the schedule proves nothing", their)
		}
		if wrong.Load() != 0 {
			t.Errorf("%d files are wrong", wrong.Load())
		}
		if plain.conn != nil {
			plain.conn.Close()
		}
	})
}
