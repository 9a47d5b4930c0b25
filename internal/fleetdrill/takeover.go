//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

const (
	big        = 1 << 30
	firstByte  = 20 * time.Second // after which another worker is to go on
	mostTwice  = 16 << 20
	bigRate    = 64 << 20 // a line on which there is time to kill somebody
	halfOfBig  = big / 2
	takeoverID = "big"
)

// takeover kills the worker in the middle of 1 GiB to sshd, and looks when another sends its
// first byte and how much is sent twice.
func (d *drill) takeover(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "fleetdrill-"); err != nil {
		return err
	}
	defer os.RemoveAll(d.dir)
	srv, err := realserver.Start(ctx, realserver.Options{Kind: realserver.OpenSSH})
	if err != nil {
		return err
	}
	p := &partner{name: "openssh", srv: srv, proxy: faultproxy.New(faultproxy.Options{UpRate: bigRate})}
	defer func() { err = errors.Join(err, p.close()) }()
	r, err := p.proxy.Route(faultproxy.RouteOptions{Role: faultproxy.SSH, Listen: front + ":0", Target: srv.Addr()})
	if err != nil {
		return err
	}
	for _, name := range []string{"out", "in", "spool"} {
		if err := os.MkdirAll(filepath.Join(d.dir, name), 0o755); err != nil {
			return err
		}
	}
	pl := &planner{dir: d.dir, rnd: random(d.seed)}
	sum, err := pl.write(filepath.Join(d.dir, "out", takeoverID), big)
	if err != nil {
		return err
	}
	config, ftpx, err := d.build(ctx, sshTarget(srv, fmt.Sprintf("%s:%d", front, r.Port()), 1))
	if err != nil {
		return err
	}
	if d.fleet, err = startFleet(d.dir, ftpx, config, srv.Password); err != nil {
		return err
	}
	defer d.fleet.stop()
	if err := d.fleet.startWorkers(ctx, "openssh"); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, ftpx, "fleet", "submit", "--id", takeoverID, "out:"+takeoverID, "openssh:"+takeoverID, "--nats", d.fleet.nats).CombinedOutput(); err != nil {
		return fmt.Errorf("submit: %w: %s", err, out)
	}
	up := func() int64 { return p.proxy.Stats(faultproxy.SSH).Up }
	if err := until(ctx, func() bool { return up() > halfOfBig }); err != nil {
		return err
	}
	victim, err := d.workerOf(ctx)
	if err != nil {
		return err
	}
	for _, w := range d.fleet.workers {
		if w.name == victim {
			w.signal(syscall.SIGKILL)
			<-w.ended()
		}
	}
	killed, at := time.Now(), int64(0)
	// What was in the proxy's hands may still go; a login is some KiB.
	time.Sleep(time.Second)
	at = up()
	if err := until(ctx, func() bool { return up() > at+256<<10 }); err != nil {
		return err
	}
	pause := time.Since(killed)
	if err := until(ctx, func() bool { ends, err := d.ends(ctx, takeoverID); return err == nil && len(ends) == 1 }); err != nil {
		return err
	}
	got, err := hashOf(filepath.Join(srv.Root, takeoverID))
	if err != nil || got != sum {
		return fmt.Errorf("the file is another: %w", err)
	}
	twice := up() - big
	fmt.Printf("1 GiB to sshd, %s killed in the middle: another sent its first bytes %.1f s later, %.1f MiB went over the line twice, headers included\n", victim, pause.Seconds(), float64(twice)/(1<<20))
	if pause > firstByte || twice > mostTwice {
		return fmt.Errorf("more than %v, or more than %d bytes twice", firstByte, mostTwice)
	}
	return nil
}

// workerOf asks who does the job.
func (d *drill) workerOf(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, d.fleet.ftpx, "fleet", "status", "--json", takeoverID, "--nats", d.fleet.nats).Output()
	_, rest, ok := strings.Cut(string(out), `"worker":"`)
	name, _, _ := strings.Cut(rest, `"`)
	if err != nil || !ok {
		return "", fmt.Errorf("status: %w: %s", err, out)
	}
	return name, nil
}

func until(ctx context.Context, ok func() bool) error {
	for !ok() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}
