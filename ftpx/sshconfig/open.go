package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport/tunnel"
)

// Open connects over SFTP to a host as the user's ssh would: with what [Load] reads of
// ~/.ssh/config, through its jump hosts. alias is a name as ssh takes it, "backup" or
// "user@backup"; after a colon may follow the folder that relative paths start from. What
// opts sets wins over the files; nil is the zero value. Closing the client ends the
// connections to the jump hosts too. It may be called again after any error.
//
//	c, err := sshconfig.Open(ctx, "backup:in", nil)
func Open(ctx context.Context, alias string, opts *ftpx.Options) (ftpx.Client, error) {
	c, err := Load()
	if err != nil {
		return nil, fmt.Errorf("sshconfig: %w", err)
	}
	return c.Open(ctx, alias, opts)
}

// Open is the function [Open] with files of one's own.
func (c *Config) Open(ctx context.Context, alias string, opts *ftpx.Options) (ftpx.Client, error) {
	cfg := ftpx.Config{}
	if opts != nil {
		cfg.Options = *opts
	}
	if i := strings.LastIndexByte(alias, '@'); i >= 0 {
		cfg.User, alias = alias[:i], alias[i+1:]
	}
	if rest, ok := strings.CutPrefix(alias, "["); ok { // an address with colons
		host, after, closed := strings.Cut(rest, "]")
		if !closed || after != "" && after[0] != ':' {
			return nil, fmt.Errorf("sshconfig: %q is no host: write an address in brackets as [::1] or [::1]:folder", alias)
		}
		cfg.Host, cfg.Base = host, strings.TrimPrefix(after, ":")
	} else {
		cfg.Host, cfg.Base, _ = strings.Cut(alias, ":")
	}
	if cfg.Protocols == nil {
		cfg.Protocols = []ftpx.Protocol{ftpx.SFTP}
	}
	_, end, err := c.Reach(&cfg)
	if err != nil {
		return nil, err
	}
	client, err := ftpx.New(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	return &through{Client: client, end: end}, nil
}

// through is a client with what it is reached through.
type through struct {
	ftpx.Client
	end func() error
}

// Close is part of [ftpx.Client]. It may be called twice.
func (t *through) Close() error { return errors.Join(t.Client.Close(), t.end()) }

// Reach is [Config.Apply] with the jump hosts: where cfg has no Dial of its own, it gets
// one that leads through them. Their keys that need a passphrase are asked of
// cfg.SSH.Passphrase. end closes the connections to them, once the client is closed; it is
// never nil and may be called twice. On an error cfg is as it was.
func (c *Config) Reach(cfg *ftpx.Config) (s Settings, end func() error, err error) {
	end = func() error { return nil }
	if s, err = c.ResolveAs(cfg.User, cfg.Host, cfg.Ports.SFTP); err != nil {
		return s, end, err
	}
	hops := s.Hops()
	if cfg.Dial != nil || len(hops) == 0 {
		return s, end, s.Apply(cfg)
	}
	for i := range hops {
		hops[i].SSH.Passphrase = cfg.SSH.Passphrase
	}
	way, err := tunnel.New(hops...)
	if err != nil {
		return s, end, fmt.Errorf("sshconfig: host %q: the jump hosts: %w", s.Alias, err)
	}
	before := *cfg
	cfg.Dial = way.Dial
	if err := s.Apply(cfg); err != nil {
		*cfg = before
		return s, end, err
	}
	return s, way.Close, nil
}

// With returns a configuration in which directives come before those of the files, as
// those of ssh -o do: each is written "Name=value" or "Name value". As there, they are about
// the host itself and not about its jump hosts, for which the files say what counts. Only
// IdentityFile, CertificateFile and IgnoreUnknown are for both.
//
//	c, err = c.With("ProxyJump=gate", "Port=2222")
func (c *Config) With(directives ...string) (*Config, error) {
	l := &loader{home: c.home}
	own := &file{user: true, given: true}
	for _, text := range directives {
		if strings.ContainsAny(text, "\r\n\x00") {
			return nil, errors.New("sshconfig: a directive holds a line end: give each by itself")
		}
		f, err := l.parse(fmt.Sprintf("%q", text), []byte(text), true, 0)
		if err != nil {
			return nil, fmt.Errorf("sshconfig: %w", err)
		}
		if len(f.lines) == 0 {
			return nil, fmt.Errorf("sshconfig: directive %q is empty: write Name=value", text)
		}
		if k := f.lines[0].keyword; k == "host" || k == "match" || k == "include" {
			return nil, fmt.Errorf("sshconfig: directive %q: %s belongs into a file", text, title(k))
		}
		f.lines[0].at = fmt.Sprintf("%q", text)
		own.lines = append(own.lines, f.lines...)
	}
	with := *c
	with.files = slices.Concat([]*file{own}, c.files)
	return &with, nil
}
