package job

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/status"
)

// Flags are what the commands that run jobs have beside [cli.Flags].
type Flags struct {
	cli.Flags
	// Program is the command, which speaks for a job that has no name.
	Program string
	// Config is the configuration file, "" for a job given by flags.
	Config string
	// LockDir is the folder of the locks, "" for that of the file or of the user.
	LockDir string
	// Name names a job given by flags.
	Name string
	// Check looks at the configuration and does nothing else; DryRun connects, and
	// changes nothing.
	Check, DryRun bool
	// Metrics is the address at which the status of the jobs is served, "" for none.
	Metrics string

	status *status.Status // nil without Metrics

	set   settings
	given func() []string // names of the flags that were given
	plain bool            // the command is uploader or downloader
}

// Register defines the flags of a command that copies once.
func (f *Flags) Register(fs *flag.FlagSet) {
	f.common(fs)
	fs.BoolVar(&f.DryRun, "dry-run", false, "connect, print what would be done, and change nothing")
	s := &f.set
	boolean(fs, "delete", "delete at the target what the source does not have", &s.Delete)
	textual(fs, "max-delete", "the largest `share` of the target's entries that -delete may delete, as 0.2 or 20% (default 50%); if more would go, none does", &s.MaxDelete)
	textual(fs, "partial-age", "with -delete, unfinished transfers are left until they are of this `age` (default 24h)", &s.PartialAge)
	boolean(fs, "stop-on-error", "start nothing new after the first failure", &s.StopOnError)
	boolean(fs, "manifest", "upload: write SHA256SUMS into SOURCE and send it last; download: check the SHA256SUMS that came along", &s.Manifest)
	stringy(fs, "report", "write a JSON report of the run to this `file`, in one piece when it ends", &s.Report)
}

// RegisterPlain defines the flags of uploader, and with up false of downloader. Their lines
// tell of each file, on a terminal or not; their files are all sent or fetched, but for one
// that is proven to be there; and where the outcome of some is unknown they end with
// [cli.ExitSome].
func (f *Flags) RegisterPlain(fs *flag.FlagSet, up bool) {
	f.plain = true
	if up {
		f.delivering(fs)
	}
}

func (f *Flags) delivering(fs *flag.FlagSet) {
	s := &f.set
	textual(fs, "delivery", "`way` to deliver: atomic (temporary name, check, rename), direct (final name), drop (final name, no checks: for folders that cannot be listed) (default atomic)", &s.Delivery)
	stringy(fs, "partial-name", "`template` of the temporary name, as {name}.filepart or tmp/{name} (default hidden)", &s.PartialName)
}

// RegisterWatch defines the flags of a command that watches.
func (f *Flags) RegisterWatch(fs *flag.FlagSet) {
	f.common(fs)
	w := &watching{}
	f.set.Watch = w
	boolean(fs, "flat", "take the files of the folder itself, none of the folders in it", &w.Flat)
	textual(fs, "interval", "how often a remote folder that changes is listed (default 10s)", &w.Interval)
	textual(fs, "max-interval", "how often one that does not change is listed, and a local folder is scanned (default 2m)", &w.MaxInterval)
	number(fs, "attempts", "how often a file is tried that fails for a reason of its own (default 5)", &w.Attempts)
	textual(fs, "retry-after", "the first pause before it is tried again (default 5s)", &w.RetryAfter)
	textual(fs, "drain", "how long transfers may continue after a signal (default 5s)", &w.Drain)
}

