// Package fleet moves files by jobs that several machines share: whoever submits a job
// need not know which worker does it, a worker that dies is replaced in the middle of a
// file, and no partner sees more connections than it allows.
//
// The engine is NATS JetStream: it stores jobs, hands them out, notices dead workers and
// delivers at a given time. See docs/fleet.md for the promise and for what is whose work.
//
// Begin at [Job], then [Open], [Fleet.Submit] and [NewWorker]:
//
//	f, err := fleet.Open(ctx, nc, nil)
//	...
//	r, err := f.Submit(ctx, fleet.Job{Op: fleet.Upload, Source: "out:2026/a.csv", Target: "acme", Dest: "in/a.csv"})
//
// and, on each machine that works:
//
//	w, err := fleet.NewWorker(f, fleet.WorkerOptions{Targets: targets, Roots: roots})
//	...
//	err = w.Run(ctx)
//
// Hosts and credentials are known to workers alone. Package fleetserver beneath runs the
// engine inside the program. Do not use this package for files of one machine that may wait
// for it: package folder needs no engine.
package fleet
