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
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// price compares jobs of a fleet with one run of mirror, to sshd, each with four connections:
// 1,000 files of 1 MiB and 10,000 of 4 KiB.
func (d *drill) price(ctx context.Context) (err error) {
	var bad []error
	for _, c := range []struct {
		files int
		size  int64
		most  float64
	}{{1000, 1 << 20, 1.15}, {10000, 4 << 10, 2.0}} {
		jobs, mirror, err := d.compare(ctx, c.files, c.size)
		if err != nil {
			return err
		}
		ratio := jobs.Seconds() / mirror.Seconds()
		fmt.Printf("%d files of %d bytes to sshd: mirror %.1f s, as jobs of a fleet %.1f s (%.2f)\n", c.files, c.size, mirror.Seconds(), jobs.Seconds(), ratio)
		if ratio > c.most {
			bad = append(bad, fmt.Errorf("%d files of %d bytes: %.2f of mirror's time, %.2f are the most", c.files, c.size, ratio, c.most))
		}
	}
	return errors.Join(bad...)
}

func (d *drill) compare(ctx context.Context, files int, size int64) (jobs, mirror time.Duration, err error) {
	if d.dir, err = os.MkdirTemp("", "fleetdrill-"); err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(d.dir)
	srv, err := realserver.Start(ctx, realserver.Options{Kind: realserver.OpenSSH})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	pl := &planner{dir: d.dir, rnd: random(d.seed)}
	for _, name := range []string{"in", "spool"} {
		if err := os.MkdirAll(filepath.Join(d.dir, name), 0o755); err != nil {
			return 0, 0, err
		}
	}
	for i := range files {
		if _, err := pl.write(filepath.Join(d.dir, "out", fmt.Sprintf("%02d/f%05d", i%10, i)), size); err != nil {
			return 0, 0, err
		}
	}
	config, ftpx, err := d.build(ctx, fmt.Sprintf("[[target]]\nname = \"openssh\"\nconnections = 4\npassword_env = \"DRILL_PASSWORD\"\nurl = \"sftp://%s@%s\"\nhost_key = [%s]\n", srv.User, srv.Addr(), keys(srv)))
	if err != nil {
		return 0, 0, err
	}
	tool := filepath.Join(d.dir, "mirror")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", tool, "github.com/seed01fc2e40/go-ftpx/examples/mirror").CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("go build: %w: %s", err, out)
	}
	args := []string{"-quiet"}
	for _, k := range strings.Split(strings.ReplaceAll(keys(srv), `"`, ""), ", ") {
		args = append(args, "-host-key", k)
	}
	cmd := exec.CommandContext(ctx, tool, append(args, filepath.Join(d.dir, "out"), "sftp://"+srv.User+"@"+srv.Addr()+"/mirrored")...)
	cmd.Env = append(os.Environ(), "FTPX_PASSWORD="+srv.Password)
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("mirror: %w: %s", err, out)
	}
	mirror = time.Since(begin)
	if d.fleet, err = startFleet(d.dir, ftpx, config, srv.Password); err != nil {
		return 0, 0, err
	}
	defer d.fleet.stop()
	d.fleet.workers = d.fleet.workers[:1]
	if err := d.fleet.startWorkers(ctx, "openssh"); err != nil {
		return 0, 0, err
	}
	begin = time.Now()
	if out, err := exec.CommandContext(ctx, ftpx, "fleet", "submit", "-q", "-r", "--wait", "--config", config, "out:.", "openssh:jobs", "--nats", d.fleet.nats).CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("submit: %w: %s", err, out)
	}
	return time.Since(begin), mirror, nil
}
