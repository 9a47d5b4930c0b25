// Package ledger remembers which files were transferred, in one file on disk that
// survives crashes: what each was (size, time, hash of its content), how the
// transfer was verified, and when. A job that asks it first moves each file once,
// even when the receiver has taken the file away since, and knows what it has sent
// to a server that keeps no modification times.
//
// Begin at [Open]; package ftpx/folder does the rest when it is given a [Ledger]:
//
//	l, err := ledger.Open("/var/lib/reports/sent.db", nil)
//	...
//	defer l.Close()
//	folder.Upload(ctx, client, "out", "in", &folder.Options{Ledger: l, Once: true})
//
// Only what is done goes into it, so that it never says more than is true. It may
// say less: an entry is on disk [Options].CommitEvery after [Ledger.Record] at the
// latest, and what was done in the moment before a crash is looked at again.
//
// One process has it open at a time: the second run of the same job is told so by
// [ErrLocked], at once.
package ledger
