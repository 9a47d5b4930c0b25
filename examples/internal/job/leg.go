package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// leg is a run's work for one target.
type leg struct {
	*run
	t         *Target
	part      *Part // that is being copied
	sum       summary
	fatal     error                   // what every other file would meet too
	cancel    context.CancelCauseFunc // ends the leg for that
	planned   bool                    // a new manifest has been told of, in a dry run
	under     *underway               // set by connect
	connected bool                    // a server has been logged in to
	base      string                  // the folder of the URL
	outer     context.Context         // ends with an interruption; nil for a watch, which it does not cut off
	unwatch   func()                  // the status page shows the client until then
	quiet     bool                    // items are not shown: it is being found out what there is to do
}

// do connects and copies. What an item of it met is not in its error.
func (l *leg) do(outer context.Context) error {
	l.outer = outer
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	l.cancel = cancel
	if l.Up && l.t.parts == nil {
		if info, err := os.Stat(l.t.Local); err != nil {
			return cli.Missing(l.sourceName(), err)
		} else if !info.IsDir() {
			return fmt.Errorf("%w: %s %q is no folder: name one, and -include %q for a single file", cli.ErrUsage, l.sourceName(), l.t.Local, info.Name())
		}
	}
	client, base, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer l.end(client, &l.t.flags)
	o := l.Options
	if l.Manifest && l.Up {
		o.Exclude = append(o.Exclude[:len(o.Exclude):len(o.Exclude)], "/"+folder.ManifestName)
		if err := l.writeManifest(ctx); err != nil {
			return err
		}
	}
	parts := []Part{{Local: l.t.Local, Remote: base}}
	if l.t.parts != nil {
		if parts, err = l.t.parts(ctx, client); err != nil {
			return err
		}
	}
	if l.progress != nil && o.Ready.Stable == 0 {
		l.survey(ctx, client, parts, o)
	}
	err = l.copyAll(ctx, client, parts, o)
	switch {
	case !l.Manifest || ctx.Err() != nil:
	case !l.Up:
		l.checkManifest(ctx)
	case err == nil:
		// Last, so that whoever sees it finds all that it names.
		err = l.sendManifest(ctx, client, base)
	}
	return err
}

// sourceName is what the source is called where it was written.
func (l *leg) sourceName() string {
	if l.f.Config == "" {
		return "SOURCE"
	}
	return "source"
}

// end closes the client, which may still look at files, and then what it was reached
// through. Each file that is no longer what was sent has failed.
func (l *leg) end(client interface{ Close() error }, way interface{ Close() }) {
	defer way.Close()
	if l.unwatch != nil { // it connected by connect
		defer l.unwatch()
	}
	for _, err := range failures(client.Close()) {
		rel := strings.TrimPrefix(remoteOf(err), l.base+"/")
		local := ""
		if l.t.parts == nil {
			local = filepath.Join(l.t.Local, filepath.FromSlash(rel))
		}
		rec := l.verified(local, rel, rel, err)
		l.tell(&rec)
	}
}

