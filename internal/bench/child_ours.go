//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// runOurs is this library with nothing switched off: partial name, check, rename.
func runOurs(ctx context.Context, t *task, ready func()) (out outcome, err error) {
	e := &t.Endpoint
	hooks, stop, err := watched(ctx, t)
	if err != nil {
		return out, err
	}
	defer stop()
	c, err := ftpx.New(ctx, ftpx.Config{Host: e.Host, User: e.User, Options: ftpx.Options{
		Password: transport.Secret(e.Password), Protocols: []ftpx.Protocol{e.Proto.Protocol}, AllowPlaintext: e.Proto.Protocol == ftpx.FTP,
		Ports: ftpx.Ports{SFTP: e.Port, FTP: e.Port}, Limits: ftpx.Limits{Conns: t.Conns}, Hooks: hooks,
		SSH: transport.SSH{KnownHosts: nonEmpty(e.KnownHosts), IdentityFiles: nonEmpty(e.KeyFile), AuthMethods: []string{"publickey"}},
		TLS: transport.TLS{CAFile: e.CAFile},
	}})
	if err != nil {
		return out, err
	}
	defer c.Close()
	ready()
	switch {
	case t.What == listing:
		for _, err := range c.List(ctx, t.Remote) {
			if err != nil {
				return out, err
			}
			out.Entries++
		}
	case t.What == oneFile && t.Up:
		_, err = c.Upload(ctx, t.Local, t.Remote, nil)
	case t.What == oneFile:
		_, err = c.Download(ctx, t.Remote, t.Local, nil)
	default:
		if t.Up {
			_, err = folder.Upload(ctx, c, t.Local, t.Remote, nil)
		} else {
			_, err = folder.Download(ctx, c, t.Remote, t.Local, nil)
		}
	}
	if err != nil {
		return out, fmt.Errorf("%w (%+v)", err, c.Stats())
	}
	return out, nil
}

func nonEmpty(file string) []string {
	if file == "" {
		return nil
	}
	return []string{file}
}
