package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type checkCmd struct {
	Content bool     `short:"c" group:"what" help:"Compare by content: every remote file is read."`
	Include []string `sep:"none" placeholder:"PATTERN" group:"what" help:"Files to compare: *.csv matches names, in/**/*.csv paths, sub/ folders; may be repeated."`
	Exclude []string `sep:"none" placeholder:"PATTERN" group:"what" help:"Files to skip; wins over --include."`
	Links   string   `placeholder:"POLICY" group:"what" help:"Symbolic links: skip, files (follow those to files) or follow."`
	Args    []string `arg:"" name:"source-dest" help:"A local folder or file, and a remote one, in any order."`
	connection
}

// Help says how, with examples.
func (*checkCmd) Help() string {
	return `Says what differs in size or time, and what only one side has. Nothing is
changed. The exit code is 0 if both sides are equal, 1 if not.

Examples:

    ftpx check . backup:in
    ftpx check -c --include '*.csv' reports backup:in/reports
    ftpx check report.csv backup:in/report.csv`
}

// Run compares.
func (c *checkCmd) Run(w *world) error {
	local, far, err := c.sides()
	if err != nil {
		return err
	}
	f, err := w.jobFlags(false)
	if err != nil {
		return err
	}
	d := cli.NewDisplay(&f.Flags, w.env)
	defer d.Close()
	defer f.Close()
	client, err := f.Open(w.ctx, w.env, far, d)
	if err != nil {
		return err
	}
	defer client.Close()
	k := &comparison{w: w, client: client, local: local, remote: far.Full()}
	if err := k.compare(c, f.Links()); err != nil {
		return err
	}
	if c.Content {
		k.contents()
	}
	d.Close()
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return k.summary(f.Quiet)
}

// sides finds out which side is which.
func (c *checkCmd) sides() (local string, far cli.Place, err error) {
	if len(c.Args) != 2 {
		return "", far, fmt.Errorf("%w: give two, one local and one remote", cli.ErrUsage)
	}
	var places [2]cli.Place
	for i, arg := range c.Args {
		if places[i], err = cli.ParsePlace(arg); err != nil {
			return "", far, err
		}
	}
	switch {
	case places[0].Remote == places[1].Remote:
		return "", far, fmt.Errorf("%w: exactly one of %s and %s must be remote, as host:folder", cli.ErrUsage, c.Args[0], c.Args[1])
	case places[0].Remote:
		local, far = c.Args[1], places[0]
	default:
		local, far = c.Args[0], places[1]
	}
	if _, err := os.Stat(local); err != nil {
		return "", far, cli.Missing("", err)
	}
	return local, far, nil
}

// comparison is one run of check.
type comparison struct {
	w             *world
	client        ftpx.Client
	local, remote string

	same                      []folder.Item // by size and time, or by size
	alike, differ, here, away int
	failed                    []error
	read                      atomic.Int64
	mu                        sync.Mutex // guards the counts while contents are compared
}

// compare lists both sides. What only one has and what differs is told of as it is found.
func (k *comparison) compare(c *checkCmd, links folder.LinkPolicy) error {
	o := folder.Options{DryRun: true, Delete: true, MaxDelete: 1, Include: c.Include, Exclude: c.Exclude, Links: links, OnItem: k.item}
	if c.Content {
		o.Compare = folder.CompareSize
	}
	info, err := os.Stat(k.local)
	if err != nil {
		return cli.Missing("", err)
	}
	from, to := k.local, k.remote
	if !info.IsDir() {
		e, err := k.client.Stat(k.w.ctx, to)
		if err == nil && e.IsDir() {
			to = path.Join(to, filepath.Base(from))
		}
		o.Delete, o.MaxDelete, o.Names, o.Name = false, 0, []string{filepath.Base(from)}, folder.Literal(path.Base(to))
		from, to = filepath.Dir(from), path.Dir(to)
		k.local, k.remote = from, to
	}
	_, err = folder.Upload(k.w.ctx, k.client, from, to, &o)
	if errors.Is(err, folder.ErrIncomplete) {
		return nil // each was told of
	}
	return err
}

