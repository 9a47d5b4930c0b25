package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type lsCmd struct {
	connection
	Long  bool     `short:"l" group:"show" help:"One entry a line, with type, permissions, size and time."`
	All   bool     `short:"a" group:"show" help:"Show names that start with a dot, too."`
	Place []string `arg:"" help:"Remote folders, files or patterns."`
}

// Help shows examples.
func (*lsCmd) Help() string {
	return `Examples:

    ftpx ls backup:
    ftpx ls -l 'batch@files.example.com:in/*.csv'
    ftpx ls ftpes://batch@files.example.com/out`
}

// Run lists.
func (c *lsCmd) Run(w *world) error {
	return w.each(c.Place, func(s *session, _ cli.Place, at string) error {
		e, err := s.Stat(w.ctx, at)
		if err != nil {
			return err
		}
		if !e.IsDir() {
			c.print(w, e, at)
			return nil
		}
		if len(c.Place) > 1 {
			fmt.Fprintf(w.env.Stdout, "%s:\n", transport.Printable(at))
		}
		var entries []ftpx.Entry
		for e, err := range s.List(w.ctx, at) {
			if err != nil {
				return err
			}
			if c.All || !strings.HasPrefix(e.Name, ".") {
				entries = append(entries, e)
			}
		}
		slices.SortFunc(entries, func(a, b ftpx.Entry) int { return cmp.Compare(a.Name, b.Name) })
		for _, e := range entries {
			c.print(w, e, e.Name)
		}
		return nil
	})
}

func (c *lsCmd) print(w *world, e ftpx.Entry, name string) {
	kind, end := "-", ""
	switch e.Type {
	case transport.TypeDir:
		kind, end = "d", "/"
	case transport.TypeLink:
		kind = "l"
		if e.Target != "" {
			end = " -> " + e.Target
		}
	case transport.TypeFile:
	default:
		kind = "?"
	}
	name = transport.Printable(name)
	if !c.Long {
		if e.Type == transport.TypeLink {
			end = ""
		}
		fmt.Fprintln(w.env.Stdout, name+end)
		return
	}
	when := "-"
	if !e.ModTime.IsZero() {
		when = e.ModTime.Local().Format("2006-01-02 15:04:05")
	}
	size := "-"
	if e.Size >= 0 && !e.IsDir() {
		size = cli.Bytes(e.Size)
	}
	perm := strings.TrimPrefix(e.Perm.Perm().String(), "-")
	if e.Perm == 0 {
		perm = "?????????"
	}
	fmt.Fprintf(w.env.Stdout, "%s%s %10s  %-19s  %s%s\n", kind, perm, size, when, name, transport.Printable(end))
}