func (f *Flags) common(fs *flag.FlagSet) {
	f.given = func() []string {
		var names []string
		fs.Visit(func(g *flag.Flag) { names = append(names, g.Name) })
		return names
	}
	fs.StringVar(&f.Config, "config", "", "TOML `file` of jobs to run; arguments are then names of jobs, all if there are none")
	fs.BoolVar(&f.Check, "check", false, "check flags or configuration, print what is configured, and connect to nothing")
	fs.StringVar(&f.LockDir, "lock-dir", "", "`folder` of the jobs' locks (default go-ftpx/locks in the user's cache folder)")
	fs.StringVar(&f.Metrics, "metrics", "", "serve /metrics, /healthz, /readyz and a status page at this `ADDRESS`, as "+status.DefaultAddress+", while it runs")
	fs.StringVar(&f.Name, "name", "", "`name` of the job in its lock, ledger and records (default made of SOURCE and DEST)")
	s := &f.set
	listing(fs, "include", "`pattern` of files to copy, may be repeated: \"*.csv\" matches names, \"in/**/*.csv\" paths, \"sub/\" folders", &s.Include)
	listing(fs, "exclude", "`pattern` of files to skip, may be repeated; wins over -include", &s.Exclude)
	textual(fs, "min-size", "skip smaller files, `bytes` as 10k or 1M", &s.MinSize)
	textual(fs, "max-size", "skip larger files, `bytes` as 10k or 1M", &s.MaxSize)
	textual(fs, "newer-than", "skip older files, by `age`, as 36h or 7d", &s.NewerThan)
	textual(fs, "older-than", "skip files newer than this `age`, which may still be incomplete", &s.OlderThan)
	textual(fs, "links", "`policy` of symbolic links: skip, follow, files (follow those to files) or keep (make links, over SFTP) (default skip)", &s.Links)
	boolean(fs, "keep-modes", "give files and folders the permission bits of the source's", &s.KeepModes)
	boolean(fs, "fold-case", "names that differ only in case are one at the target, as on Windows", &s.FoldCase)
	textual(fs, "compare", "`how` to decide whether files are equal: time (and size), size, proof (by content) or always (copy) (default time)", &s.Compare)
	textual(fs, "tolerance", "how far two times of one file may be apart (default 1s)", &s.Tolerance)
	stringy(fs, "ledger", "`file` that remembers what was copied; created if it is missing", &s.Ledger)
	boolean(fs, "once", "with -ledger, copy each file once, even if it is gone from where it went", &s.Once)
	boolean(fs, "resend-unknown", "with -ledger, send files again that an earlier run may have delivered without being able to tell", &s.ResendUnknown)
	stringy(fs, "rename", "`template` of names at the target, as {stem}-{date:2006-01-02}.{ext}", &s.Rename)
	stringy(fs, "first-name", "`template` of names until a file is whole, as {name}.tmp", &s.FirstName)
	f.delivering(fs)
	stringy(fs, "dead-letter", "`folder` on the source's side for files that cannot be copied", &s.DeadLetter)
	s.Ready, s.After = &readiness{}, &aftermath{}
	textual(fs, "ready-stable", "take a file when it has not changed for so long", &s.Ready.Stable)
	stringy(fs, "ready-marker", "take a file when another is beside it, a `suffix` as .done or a template as {stem}.ok", &s.Ready.Marker)
	boolean(fs, "ready-lock", "take a file when no other program has locked it", &s.Ready.Lock)
	textual(fs, "after-source", "`what` becomes of a file that has been copied: keep, move or delete (default keep)", &s.After.Source)
	stringy(fs, "after-archive", "`folder` on the source's side for -after-source move", &s.After.Archive)
	stringy(fs, "after-mark-target", "write an empty file beside each that was copied, a `suffix` as .done", &s.After.MarkTarget)
	stringy(fs, "after-mark-source", "write an empty file beside each source, a `suffix` as .sent", &s.After.MarkSource)
}

// withConfig are the flags that go with -config: those about this run.
var withConfig = []string{"config", "check", "dry-run", "lock-dir", "metrics", "json", "quiet", "v", "verbose", "version"}

// Jobs makes the jobs that a command line asks for. Its errors are [cli.ErrUsage] or
// [Problems].
func (f *Flags) Jobs(args []string) ([]*Job, error) {
	// Before anything is written: the lock's file names the command line.
	for _, arg := range args {
		if err := cli.CheckArg(arg); err != nil {
			return nil, err
		}
	}
	for _, hop := range f.Via {
		if err := cli.CheckArg(hop); err != nil {
			return nil, fmt.Errorf("%w (for -via: into $FTPX_VIA)", err)
		}
	}
	if f.Config == "" {
		j, err := f.job(args)
		return []*Job{j}, err
	}
	for _, name := range f.given() {
		if !slices.Contains(withConfig, name) {
			return nil, fmt.Errorf("%w: -%s does not go with -config: set %s in the file", cli.ErrUsage, name, strings.ReplaceAll(name, "-", "_"))
		}
	}
	jobs, err := Load(f.Config, f.LockDir)
	var p Problems
	switch {
	case errors.As(err, &p):
		return nil, p
	case err != nil:
		return nil, cli.Missing("-config", err)
	}
	return Select(jobs, args)
}

