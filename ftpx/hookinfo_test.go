package ftpx_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRetryDelayIsWaited: what Retry announces is the time until the server is asked again,
// also where a host that fails is spared for longer than the pause.
func TestRetryDelayIsWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{})
		var due time.Time
		var delays []time.Duration
		opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Connect: s.Dial, Retry: retry.Policy{MaxAttempts: 12, InitialDelay: 50 * time.Millisecond, MaxDelay: 200 * time.Millisecond},
			Hooks: &ftpx.Hooks{
				Retry: func(_ context.Context, i ftpx.RetryInfo) {
					delays = append(delays, i.Delay)
					due = time.Now().Add(i.Delay)
				},
				Dial: func(context.Context, ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
					if !due.IsZero() && !time.Now().Equal(due) {
						t.Errorf("dialled %v after it was due", time.Since(due))
					}
					return nil, nil
				},
			}}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
		must(t, err)
		defer c.Close()
		s.SetDown(transport.KindUnreachable)
		s.Cut()
		if err := c.Ping(t.Context()); ftpx.KindOf(err) != transport.KindUnreachable {
			t.Fatal(err)
		}
		if len(delays) != 11 || slices.Max(delays) < 4*time.Second {
			t.Errorf("%v", delays)
		}
	})
}

// dials are hooks that note how dials have ended.
func dials(ends *[]ftpx.DialEnd) *ftpx.Hooks {
	var mu sync.Mutex
	return &ftpx.Hooks{Dial: func(context.Context, ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
		return nil, func(e ftpx.DialEnd) {
			mu.Lock()
			defer mu.Unlock()
			*ends = append(*ends, e)
		}
	}}
}

func phases(e ftpx.DialEnd) string {
	var names []string
	for _, p := range e.Phases {
		names = append(names, p.Name)
	}
	return strings.Join(names, " ")
}

// TestDialPhases: a dial tells its steps, and the one in which it failed.
func TestDialPhases(t *testing.T) {
	trio := startTrio(t)
	all := map[ftpx.Protocol]string{ftpx.SFTP: "tcp ssh login subsystem", ftpx.FTP: "tcp greeting login", ftpx.FTPS: "tcp greeting tls login", ftpx.FTPSImplicit: "tcp tls greeting login"}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	closed := silent.Addr().(*net.TCPAddr).Port
	must(t, silent.Close())
	for p, want := range all {
		for _, c := range []struct {
			name   string
			host   string
			change func(*ftpx.Options)
			failed string
		}{
			{name: "well"},
			{name: "by name", host: "localhost"},
			{name: "refused", change: func(o *ftpx.Options) { o.Ports = ftpx.Ports{SFTP: closed, FTP: closed, FTPSImplicit: closed} }, failed: "tcp"},
			{name: "no such host", host: "none.invalid", failed: "resolve"},
			{name: "password", change: func(o *ftpx.Options) { o.Password = "wrong" }, failed: "login"},
			{name: "identity", change: func(o *ftpx.Options) {
				o.SSH.HostKeyFingerprints, o.TLS.Config = []string{"SHA256:" + strings.Repeat("A", 43)}, nil
			}, failed: map[bool]string{true: "ssh", false: "tls"}[p == ftpx.SFTP]},
			{name: "own dial", change: func(o *ftpx.Options) {
				o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					c, err := (&net.Dialer{}).DialContext(ctx, network, address)
					return struct{ net.Conn }{c}, err
				}
			}},
		} {
			t.Run(p.String()+"/"+c.name, func(t *testing.T) {
				if p == ftpx.FTP && c.name == "identity" {
					return // it has none
				}
				opts := optionsFor(trio, p)
				opts.Retry.MaxAttempts = 1
				var ends []ftpx.DialEnd
				opts.Hooks = dials(&ends)
				if c.change != nil {
					c.change(&opts)
				}
				host := "127.0.0.1"
				if c.host != "" {
					host = c.host
					opts.TLS.Config.ServerName = "127.0.0.1"
				}
				client, err := ftpx.New(t.Context(), ftpx.Config{Host: host, User: trio.User, Options: opts})
				if err == nil {
					defer client.Close()
				}
				e := ends[len(ends)-1]
				var took time.Duration
				for i, p := range e.Phases {
					took += p.Duration
					last := i == len(e.Phases)-1 || c.name == "identity" && p.Name == "ssh" // SFTP offers the other algorithms too
					if (p.Err != nil) != (e.Err != nil && last) {
						t.Errorf("%s: %v", p.Name, p.Err)
					}
				}
				if took > e.Duration || e.Duration <= 0 {
					t.Errorf("%v in all, %v in its phases", e.Duration, took)
				}
				if e.Failed() != c.failed || (e.Err != nil) != (c.failed != "") {
					t.Errorf("failed in %q, want %q: %v (%s)", e.Failed(), c.failed, e.Err, phases(e))
				}
				got := strings.Replace(phases(e), " proxy", "", 1)
				got = strings.TrimPrefix(got, "resolve ")
				if c.failed == "" && got != want {
					t.Errorf("%s, want %s", got, want)
				}
				if named := strings.HasPrefix(phases(e), "resolve"); named != (c.host != "") {
					t.Errorf("phases of %q: %s", host, phases(e))
				}
				if proxied := strings.Contains(phases(e), "proxy"); proxied != (c.name == "own dial") {
					t.Errorf("%s", phases(e))
				}
				if c.failed == "" && c.name != "own dial" && !strings.Contains(e.Info.Peer, "1:") {
					t.Errorf("connected to %q", e.Info.Peer)
				}
			})
		}
	}
}

