package faultsweep

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// stallTimeout is the silence that counts as a stall: what a stalled case costs.
	stallTimeout = 400 * time.Millisecond
	// connectTimeout bounds a login that is stalled.
	connectTimeout = 3 * time.Second
	// waitLimit bounds what must happen soon.
	waitLimit = 5 * time.Second
)

// rig is a set of servers behind a proxy, for one case at a time.
type rig struct {
	proxy       *faultproxy.Proxy
	trio        *testserver.Trio
	ports       ftpx.Ports
	root, local string // folders of the servers and of the client
	sockets     sockets
	n           int // cases so far
}

func newRig(dir string) (_ *rig, err error) {
	r := &rig{proxy: faultproxy.New(faultproxy.Options{Seed: 1})}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if r.root, err = os.MkdirTemp(dir, "server-*"); err != nil {
		return nil, err
	}
	if r.local, err = os.MkdirTemp(dir, "client-*"); err != nil {
		return nil, err
	}
	r.trio, err = testserver.StartTrio(testserver.TrioOptions{
		Root: r.root, PassivePorts: r.proxy.PassivePorts(faultproxy.PassiveOptions{Lifetime: waitLimit}),
	})
	if err != nil {
		return nil, err
	}
	for _, to := range []struct {
		role   faultproxy.Role
		target net.Addr
		port   *int
	}{
		{faultproxy.SSH, r.trio.SFTP.Addr(), &r.ports.SFTP},
		{faultproxy.Control, r.trio.FTP.Addr(), &r.ports.FTP},
		{faultproxy.Control, r.trio.FTPS.Addr(), &r.ports.FTPSImplicit},
	} {
		route, err := r.proxy.Route(faultproxy.RouteOptions{Role: to.role, Target: to.target.String()})
		if err != nil {
			return nil, err
		}
		*to.port = route.Port()
	}
	return r, nil
}

// close ends the servers, which wait for their sessions and open files.
func (r *rig) close() error {
	err := r.proxy.Close()
	if r.trio != nil {
		err = errors.Join(err, r.trio.Close())
	}
	return err
}

// open makes a client that has logged in.
func (r *rig) open(ctx context.Context, p ftpx.Protocol, hooks *ftpx.Hooks) (ftpx.Client, error) {
	return ftpx.New(ctx, ftpx.Config{Host: "127.0.0.1", User: r.trio.User, Options: ftpx.Options{
		Password: ftpx.Secret(r.trio.Password), Protocols: []ftpx.Protocol{p}, AllowPlaintext: p == ftpx.FTP,
		Ports: r.ports, Hooks: hooks, Dial: r.sockets.dial,
		SSH:      transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(r.trio.SFTP.HostKey())}},
		TLS:      transport.TLS{Config: &tls.Config{RootCAs: r.trio.CA.Pool()}},
		Timeouts: ftpx.Timeouts{Stall: stallTimeout, Connect: connectTimeout},
		Retry:    policy(),
	}})
}

// policy is the default budget with short pauses.
func policy() retry.Policy {
	return retry.Policy{InitialDelay: time.Millisecond, MaxDelay: 20 * time.Millisecond, BusyDelay: time.Millisecond}
}

// quiesce brings the line to rest after a case, whose client has been closed,
// and returns what was left open.
func (r *rig) quiesce() (leaks []string) {
	if !within(func() bool { return r.sockets.open() == 0 }) {
		leaks = append(leaks, fmt.Sprintf("%d sockets of the closed client are open", r.sockets.open()))
	}
	r.sockets.forget()
	// What stalls in the proxy would hang there until the end of the sweep, and
	// must not be delivered to a server either.
	r.proxy.Cut(faultproxy.Reset)
	if !within(func() bool { return r.proxy.Stats().Live == 0 }) {
		leaks = append(leaks, fmt.Sprintf("%d connections live on in the proxy", r.proxy.Stats().Live))
	}
	return leaks
}

// folder makes a folder for the files of the next case, on the server and here.
func (r *rig) folder() (name string, err error) {
	r.n++
	name = fmt.Sprintf("case%d", r.n)
	return name, errors.Join(os.Mkdir(filepath.Join(r.root, name), 0o700), os.Mkdir(filepath.Join(r.local, name), 0o700))
}

func (r *rig) remove(name string) error {
	return errors.Join(os.RemoveAll(filepath.Join(r.root, name)), os.RemoveAll(filepath.Join(r.local, name)))
}

// sockets are those that a client has dialled.
type sockets struct {
	mu  sync.Mutex // guards all
	all []*net.TCPConn
}

func (s *sockets) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, conn.(*net.TCPConn))
	return conn, nil
}

// open counts those that have not been closed, which only a call tells.
func (s *sockets) open() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		if !errors.Is(c.SetDeadline(time.Time{}), net.ErrClosed) {
			n++
		}
	}
	return n
}

func (s *sockets) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		_ = c.Close()
	}
	s.all = nil
}

// within waits for a condition that no event announces.
func within(condition func() bool) bool {
	for end := time.Now().Add(waitLimit); ; time.Sleep(time.Millisecond) {
		if condition() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}
