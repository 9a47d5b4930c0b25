//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// bench is where one set-up is put up. All of it goes when it ends.
type bench struct {
	*lab
	ctx    context.Context
	number int
	tables int
	ends   []func() error
}

// cleanup has f called at the end, last first.
func (b *bench) cleanup(f func() error) { b.ends = append(b.ends, f) }

func (b *bench) end() error {
	var errs []error
	for i := len(b.ends) - 1; i >= 0; i-- {
		errs = append(errs, b.ends[i]())
	}
	return errors.Join(errs...)
}

// start starts a real server. Its certificate, where it speaks TLS, has a year left.
func (b *bench) start(o realserver.Options) (*realserver.Server, error) {
	if o.TLS != realserver.TLSOff && o.Certificate == nil {
		pair, err := b.certificate(pki.CertOptions{Hosts: hosts, NotAfter: time.Now().AddDate(1, 0, 0)})
		if err != nil {
			return nil, err
		}
		o.Certificate = pair
	}
	s, err := realserver.Start(b.ctx, o)
	if err != nil {
		return nil, err
	}
	b.cleanup(s.Close)
	return s, nil
}

// hosts are the names of all servers here.
var hosts = []string{"127.0.0.1", namelessV4, "::1", "localhost"}

func (b *bench) certificate(o pki.CertOptions) (*tls.Certificate, error) {
	pair, err := b.ca.Server(o)
	return &pair, err
}

// config is how to connect to a server by one protocol.
func (b *bench) config(s *realserver.Server, p ftpx.Protocol) ftpx.Config {
	cfg := ftpx.Config{Host: s.Host, User: s.User, Options: ftpx.Options{
		Password: ftpx.Secret(s.Password), Protocols: []ftpx.Protocol{p}, AllowPlaintext: p == ftpx.FTP,
		Ports: ftpx.Ports{SFTP: s.Port, FTP: s.Port, FTPSImplicit: s.Port},
		TLS:   transport.TLS{CAFile: b.caFile},
	}}
	if s.KnownHosts != "" {
		cfg.SSH.KnownHosts = []string{s.KnownHosts}
	}
	return cfg
}

// plain, secured and ssh put up a server and say how to connect to it.
func (b *bench) plain(o realserver.Options) (setup, *realserver.Server, error) {
	return b.by(o, ftpx.FTP)
}

func (b *bench) secured(o realserver.Options) (setup, *realserver.Server, error) {
	if o.TLS == realserver.TLSOff {
		o.TLS = realserver.TLSAllowed
	}
	return b.by(o, ftpx.FTPS)
}

func (b *bench) ssh(o realserver.Options) (setup, *realserver.Server, error) {
	o.Kind = realserver.OpenSSH
	return b.by(o, ftpx.SFTP)
}

func (b *bench) by(o realserver.Options, p ftpx.Protocol) (setup, *realserver.Server, error) {
	s, err := b.start(o)
	if err != nil {
		return setup{}, nil, err
	}
	return setup{cfg: b.config(s, p)}, s, nil
}

// just drops the server of what put up a set-up.
func just(set setup, _ *realserver.Server, err error) (setup, error) { return set, err }

// folder makes a folder that the servers can reach.
func (b *bench) folder() (string, error) {
	dir, err := os.MkdirTemp(b.dir, "d")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// file writes a file that servers can read.
func (b *bench) file(name, text string) (string, error) {
	dir, err := b.folder()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, name)
	return file, os.WriteFile(file, []byte(text), 0o644)
}

// hold logs in n times and keeps the connections for as long as the set-up is there.
func (b *bench) hold(cfg ftpx.Config, n int) error {
	for range n {
		c, err := ftpx.New(b.ctx, cfg)
		if err != nil {
			return fmt.Errorf("hold a connection: %w", err)
		}
		b.cleanup(c.Close)
	}
	return nil
}

// writing is a run with a scratch folder.
func writing() doctor.Options { return doctor.Options{Scratch: "."} }

// pick returns the one or the other.
func pick[T any](mended bool, then, otherwise T) T {
	if mended {
		return then
	}
	return otherwise
}
