//go:build linux

// Fleetdrill runs a fleet of three worker processes against real vsftpd (FTP), ProFTPD (FTPS)
// and OpenSSH (SFTP) over a line that resets connections, kills and stops the workers, kills
// the engine twice, and submits one job in ten twice.
//
//	go run ./internal/fleetdrill
//
// takes 2,000 jobs of all operations (Linux, root, see CONTRIBUTING.md), and
//
//	go run ./internal/fleetdrill -jobs 200
//
// is the short form. With -takeover a worker is killed in the middle of 1 GiB, with -cluster the
// engine is three nats-server processes, one of which is killed at a time, and with -price the
// time of jobs is compared with that of mirror. Engine and workers are the command ftpx, built for it. What is checked
// shares no code with the fleet: each accepted job has one end; each file has its source's
// hash; no other content was ever seen under a final name; only those jobs are dead that were
// planned to be; the servers' own logs never show more sessions than allowed. The command ends
// with 1 if anything of that is not so.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	jobs := flag.Int("jobs", 2000, "number of jobs")
	largest := flag.Int64("largest", 64<<20, "size of the largest files in bytes")
	seed := flag.Uint64("seed", 1, "seed of the jobs, the resets and the kills")
	every := flag.Duration("every", 4*time.Second, "pause between two kills or stops of a worker; 0 for none")
	within := flag.Duration("within", 30*time.Minute, "when the jobs must have ended")
	keep := flag.Bool("keep", false, "leave the folder with logs and files")
	takeover := flag.Bool("takeover", false, "kill a worker in the middle of 1 GiB instead")
	cluster := flag.Bool("cluster", false, "kill the servers of a cluster instead, one at a time")
	price := flag.Bool("price", false, "compare the time of jobs with that of mirror instead, on an idle machine")
	flag.Parse()
	if flag.NArg() > 0 || *jobs < 20 || *largest < 4<<10 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *within)
	defer cancel()
	d := &drill{jobs: *jobs, largest: *largest, seed: *seed, every: *every, keep: *keep}
	do := d.run
	switch {
	case *takeover:
		do = d.takeover
	case *cluster:
		do = d.cluster
	case *price:
		do = d.price
	}
	if err := do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "fleetdrill:", err)
		os.Exit(1)
	}
}
