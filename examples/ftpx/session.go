package main

import (
	"errors"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/job"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// session is a client of a server.
type session struct {
	ftpx.Client
	flags   *cli.Flags
	display *cli.Display // nil without a terminal
}

// sessions are the clients of a run, one for each server.
type sessions struct {
	w       *world
	open    map[string]*session
	display *cli.Display // nil without a terminal
}

// of returns the client for a place, connecting if there is none yet.
func (ss *sessions) of(p cli.Place) (*session, error) {
	if s := ss.open[p.Host()]; s != nil {
		return s, nil
	}
	f, err := ss.w.flags()
	if err != nil {
		return nil, err
	}
	if ss.display == nil {
		ss.display = cli.NewDisplay(f, ss.w.env)
	}
	client, err := f.Open(ss.w.ctx, ss.w.env, p, ss.display)
	if err != nil {
		f.Close()
		return nil, err
	}
	s := &session{Client: client, flags: f, display: ss.display}
	ss.open[p.Host()] = s
	return s, nil
}

func (ss *sessions) close() {
	ss.display.Close()
	for _, s := range ss.open {
		_ = s.Close() // nothing was sent
		s.flags.Close()
	}
}

// remotes reads arguments that are all places on servers.
func remotes(args []string) ([]cli.Place, error) {
	var places []cli.Place
	for _, arg := range args {
		p, err := cli.ParsePlace(arg)
		if err != nil {
			return nil, err
		}
		if !p.Remote {
			return nil, fmt.Errorf("%w: %s is a local path: write host:%[2]s, or a URL", cli.ErrUsage, arg)
		}
		places = append(places, p)
	}
	return places, nil
}

// each calls do for each remote path that the arguments name. One that fails does not stop
// the others.
func (w *world) each(args []string, do func(s *session, p cli.Place, at string) error) error {
	return w.eachAs(patterns, args, do)
}

// How the paths of arguments are read.
const (
	patterns  = false
	literally = true
)

// eachAs is each for paths that are patterns or not.
func (w *world) eachAs(literal bool, args []string, do func(s *session, p cli.Place, at string) error) error {
	places, err := remotes(args)
	if err != nil {
		return err
	}
	sessions := &sessions{w: w, open: map[string]*session{}}
	defer sessions.close()
	var failed codes
	for _, p := range places {
		s, err := sessions.of(p)
		if err != nil {
			return err
		}
		paths := []string{p.Full()}
		if !literal {
			paths, err = job.Expand(w.ctx, s.Client, p)
		}
		for _, at := range paths {
			if err := do(s, p, at); err != nil && failed.add(w, err) {
				return failed.err()
			}
		}
		if err != nil && failed.add(w, err) {
			break
		}
	}
	return failed.err()
}

// codes gathers the exit codes of what has failed.
type codes []int

// add tells of a failure. It returns true if all else would meet the same.
func (c *codes) add(w *world, err error) bool {
	code := w.fail(err)
	ends := w.ctx.Err() != nil || cli.EndsAll(err) || w.env.StdoutError() != nil
	if code == cli.ExitConnect && !ends || errors.Is(err, job.ErrNothing) {
		code = cli.ExitSome
	}
	*c = append(*c, code)
	return ends
}

func (c codes) err() error {
	if code := cli.Together(c); code != cli.ExitDone {
		return exit(code)
	}
	return nil
}