// ends are hooks that note how connections have ended.
func ends(got chan<- ftpx.ConnInfo) *ftpx.Hooks {
	return &ftpx.Hooks{Conn: func(i ftpx.ConnInfo) { got <- i }}
}

// TestConnEnds: how a connection has ended, in simulated time.
func TestConnEnds(t *testing.T) {
	for name, c := range map[string]struct {
		do       func(t *testing.T, c ftpx.Client, s *memconn.Server)
		cause    ftpx.Cause
		kind     transport.Kind
		inUse    bool
		idle     time.Duration
		uses     int
		moved    string
		lostLate time.Duration
	}{
		"closed": {do: func(t *testing.T, c ftpx.Client, _ *memconn.Server) { time.Sleep(3 * time.Second); must(t, c.Close()) },
			cause: ftpx.CauseClosed, idle: 3 * time.Second, uses: 1},
		"idle": {do: func(*testing.T, ftpx.Client, *memconn.Server) { time.Sleep(3 * time.Minute) },
			cause: ftpx.CauseIdle, idle: 2 * time.Minute, uses: 1},
		"reset in use": {do: func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			s.Inject(onceAt(memconn.StepData, memconn.Fault{Do: memconn.LostBefore}))
			must(t, errOf(c.Put(t.Context(), "f", strings.NewReader(strings.Repeat("x", 100_000)), nil)))
		}, cause: ftpx.CauseReset, kind: transport.KindLost, inUse: true, uses: 2, moved: "up"},
		"stalled": {do: func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			s.Inject(onceAt(memconn.StepData, memconn.Fault{Do: memconn.Stall}))
			must(t, errOf(c.Get(t.Context(), "there", &strings.Builder{}, nil)))
		}, cause: ftpx.CauseStalled, kind: transport.KindStalled, inUse: true, uses: 2, moved: "down"},
		"canceled": {do: func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			s.Inject(onceAt(memconn.StepData, memconn.Fault{Do: memconn.Stall}))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if _, err := c.Get(ctx, "there", &strings.Builder{}, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}, cause: ftpx.CauseCanceled, kind: transport.KindCanceled, inUse: true, uses: 2, moved: "down"},
		"died in a pause": {do: func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			time.Sleep(10 * time.Second)
			s.Inject(onceAt(memconn.StepRequest, memconn.Fault{Do: memconn.Unsent}))
			must(t, errOf(c.Get(t.Context(), "there", &strings.Builder{}, nil)))
		}, cause: ftpx.CauseReset, kind: transport.KindLost, idle: 10 * time.Second, uses: 2, moved: "down"},
		"garbage": {do: func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			s.Inject(onceAt(memconn.StepReply, memconn.Fault{Do: memconn.Garbage}))
			must(t, errOf(c.Stat(t.Context(), "there")))
		}, cause: ftpx.CauseFailed, kind: transport.KindProtocol, inUse: true, uses: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := memconn.New(memconn.Options{})
				s.Files().Write("there", []byte("some text"), time.Unix(1e9, 0))
				got := make(chan ftpx.ConnInfo, 10)
				opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Connect: s.Dial, Timeouts: ftpx.Timeouts{Stall: 5 * time.Second}, Hooks: ends(got)}
				client, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
				must(t, err)
				begin := time.Now()
				c.do(t, client, s)
				i := <-got
				if i.Conn != 1 || i.Host != "h" || i.Protocol != ftpx.FTPS || !i.Opened.Equal(begin) || i.Age <= 0 && name != "reset in use" && name != "garbage" {
					t.Errorf("%+v", i)
				}
				if i.Cause != c.cause || i.Kind != c.kind || i.InUse != c.inUse || i.Idle != c.idle || i.Operations != c.uses || i.Direction != c.moved || (i.Err != nil) != (c.kind != transport.KindUnknown) {
					t.Errorf("%+v", i)
				}
				must(t, client.Close())
			})
		})
	}
}

