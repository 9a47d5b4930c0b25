//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// drill is one run.
type drill struct {
	jobs    int
	largest int64
	seed    uint64
	every   time.Duration
	keep    bool

	dir      string
	partners []*partner
	fleet    *fleet
	plan     []*job
}

func (d *drill) run(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "fleetdrill-"); err != nil {
		return err
	}
	if !d.keep {
		defer os.RemoveAll(d.dir)
	}
	rnd := random(d.seed)
	var targets string
	if d.partners, targets, err = startPartners(ctx, d.seed); err != nil {
		return err
	}
	defer func() {
		for _, p := range d.partners {
			err = errors.Join(err, p.close())
		}
	}()
	if err := d.prepare(rnd); err != nil {
		return err
	}
	config, ftpx, err := d.build(ctx, targets)
	if err != nil {
		return err
	}
	if d.fleet, err = startFleet(d.dir, ftpx, config, d.partners[0].srv.Password); err != nil {
		return err
	}
	defer d.fleet.stop()
	var names []string
	for _, p := range d.partners {
		names = append(names, p.name)
	}
	if err := d.fleet.startWorkers(ctx, names...); err != nil {
		return err
	}
	begin := time.Now()
	w := newWatcher(d.plan)
	watching, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() { w.run(watching) })
	ends, kills, err := d.work(ctx, rnd)
	stop()
	all.Wait()
	if err != nil {
		return fmt.Errorf("%w (logs in %s with -keep)", err, d.dir)
	}
	fmt.Printf("%d jobs in %v: %s; %s\n", d.jobs, time.Since(begin).Round(time.Second), tally(ends), kills)
	return errors.Join(d.check(ends), w.verdict(), d.limits(), d.cost())
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 18)) }

// prepare makes the folders, the jobs and their files.
func (d *drill) prepare(rnd *rand.Rand) (err error) {
	for _, name := range []string{"out", "in", "spool"} {
		if err := os.MkdirAll(filepath.Join(d.dir, name), 0o755); err != nil {
			return err
		}
	}
	d.plan, err = (&planner{rnd: rnd, dir: d.dir, partners: d.partners, largest: d.largest}).make(d.jobs)
	return err
}

// build builds the command and writes its configuration.
func (d *drill) build(ctx context.Context, targets string) (config, ftpx string, err error) {
	ftpx = filepath.Join(d.dir, "ftpx")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", ftpx, "github.com/seed01fc2e40/go-ftpx/examples/ftpx").CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("go build: %w: %s", err, out)
	}
	config = filepath.Join(d.dir, "fleet.toml")
	text := "[fleet]\nspool = \"spool\"\ntries = 1000\n\n[[root]]\nname = \"out\"\npath = \"out\"\n\n[[root]]\nname = \"in\"\npath = \"in\"\n\n" + targets
	return config, ftpx, os.WriteFile(config, []byte(text), 0o600)
}

// work submits the jobs while workers and the engine are killed, and waits for their ends.
func (d *drill) work(ctx context.Context, rnd *rand.Rand) (ends map[string]end, what string, err error) {
	haunting, calm := context.WithCancel(ctx)
	defer calm()
	var kills, stops int
	var haunted error
	var all sync.WaitGroup
	ghost := rand.New(rand.NewPCG(d.seed, 4))
	all.Go(func() { kills, stops, haunted = d.fleet.haunt(haunting, ghost, d.every) })
	defer all.Wait()
	defer calm()
	if err := d.submit(ctx, rnd); err != nil {
		return nil, "", err
	}
	engineKills := 0
	for {
		ends, err = d.ends(ctx)
		if err != nil && ctx.Err() != nil {
			return nil, "", err
		}
		if len(ends) == len(d.plan) {
			break
		}
		if engineKills < 2 && len(ends) > len(d.plan)*(engineKills+1)/3 {
			engineKills++
			if err := d.fleet.engines[0].kill(500 * time.Millisecond); err != nil {
				return nil, "", err
			}
		}
		select {
		case <-ctx.Done():
			return nil, "", fmt.Errorf("%d of %d jobs have not ended: %w", len(d.plan)-len(ends), len(d.plan), context.Cause(ctx))
		case <-time.After(500 * time.Millisecond):
		}
	}
	calm()
	all.Wait()
	if engineKills < 2 {
		haunted = errors.Join(haunted, errors.New("the engine was not killed twice: the jobs were done too soon"))
	}
	return ends, fmt.Sprintf("workers killed %d times and stopped %d times, the engine killed %d times", kills, stops, engineKills), haunted
}

