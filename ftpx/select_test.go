package ftpx_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// stubConn is enough of a connection to be chosen. What it is asked is answered by one,
// or at once.
type stubConn struct {
	proto  ftpx.Protocol
	one    func(context.Context, transport.Request) error
	gone   atomic.Bool
	closed chan struct{}
	once   sync.Once
}

func newStub(p ftpx.Protocol) *stubConn { return &stubConn{proto: p, closed: make(chan struct{})} }

func (c *stubConn) Info() transport.Info { return transport.Info{Protocol: c.proto, Addr: "h:1"} }
func (c *stubConn) Usable() bool         { return !c.gone.Load() }
func (c *stubConn) Close() error         { c.once.Do(func() { close(c.closed) }); return nil }
func (c *stubConn) Do(ctx context.Context, b *transport.Batch) error {
	return transport.InTurn(ctx, b, c.Usable, func(ctx context.Context, r transport.Request) error {
		if c.one == nil {
			return nil
		}
		return c.one(ctx, r)
	})
}

// behaviour is what a port does: after answer its first byte arrives (0: with
// the end), after end the dial ends with kind, or in a login for KindUnknown.
type behaviour struct {
	answer, end time.Duration
	kind        transport.Kind
}

const forever = 24 * time.Hour

func race(t *testing.T, ports map[ftpx.Protocol]behaviour, opts ftpx.Options) (proto ftpx.Protocol, dialled []ftpx.Protocol, took time.Duration, err error) {
	t.Helper()
	var mu sync.Mutex
	var conns []*stubConn
	opts.Connect = func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		mu.Lock()
		dialled = append(dialled, ep.Protocol)
		mu.Unlock()
		b, ok := ports[ep.Protocol]
		if !ok {
			b = behaviour{kind: transport.KindUnreachable}
		}
		wait := func(d time.Duration) bool {
			select {
			case <-time.After(d):
				return true
			case <-ctx.Done():
				return false
			}
		}
		if b.answer > 0 {
			if !wait(b.answer) {
				return nil, ep.Fail("dial", "", transport.KindCanceled, ctx.Err())
			}
			ep.Answered()
		}
		if b.end == forever {
			// A black hole ends with the connect timeout.
			b = behaviour{end: ep.WithDefaults().ConnectTimeout, kind: transport.KindTimeout}
		}
		if !wait(b.end - b.answer) {
			return nil, ep.Fail("dial", "", transport.KindCanceled, ctx.Err())
		}
		if b.kind != transport.KindUnknown {
			return nil, ep.Fail("dial", "", b.kind, fmt.Errorf("made up"))
		}
		c := newStub(ep.Protocol)
		mu.Lock()
		conns = append(conns, c)
		mu.Unlock()
		return c, nil
	}
	opts.Retry = retry.Policy{MaxAttempts: 1}
	opts.Hooks = inUse(&proto)
	begin := time.Now()
	cl, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
	took = time.Since(begin)
	if err == nil {
		cl.Close()
	}
	synctest.Wait()
	for _, c := range conns {
		select {
		case <-c.closed:
		default:
			t.Errorf("a connection of %v was left open", c.proto)
		}
	}
	return proto, dialled, took, err
}

// Plain FTP begins when all that is better has failed, and not before: to drop packets for a
// moment must not be enough to be shown a password.
func TestPlainIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hole := behaviour{end: forever}
		ports := map[ftpx.Protocol]behaviour{ftpx.SFTP: hole, ftpx.FTPS: hole, ftpx.FTP: {answer: time.Millisecond, end: 2 * time.Millisecond}}
		proto, dialled, took, err := race(t, ports, ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTP}, AllowPlaintext: true})
		if err != nil || proto != ftpx.FTP || took < ftpx.DefaultHeadStart+transport.DefaultConnectTimeout {
			t.Errorf("chose %v after %v, dialled %v, %v", proto, took, dialled, err)
		}
	})
}

