package main

import (
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
)

// jobs is embedded in the commands that run jobs, of a file or of the command line.
type jobs struct {
	Config  string `placeholder:"FILE" group:"job" help:"TOML file of jobs to run (docs/jobs.md); arguments are then names of jobs, all if there are none."`
	Check   bool   `group:"job" help:"Check flags or configuration, print what is configured, and connect to nothing."`
	Name    string `placeholder:"NAME" group:"job" help:"Name of the job in its lock, ledger and records."`
	LockDir string `placeholder:"DIR" group:"job" help:"Folder of the locks (go-ftpx/locks in the user's cache folder)."`
	Metrics string `placeholder:"ADDRESS" group:"job" help:"Serve /metrics, /healthz, /readyz and a status page at this address, as 127.0.0.1:9876, while it runs."`
	Ledger  string `placeholder:"FILE" group:"job" help:"File that remembers what was copied; created if it is missing."`
	Once    bool   `group:"job" help:"With --ledger, copy each file once, even if it is gone from where it went."`

	ResendUnknown bool `group:"job" help:"With --ledger, send files again whose outcome is unknown."`

	FoldCase  bool   `group:"what" help:"Names that differ only in case are one at the target."`
	Tolerance string `placeholder:"TIME" group:"what" help:"How far two times of one file may be apart (1s)."`

	ReadyStable     string `placeholder:"TIME" group:"ready" help:"Take a file when it has not changed for so long."`
	ReadyMarker     string `placeholder:"SUFFIX" group:"ready" help:"Take a file when another is beside it: .done, or a template as {stem}.ok."`
	ReadyLock       bool   `group:"ready" help:"Take a file when no other program has locked it."`
	AfterSource     string `placeholder:"WHAT" group:"ready" help:"What becomes of a file that was copied: keep, move or delete."`
	AfterArchive    string `placeholder:"DIR" group:"ready" help:"Folder on the source's side for --after-source move."`
	AfterMarkTarget string `placeholder:"SUFFIX" group:"ready" help:"Write an empty file beside each that was copied."`
	AfterMarkSource string `placeholder:"SUFFIX" group:"ready" help:"Write an empty file beside each source."`
	DeadLetter      string `placeholder:"DIR" group:"ready" help:"Folder on the source's side for files that cannot be copied."`
	Rename          string `placeholder:"TEMPLATE" group:"way" help:"Names at the target, as {stem}-{date:2006-01-02}.{ext}."`
	FirstName       string `placeholder:"TEMPLATE" group:"way" help:"Names until a file is whole, as {name}.tmp."`
}

type mirrorCmd struct {
	Delete      bool   `group:"what" help:"Delete at the target what the source does not have."`
	MaxDelete   string `placeholder:"SHARE" group:"what" help:"The largest share that --delete may delete (50%); if more would go, none does."`
	PartialAge  string `placeholder:"AGE" group:"what" help:"With --delete, unfinished transfers are left until they are of this age (24h)."`
	StopOnError bool   `group:"way" help:"Start nothing new after the first failure."`
	Manifest    bool   `group:"way" help:"Send SHA256SUMS last, or check the one that came along."`
	moving
	jobs
	connection
	Args []string `arg:"" optional:"" name:"source-dest" help:"Two folders, one of them remote, which decides the direction; with --config names of jobs."`
}

// Help says how, with examples.
func (*mirrorCmd) Help() string {
	return `Makes DEST hold what SOURCE holds. Nothing is deleted without --delete. Run it
again after any failure: existing equal files are skipped, and interrupted
transfers are resumed. A lock prevents a second run of the same job. Without a
terminal it prints only failures.

Examples:

    ftpx mirror /srv/reports backup:reports
    ftpx mirror -n --delete /srv/www sftp://batch@files.example.com//var/www
    ftpx mirror --delete --max-delete 10% --exclude '*.tmp' site/ backup:www
    ftpx mirror --manifest --report last.json backup:out /var/spool/in
    ftpx mirror --config /etc/go-ftpx/jobs.toml nightly`
}

// Run mirrors.
func (c *mirrorCmd) Run(w *world) error {
	return w.jobs(false, c.Args)
}

type watchCmd struct {
	Flat        bool   `group:"what" help:"Take the files of the folder itself, none of the folders in it."`
	Interval    string `placeholder:"TIME" group:"way" help:"How often a remote folder that changes is listed (10s)."`
	MaxInterval string `placeholder:"TIME" group:"way" help:"How often one that does not change is listed, and a local folder is scanned (2m)."`
	Attempts    string `placeholder:"N" group:"way" help:"How often a file is tried that fails for a reason of its own (5)."`
	RetryAfter  string `placeholder:"TIME" group:"way" help:"The first pause before it is tried again (5s)."`
	Drain       string `placeholder:"TIME" group:"way" help:"How long transfers may continue after a signal (5s)."`
	moving
	jobs
	connection
	Args []string `arg:"" optional:"" name:"source-dest" help:"Two folders, one of them remote, which decides the direction; with --config names of jobs."`
}

// Help says how, with examples.
func (*watchCmd) Help() string {
	return `Copies what appears in SOURCE to DEST until it gets SIGINT or SIGTERM; then
transfers in flight may end, and the exit code is 0. A file is taken when it is whole: when
it has not changed for 2 s, unless --ready-stable, --ready-marker or --ready-lock
say otherwise. With --ledger nothing is copied twice.

Examples:

    ftpx watch /var/spool/out backup:in
    ftpx watch --ledger sent.db --after-source delete out backup:in
    ftpx watch --interval 30s ftpes://batch@host/out /var/spool/in
    ftpx watch --config /etc/go-ftpx/watches.toml`
}

// Run watches.
func (c *watchCmd) Run(w *world) error {
	return w.jobs(true, c.Args)
}

// jobs runs those that the command line asks for.
func (w *world) jobs(watch bool, args []string) error {
	f, err := w.jobFlags(watch)
	if err != nil {
		return err
	}
	all, err := f.Jobs(args)
	switch {
	case err != nil:
		return ended(job.Fail("ftpx", w.env, err))
	case f.Check:
		job.Show(w.env, all)
		return nil
	case watch:
		return ended(job.Watch(w.ctx, f, w.env, all))
	}
	return ended(job.Run(w.ctx, f, w.env, all))
}
