package main

import (
	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
)

// sessions are the clients of a run, one for each server.
type sessions struct {
	c    *connection
	w    *world
	open map[string]*session
}

// of returns the client for a place, connecting if there is none yet.
func (ss *sessions) of(p place) (*session, error) {
	if s := ss.open[p.host()]; s != nil {
		return &session{Client: s.Client, place: p}, nil
	}
	f, err := ss.w.flags()
	if err != nil {
		return nil, err
	}
	url := p.url
	if url == "" {
		url = "sftp://" + p.alias
	}
	opts, err := f.Options(ss.w.ctx, ss.w.env)
	if err != nil {
		return nil, err
	}
	opts.Hooks = cli.Hooks(*f, ss.w.env)
	cfg, err := cli.ParseURL(url, &opts)
	if err != nil {
		return nil, err
	}
	client, err := cli.Connect(ss.w.ctx, ss.w.name, *f, ss.w.env, cfg)
	if err != nil {
		return nil, err
	}
	s := &session{Client: client, place: p, close: func() error {
		defer f.Close()
		return client.Close()
	}}
	ss.open[p.host()] = s
	return s, nil
}

func (ss *sessions) close() {
	for _, s := range ss.open {
		_ = s.close() // nothing was sent
	}
}

// flags are the flags of the command line in the form that all commands share.
func (w *world) flags() (*cli.Flags, error) {
	f := &cli.Flags{}
	set := f.Setter()
	for _, g := range w.given() {
		if err := set(g.name, g.value); err != nil {
			return nil, err
		}
	}
	return f, nil
}