// TestConnOverSockets: what the sockets of a connection have moved, and who has ended it.
func TestConnOverSockets(t *testing.T) {
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			trio := startTrio(t)
			got := make(chan ftpx.ConnInfo, 10)
			opts := optionsFor(trio, p)
			opts.Hooks = ends(got)
			c := connect(t, trio, opts)
			local := localFile(t, content(3<<20))
			must(t, errOf(c.Upload(t.Context(), local, "f", nil)))
			must(t, errOf(c.Download(t.Context(), "f", filepath.Join(t.TempDir(), "f"), nil)))
			must(t, c.Close())
			i := <-got
			if i.Sent < 3<<20 || i.Sent > 4<<20 || i.Received < 3<<20 || i.Received > 4<<20 || i.Operations != 3 || !strings.HasPrefix(i.Peer, "127.0.0.1:") {
				t.Errorf("%+v", i)
			}
			if i.TCP != nil && (i.TCP.Segments <= 0 || i.TCP.RoundTrip <= 0) {
				t.Errorf("%+v", i.TCP)
			}
			t.Logf("%+v %+v", i, i.TCP)
		})
	}
}

// TestConnCutBySever: whoever cuts the session of a transfer under way.
func TestConnCutByServer(t *testing.T) {
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			var cut func() int
			trio := startTrio(t, func(*testserver.TrioOptions) {})
			switch p {
			case ftpx.SFTP:
				cut = trio.SFTP.CutSessions
			case ftpx.FTPSImplicit:
				cut = trio.FTPS.CutSessions
			default:
				cut = trio.FTP.CutSessions
			}
			got := make(chan ftpx.ConnInfo, 10)
			opts := optionsFor(trio, p)
			opts.Hooks = ends(got)
			c := connect(t, trio, opts)
			var once sync.Once
			local := localFile(t, content(3<<20))
			must(t, errOf(c.Upload(t.Context(), local, "f", &ftpx.UploadOptions{Progress: func(ftpx.ProgressInfo) { once.Do(func() { cut() }) }})))
			i := <-got
			if i.Cause != ftpx.CauseReset && i.Cause != ftpx.CauseEOF || i.Kind != transport.KindLost || !i.InUse || i.Direction != "up" || i.Idle != 0 {
				t.Errorf("%+v", i)
			}
		})
	}
}

