package main

import (
	"fmt"
	"io/fs"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type statCmd struct {
	Place []string `arg:"" help:"Remote files, folders or patterns."`
	connection
}

// Help shows examples.
func (*statCmd) Help() string {
	return `Links are followed.

Examples:

    ftpx stat backup:in/report.csv`
}

// Run shows what the server tells.
func (c *statCmd) Run(w *world) error {
	return w.each(c.Place, func(s *session, _ cli.Place, at string) error {
		e, err := s.Stat(w.ctx, at)
		if err != nil {
			return err
		}
		out := w.env.Stdout
		fmt.Fprintf(out, "%s\n  type      %s\n", transport.Printable(at), typeOf(e.Type))
		if e.Size >= 0 && !e.IsDir() {
			fmt.Fprintf(out, "  size      %d (%s)\n", e.Size, cli.Bytes(e.Size))
		}
		if !e.ModTime.IsZero() {
			note := ""
			if !e.TimeExact {
				note = " (not exact)"
			}
			fmt.Fprintf(out, "  modified  %s%s\n", e.ModTime.Local().Format("2006-01-02 15:04:05 -0700"), note)
		}
		if e.Perm != 0 {
			fmt.Fprintf(out, "  mode      %04o %v\n", e.Perm&fs.ModePerm, e.Perm)
		}
		return nil
	})
}

func typeOf(t transport.EntryType) string {
	switch t {
	case transport.TypeFile:
		return "file"
	case transport.TypeDir:
		return "folder"
	case transport.TypeLink:
		return "link"
	case transport.TypeOther:
		return "neither file nor folder"
	}
	return "not told"
}

type dfCmd struct {
	Place []string `arg:"" help:"Remote folders."`
	connection
}

// Help shows examples.
func (*dfCmd) Help() string {
	return `Not every server supports this: OpenSSH does, and FTP servers with AVBL.

Examples:

    ftpx df backup:`
}

// Run shows how much room there is.
func (c *dfCmd) Run(w *world) error {
	return w.each(c.Place, func(s *session, p cli.Place, at string) error {
		sp, err := s.Space(w.ctx, at)
		if err != nil {
			return err
		}
		text := cli.Bytes(sp.Free) + " free"
		if sp.Total > 0 {
			text += fmt.Sprintf(" of %s (%d %%)", cli.Bytes(sp.Total), int(float64(sp.Free)/float64(sp.Total)*100))
		}
		_, err = fmt.Fprintf(w.env.Stdout, "%s: %s\n", transport.Printable(p.At(at)), text)
		return err
	})
}
