package securitydrill

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	leakSize    = 192 << 10
	leakAfter   = 32 << 10 // bytes of payload before a transfer is hit
	leakWorkers = 32
	leakSettle  = 20 * time.Second
)

// A port is where a client goes: to a good line, one that resets transfers, one
// that stalls them, or one where nobody listens.
type port uint8

const (
	goodPort port = iota
	resetPort
	stallPort
	closedPort
	portKinds
)

// An ending is one way in which the life of a client goes.
type ending struct {
	name  string
	at    port
	stall time.Duration
	bad   bool // the password is wrong
	// budget bounds the opening of the client, 0 for no bound.
	budget time.Duration
	// midway is called when the transfer has moved something.
	midway func(cancel func(), c ftpx.Client)
	// fails: the client does not open. Else the transfer fails, unless it is good.
	fails, good bool
}

var endings = []ending{
	{name: "done", good: true},
	{name: "refused", at: closedPort, fails: true},
	{name: "wrong password", bad: true, fails: true},
	{name: "reset in a transfer", at: resetPort},
	{name: "stalled in a transfer", at: stallPort, stall: 100 * time.Millisecond},
	{name: "canceled in a transfer", midway: func(cancel func(), _ ftpx.Client) { cancel() }},
	{name: "canceled while opening", budget: 2 * time.Millisecond, fails: true},
	{name: "closed in a transfer", midway: func(_ func(), c ftpx.Client) { c.Close() }},
}

// A site is the servers of one protocol, behind each kind of line.
type site struct {
	proto ftpx.Protocol
	ports [portKinds]int
	opts  ftpx.Options
	local string

	mu   sync.Mutex // guards ends
	ends map[string]int
}

// ended counts how lives ended.
func (s *site) ended(e ending, err error) {
	how := "no error"
	switch {
	case errors.Is(err, ftpx.ErrClosed):
		how = "closed"
	case err != nil:
		how = ftpx.KindOf(err).String()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends[e.name+": "+how]++
}

func (s *site) summary() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, how := range slices.Sorted(maps.Keys(s.ends)) {
		lines = append(lines, fmt.Sprintf("%s %d", how, s.ends[how]))
	}
	return strings.Join(lines, "; ")
}

const leakPassword = "password"

// plan hits connections that carry payload.
func plan(kind port) faultproxy.Plan {
	switch kind {
	case resetPort:
		return faultproxy.Always(faultproxy.Fault{Kind: faultproxy.Reset, Dir: faultproxy.Up, When: faultproxy.When{Bytes: leakAfter}})
	case stallPort:
		return faultproxy.Always(faultproxy.Fault{Kind: faultproxy.Stall, When: faultproxy.When{Bytes: leakAfter}})
	}
	return nil
}

func newSite(t *testing.T, p ftpx.Protocol, proxy *faultproxy.Proxy) *site {
	t.Helper()
	root, ca := t.TempDir(), must(pki.NewCA("leaks"))
	s := &site{proto: p, local: filepath.Join(t.TempDir(), "file"), ends: map[string]int{}}
	if err := os.WriteFile(s.local, random(t, leakSize), 0o600); err != nil {
		t.Fatal(err)
	}
	s.ports[closedPort] = 1 // tcpmux: nobody has it, and no other listener is given it
	s.opts = ftpx.Options{Protocols: []ftpx.Protocol{p}, AllowPlaintext: p == ftpx.FTP, TLS: transport.TLS{Config: &tls.Config{RootCAs: ca.Pool()}},
		Retry: retry.Policy{MaxAttempts: 1}}
	if p == ftpx.SFTP {
		srv, err := testserver.StartSFTP(testserver.SFTPOptions{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = srv.Close() })
		s.opts.SSH.HostKeyFingerprints = []string{ssh.FingerprintSHA256(srv.HostKey())}
		for kind := range closedPort {
			r, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: srv.Addr().String(), Plan: plan(kind)})
			if err != nil {
				t.Fatal(err)
			}
			s.ports[kind] = r.Port()
		}
		return s
	}
	mode := testserver.NoTLS
	switch p {
	case ftpx.FTPS:
		mode = testserver.ExplicitTLS
	case ftpx.FTPSImplicit:
		mode = testserver.ImplicitTLS
	}
	config := &tls.Config{Certificates: []tls.Certificate{must(ca.ServerFor("127.0.0.1"))}}
	for kind := range closedPort {
		srv, err := testserver.StartFTP(testserver.FTPOptions{Root: root, TLS: mode, TLSConfig: config, DataTimeout: 2 * time.Second,
			PassivePorts: proxy.PassivePorts(faultproxy.PassiveOptions{Plan: plan(kind), Lifetime: time.Second})})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = srv.Close() })
		s.ports[kind] = srv.Port()
	}
	return s
}

