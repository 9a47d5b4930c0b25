package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

const (
	// speed is how much faster than the history the recording runs: three days in 18
	// minutes.
	speed      = 240
	recordSpan = 3 * 24 * time.Hour
	// recordMean is the mean time between connections that are no second attempt.
	recordMean = 90 * time.Second
	// silence is how long a login may take, of the recording's time.
	silence = 2 * time.Second
)

// recordAll records all histories at once and writes them into a folder.
func recordAll(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for i, rec := range recordedSources() {
		wg.Go(func() {
			text, err := record(ctx, rec.name, uint64(i))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, rec.name+".txt"), text, 0o644)
			}
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = errors.Join(failed, fmt.Errorf("%s: %w", rec.name, err))
			}
		})
	}
	wg.Wait()
	return failed
}

// clock is the time of a history, which runs faster.
type clock struct{ start time.Time }

func (c clock) now() time.Time { return began.Add(time.Since(c.start) * speed) }

// wait waits until it is t, or until the context ends.
func (c clock) wait(ctx context.Context, t time.Time) {
	timer := time.NewTimer(t.Sub(c.now()) / speed)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// rig is one server, the line to it and how to log in.
type rig struct {
	clock  clock
	proxy  *faultproxy.Proxy
	server *realserver.Server
	ep     transport.Endpoint // through the proxy
	closer []func() error
}

func (r *rig) close() (err error) {
	for i := len(r.closer) - 1; i >= 0; i-- {
		err = errors.Join(err, r.closer[i]())
	}
	return err
}

// record plays one history to a real server and notes what a login came to.
func record(ctx context.Context, name string, seed uint64) (text []byte, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	random := rand.New(rand.NewPCG(fixedSeed, seed))
	r := &rig{}
	defer func() { err = errors.Join(err, r.close()) }()
	options := realserver.Options{Kind: realserver.VSFTPD}
	role, line := faultproxy.Control, life(nil)
	switch name {
	case "vsftpd-outages":
		line = weibull
	case "openssh-bursts":
		options.Kind, role, line = realserver.OpenSSH, faultproxy.SSH, bursts
	case "proftpd-busy":
		options = realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired, MaxPerHost: 6}
	}
	if err := r.start(ctx, options, role); err != nil {
		return nil, err
	}
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	r.clock.start = time.Now()
	if line == nil {
		others.Go(func() { r.others(ctx, rand.New(rand.NewPCG(fixedSeed, 100+seed))) })
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# %s at %d times its speed, see record_linux.go: seconds since 1970, 1 for a failed login\n", r.server.Kind, speed)
	// The plan is called from the proxy, for one connection at a time, since one is made
	// at a time.
	route, err := r.proxy.Route(faultproxy.RouteOptions{Role: role, Target: r.server.Addr(), Plan: r.plan(line, random)})
	if err != nil {
		return nil, err
	}
	r.ep.Port = route.Port()
	r.attempts(ctx, rand.New(rand.NewPCG(fixedSeed, 200+seed)), func(at time.Time, failed bool) {
		fmt.Fprintf(&out, "%.1f %d\n", float64(at.UnixMilli())/1000, map[bool]int{true: 1}[failed])
	})
	return out.Bytes(), ctx.Err()
}

func (r *rig) start(ctx context.Context, options realserver.Options, role faultproxy.Role) error {
	srv, err := realserver.Start(ctx, options)
	if err != nil {
		return err
	}
	r.server = srv
	r.proxy = faultproxy.New(faultproxy.Options{Seed: fixedSeed})
	r.closer = append(r.closer, srv.Close, r.proxy.Close)
	r.ep = transport.Endpoint{Protocol: transport.FTP, Host: srv.Host, User: srv.User, Password: transport.Secret(srv.Password), ConnectTimeout: silence}
	switch {
	case role == faultproxy.SSH:
		r.ep.Protocol = transport.SFTP
		r.ep.SSH.InsecureIgnoreHostKey = true // the proxy's port is in no known_hosts
	case options.TLS != realserver.TLSOff:
		r.ep.Protocol = transport.FTPS
		r.ep.TLS = transport.TLS{Config: &tls.Config{RootCAs: srv.CAPool(), MinVersion: tls.VersionTLS12}}
	}
	return nil
}

// plan gives a connection, with the probability of the line's state, one of the faults
// that a login meets.
func (r *rig) plan(line life, random *rand.Rand) faultproxy.Plan {
	if line == nil {
		return nil
	}
	state := line(random)
	return func(faultproxy.ConnInfo) faultproxy.Fault {
		if random.Float64() >= state(r.clock.now()) {
			return faultproxy.Fault{}
		}
		switch random.IntN(5) {
		case 0:
			return faultproxy.BlackHoled()
		case 1:
			return faultproxy.FINAt(faultproxy.Both, 1+random.Int64N(60))
		case 2:
			return faultproxy.Refused()
		}
		return faultproxy.ResetAt(faultproxy.Both, 1+random.Int64N(60))
	}
}

// attempts connects now and then, and after a failure again with pauses that double,
// until the history ends.
func (r *rig) attempts(ctx context.Context, random *rand.Rand, note func(at time.Time, failed bool)) {
	for at := began; at.Sub(began) < recordSpan && ctx.Err() == nil; {
		at = at.Add(time.Duration(random.ExpFloat64() * float64(recordMean)))
		pause := time.Second
		for range 8 {
			r.clock.wait(ctx, at)
			at = r.clock.now()
			err := login(ctx, r.ep)
			if ctx.Err() != nil {
				return
			}
			note(at, err != nil)
			at = r.clock.now()
			if err == nil {
				break
			}
			at = at.Add(pause)
			pause = min(2*pause, time.Minute)
		}
	}
}

// login makes a connection and ends it.
func login(ctx context.Context, ep transport.Endpoint) error {
	c, err := dial(ctx, ep)
	if err == nil {
		_ = c.Close()
	}
	return err
}

func dial(ctx context.Context, ep transport.Endpoint) (transport.Conn, error) {
	if ep.Protocol == transport.SFTP {
		return sftpdriver.Dial(ctx, &ep)
	}
	return ftpdriver.Dial(ctx, &ep)
}

// others hold connections to the server, past the proxy: as many as its mood of the hour
// and the time of the day say. When they hold all, who comes is refused by the server.
func (r *rig) others(ctx context.Context, random *rand.Rand) {
	ep := r.ep
	ep.Port = r.server.Port
	var held []transport.Conn
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	for ctx.Err() == nil {
		now := r.clock.now()
		want := random.IntN(4)
		if h := now.Hour(); h >= 9 && h < 17 {
			want = 3 + random.IntN(4)
		}
		for len(held) > want {
			_ = held[0].Close()
			held = held[1:]
		}
		for len(held) < want {
			c, err := dial(ctx, ep)
			if err != nil {
				break // who is recorded has the last one
			}
			held = append(held, c)
		}
		r.clock.wait(ctx, now.Add(time.Duration((0.5+random.ExpFloat64())*float64(10*time.Minute))))
	}
}
