package job

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// Part is a piece of a copy: a folder, or some of what is in it.
type Part struct {
	// Local and Remote are the two folders.
	Local, Remote string
	// Names are the files and folders that are copied, nil for all.
	Names []string
	// As is the name at the other side of the one file that is copied, "" for its own.
	As string
	// Under is where Remote lies, for records; "" for records relative to it.
	Under string
	// Stream, if it is not nil, moves the file Under/As in another way than from folder to
	// folder: from or to a pipe.
	Stream func(context.Context, ftpx.Client, *folder.Options) (ftpx.Result, error)
	// Err says why the part cannot be copied.
	Err error
}

// MeansContents is rsync's rule: "dir/" is what is in dir, and so are "." and "..", which
// are no names that a folder could have elsewhere.
func MeansContents(arg string) bool {
	base := filepath.Base(strings.TrimRight(filepath.ToSlash(arg), "/"))
	return os.IsPathSeparator(arg[len(arg)-1]) || base == "." || base == ".." || filepath.VolumeName(arg) == arg
}

// Plan finds out, on the server, what is to be copied.
type Plan func(context.Context, ftpx.Client) ([]Part, error)

// options are those of the part.
func (p *Part) options(o folder.Options) folder.Options {
	o.Names = p.Names
	if p.As != "" {
		o.Name = folder.Literal(p.As)
	}
	return o
}

// local and remote are the paths of an item in records.
func (p *Part) local(rel string) string {
	if p.Stream != nil {
		return p.Local
	}
	return filepath.Join(p.Local, filepath.FromSlash(rel))
}

func (p *Part) remote(rel string) string { return path.Join(p.Under, path.Clean(rel)) }

// Copy makes a job without a lock, called "put" or "get" in records, of what each plan says of the server of its
// place. locals are the local sides, for the summary.
func (f *Flags) Copy(up bool, places []cli.Place, plans []Plan) (*Job, error) {
	j := &Job{Name: "get", Up: up, set: f.set, Report: value(f.set.Report)}
	if up {
		j.Name = "put"
	}
	var bad Problems
	note := func(key, text string) { bad = append(bad, f.problem(key, text)) }
	if j.Options = f.set.build(up, note); up && len(bad) == 0 {
		checkDelivery(j.Options, f.Verify == "full", note)
	}
	if err := bad.usage(); err != nil {
		return nil, err
	}
	j.Options.Links = f.Links()
	j.Options.Verify = map[string]ftpx.Verify{"size": ftpx.VerifySize, "full": ftpx.VerifyFull}[f.Verify]
	for i, p := range places {
		j.Targets = append(j.Targets, Target{Name: p.Text, URL: p.Text, place: p, parts: plans[i], flags: f.Flags})
	}
	return j, nil
}

// Links is the policy of links, that of put and get where none is given.
func (f *Flags) Links() folder.LinkPolicy {
	if f.set.Links == nil {
		return folder.LinkFiles
	}
	return f.set.Links.v
}