// submit hands the jobs in by the command, in batches, each until it is accepted. One job in
// ten is handed in twice.
func (d *drill) submit(ctx context.Context, rnd *rand.Rand) error {
	var lines [][]byte
	for _, j := range d.plan {
		lines = append(lines, j.line())
		if j.twice {
			lines = append(lines, j.line())
		}
	}
	rnd.Shuffle(len(lines), func(i, k int) { lines[i], lines[k] = lines[k], lines[i] })
	for n := 0; len(lines) > 0; n++ {
		batch := lines[:min(len(lines), max(20, d.jobs/20))]
		lines = lines[len(batch):]
		name := filepath.Join(d.dir, fmt.Sprintf("batch%d.jsonl", n))
		if err := os.WriteFile(name, bytes.Join(batch, nil), 0o600); err != nil {
			return err
		}
		for {
			out, err := exec.CommandContext(ctx, d.fleet.ftpx, "fleet", "submit", "-q", "-f", name, "--nats", d.fleet.nats).CombinedOutput()
			if err == nil {
				break
			}
			if ctx.Err() != nil || bytes.Contains(out, []byte("the job's")) {
				return fmt.Errorf("submit: %w: %s", err, out)
			}
			time.Sleep(200 * time.Millisecond) // until the engine is back
		}
	}
	return nil
}

// end is what the fleet says about a job.
type end struct {
	State  string
	Reason string
	Worker string
}

// ends asks the command which jobs have ended, of those named or of all.
func (d *drill) ends(ctx context.Context, ids ...string) (map[string]end, error) {
	args := []string{"fleet", "status", "--json", "--nats", d.fleet.nats}
	if len(ids) == 0 {
		ids = []string{"--group", "drill"}
	}
	cmd := exec.CommandContext(ctx, d.fleet.ftpx, append(args, ids...)...)
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	ended := map[string]end{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var r struct {
			Job struct {
				ID string `json:"id"`
			} `json:"job"`
			State  string `json:"state"`
			Reason string `json:"reason"`
			Worker string `json:"worker"`
		}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		if r.State == "done" || r.State == "dead" || r.State == "cancelled" {
			ended[r.Job.ID] = end{r.State, r.Reason, r.Worker}
		}
	}
	return ended, nil
}

func tally(ends map[string]end) string {
	states, workers := map[string]int{}, map[string]int{}
	for _, e := range ends {
		states[e.State]++
		workers[e.Worker]++
	}
	return strings.TrimPrefix(fmt.Sprintf("%v by %v", states, workers), "map")
}

// check compares what the fleet says with what is on the disks.
func (d *drill) check(ends map[string]end) error {
	var bad []error
	fail := func(format string, args ...any) {
		if len(bad) < 20 {
			bad = append(bad, fmt.Errorf(format, args...))
		}
	}
	for _, j := range d.plan {
		e := ends[j.ID]
		if want := map[bool]string{true: "dead", false: "done"}[j.dead]; e.State != want {
			fail("%s %s is %s (%s), planned was %s", j.ID, j.Op, e.State, e.Reason, want)
			continue
		}
		for name, want := range j.files {
			got, err := hashOf(name)
			switch {
			case want == "" && !errors.Is(err, fs.ErrNotExist):
				fail("%s %s: %s is there: %v", j.ID, j.Op, name, err)
			case want != "" && (err != nil || got != want):
				fail("%s %s: %s is not its source: %v", j.ID, j.Op, name, err)
			}
		}
	}
	return errors.Join(bad...)
}

// limits asks the servers' own logs.
func (d *drill) limits() error {
	var bad []error
	for _, p := range d.partners {
		most, refused, why, err := p.sessions()
		fmt.Printf("%s: at most %d sessions at once by its log, %d refused as too many\n", p.name, most, refused)
		if err != nil || most > connections || refused > 0 {
			for _, line := range why {
				fmt.Print("  ", line)
			}
			bad = append(bad, fmt.Errorf("%s: %d sessions at once, %d refused, %d are allowed", p.name, most, refused, connections), err)
		}
	}
	return errors.Join(bad...)
}

// cost compares what went over the lines with what had to.
func (d *drill) cost() error {
	need := map[string]int64{}
	for _, j := range d.plan {
		if !j.dead {
			if from, _, ok := strings.Cut(j.Source, ":"); j.Op == "copy" && ok {
				need[from] += j.bytes / 2
				need[j.Target] += j.bytes / 2
				continue
			}
			need[j.Target] += j.bytes
		}
	}
	var moved, needed int64
	for _, p := range d.partners {
		role := faultproxy.Data
		if p.srv.Kind == realserver.OpenSSH {
			role = faultproxy.SSH
		}
		s := p.proxy.Stats(role)
		moved, needed = moved+s.Up+s.Down, needed+need[p.name]
		fmt.Printf("%s: %d bytes up and %d down over %d connections with %d resets, for %d of payload: %.3f\n", p.name, s.Up, s.Down, s.Conns, s.Resets,
			need[p.name], float64(s.Up+s.Down)/float64(max(need[p.name], 1)))
	}
	ratio := float64(moved) / float64(max(needed, 1))
	fmt.Printf("all: %.3f bytes over the lines for a byte of payload\n", ratio)
	if ratio > mostBytes {
		return fmt.Errorf("%.3f bytes went over the lines for a byte of payload, %.2f are the most", ratio, mostBytes)
	}
	return nil
}

// mostBytes is how many bytes may go over the lines for one of payload.
const mostBytes = 1.10
