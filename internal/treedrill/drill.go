package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

const (
	kills      = 3
	remoteName = "tree"
)

// drill makes a tree and takes it up and down over each protocol.
func drill(ctx context.Context, out io.Writer, files int, seed uint64, only string, start starter) (failed error) {
	dir, err := os.MkdirTemp("", "treedrill-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tree := filepath.Join(dir, "tree")
	total, err := makeTree(tree, files, seed)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d files, %d bytes, seed %d\n", files, total, seed)
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP, ftpx.FTPS} {
		if only != "" && only != p.String() || ctx.Err() != nil {
			continue
		}
		d := &protocolDrill{out: out, files: files, bytes: total, tree: tree, dir: filepath.Join(dir, p.String()),
			rand: rand.New(rand.NewPCG(seed, uint64(p)))}
		if err := d.run(ctx, p, seed, start); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%v: %w", p, err))
		}
	}
	return failed
}

// protocolDrill is the way up and the way down over one protocol.
type protocolDrill struct {
	out   io.Writer
	files int
	bytes int64
	tree  string
	dir   string // for what comes back, and the ledgers
	rand  *rand.Rand
	line  *line
}

func (d *protocolDrill) run(ctx context.Context, p ftpx.Protocol, seed uint64, start starter) (err error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(d.dir)
	if d.line, err = start(ctx, p, seed); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.line.close()) }()
	there, back := filepath.Join(d.line.root, remoteName), filepath.Join(d.dir, "back")
	if err := d.way(ctx, true, d.tree, there); err != nil {
		return fmt.Errorf("up: %w", err)
	}
	if err := d.way(ctx, false, back, back); err != nil {
		return fmt.Errorf("down: %w", err)
	}
	return nil
}

// way mirrors one way with kills, and looks at what has become of it.
func (d *protocolDrill) way(ctx context.Context, up bool, local, result string) error {
	o := d.line.order
	o.Up, o.Local, o.Remote = up, local, remoteName
	name := map[bool]string{true: "up", false: "down"}[up]
	if d.line.ledger {
		o.Ledger = filepath.Join(d.dir, name+".ledger")
	}
	// After so many files that the children told of. With each kill as many more may be
	// done as are on their way at a time, and there has to be one left for the last.
	points, most := make([]int, kills), d.files-(kills-1)*parallel
	for i := range points {
		points[i] = most/20 + d.rand.IntN(most*17/20)
	}
	slices.Sort(points)
	before, turns, begin := d.line.proxy.Stats(), d.line.relay.turns.Load(), time.Now()
	done, killed := 0, 0
	var last end
	for {
		stopAfter := -1
		if killed < kills {
			stopAfter = max(points[killed]-done, 1)
		}
		var err error
		if last, err = runChild(ctx, &o, stopAfter); err != nil {
			return fmt.Errorf("after %d kills: %w", killed, err)
		}
		done += last.done
		if !last.killed {
			break
		}
		killed++
	}
	took := time.Since(begin)
	after := d.line.proxy.Stats()
	d.print(name, killed, took, before, after, d.line.relay.turns.Load()-turns)
	errs := []error{sameTree(d.tree, result), leftovers(d.line.root, local)}
	if killed != kills {
		errs = append(errs, fmt.Errorf("%d kills, want %d", killed, kills))
	}
	if after.Resets == before.Resets {
		errs = append(errs, errors.New("no connection was reset: nothing has been shown"))
	}
	again, err := runChild(ctx, &o, -1)
	if err == nil && (again.report.Bytes != 0 || again.report.Copied != 0 || again.report.Folders != 0 || again.report.Deleted != 0 || again.report.Unchanged != d.files) {
		err = fmt.Errorf("it moved something: %+v", again.report)
	}
	if err != nil {
		errs = append(errs, fmt.Errorf("the second run: %w", err))
	}
	return errors.Join(append(errs, leftovers(d.line.root, local))...)
}

func (d *protocolDrill) print(name string, killed int, took time.Duration, a, b faultproxy.Stats, turns int64) {
	p := d.line.order.Protocol
	conns := b.Conns - a.Conns
	// Each data connection is one more round trip: to connect.
	trips := turns
	if p != ftpx.SFTP {
		trips += conns
	}
	// What flows back on SSH is acknowledgements and listings; both are overhead.
	payload := b.Up - a.Up + b.Down - a.Down
	fmt.Fprintf(d.out, "%-4v %-8s %-4s %d files, %d bytes, %d connections, %d resets, %d kills, %v, %.1f round trips a file, %.1f %% beyond need\n",
		p, d.line.name, name, d.files, d.bytes, conns, b.Resets-a.Resets, killed, took.Round(10*time.Millisecond),
		float64(trips)/float64(d.files), 100*float64(payload-d.bytes)/float64(d.bytes))
}
