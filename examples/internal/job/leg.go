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
	sum       Summary
	fatal     error                   // what every other file would meet too
	cancel    context.CancelCauseFunc // ends the leg for that
	planned   bool                    // a new manifest has been told of, in a dry run
	connected bool                    // a server has been logged in to
	base      string                  // the folder of the URL
	outer     context.Context         // ends with an interruption; nil for a watch, which it does not cut off
	quiet     bool                    // items are not shown: it is being found out what there is to do
}

// do connects and copies. What an item of it met is not in its error.
func (l *leg) do(outer context.Context) error {
	l.outer = outer
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	l.cancel = cancel
	if l.Up {
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
	if l.progress != nil && o.Ready.Stable == 0 {
		l.survey(ctx, client, base, o)
	}
	rep, err := l.copy(ctx, client, base, o)
	l.sum.Unchanged, l.sum.Left, l.sum.NotReady, l.sum.Taken, l.sum.TimesLost = rep.Unchanged, rep.Left, rep.NotReady, rep.Taken, rep.TimesLost
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
	for _, err := range cli.Failures(client.Close()) {
		rel := strings.TrimPrefix(cli.RemoteOf(err), l.base+"/")
		rec := Record{Record: cli.NewRecord(cli.OpVerify, filepath.Join(l.t.Local, filepath.FromSlash(rel)), rel, ftpx.Result{}, err),
			Job: l.Name, Target: l.t.Name, Path: rel}
		l.tell(&rec)
	}
}

// connect opens the client; base is the folder of the URL.
func (l *leg) connect(ctx context.Context) (client ftpx.Client, base string, err error) {
	opts, err := l.t.options(ctx, l.env)
	if err != nil {
		return nil, "", err
	}
	opts.Hooks = l.progress.Hook(cli.Hooks(l.f.Flags, l.env))
	cfg, err := cli.ParseURL(l.t.URL, &opts)
	if err != nil {
		return nil, "", err
	}
	if base = cfg.Base; base == "" {
		base = "."
	}
	l.base = base
	cfg.Base = ""
	client, err = cli.Connect(ctx, l.out.named(l.Name), l.f.Flags, l.env, cfg)
	if err != nil {
		l.t.flags.Close()
		return nil, "", err
	}
	l.connected = true
	return client, base, nil
}

// options are the client's. Secrets come from where the target says.
func (t *Target) options(ctx context.Context, env cli.Env) (ftpx.Options, error) {
	vars := map[string]string{"FTPX_PASSWORD": t.passwordEnv, "FTPX_PASSPHRASE": t.passphraseEnv}
	given := map[string]string{}
	for key, name := range map[string]string{"password_env": t.passwordEnv, "passphrase_env": t.passphraseEnv} {
		if name != "" && env.Getenv(name) == "" {
			return ftpx.Options{}, fmt.Errorf("%w: %s: the environment variable %s is not set: set it where the job is started", cli.ErrUsage, key, name)
		}
	}
	if t.passphraseFile != "" {
		b, err := os.ReadFile(t.passphraseFile)
		if err != nil {
			return ftpx.Options{}, fmt.Errorf("%w: passphrase_file: %w", cli.ErrUsage, err)
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
	opts, err := t.flags.Options(ctx, with)
	if t.retry.MaxElapsed > 0 || t.retry.MaxAttempts > 0 || t.retry.InitialDelay > 0 || t.retry.MaxDelay > 0 {
		opts.Retry = t.retry
	}
	return opts, err
}

// copy does the work.
func (l *leg) copy(ctx context.Context, client ftpx.Client, base string, o folder.Options) (folder.Report, error) {
	o.DryRun = o.DryRun || l.f.DryRun
	if n := l.t.flags.Parallel; n != folder.DefaultParallel { // else small files share the connections
		o.Parallel = n
	}
	o.OnItem = l.item
	if l.ledger != nil {
		o.Ledger = l.ledger
		o.Job = l.Name + " " + l.t.Name
	}
	if l.Up {
		return folder.Upload(ctx, client, l.t.Local, base, &o)
	}
	return folder.Download(ctx, client, base, l.t.Local, &o)
}

// survey finds out how much there is to do, for who looks at a terminal: a dry run,
// that is one more listing of each folder.
func (l *leg) survey(ctx context.Context, client ftpx.Client, base string, o folder.Options) {
	o.DryRun = true
	l.quiet = true
	rep, err := l.copy(ctx, client, base, o)
	l.quiet = false
	if err == nil || errors.Is(err, folder.ErrIncomplete) { // else the run itself will say
		l.progress.Expect(rep.Copied, rep.Bytes)
	}
}

// item is the folder's OnItem, which calls it once at a time.
func (l *leg) item(i folder.Item) {
	if l.quiet {
		return
	}
	rec := l.record(l.t, i, l.f.DryRun)
	if i.Action == folder.Send || i.Action == folder.Fetch {
		l.progress.File(i.Size)
	}
	if i.Err != nil && l.fatal == nil && cli.EndsAll(i.Err) {
		l.fatal = i.Err
		l.cancel(i.Err)
	}
	if i.Err != nil && l.outer != nil && l.outer.Err() != nil && cli.IsCut(i.Err) {
		l.out.cut.Add(ftpx.ProgressInfo{}) // how far it is, an item does not tell
	}
	l.tell(&rec)
}

// tell counts and shows a record.
func (l *leg) tell(rec *Record) {
	l.sum.count(rec)
	if rec.Outcome != skipped {
		l.report.item(rec)
	}
	l.out.record(rec)
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
	case errors.As(err, &tooMuch), errors.Is(err, folder.ErrSourceUnread):
		return cli.ExitSome
	case err == nil || errors.Is(err, folder.ErrIncomplete):
		if l.sum.Failed == 0 && l.sum.Unknown > 0 {
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