// job makes the job of the flags.
func (f *Flags) job(args []string) (*Job, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("%w: give SOURCE and DEST, one of them a URL, or -config FILE; -h tells more", cli.ErrUsage)
	}
	source, dest := args[0], args[1]
	var bad Problems
	note := func(key, text string) { bad = append(bad, f.problem(key, text)) }
	far, up, err := f.sides(source, dest)
	if err != nil {
		return nil, err
	}
	if source == "" || dest == "" {
		return nil, fmt.Errorf("%w: SOURCE or DEST is empty: \".\" is the current folder", cli.ErrUsage)
	}
	j := &Job{Name: f.Name, Source: source, Up: up, Options: f.set.build(up, note), Watch: f.set.watching(), set: f.set,
		Manifest: value(f.set.Manifest), Ledger: value(f.set.Ledger), Report: value(f.set.Report)}
	to := Target{Name: dest, URL: source, Local: dest, flags: f.Flags}
	if f.Own.Use {
		to.place = far
	}
	if j.Up {
		to.URL, to.Local = dest, source
	}
	j.Targets = []Target{to}
	if f.Name == "" {
		local, err := filepath.Abs(to.Local) // two runs may spell it in two ways
		if err != nil {
			return nil, fmt.Errorf("%w: %w", cli.ErrUsage, err)
		}
		sum := sha256.Sum256(fmt.Appendf(nil, "%v\x00%s\x00%s", j.Up, local, to.URL))
		j.Name = "job-" + hex.EncodeToString(sum[:8])
	} else {
		checkName(j.Name, note)
	}
	c := connection{AllowPlaintext: &f.AllowPlaintext}
	if far.Alias == "" {
		checkURL(to.URL, &c, map[bool]string{true: "DEST", false: "SOURCE"}[j.Up], func(key, text string) {
			bad = append(bad, key+": "+text)
		})
	}
	if err := bad.usage(); err != nil {
		return nil, err
	}
	if j.Lock, err = lockPath(f.LockDir, j.Name); err != nil {
		return nil, fmt.Errorf("%w: %w", cli.ErrUsage, err)
	}
	return j, nil
}

// sides finds out which side is on a server, and whether that is what is copied to.
func (f *Flags) sides(source, dest string) (far cli.Place, up bool, err error) {
	if f.Own.Use {
		s, err := cli.ParsePlace(source)
		if err != nil {
			return far, false, err
		}
		d, err := cli.ParsePlace(dest)
		switch {
		case err != nil:
			return far, false, err
		case s.Remote && d.Remote:
			return far, false, fmt.Errorf("%w: %s and %s are both remote: between two servers, fetch to a local folder first", cli.ErrUsage, source, dest)
		case !s.Remote && !d.Remote:
			return far, false, fmt.Errorf("%w: neither %s nor %s is remote: write host:folder, or a URL", cli.ErrUsage, source, dest)
		case d.Remote:
			return d, true, nil
		}
		return s, false, nil
	}
	if isURL(source) != isURL(dest) {
		return cli.Place{Text: source}, isURL(dest), nil
	}
	for _, arg := range []string{source, dest} {
		if how := cli.Scp(arg); how != "" {
			return far, false, fmt.Errorf("%w: %s", cli.ErrUsage, how)
		}
	}
	return far, false, fmt.Errorf("%w: exactly one of SOURCE %q and DEST %q must be a URL: scheme://user@host[:port]/folder", cli.ErrUsage, source, dest)
}

// problem says what is wrong with a setting in terms of flags.
func (f *Flags) problem(key, text string) string {
	text = strings.NewReplacer("set ledger to", "set -ledger to", "set after.archive to", "set -after-archive to", "set after.source to", "set -after-source to", "set delete,", "set -delete,",
		"than max_size", "than -max-size", "than newer_than", "than -newer-than").Replace(text)
	return strings.NewReplacer("_", "-", ".", "-").Replace("-"+key) + ": " + text
}

// usage is the first of the problems as an error, nil for none.
func (p Problems) usage() error {
	if len(p) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", cli.ErrUsage, p[0])
}

// Setter returns a function that sets flags by their names, those of [cli.Flags] too, for
// commands that read their command line in another way. Its errors are [cli.ErrUsage].
func (f *Flags) Setter(watch bool) func(name, value string) error {
	return f.Flags.Setter(func(fs *flag.FlagSet) {
		if watch {
			f.RegisterWatch(fs)
		} else {
			f.Register(fs)
		}
	})
}

// The kinds of flags. Each leaves nil what was not given, as a file does.

func textual[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](fs *flag.FlagSet, name, usage string, to **T) {
	fs.Func(name, usage, func(text string) error {
		v := new(T)
		*to = v
		return P(v).UnmarshalText([]byte(text))
	})
}

func boolean(fs *flag.FlagSet, name, usage string, to **bool) {
	fs.BoolFunc(name, usage, func(text string) error {
		v, err := strconv.ParseBool(text)
		if err != nil {
			return errors.New("write true or false, or nothing")
		}
		*to = &v
		return nil
	})
}

func stringy(fs *flag.FlagSet, name, usage string, to **string) {
	fs.Func(name, usage, func(text string) error {
		*to = &text
		return nil
	})
}

func number(fs *flag.FlagSet, name, usage string, to **int) {
	fs.Func(name, usage, func(text string) error {
		v, err := strconv.Atoi(text)
		if err != nil {
			return errors.New("write a whole number, as 8")
		}
		*to = &v
		return nil
	})
}

func listing(fs *flag.FlagSet, name, usage string, to *[]string) {
	fs.Func(name, usage, func(text string) error {
		*to = append(*to, text)
		return nil
	})
}