// item is the folder's OnItem.
func (k *comparison) item(i folder.Item) {
	name := i.Path
	if i.Dir {
		name += "/"
	}
	switch {
	case i.Err != nil:
		k.failed = append(k.failed, i.Err)
		fmt.Fprintln(k.w.env.Stderr, cli.Line(k.w.env, name, i.Err))
	case i.Finding == folder.Missing:
		k.here++
		k.say("%s: only here", name)
	case i.Finding == folder.Differs:
		k.differ++
		k.say("%s: differs: %s", name, i.Reason)
	case i.Finding == folder.Extra && i.Action == folder.Delete:
		k.away++
		k.say("%s: only there", name)
	case i.Finding == folder.Same && !i.Dir:
		if k.alike++; i.Size >= 0 { // of a link there is no content
			k.same = append(k.same, i)
		}
	}
}

func (k *comparison) say(format string, args ...any) {
	fmt.Fprintln(k.w.env.Stdout, transport.Printable(fmt.Sprintf(format, args...)))
}

// atOnce is how many files are read at once.
const atOnce = 8

// contents reads the files that have the same size.
func (k *comparison) contents() {
	items := make(chan folder.Item)
	var readers sync.WaitGroup
	for range atOnce {
		readers.Go(func() {
			for i := range items {
				k.content(i)
			}
		})
	}
	for _, i := range k.same {
		if k.w.ctx.Err() != nil {
			break
		}
		items <- i
	}
	close(items)
	readers.Wait()
}

func (k *comparison) content(i folder.Item) {
	at := i.Path
	if i.Target != "" {
		at = i.Target
	}
	f, err := os.Open(filepath.Join(k.local, filepath.FromSlash(i.Path)))
	same := false
	if err == nil {
		defer f.Close()
		c := &comparer{r: f}
		_, err = k.client.Get(k.w.ctx, path.Join(k.remote, at), c, nil)
		k.read.Add(c.n)
		if same = err == nil && c.end(); errors.Is(err, errDiffers) {
			err = nil
		}
	}
	if k.w.ctx.Err() != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil:
		k.failed = append(k.failed, err)
		fmt.Fprintln(k.w.env.Stderr, cli.Line(k.w.env, i.Path, err))
	case !same:
		k.differ++
		k.say("%s: differs: another content of the same size", i.Path)
	default:
		return
	}
	k.alike--
}

func (k *comparison) summary(quiet bool) error {
	if !quiet {
		text := fmt.Sprintf("%d the same, %d different, %d only here, %d only there", k.alike, k.differ, k.here, k.away)
		if len(k.failed) > 0 {
			text += fmt.Sprintf(", %d failed", len(k.failed))
		}
		if n := k.read.Load(); n > 0 {
			text += "; " + cli.Bytes(n) + " read"
		}
		fmt.Fprintln(k.w.env.Stderr, text)
	}
	if k.differ+k.here+k.away+len(k.failed) > 0 {
		return exit(cli.ExitSome)
	}
	return nil
}

var errDiffers = errors.New("another content")

// comparer is an io.Writer that fails when what is written is not what it reads.
type comparer struct {
	r   io.Reader
	buf []byte
	n   int64
}

// Write is part of io.Writer.
func (c *comparer) Write(p []byte) (int, error) {
	if cap(c.buf) < len(p) {
		c.buf = make([]byte, len(p))
	}
	buf := c.buf[:len(p)]
	n, err := io.ReadFull(c.r, buf)
	c.n += int64(len(p))
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, err
	}
	if n < len(p) || string(buf) != string(p) {
		return 0, errDiffers
	}
	return n, nil
}

// end reports whether all has been compared.
func (c *comparer) end() bool {
	n, err := c.r.Read(make([]byte, 1))
	return n == 0 && errors.Is(err, io.EOF)
}