// live opens a client, has it meet its end, and closes it.
func (s *site) live(t *testing.T, e ending, n int) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	o := s.opts
	o.Ports = ftpx.Ports{SFTP: s.ports[e.at], FTP: s.ports[e.at], FTPSImplicit: s.ports[e.at]}
	o.Password, o.Timeouts.Stall = leakPassword, e.stall
	if e.bad {
		o.Password = "wrong"
	}
	opening := ctx
	if e.budget > 0 {
		var end func()
		opening, end = context.WithTimeout(ctx, e.budget)
		defer end()
	}
	c, err := ftpx.New(opening, ftpx.Config{Host: "127.0.0.1", User: "user", Options: o})
	if err != nil {
		s.ended(e, err)
		if !e.fails {
			t.Errorf("%v, %s: %v", s.proto, e.name, err)
		}
		return
	}
	defer c.Close()
	if e.fails {
		if e.budget == 0 { // else it was faster than its budget
			t.Errorf("%v, %s: it opened", s.proto, e.name)
		}
		return
	}
	var once sync.Once
	_, err = c.Upload(ctx, s.local, fmt.Sprintf("f%d", n), &ftpx.UploadOptions{Progress: func(ftpx.ProgressInfo) {
		if e.midway != nil {
			once.Do(func() { e.midway(cancel, c) })
		}
	}})
	s.ended(e, err)
	// The end may come when all has been sent, which is then a success.
	if e.good && err != nil || !e.good && e.midway == nil && err == nil {
		t.Errorf("%v, %s: %v", s.proto, e.name, err)
	}
}

// descriptors counts the open ones; -1 where the system does not tell.
func descriptors() int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(names)
}

// TestThousandOpensLeaveNothing opens a thousand clients, which end in all ways in which
// clients do, and counts what is left of them. With FTPX_SWEEP=more it is a thousand of
// each protocol.
func TestThousandOpensLeaveNothing(t *testing.T) {
	opens := 250
	switch {
	case os.Getenv("FTPX_SWEEP") != "":
		opens = 1000
	case testing.Short() || raceEnabled:
		opens = 120
	}
	proxy := faultproxy.New(faultproxy.Options{})
	t.Cleanup(func() { _ = proxy.Close() })
	var sites []*site
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit, ftpx.FTP} {
		sites = append(sites, newSite(t, p, proxy))
	}
	for _, s := range sites { // what is made once and kept is none of the counts
		for n, e := range endings {
			s.live(t, e, -1-n)
		}
		clear(s.ends)
	}
	settled := func() (goroutines, fds int) {
		proxy.Lift()
		runtime.GC() // what only a finalizer closes counts as closed, as files do
		return runtime.NumGoroutine(), descriptors()
	}
	// The servers' ends of what has been closed take a moment, and a passive port
	// that nobody comes to a second.
	goroutines, fds := settled()
	for begin := time.Now(); time.Since(begin) < 3*time.Second; time.Sleep(50 * time.Millisecond) {
		if g, f := settled(); g < goroutines || f < fds {
			goroutines, fds = min(g, goroutines), min(f, fds)
		}
	}
	for _, s := range sites {
		begin := time.Now()
		work := make(chan int)
		var wg sync.WaitGroup
		for range leakWorkers {
			wg.Go(func() {
				for n := range work {
					s.live(t, endings[n%len(endings)], n)
				}
			})
		}
		for n := range opens {
			work <- n
		}
		close(work)
		wg.Wait()
		took := time.Since(begin)
		var g, f int
		for begin := time.Now(); time.Since(begin) < leakSettle; time.Sleep(20 * time.Millisecond) {
			if g, f = settled(); g <= goroutines && f <= fds {
				break
			}
		}
		t.Logf("%-13v %d clients in %v; before: %d goroutines, %d descriptors; after: %d goroutines, %d descriptors",
			s.proto, opens, took.Round(time.Millisecond), goroutines, fds, g, f)
		t.Logf("%v: %s", s.proto, s.summary())
		if g > goroutines || f > fds {
			t.Errorf("%v leaves %d goroutines and %d descriptors", s.proto, g-goroutines, f-fds)
			var b strings.Builder
			_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
			t.Log(b.String())
		}
	}
}
