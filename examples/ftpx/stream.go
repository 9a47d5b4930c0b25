package main

import (
	"context"
	"fmt"
	"io"
	"path"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// stream sends standard input.
func (c *putCmd) stream(w *world, f *job.Flags, names []string, dest cli.Place) error {
	switch {
	case len(names) > 1:
		return fmt.Errorf("%w: - is standard input, which is one file: name nothing beside it", cli.ErrUsage)
	case dest.IsFolder():
		return fmt.Errorf("%w: standard input has no name: write %s", cli.ErrUsage, dest.At(path.Join(dest.Path, "NAME")))
	}
	to := dest.Full()
	part := job.Part{Local: "-", Remote: path.Dir(to), Under: path.Dir(to), As: path.Base(to),
		Stream: func(ctx context.Context, client ftpx.Client, o *folder.Options) (ftpx.Result, error) {
			return client.Put(ctx, to, w.env.Stdin, &ftpx.PutOptions{CreateDirs: true, Verify: o.Verify, Delivery: o.Delivery, PartialName: o.PartialName})
		}}
	return w.streamed(f, true, []cli.Place{dest}, []job.Part{part}, w.env)
}

// stream writes to standard output what is fetched, one file after the other.
func (c *getCmd) stream(w *world, f *job.Flags, places []cli.Place) error {
	for _, p := range places {
		if p.IsFolder() || job.IsPattern(p.Path) {
			return fmt.Errorf("%w: %s may be several files, and - is one: ftpx cat writes them one after the other", cli.ErrUsage, p.Text)
		}
		if p.Host() != places[0].Host() {
			return fmt.Errorf("%w: %s is on another server than %s: fetch it by itself", cli.ErrUsage, p.Text, places[0].Text)
		}
	}
	var parts []job.Part
	for _, p := range places {
		from := p.Full()
		parts = append(parts, job.Part{Local: "-", Remote: path.Dir(from), Under: path.Dir(from), As: path.Base(from),
			Stream: func(ctx context.Context, client ftpx.Client, _ *folder.Options) (ftpx.Result, error) {
				return client.Get(ctx, from, own{w.env.Stdout}, nil)
			}})
	}
	env := w.env
	env.Stdout = env.Stderr // of records: Stdout is for what is fetched
	if env.StdoutTerminal { // where it is to be seen, and nothing else
		env.Terminal, f.Quiet = false, true
	}
	return w.streamed(f, false, places[:1], parts, env)
}

// own hides what else a writer can do, so that it is written to and nothing else.
type own struct{ io.Writer }

func (w *world) streamed(f *job.Flags, up bool, places []cli.Place, parts []job.Part, env cli.Env) error {
	j, err := f.Copy(up, places, []job.Plan{func(context.Context, ftpx.Client) ([]job.Part, error) { return parts, nil }})
	if err != nil {
		return err
	}
	return ended(job.Run(w.ctx, f, env, []*job.Job{j}))
}
