//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

const (
	natsModule    = "github.com/nats-io/nats-server/v2"
	clusterBatch  = 20
	clusterEnough = 100 // accepted jobs, for the run to show anything
	clusterAway   = 2 * time.Second
	clusterPause  = 3               // batches between two kills
	clusterSubmit = 8 * time.Second // a server's election may take as long
	clusterWithin = 2 * time.Minute
)

// cluster submits jobs to three nats-server processes, the engine of two workers, while each of
// the three is killed and started again, one at a time. Each job whose submit returned must be
// done, and its file be at the server.
func (d *drill) cluster(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, clusterWithin)
	defer cancel()
	if d.dir, err = os.MkdirTemp("", "fleetdrill-"); err != nil {
		return err
	}
	if !d.keep {
		defer os.RemoveAll(d.dir)
	}
	srv, err := realserver.Start(ctx, realserver.Options{Kind: realserver.OpenSSH})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, srv.Close()) }()
	pl := &planner{dir: d.dir, rnd: random(d.seed)}
	sum, err := pl.write(filepath.Join(d.dir, "out", "file"), 4<<10)
	if err != nil {
		return err
	}
	for _, name := range []string{"in", "spool"} {
		if err := os.MkdirAll(filepath.Join(d.dir, name), 0o755); err != nil {
			return err
		}
	}
	config, ftpx, err := d.build(ctx, sshTarget(srv, srv.Addr(), connections))
	if err != nil {
		return err
	}
	three, err := startCluster(ctx, d.dir)
	if three != nil {
		defer three.stop()
	}
	if err != nil {
		return err
	}
	d.fleet = &fleet{ftpx: ftpx, nats: strings.Join(three.urls, ","), engines: three.servers}
	d.fleet.addWorkers(2, d.dir, config, srv.Password, "--replicas", "3")
	defer d.fleet.stop()
	if err := d.fleet.startWorkers(ctx, "openssh"); err != nil {
		return fmt.Errorf("%w (logs in %s with -keep)", err, d.dir)
	}
	if err := d.spread(ctx); err != nil {
		return err
	}
	begin := time.Now()
	accepted, refused, pause, err := d.whileKilled(ctx, three)
	if err != nil {
		return fmt.Errorf("%w (logs in %s with -keep)", err, d.dir)
	}
	ends, err := d.allEnded(ctx, accepted)
	if err != nil {
		return err
	}
	fmt.Printf("three nats-server %s, each killed once: %d jobs accepted and %d submits refused in %v, at most %v without one accepted; %s\n", three.version, len(accepted), refused,
		time.Since(begin).Round(time.Second), pause.Round(100*time.Millisecond), tally(ends))
	var bad []error
	for _, id := range accepted {
		got, err := hashOf(filepath.Join(srv.Root, "in", id))
		if ends[id].State != "done" || err != nil || got != sum {
			bad = append(bad, fmt.Errorf("%s was accepted and is %q (%s): %v", id, ends[id].State, ends[id].Reason, err))
		}
	}
	if len(accepted) < clusterEnough {
		bad = append(bad, fmt.Errorf("only %d jobs were accepted: that shows nothing", len(accepted)))
	}
	return errors.Join(bad[:min(len(bad), 20)]...)
}

func sshTarget(srv *realserver.Server, addr string, connections int) string {
	return fmt.Sprintf("[[target]]\nname = \"openssh\"\nconnections = %d\npassword_env = \"DRILL_PASSWORD\"\nurl = \"sftp://%s@%s\"\nhost_key = [%s]\n", connections, srv.User, addr, keys(srv))
}

// spread asks whether the jobs are kept by all three.
func (d *drill) spread(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, d.fleet.ftpx, "fleet", "status", "--json", "--nats", d.fleet.nats).Output()
	var s struct{ Replicas int }
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil || s.Replicas != 3 {
		return fmt.Errorf("the jobs are kept %d times, want 3: %w", s.Replicas, err)
	}
	return nil
}

// whileKilled submits without a pause until each server was killed and has caught up again. It
// returns the ids of those jobs that were accepted.
func (d *drill) whileKilled(ctx context.Context, three *natsCluster) (accepted []string, refused int, longest time.Duration, err error) {
	var batches atomic.Int64 // of which some were accepted
	killed := make(chan error, 1)
	go func() { killed <- three.killEach(ctx, &batches) }()
	last := time.Now()
	for n := 0; ; n++ {
		ids, err := d.submitSome(ctx, n)
		if err != nil {
			return nil, 0, 0, errors.Join(err, ctx.Err())
		}
		accepted, refused = append(accepted, ids...), refused+clusterBatch-len(ids)
		if len(ids) > 0 {
			longest, last = max(longest, time.Since(last)), time.Now()
			batches.Add(1)
		}
		select {
		case err := <-killed:
			return accepted, refused, longest, err
		default:
		}
	}
}