// failures takes apart what a client's Close returns: an error for each file.
func failures(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// remoteOf is the remote path that an error is about, "" for none.
func remoteOf(err error) string {
	var e *ftpx.Error
	if errors.As(err, &e) {
		return e.Remote
	}
	return ""
}

// connect opens the client; base is the folder of the URL.
func (l *leg) connect(ctx context.Context) (client ftpx.Client, base string, err error) {
	place := l.t.place
	if place.Text == "" { // of a file, whose URLs are checked
		cfg, err := cli.ParseURL(l.t.URL, nil)
		if err != nil {
			return nil, "", err
		}
		place = cli.Place{Text: l.t.URL, Path: cfg.Base}
	}
	if base = place.Path; base == "" {
		base = "."
	}
	l.base = base
	env, flags, err := l.t.access(l.env)
	if err != nil {
		return nil, "", err
	}
	l.under = newUnderway()
	env.Hooks = ftpx.JoinHooks(env.Hooks, l.under.hooks())
	client, err = flags.Open(ctx, env, place, l.progress)
	if err != nil {
		flags.Close()
		return nil, "", err
	}
	l.connected = true
	l.unwatch = l.f.watch(client)
	return client, base, nil
}

// access says with what the server is reached. Secrets come from where the target says.
func (t *Target) access(env cli.Env) (cli.Env, *cli.Flags, error) {
	vars := map[string]string{"FTPX_PASSWORD": t.passwordEnv, "FTPX_PASSPHRASE": t.passphraseEnv}
	given := map[string]string{}
	for key, name := range map[string]string{"password_env": t.passwordEnv, "passphrase_env": t.passphraseEnv} {
		if name != "" && env.Getenv(name) == "" {
			return env, nil, fmt.Errorf("%w: %s: the environment variable %s is not set: set it where the job is started", cli.ErrUsage, key, name)
		}
	}
	if t.passphraseFile != "" {
		b, err := os.ReadFile(t.passphraseFile)
		if err != nil {
			return env, nil, fmt.Errorf("%w: passphrase_file: %w", cli.ErrUsage, err)
		}
		given["FTPX_PASSPHRASE"] = strings.TrimRight(string(b), "\r\n")
	}
	with := env
	with.Getenv = func(name string) string {
		if v, ok := given[name]; ok {
			return v
		}
		if other := vars[name]; other != "" {
			return env.Getenv(other)
		}
		return env.Getenv(name)
	}
	t.flags.Retry = t.retry
	var err error
	t.flags.Others, err = t.others(env)
	return with, &t.flags, err
}

// copyAll copies the parts. One that fails does not stop the others, unless they would all
// meet the same.
func (l *leg) copyAll(ctx context.Context, client ftpx.Client, parts []Part, o folder.Options) error {
	var errs []error
	for i := range parts {
		if ctx.Err() != nil && i > 0 {
			break
		}
		rep, err := l.copy(ctx, client, &parts[i], o)
		l.sum.take(rep)
		if err != nil && len(parts) > 1 && ctx.Err() == nil && !errors.Is(err, folder.ErrIncomplete) && !errors.Is(err, cli.ErrUsage) && !cli.EndsAll(err) {
			// One of several: it counts as a file that has failed.
			l.item(folder.Item{Action: folder.Refuse, Path: ".", Size: -1, Err: err})
			err = fmt.Errorf("%w: %w", folder.ErrIncomplete, err)
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// copy does the work for one part.
func (l *leg) copy(ctx context.Context, client ftpx.Client, part *Part, o folder.Options) (folder.Report, error) {
	l.part = part
	if part.Err != nil {
		l.item(folder.Item{Action: folder.Refuse, Path: part.As, Size: -1, Err: part.Err})
		return folder.Report{}, fmt.Errorf("%w: %w", folder.ErrIncomplete, part.Err)
	}
	if part.Stream != nil {
		return folder.Report{}, l.stream(ctx, client, part, &o)
	}
	o = part.options(o)
	o.DryRun = o.DryRun || l.f.DryRun
	o.Parallel = l.t.flags.Files // -parallel is about connections: small files share them
	o.OnItem = l.item
	if l.ledger != nil {
		o.Ledger = l.ledger
		o.Job = l.Name + " " + l.t.Name
	}
	if l.Up {
		return folder.Upload(ctx, client, part.Local, part.Remote, &o)
	}
	return folder.Download(ctx, client, part.Remote, part.Local, &o)
}

// stream moves what comes from a pipe, or goes into one.
func (l *leg) stream(ctx context.Context, client ftpx.Client, part *Part, o *folder.Options) error {
	if l.quiet {
		return nil // nobody knows how much it is
	}
	i := folder.Item{Action: map[bool]folder.Action{true: folder.Send, false: folder.Fetch}[l.Up], Path: part.As, Size: -1}
	if i.Reason = "it is streamed"; !l.f.DryRun {
		i.Result, i.Err = part.Stream(ctx, client, o)
		i.Size = i.Result.Size
	}
	if l.item(i); i.Err != nil {
		return fmt.Errorf("%w: %w", folder.ErrIncomplete, i.Err)
	}
	return nil
}

// survey finds out how much there is to do, for who looks at a terminal: a dry run,
// that is one more listing of each folder.
func (l *leg) survey(ctx context.Context, client ftpx.Client, parts []Part, o folder.Options) {
	o.DryRun = true
	l.quiet = true
	for i := range parts {
		rep, err := l.copy(ctx, client, &parts[i], o)
		if err == nil || errors.Is(err, folder.ErrIncomplete) { // else the run itself will say
			l.progress.Expect(rep.Copied, rep.Bytes)
		}
	}
	l.quiet = false
}

// item is the folder's OnItem, which calls it once at a time.
func (l *leg) item(i folder.Item) {
	if l.quiet {
		return
	}
	rec := l.record(l.t, l.part, i, l.f.DryRun)
	if i.Action == folder.Send || i.Action == folder.Fetch {
		l.progress.File(i.Size)
	}
	if i.Err != nil && l.fatal == nil && cli.EndsAll(i.Err) {
		l.fatal = i.Err
		l.cancel(i.Err)
	}
	if i.Err != nil && l.outer != nil && l.outer.Err() != nil && cli.IsCut(i.Err) {
		l.out.cut.Add(l.under.cutAt(i.Err))
		l.out.cut.Piped = l.out.cut.Piped || l.part.Stream != nil
	}
	l.tell(&rec)
}

// tell counts and shows a record.
func (l *leg) tell(rec *record) {
	if l.env.Long && rec.err != nil {
		rec.Error = cli.Line(l.env, rec.subject(), rec.err)
	}
	l.sum.count(rec)
	if rec.Outcome != skipped {
		l.report.item(rec)
	}
	l.out.tell(rec)
}

// exit is the leg's exit code.
func (l *leg) exit(ctx context.Context, err error) int {
	var tooMuch *folder.DeleteError
	switch {
	case err == nil && l.sum.Failed == 0 && l.sum.Unknown == 0:
		return cli.ExitDone
	case err != nil && ctx.Err() != nil:
		return cli.ExitInterrupted
	case l.fatal != nil:
		return cli.ExitOf(l.fatal)
	case errors.Is(err, cli.ErrUsage):
		return cli.ExitOf(err)
	case errors.Is(err, ledger.ErrLocked):
		return cli.ExitLocked
	case errors.As(err, &tooMuch), errors.Is(err, folder.ErrSourceIncomplete):
		return cli.ExitSome
	case err == nil || errors.Is(err, folder.ErrIncomplete):
		if l.sum.Failed == 0 && l.sum.Unknown > 0 && !l.f.plain {
			return cli.ExitUnknown
		}
		return cli.ExitSome
	}
	if l.connected {
		switch ftpx.KindOf(err) {
		case transport.KindLost, transport.KindStalled, transport.KindTimeout, transport.KindUnreachable, transport.KindNoHost,
			transport.KindNotOffered, transport.KindBusy, transport.KindAuth, transport.KindHostKey, transport.KindCertificate:
		default:
			return cli.ExitSome // about the folders, not about the server
		}
	}
	return cli.ExitOf(err)
}