func TestSelection(t *testing.T) {
	ok := func(answer, end time.Duration) behaviour { return behaviour{answer: answer, end: end} }
	bad := func(k transport.Kind) behaviour { return behaviour{end: time.Millisecond, kind: k} }
	hole := behaviour{end: forever}
	ms := time.Millisecond
	all := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit, ftpx.FTP}, AllowPlaintext: true}
	for name, tt := range map[string]struct {
		ports   map[ftpx.Protocol]behaviour
		opts    ftpx.Options
		want    ftpx.Protocol
		dialled int
		within  time.Duration
		kind    transport.Kind
	}{
		"all offered": {map[ftpx.Protocol]behaviour{ftpx.SFTP: ok(10*ms, 50*ms), ftpx.FTPS: ok(10*ms, 50*ms), ftpx.FTP: ok(10*ms, 50*ms)}, all, ftpx.SFTP, 1, 100 * ms, 0},
		"ssh refused": {map[ftpx.Protocol]behaviour{ftpx.FTPS: ok(10*ms, 50*ms)}, all, ftpx.FTPS, 2, 100 * ms, 0},
		"ssh a black hole": {map[ftpx.Protocol]behaviour{ftpx.SFTP: hole, ftpx.FTPS: ok(10*ms, 50*ms)}, all, ftpx.FTPS, 2,
			2*ftpx.DefaultHeadStart + 100*ms, 0},
		"ssh slow but there":           {map[ftpx.Protocol]behaviour{ftpx.SFTP: ok(400*ms, 3*time.Second), ftpx.FTPS: ok(10*ms, 50*ms)}, all, ftpx.SFTP, 1, 3100 * ms, 0},
		"ssh answers within the grace": {map[ftpx.Protocol]behaviour{ftpx.SFTP: ok(700*ms, 3*time.Second), ftpx.FTPS: ok(10*ms, 50*ms)}, all, ftpx.SFTP, 2, 3100 * ms, 0},
		"wrong banner":                 {map[ftpx.Protocol]behaviour{ftpx.SFTP: bad(transport.KindNotOffered), ftpx.FTPSImplicit: ok(10*ms, 20*ms)}, all, ftpx.FTPSImplicit, 3, 100 * ms, 0},
		"wrong password on sftp":       {map[ftpx.Protocol]behaviour{ftpx.SFTP: bad(transport.KindAuth), ftpx.FTPS: ok(10*ms, 50*ms)}, all, 0, 1, 100 * ms, transport.KindAuth},
		"host key":                     {map[ftpx.Protocol]behaviour{ftpx.SFTP: bad(transport.KindHostKey), ftpx.FTPS: ok(10*ms, 50*ms)}, all, 0, 1, 100 * ms, transport.KindHostKey},
		"ssh reset by an attacker":     {map[ftpx.Protocol]behaviour{ftpx.SFTP: bad(transport.KindLost), ftpx.FTPS: ok(10*ms, 50*ms), ftpx.FTP: ok(10*ms, 50*ms)}, all, 0, 1, 100 * ms, transport.KindLost},
		"certificate":                  {map[ftpx.Protocol]behaviour{ftpx.FTPS: bad(transport.KindCertificate), ftpx.FTP: ok(10*ms, 50*ms)}, all, 0, 2, 100 * ms, transport.KindCertificate},
		"plain only, allowed":          {map[ftpx.Protocol]behaviour{ftpx.FTPS: bad(transport.KindNotOffered), ftpx.FTP: ok(10*ms, 50*ms)}, all, ftpx.FTP, 4, 100 * ms, 0},
		"plain only, not allowed": {map[ftpx.Protocol]behaviour{ftpx.FTPS: bad(transport.KindNotOffered), ftpx.FTP: ok(10*ms, 50*ms)},
			ftpx.Options{Protocols: all.Protocols}, 0, 3, 100 * ms, transport.KindNotOffered},
		"plain waits for the silent": {map[ftpx.Protocol]behaviour{ftpx.SFTP: hole, ftpx.FTPS: hole, ftpx.FTPSImplicit: hole, ftpx.FTP: ok(10*ms, 50*ms)}, all, ftpx.FTP, 4,
			2*ftpx.DefaultHeadStart + transport.DefaultConnectTimeout + 100*ms, 0},
		"nobody there": {nil, all, 0, 4, 100 * ms, transport.KindUnreachable},
		"no such host": {map[ftpx.Protocol]behaviour{ftpx.SFTP: bad(transport.KindNoHost)}, all, 0, 1, 100 * ms, transport.KindNoHost},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				proto, dialled, took, err := race(t, tt.ports, tt.opts)
				if proto != tt.want || ftpx.KindOf(err) != tt.kind {
					t.Errorf("chose %v, error %v (%v)", proto, err, ftpx.KindOf(err))
				}
				if len(dialled) != tt.dialled {
					t.Errorf("dialled %v, want %d", dialled, tt.dialled)
				}
				if took > tt.within {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

func TestSelectErrorSaysWhatToAllow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dialled, _, err := race(t, map[ftpx.Protocol]behaviour{
			ftpx.FTPS: {end: time.Millisecond, kind: transport.KindNotOffered},
			ftpx.FTP:  {end: time.Millisecond},
		}, ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTP}})
		for _, want := range []string{"sftp", "ftps", "unreachable", "not offered", "AllowPlaintext"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\ndoes not say %q", err, want)
			}
		}
		for _, p := range dialled {
			if p == ftpx.FTP {
				t.Error("plain ftpx.FTP was dialled although it is not allowed")
			}
		}
		var se *ftpx.ProtocolsError
		if !errors.As(err, &se) || !se.PlaintextHeld || len(se.Tried) != 2 {
			t.Errorf("ProtocolsError: %+v", se)
		}
	})
}