// TestSharedConnectionIsTold: an operation that shares a connection tells which, and makes
// no dial of its own.
func TestSharedConnectionIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caps := memconn.DefaultCaps(ftpx.SFTP)
		caps.Overlap = 8
		s := memconn.New(memconn.Options{RoundTrip: 100 * time.Millisecond, Caps: &caps})
		type key struct{}
		var mu sync.Mutex // guards what follows
		var dialled, shared int
		hooks := &ftpx.Hooks{
			Dial: func(ctx context.Context, i ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
				mu.Lock()
				defer mu.Unlock()
				dialled++
				return context.WithValue(ctx, key{}, i.Conn), nil
			},
			Attempt: func(context.Context, ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
				return nil, func(e ftpx.AttemptEnd) {
					mu.Lock()
					defer mu.Unlock()
					if e.DialContext == nil || e.DialContext.Value(key{}) != e.Conn || e.Conn == 0 || e.Host != "h" || e.Addr != "h:22" {
						t.Errorf("%+v", e)
					}
					if e.Shared {
						shared++
					}
				}
			},
		}
		opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP}, Limits: ftpx.Limits{Conns: 1}, Connect: s.Dial, Hooks: hooks}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
		must(t, err)
		defer c.Close()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { _, _ = c.Stat(t.Context(), ".") })
		}
		all.Wait()
		if dialled != 1 || shared < 2 {
			t.Errorf("%d dials, %d attempts that shared", dialled, shared)
		}
	})
}

// TestOperationTells: what the end of an operation says, a retry that succeeded included.
func TestOperationTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memconn.New(memconn.Options{})
		s.Files().Write("there", []byte("some text"), time.Unix(1e9, 0))
		var ops []ftpx.OperationEnd
		var infos []ftpx.OperationInfo
		var failed []error
		opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Connect: s.Dial, Hooks: &ftpx.Hooks{
			Operation: func(_ context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
				infos = append(infos, i)
				return nil, func(e ftpx.OperationEnd) { ops = append(ops, e) }
			},
			Attempt: func(context.Context, ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
				return nil, func(e ftpx.AttemptEnd) { failed = append(failed, e.Err) }
			},
		}}
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
		must(t, err)
		defer c.Close()
		s.Inject(onceAt(memconn.StepReply, memconn.Fault{Do: memconn.Garbage}))
		must(t, errOf(c.Stat(t.Context(), "there")))
		if e := ops[1]; infos[1].Op != "stat" || e.Err != nil || e.Result.Outcome != ftpx.Done || e.Result.Attempts != 2 || e.Host != "h" || e.Conn != 2 || e.Result.Protocol != ftpx.FTPS {
			t.Errorf("%+v", e)
		}
		if len(failed) != 3 || failed[1] == nil || failed[2] != nil {
			t.Errorf("%v", failed)
		}
		if err := c.RemoveAll(t.Context(), "none"); err != nil {
			t.Fatal(err)
		}
		if infos[2].Op != "removeall" || infos[3].Parent != infos[2].ID || infos[4].Parent != infos[2].ID || len(infos) != 5 {
			t.Errorf("%+v", infos[2:])
		}
		must(t, os.WriteFile(filepath.Join(t.TempDir(), "f"), nil, 0o600))
		if _, err := c.Get(t.Context(), "none", &strings.Builder{}, nil); err == nil || ops[len(ops)-1].Err != err {
			t.Errorf("%v, and hooks were told %v", err, ops[len(ops)-1].Err)
		}
	})
}

// onceAt is a fault at the next operation of a kind.
func onceAt(step memconn.Step, f memconn.Fault) memconn.Injector {
	var once sync.Once
	return func(op memconn.OpInfo) (got memconn.Fault) {
		if op.Step == step {
			once.Do(func() { got = f })
		}
		return got
	}
}
