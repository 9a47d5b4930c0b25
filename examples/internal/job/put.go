package job

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Put makes a job that sends local files and folders, which may be patterns, to a place: its
// folder, or the one file that it names. They are looked for before anything is dialled.
func (f *Flags) Put(names []string, dest cli.Place) (*Job, error) {
	sources, err := findSources(names)
	if err != nil {
		return nil, err
	}
	j, err := f.Copy(true, []cli.Place{dest}, []Plan{func(ctx context.Context, client ftpx.Client) ([]Part, error) {
		parts, err := putParts(ctx, client, sources, dest, value(f.set.Delivery).v)
		if f.plain { // whose records are relative to the folder of the URL
			for i := range parts {
				parts[i].Under = ""
			}
		}
		return parts, err
	}})
	if err != nil {
		return nil, err
	}
	j.sources = names
	if f.plain {
		j.Options.Compare, j.Options.Unfinished = folder.CompareProof, true
	}
	return j, nil
}

// source is a local file or folder to be sent.
type source struct {
	dir  string // the folder that it is in, or is
	name string // in it, "" for what is in the folder
	file bool
}

// findSources looks at all sources before anything is sent.
func findSources(args []string) (sources []source, err error) {
	var taken Names
	for _, arg := range args {
		names := []string{arg}
		if _, err := os.Lstat(arg); err != nil && IsPattern(arg) {
			// The shell did not know it as a pattern, or it was quoted.
			if names, err = doublestar.FilepathGlob(arg); (err != nil || len(names) == 0) && !strings.ContainsAny(arg, "*?") {
				names = []string{arg} // more likely a name than a pattern, and not there
			} else if err != nil || len(names) == 0 {
				return nil, fmt.Errorf("%w: %s matches nothing", cli.ErrUsage, arg)
			}
			names = slices.DeleteFunc(names, func(n string) bool { return hidden(n) && !hidden(arg) })
		}
		for _, name := range names {
			s, err := findSource(name)
			if err != nil {
				return nil, err
			}
			if s.name != "" {
				if err := taken.Take(s.name, name, "there"); err != nil {
					return nil, err
				}
			}
			sources = append(sources, s)
		}
	}
	return sources, nil
}

func hidden(name string) bool { return filepath.Base(name)[0] == '.' }

func findSource(arg string) (source, error) {
	info, err := os.Stat(arg) // one that is a link is followed
	switch {
	case err != nil:
		return source{}, cli.Missing("", err)
	case !info.IsDir() && !info.Mode().IsRegular():
		return source{}, fmt.Errorf("%w: %s is neither a file nor a folder: send what it gives with -", cli.ErrUsage, arg)
	case info.IsDir() && MeansContents(arg):
		return source{dir: filepath.Clean(arg)}, nil
	}
	clean := filepath.Clean(arg)
	return source{dir: filepath.Dir(clean), name: filepath.Base(clean), file: !info.IsDir()}, nil
}

// refusedLook reports whether a server has refused to say what is at a name, which is no
// answer: what may be done with it shows.
func refusedLook(err error) bool {
	switch ftpx.KindOf(err) {
	case transport.KindPermission, transport.KindUnsupported, transport.KindRefused:
		return true
	}
	return false
}

// putParts says what goes where. Only of one file it depends on what is there.
func putParts(ctx context.Context, client ftpx.Client, sources []source, dest cli.Place, way ftpx.Delivery) ([]Part, error) {
	to := dest.Full()
	if len(sources) == 1 && sources[0].file && !dest.IsFolder() {
		s := sources[0]
		e, err := ftpx.Entry{}, error(nil)
		if way != ftpx.DeliverDrop {
			e, err = client.Stat(ctx, to)
		}
		if refusedLook(err) {
			err = nil // it may be written all the same
		}
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case !e.IsDir():
			dir := path.Dir(to)
			return []Part{{Local: s.dir, Remote: dir, Names: []string{s.name}, As: path.Base(to), Under: dir}}, nil
		}
	}
	var parts []Part
	for _, s := range sources {
		if s.name == "" {
			parts = append(parts, Part{Local: s.dir, Remote: to, Under: to})
			continue
		}
		i := slices.IndexFunc(parts, func(p Part) bool { return p.Names != nil && p.Local == s.dir })
		if i < 0 {
			i = len(parts)
			parts = append(parts, Part{Local: s.dir, Remote: to, Under: to})
		}
		parts[i].Names = append(parts[i].Names, s.name)
	}
	return parts, nil
}
