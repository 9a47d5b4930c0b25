//go:build linux && realserver

package trustdrill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	limitedFiles   = 100
	limitedWorkers = 16
	limitedConns   = 3 // what the server takes
	// refusedAtMost is how many connection attempts may be refused over all files:
	// 2 and then 4 are opened at once, so that a limit of 3 is met by a few of
	// those that were already under way, and then known.
	refusedAtMost = 8
	// limitedWithin bounds what takes a few seconds, so that a wait for nothing
	// shows as such and not as a test that does not end.
	limitedWithin = 2 * time.Minute
)

// TestServerThatTakesThreeConnections moves a hundred files, with sixteen
// workers and as many connections allowed, to and from servers that take three
// at a time and say so in each way that there is: a greeting of 421, a login
// refused with 530, a connection that is dropped before its login. No call may
// fail, every file must be whole, and few attempts to connect may be refused.
//
// What OpenSSH's options limit is something else: MaxStartups counts the
// connections that have not logged in yet, so that more than three are open in
// the end but never more than three at their login; MaxSessions counts the
// sessions of one connection. With MaxSessions 1 a client that opens one session
// for each connection never meets it, and one that opens several on a connection
// must make do with one.
func TestServerThatTakesThreeConnections(t *testing.T) {
	perHost := func(o *realserver.Options) { o.MaxPerHost = limitedConns }
	sshOnly := func(startups string, sessions int) func(*realserver.Options) {
		return func(o *realserver.Options) { o.SSH.MaxStartups, o.SSH.MaxSessions = startups, sessions }
	}
	for _, c := range []struct {
		setup
		limit  string
		change func(*realserver.Options)
	}{
		{vsftpd, "max_per_ip 3: 421 at the greeting", perHost},
		{vsftpd13, "max_per_ip 3: 421 at the greeting", perHost},
		{proftpd, "MaxClientsPerHost 3: 530 at the login", perHost},
		{proftpdS, "MaxClientsPerHost 3: 530 at the login", perHost},
		{pureftpd, "-C 3: 421 at the greeting", perHost},
		{pureftpdS, "-C 3: 421 at the greeting", perHost},
		{sshd, "MaxStartups 3:100:3", sshOnly("3:100:3", 0)},
		{sshd, "MaxSessions 1", sshOnly("", 1)},
		{sshd, "MaxStartups 3:100:3, MaxSessions 1", sshOnly("3:100:3", 1)},
	} {
		t.Run(c.name+" "+c.limit, func(t *testing.T) {
			s := c.with(c.change)
			srv := realtest.Start(t, s.opt)
			a := access{Protocol: uint8(s.proto), Host: srv.Host, Port: srv.Port, User: srv.User, Password: srv.Password, CAFile: srv.CAFile}
			for _, key := range srv.HostKeys() {
				a.HostKeys = append(a.HostKeys, ssh.FingerprintSHA256(key))
			}
			withinLimits(t, a.config(), srv.Root)
		})
	}
	t.Run("embedded/ftp 421 at the greeting", func(t *testing.T) {
		embeddedWithinLimits(t, testserver.FTPOptions{MaxConnections: limitedConns})
	})
	t.Run("embedded/ftp 530 at the login", func(t *testing.T) {
		embeddedWithinLimits(t, testserver.FTPOptions{MaxLogins: limitedConns})
	})
	t.Run("embedded/sftp MaxStartups 3, MaxSessions 1", func(t *testing.T) {
		root := t.TempDir()
		srv, err := testserver.StartSFTP(testserver.SFTPOptions{Root: root, MaxStartups: limitedConns, MaxSessions: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = srv.Close() })
		withinLimits(t, access{Protocol: uint8(ftpx.SFTP), Host: "127.0.0.1", Port: srv.Port(), User: "user", Password: "password",
			HostKeys: []string{ssh.FingerprintSHA256(srv.HostKey())}}.config(), root)
	})
}