// A better protocol that comes back is found after a while; while it is away,
// looking for it disturbs nothing.
func TestRecheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		sftp := transport.KindUnreachable
		var used ftpx.Protocol
		opts := ftpx.Options{Protocols: []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS},
			Hooks: inUse(&used)}
		opts.Connect = func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if ep.Protocol == ftpx.SFTP && sftp != transport.KindUnknown {
				return nil, ep.Fail("dial", "", sftp, errors.New("made up"))
			}
			return newStub(ep.Protocol), nil
		}
		cl, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
		if err != nil {
			t.Fatal(err)
		}
		defer cl.Close()
		want := func(p ftpx.Protocol) {
			t.Helper()
			if err := cl.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := used; got != p {
				t.Errorf("%v in use, want %v", got, p)
			}
		}
		want(ftpx.FTPS)
		for _, k := range []transport.Kind{transport.KindUnreachable, transport.KindHostKey, transport.KindLost} {
			mu.Lock()
			sftp = k
			mu.Unlock()
			time.Sleep(ftpx.DefaultRecheckAfter + time.Second)
			want(ftpx.FTPS)
		}
		mu.Lock()
		sftp = transport.KindUnknown
		mu.Unlock()
		want(ftpx.FTPS)
		time.Sleep(ftpx.DefaultRecheckAfter + time.Second)
		want(ftpx.SFTP)
	})
}

// A dial that runs into its own deadline is not one that the caller gave up.
func TestBlackHolesAreNotCanceled(t *testing.T) {
	var opts ftpx.Options
	opts.Retry = retry.Policy{MaxAttempts: 1}
	opts.Connect = func(_ context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		return nil, ep.Fail("dial", "", transport.KindTimeout, context.DeadlineExceeded)
	}
	_, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
	if k := transport.KindOf(err); k != transport.KindUnreachable {
		t.Errorf("%v: %v", k, err)
	}
}

// inUse are hooks that note the protocol of the last attempt.
func inUse(p *ftpx.Protocol) *ftpx.Hooks {
	return &ftpx.Hooks{Attempt: func(context.Context, ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
		return nil, func(e ftpx.AttemptEnd) { *p = e.Protocol }
	}}
}