// submitSome hands a batch in by the command, and returns what it says it was accepted.
func (d *drill) submitSome(ctx context.Context, n int) ([]string, error) {
	var lines []byte
	for i := range clusterBatch {
		id := fmt.Sprintf("c%04d-%02d", n, i)
		lines = append(lines, (&job{ID: id, Op: "upload", Source: "out:file", Target: "openssh", Dest: "in/" + id, Class: "normal", Group: "drill", Size: 4 << 10}).line()...)
	}
	limit, cancel := context.WithTimeout(ctx, clusterSubmit)
	defer cancel()
	cmd := exec.CommandContext(limit, d.fleet.ftpx, "fleet", "submit", "--json", "-f", "-", "--nats", d.fleet.nats)
	cmd.Stdin = bytes.NewReader(lines)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if ctx.Err() != nil || bytes.Contains(stderr.Bytes(), []byte("the job's")) {
		return nil, fmt.Errorf("submit: %w: %s", err, &stderr)
	}
	var ids []string
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		var receipt struct{ ID string }
		if json.Unmarshal(s.Bytes(), &receipt) != nil {
			continue // cut by the limit: nobody was told
		}
		ids = append(ids, receipt.ID)
	}
	return ids, nil
}

// allEnded waits until all of these jobs have an end.
func (d *drill) allEnded(ctx context.Context, ids []string) (ends map[string]end, err error) {
	for {
		missing := 0
		if ends, err = d.ends(ctx); err == nil {
			for _, id := range ids {
				if _, ok := ends[id]; !ok {
					missing++
				}
			}
			if missing == 0 {
				return ends, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d accepted jobs have no end: %w", missing, len(ids), errors.Join(err, context.Cause(ctx)))
		case <-time.After(500 * time.Millisecond): // each look is a process that reads all records
		}
	}
}

// natsCluster are three servers that are one engine.
type natsCluster struct {
	version string
	servers []*process
	urls    []string
	health  []string
}

// startCluster starts them and waits until each says that it is whole. What it returns with an
// error is to be stopped, too.
func startCluster(ctx context.Context, dir string) (*natsCluster, error) {
	c := &natsCluster{}
	program, err := c.program(ctx)
	if err != nil {
		return nil, err
	}
	var ports [9]int
	for i := range ports {
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	var routes []string
	for i := range 3 {
		routes = append(routes, fmt.Sprintf("nats-route://127.0.0.1:%d", ports[6+i]))
	}
	for i := range 3 {
		name := fmt.Sprintf("nats%d", i+1)
		file := filepath.Join(dir, name+".conf")
		text := fmt.Sprintf("server_name: %s\nlisten: 127.0.0.1:%d\nhttp: 127.0.0.1:%d\njetstream { store_dir: %q, sync_interval: always }\ncluster { name: drill, listen: 127.0.0.1:%d, routes: [%s] }\n",
			name, ports[i], ports[3+i], filepath.Join(dir, name), ports[6+i], strings.Join(routes, ", "))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return c, err
		}
		p := &process{name: name, log: filepath.Join(dir, name+".log"), args: []string{program, "-c", file}}
		if err := p.start(); err != nil {
			return c, err
		}
		c.servers = append(c.servers, p)
		c.urls = append(c.urls, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
		c.health = append(c.health, fmt.Sprintf("http://127.0.0.1:%d/healthz", ports[3+i]))
	}
	for i := range c.servers {
		if err := c.whole(ctx, i); err != nil {
			return c, err
		}
	}
	return c, nil
}

// program is the nats-server of the version that go.mod has.
func (c *natsCluster) program(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", natsModule).Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	c.version = strings.TrimSpace(string(out))
	program := filepath.Join(realserver.Servers(), "usr", "bin", "nats-server")
	if out, err = exec.CommandContext(ctx, program, "--version").Output(); err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), " "+c.version) {
		return "", fmt.Errorf("%s is not %s %s (%s, %v): bash .ci/run servers installs it: %w", program, natsModule, c.version, bytes.TrimSpace(out), err, realserver.ErrMissing)
	}
	return program, nil
}

// whole waits until a server says that it has all that the cluster has.
func (c *natsCluster) whole(ctx context.Context, i int) error {
	client := &http.Client{Timeout: 5 * time.Second}
	return until(ctx, func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.health[i], nil)
		if err != nil {
			return false
		}
		res, err := client.Do(req)
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// killEach kills one after the other, each when the one before has caught up and some more
// batches were accepted.
func (c *natsCluster) killEach(ctx context.Context, batches *atomic.Int64) error {
	for i, p := range c.servers {
		if err := c.more(ctx, batches); err != nil {
			return err
		}
		if err := p.kill(clusterAway); err != nil {
			return err
		}
		if err := c.whole(ctx, i); err != nil {
			return fmt.Errorf("%s did not catch up: %w", p.name, err)
		}
	}
	return c.more(ctx, batches)
}

func (c *natsCluster) more(ctx context.Context, batches *atomic.Int64) error {
	enough := batches.Load() + clusterPause
	return until(ctx, func() bool { return batches.Load() >= enough })
}

func (c *natsCluster) stop() {
	for _, p := range c.servers {
		p.stop()
	}
}