func embeddedWithinLimits(t *testing.T, opt testserver.FTPOptions) {
	t.Helper()
	opt.Root = t.TempDir()
	srv, err := testserver.StartFTP(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	withinLimits(t, access{Protocol: uint8(ftpx.FTP), Host: "127.0.0.1", Port: srv.Port(), User: "user", Password: "password"}.config(), opt.Root)
}

// dials counts what a client's attempts to connect came to.
type dials struct {
	made, refused, others atomic.Int64
	mu                    sync.Mutex // guards why
	why                   error      // of the first that was refused
}

func (d *dials) saw(context.Context, ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
	return nil, d.ended
}

func (d *dials) ended(i ftpx.DialEnd) {
	d.made.Add(1)
	switch {
	case i.Err == nil:
		return
	case ftpx.KindOf(i.Err) == transport.KindBusy || ftpx.KindOf(i.Err) == transport.KindLost:
		d.refused.Add(1)
	default:
		d.others.Add(1)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.why == nil {
		d.why = i.Err
	}
}

// withinLimits moves the files there and back, and prints what it took.
func withinLimits(t *testing.T, cfg ftpx.Config, root string) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limitedWithin, errors.New("the drill has taken too long"))
	defer cancel()
	var d dials
	var retries atomic.Int64
	cfg.Limits.Conns = limitedWorkers
	cfg.Hooks = &ftpx.Hooks{Dial: d.saw, Retry: func(context.Context, ftpx.RetryInfo) { retries.Add(1) }}
	c, err := ftpx.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })

	local := t.TempDir()
	want := make([][]byte, limitedFiles)
	name := func(n int) string { return fmt.Sprintf("file%03d", n) }
	for n := range want {
		want[n] = content(byte(n), 10_000+7919*n%200_000)
		write(t, filepath.Join(local, name(n)), want[n])
	}
	pass := func(what string, move func(n int) (ftpx.Result, error)) {
		t.Helper()
		made, refused := d.made.Load(), d.refused.Load()
		begin := time.Now()
		next := make(chan int)
		var wg sync.WaitGroup
		for range limitedWorkers {
			wg.Go(func() {
				for n := range next {
					if res, err := move(n); err != nil || res.Outcome != ftpx.Done || res.Size != int64(len(want[n])) {
						t.Errorf("%s of %s: %+v, %v", what, name(n), res, err)
					}
				}
			})
		}
		for n := range want {
			next <- n
		}
		close(next)
		wg.Wait()
		s := c.Stats()
		t.Logf("%s of %d files by %d workers in %v: %d connection attempts, %d refused; %d open, %d retries",
			what, len(want), limitedWorkers, time.Since(begin).Round(time.Millisecond), d.made.Load()-made, d.refused.Load()-refused, s.Open, retries.Load())
	}
	pass("upload", func(n int) (ftpx.Result, error) {
		return c.Upload(ctx, filepath.Join(local, name(n)), name(n), nil)
	})
	learned := d.refused.Load()
	pass("download", func(n int) (ftpx.Result, error) {
		return c.Download(ctx, name(n), filepath.Join(local, name(n)+".back"), nil)
	})
	for n := range want {
		same(t, filepath.Join(root, name(n)), want[n])
		same(t, filepath.Join(local, name(n)+".back"), want[n])
	}
	if entries, err := os.ReadDir(root); err != nil || len(entries) != len(want) {
		t.Errorf("the server holds %d files, want %d (%v)", len(entries), len(want), err)
	}
	t.Logf("%d connection attempts in all, %d refused (%v)", d.made.Load(), d.refused.Load(), d.why)
	if d.others.Load() > 0 || learned > refusedAtMost {
		t.Errorf("%d attempts were refused, want at most %d; %d failed otherwise", learned, refusedAtMost, d.others.Load())
	}
	// What was learned stands: later work may try for one more, now and then.
	if later := d.refused.Load() - learned; later > 2 {
		t.Errorf("%d attempts were refused after the limit was known", later)
	}
	if s := c.Stats(); cfg.Protocols[0] != ftpx.SFTP && s.Open > limitedConns {
		t.Errorf("%d connections are open to a server that takes %d", s.Open, limitedConns)
	}
}
