package main

import (
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// session is a client of a server, and the place that named it.
type session struct {
	ftpx.Client
	place place
	close func() error
}

// remotes reads arguments that are all places on servers.
func remotes(args []string) ([]place, error) {
	var places []place
	for _, arg := range args {
		p, err := parsePlace(arg)
		if err != nil {
			return nil, err
		}
		if !p.remote {
			return nil, fmt.Errorf("%w: %s is a local path: write host:%[2]s, or a URL", cli.ErrUsage, arg)
		}
		places = append(places, p)
	}
	return places, nil
}

// each calls do for each remote path that the arguments name. One that fails does not stop
// the others.
func (c *connection) each(w *world, args []string, do func(*session, string) error) error {
	places, err := remotes(args)
	if err != nil {
		return err
	}
	sessions := &sessions{c: c, w: w, open: map[string]*session{}}
	defer sessions.close()
	code := 0
	for _, p := range places {
		s, err := sessions.of(p)
		if err != nil {
			return err
		}
		paths, err := s.expand(w.ctx, p)
		for _, at := range paths {
			if err = do(s, at); err != nil {
				code = max(code, cli.FailFile(w.name, w.env, err))
				err = nil
			}
		}
		if err != nil {
			code = max(code, cli.FailFile(w.name, w.env, err))
		}
	}
	if code != 0 {
		return exit(code)
	}
	return nil
}
