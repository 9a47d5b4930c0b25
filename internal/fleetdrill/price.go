//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// priceRounds is how often each side goes over the same files, to a new folder each time.
const priceRounds = 3

// price compares jobs of one ftpx fleet serve with runs of ftpx mirror, to one sshd, each with
// four connections: 1,000 files of 1 MiB and 10,000 of 4 KiB. The sides take turns, and what
// counts is the median of the ratios: what else the machine does meets both.
func (d *drill) price(ctx context.Context) (err error) {
	var bad []error
	for _, c := range []struct {
		files int
		size  int64
		most  float64
	}{{1000, 1 << 20, 1.15}, {10000, 4 << 10, 2.0}} {
		ratio, err := d.compare(ctx, c.files, c.size)
		if err != nil {
			return err
		}
		if ratio > c.most {
			bad = append(bad, fmt.Errorf("%d files of %d bytes: %.2f of mirror's time, %.2f are the most", c.files, c.size, ratio, c.most))
		}
	}
	return errors.Join(bad...)
}

// compare returns the median ratio.
func (d *drill) compare(ctx context.Context, files int, size int64) (ratio float64, err error) {
	if d.dir, err = os.MkdirTemp("", "fleetdrill-"); err != nil {
		return 0, err
	}
	if !d.keep {
		defer os.RemoveAll(d.dir)
	}
	srv, err := realserver.Start(ctx, realserver.Options{Kind: realserver.OpenSSH})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	pl := &planner{dir: d.dir, rnd: random(d.seed)}
	for _, name := range []string{"in", "spool"} {
		if err := os.MkdirAll(filepath.Join(d.dir, name), 0o755); err != nil {
			return 0, err
		}
	}
	for i := range files {
		if _, err := pl.write(filepath.Join(d.dir, "out", fmt.Sprintf("%02d/f%05d", i%10, i)), size); err != nil {
			return 0, err
		}
	}
	config, ftpx, err := d.build(ctx, sshTarget(srv, srv.Addr(), 4))
	if err != nil {
		return 0, err
	}
	if d.fleet, err = serveFleet(d.dir, ftpx, config, srv.Password); err != nil {
		return 0, err
	}
	defer d.fleet.stop()
	if err := d.fleet.ready(ctx, "openssh"); err != nil {
		return 0, err
	}
	var ratios []float64
	for round := range priceRounds {
		sides := map[string]time.Duration{}
		order := []string{"mirror", "jobs"}
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, side := range order {
			begin := time.Now()
			if side == "mirror" {
				err = d.mirrorOnce(ctx, srv, round)
			} else {
				err = d.jobsOnce(ctx, config, round)
			}
			if err != nil {
				return 0, err
			}
			sides[side] = time.Since(begin)
			if err := countFiles(filepath.Join(srv.Root, fmt.Sprint(side, round)), files); err != nil {
				return 0, err
			}
		}
		ratios = append(ratios, sides["jobs"].Seconds()/sides["mirror"].Seconds())
		fmt.Printf("%d files of %d bytes to sshd: mirror %.1f s, as jobs of a fleet %.1f s (%.2f)\n", files, size, sides["mirror"].Seconds(), sides["jobs"].Seconds(), ratios[round])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2], nil
}

func (d *drill) mirrorOnce(ctx context.Context, srv *realserver.Server, round int) error {
	args := []string{"mirror", "--quiet"}
	for _, k := range strings.Split(strings.ReplaceAll(keys(srv), `"`, ""), ", ") {
		args = append(args, "--host-key", k)
	}
	cmd := exec.CommandContext(ctx, d.fleet.ftpx, append(args, filepath.Join(d.dir, "out"), fmt.Sprintf("sftp://%s@%s/mirror%d", srv.User, srv.Addr(), round))...)
	cmd.Env = append(os.Environ(), "FTPX_PASSWORD="+srv.Password)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mirror: %w: %s", err, out)
	}
	return nil
}

func (d *drill) jobsOnce(ctx context.Context, config string, round int) error {
	out, err := exec.CommandContext(ctx, d.fleet.ftpx, "fleet", "submit", "-q", "-r", "--wait", "--config", config, "out:.", fmt.Sprintf("openssh:jobs%d", round), "--nats", d.fleet.nats).CombinedOutput()
	if err != nil {
		return fmt.Errorf("submit: %w: %s", err, out)
	}
	return nil
}

// countFiles looks whether all are there.
func countFiles(dir string, want int) error {
	n := 0
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			n++
		}
		return err
	})
	if err == nil && n != want {
		err = fmt.Errorf("%s holds %d files, want %d", dir, n, want)
	}
	return err
}
