package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// place is the folder that everything goes into and nothing leaves. Names in it
// are relative, with slashes, and have passed check.
type place struct {
	folder string
	root   *os.Root
}

// openPlace creates the folder if it is missing.
func openPlace(folder string) (*place, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	return &place{folder: folder, root: root}, nil
}

func (p *place) close() { p.root.Close() }

func (p *place) path(name string) string { return filepath.Join(p.folder, filepath.FromSlash(name)) }

// check refuses a name out of a server's listing that would lead out of the
// folder, or that means something else on this system.
func (p *place) check(name string) error {
	if why := misleading(name, runtime.GOOS == "windows"); why != "" {
		return fmt.Errorf("the server's name %q %s: not fetched", name, why)
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("the server's name %q would lead out of the folder: not fetched", name)
	}
	return nil
}

// mkdir creates a folder and its parents. One that is there as a link is taken as
// long as it leads to a place within.
func (p *place) mkdir(name string) error {
	if name == "." {
		return nil
	}
	local := filepath.FromSlash(name)
	err := p.root.MkdirAll(local, 0o777)
	if err == nil {
		return nil
	}
	if info, serr := p.root.Stat(local); serr == nil && info.IsDir() {
		return nil
	}
	return fmt.Errorf("create the folder %q: %w", p.path(name), err)
}

// clashes reports whether a name is what Download calls its unfinished files: it
// must not be fetched while the file that it could belong to is.
func clashes(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".part") || strings.Contains(path.Base(name), ".part.state")
}
