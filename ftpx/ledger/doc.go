// Package ledger remembers which files were transferred, in one file on disk that
// survives crashes. For each file it records size, time and content hash, how the
// transfer was verified, and when. A job that consults it moves each file once,
// even if the receiver has taken the file away since. It also knows what was sent
// to a server that does not keep modification times.
//
// Start with [Open]. Package ftpx/folder does the rest if you give it a [Ledger]:
//
//	l, err := ledger.Open("/var/lib/reports/sent.db", nil)
//	...
//	defer l.Close()
//	folder.Upload(ctx, client, "out", "in", &folder.Options{Ledger: l, Once: true})
//
// A ledger never says more than is true, because it records only finished
// transfers. It may say less: an entry is on disk [Options].CommitEvery after
// [Ledger.Record] at the latest. After a crash, the next run checks the transfers
// of the last moment again.
//
// Only one process can have a ledger open. A second run of the same job fails at
// once with [ErrLocked].
package ledger
