package ftpx_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// A file that rides on a connection turns out too large for that, while a slot is free
// and the connection is lent to somebody else: it takes the slot for a connection of its
// own, and gives it back. It is done more often than there are slots, so that none of
// them can have been lost.
//
// The one connection is held by a Get whose writer waits; every other one is dialled
// into a black hole, so that who has the slot is known at each moment.
func TestTooLargeToRideLosesNoSlot(t *testing.T) {
	trio := startTrio(t)
	for name, size := range map[string]int{"held": 1 << 20, "large": 600 << 10} {
		if err := os.WriteFile(filepath.Join(trio.Root, name), content(size), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	proxy := faultproxy.New(faultproxy.Options{})
	t.Cleanup(func() { proxy.Close() })
	dialled := make(chan struct{}, 100)
	var blocked atomic.Bool
	route, err := proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Target: trio.SFTP.Addr().String(), Plan: func(faultproxy.ConnInfo) faultproxy.Fault {
		if blocked.Load() {
			dialled <- struct{}{}
			return faultproxy.Fault{Kind: faultproxy.BlackHole}
		}
		return faultproxy.Fault{}
	}})
	if err != nil {
		t.Fatal(err)
	}
	opts := optionsFor(trio, ftpx.SFTP)
	opts.Ports.SFTP, opts.Limits.Conns = route.Port(), 2
	riding := make(chan struct{}) // a download has begun its attempt
	goOn := make(chan struct{})   // and may go on
	var rides atomic.Bool         // the next download is to be told of
	opts.Hooks = &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
		if strings.HasSuffix(i.Line, " large") && rides.Swap(false) {
			riding <- struct{}{}
			<-goOn
		}
	}}
	c := connect(t, trio, opts)

	// wait for what must happen.
	wait := func(what string, ch <-chan struct{}) {
		t.Helper()
		select {
		case <-ch:
		case <-ctx.Done():
			t.Fatalf("%s: it does not happen; %+v", what, c.Stats())
		}
	}
	holding, release := make(chan struct{}, 1), make(chan struct{})
	got := make(chan error, 1)
	go func() {
		_, err := c.Get(ctx, "held", writerFunc(func(p []byte) (int, error) {
			select {
			case holding <- struct{}{}:
			default:
			}
			<-release
			return len(p), nil
		}), nil)
		got <- err
	}()
	wait("the Get that holds the connection", holding)
	blocked.Store(true)
	for range 3 {
		// Work that does not ride takes the other slot, and dials.
		pctx, giveUp := context.WithCancel(ctx)
		ping := make(chan error, 1)
		go func() { ping <- c.Ping(pctx) }()
		wait("the dial of other work", dialled)
		dctx, stop := context.WithCancel(ctx)
		download := make(chan error, 1)
		rides.Store(true)
		go func() {
			_, err := c.Download(dctx, "large", filepath.Join(t.TempDir(), "f"), nil)
			download <- err
		}()
		wait("the ride", riding)
		giveUp()
		if err := <-ping; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		goOn <- struct{}{}
		wait("the dial of what is too large to ride", dialled)
		stop()
		if err := <-download; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	blocked.Store(false)
	close(release)
	if err := <-got; err != nil {
		t.Error(err)
	}
	if err := c.Ping(ctx); err != nil {
		t.Error(err)
	}
	if s := c.Stats(); s.Open != s.Idle || s.Open != 1 {
		t.Errorf("%+v", s)
	}
}
