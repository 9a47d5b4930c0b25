package job

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// Get makes a job that fetches remote files and folders, which may be patterns, into a local
// folder, or to the one file that dest names.
func (f *Flags) Get(places []cli.Place, dest string) (*Job, error) {
	single := len(places) == 1 && !places[0].IsFolder() && !IsPattern(places[0].Path)
	info, err := os.Stat(dest)
	isDir := err == nil && info.IsDir()
	if err == nil && !isDir && !single {
		return nil, fmt.Errorf("%w: %s is a file, and several may come: name a folder", cli.ErrUsage, dest)
	}
	as := ""
	if single && !isDir && !MeansContents(dest) {
		as = dest
	}
	var hosts []cli.Place
	var plans []Plan
	taken := &Names{}
	for i, p := range places {
		of := func(o cli.Place) bool { return o.Host() == p.Host() }
		if slices.ContainsFunc(places[:i], of) {
			continue
		}
		same := slices.DeleteFunc(slices.Clone(places), func(o cli.Place) bool { return !of(o) })
		hosts = append(hosts, p)
		plans = append(plans, func(ctx context.Context, client ftpx.Client) ([]Part, error) {
			return (&getting{client, dest, as, taken}).parts(ctx, same)
		})
	}
	j, err := f.Copy(false, hosts, plans)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		j.sources = append(j.sources, p.Text)
	}
	if f.plain {
		j.Options.Compare, j.Options.Unfinished = folder.CompareNothing, true
	}
	return j, nil
}

// getting finds out what is to be fetched from one server.
type getting struct {
	client ftpx.Client
	dest   string
	as     string // the name that a single file gets, "" for its own
	taken  *Names
}

// parts says what comes from where.
func (g *getting) parts(ctx context.Context, places []cli.Place) ([]Part, error) {
	var parts []Part
	for _, p := range places {
		if p.IsFolder() && (!IsPattern(p.Path) || g.isFolder(ctx, p.Full())) {
			parts = append(parts, Part{Local: g.dest, Remote: p.Full(), Under: p.Full()})
			continue
		}
		found, err := Expand(ctx, g.client, p)
		if err != nil {
			parts = append(parts, Part{Local: g.dest, Remote: p.Full(), As: p.Full(), Err: err})
			continue
		}
		for _, at := range found {
			if err := g.taken.Take(path.Base(at), p.At(at), "here"); err != nil {
				return nil, err
			}
			dir := path.Dir(at)
			i := slices.IndexFunc(parts, func(p Part) bool { return p.Names != nil && p.Remote == dir })
			if i < 0 {
				i = len(parts)
				parts = append(parts, Part{Local: g.dest, Remote: dir, Under: dir})
			}
			parts[i].Names = append(parts[i].Names, path.Base(at))
		}
	}
	if g.as == "" {
		return parts, nil
	}
	e, err := g.client.Stat(ctx, places[0].Full())
	if err != nil && !refusedLook(err) {
		return nil, err
	}
	if !e.IsDir() {
		parts[0].Local, parts[0].As = filepath.Dir(g.as), filepath.Base(g.as)
	}
	return parts, nil
}

func (g *getting) isFolder(ctx context.Context, remote string) bool {
	e, err := g.client.Stat(ctx, remote)
	return err == nil && e.IsDir()
}
