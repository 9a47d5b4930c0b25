package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Open connects to the server of a place, and shows on d, which may be nil, what is waited
// for. Whoever sits at a terminal is asked for a password, once the keys were refused, and
// whether to trust a host that is not known, where the user's own configuration is used.
// [Flags.Close] ends what the server was reached through, after the client was closed.
func (f *Flags) Open(ctx context.Context, env Env, p Place, d *Display) (ftpx.Client, error) {
	cfg, err := f.config(ctx, env, p)
	if err != nil {
		return nil, err
	}
	cfg.Hooks = Hooks(*f, env, d)
	defer d.Say("")
	if f.Own.Use && cfg.User != "" && cfg.Password == "" && !overSSH(cfg) {
		if err := askPassword(ctx, env, &cfg); err != nil {
			return nil, err
		}
	}
	for asked := 0; ; {
		d.Say(connecting(p.name(), cfg))
		client, err := ftpx.New(ctx, cfg)
		d.Say("")
		switch kind := ftpx.KindOf(err); {
		case err == nil:
			return client, nil
		case !f.Own.Use:
			return nil, err
		case kind == transport.KindAuth && asked < mostAsked && (asked > 0 || cfg.Password == "") && env.Prompt != nil:
			if asked > 0 {
				fmt.Fprintln(env.Stderr, "the password was refused")
			}
			asked++
			if err := askPassword(ctx, env, &cfg); err != nil {
				return nil, err
			}
		case env.Ask != nil && f.TOFU == "" && errors.Is(err, transport.ErrHostKeyUnknown):
			trusted, aerr := askTrust(ctx, env, &cfg, err)
			if aerr != nil {
				return nil, aerr
			}
			if !trusted {
				return nil, err
			}
		default:
			return nil, err
		}
	}
}

// Reach is how to connect to the server of a place, for a command that does so by itself; Base
// is empty. Where there is no key, whoever sits at a terminal is asked for the password. end closes what the server is reached through; it is never nil.
func (f *Flags) Reach(ctx context.Context, env Env, p Place) (cfg ftpx.Config, end func(), err error) {
	if cfg, err = f.config(ctx, env, p); err != nil {
		f.Close()
		return cfg, func() {}, err
	}
	keyless := !overSSH(cfg) || len(cfg.SSH.IdentityFiles) == 0 && (cfg.SSH.Agent == "" || env.Getenv("SSH_AUTH_SOCK") == "")
	if f.Own.Use && cfg.User != "" && cfg.Password == "" && keyless {
		if err := askPassword(ctx, env, &cfg); err != nil {
			f.Close()
			return cfg, func() {}, err
		}
	}
	return cfg, f.Close, nil
}

// mostAsked is how often a password is asked for.
const mostAsked = 3

// config makes the configuration for a place.
func (f *Flags) config(ctx context.Context, env Env, p Place) (cfg ftpx.Config, err error) {
	opts, err := f.Options(ctx, env)
	if err != nil {
		return cfg, err
	}
	if p.Alias != "" && f.Own.Use {
		cfg.Options = opts
	} else if cfg, err = ParseURL(p.Text, &opts); err != nil {
		return cfg, err
	}
	cfg.Base = ""
	if !f.Own.Use {
		return cfg, nil
	}
	end, err := f.place(p, env, &cfg)
	f.end = append(f.end, end)
	return cfg, err
}

func overSSH(cfg ftpx.Config) bool {
	for _, p := range cfg.Protocols {
		if p == ftpx.SFTP {
			return true
		}
	}
	return len(cfg.Protocols) == 0
}

// askPassword asks for the password of the account, if there is somebody.
func askPassword(ctx context.Context, env Env, cfg *ftpx.Config) error {
	if env.Prompt == nil {
		return nil
	}
	pw, err := env.Prompt(ctx, fmt.Sprintf("%s's password: ", transport.Printable(cfg.User+"@"+cfg.Host)))
	if err != nil {
		return fmt.Errorf("%w: read the password: %w", ErrUsage, err)
	}
	cfg.Password = ftpx.Secret(pw)
	cfg.SSH.KeyboardInteractive = questions(ctx, env, new(sync.Mutex), "", cfg.Password)
	return nil
}

// askTrust asks whether a host is to be trusted, as ssh does. The key is pinned then, so
// that no other can take its place before it is written down.
//
// It asks nothing about the key of a jump host: pinned for the server it would trust the wrong
// host.
func askTrust(ctx context.Context, env Env, cfg *ftpx.Config, why error) (bool, error) {
	var key *transport.HostKeyError
	home, err := os.UserHomeDir()
	// Of several hosts the first counts: where its key has changed nothing is to be trusted.
	if !errors.As(why, &key) || !errors.Is(key, transport.ErrHostKeyUnknown) || key.Fingerprint == "" || err != nil {
		return false, nil
	}
	pinned, ok := pin(*cfg, key, filepath.Join(home, ".ssh", "known_hosts"))
	if !ok {
		return false, nil
	}
	answer, err := env.Ask(ctx, fmt.Sprintf("The host key of %s is not known: %s (%s).\nCompare it with what the server's owner says. Trust it, and add it to %s? [yes/no] ",
		transport.Printable(key.Host), key.Fingerprint, transport.Printable(key.Type), filepath.Join(home, ".ssh", "known_hosts")))
	if err != nil {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		return false, errors.Join(why, err)
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "yes" && a != "y" {
		return false, nil
	}
	*cfg = pinned
	return true, nil
}

// pin returns the configuration with a key pinned for the one host that has shown it, to be
// written to a known_hosts file; false if it is none of its hosts.
func pin(cfg ftpx.Config, key *transport.HostKeyError, file string) (ftpx.Config, bool) {
	is := func(host string, ports ...int) bool {
		return key.Addr == net.JoinHostPort(host, strconv.Itoa(cmp.Or(append(ports, 22)...)))
	}
	trust := cfg.SSH
	trust.HostKeyFingerprints, trust.TrustOnFirstUse = []string{key.Fingerprint}, file
	standbys, found := slices.Clone(cfg.Standbys), false
	for i := range standbys {
		s := &standbys[i]
		of := cfg.SSH // which the pin is not to change
		if s.SSH != nil {
			of = *s.SSH
		}
		if is(s.Host, s.Ports.SFTP, cfg.Ports.SFTP) {
			of.HostKeyFingerprints, of.TrustOnFirstUse, found = trust.HostKeyFingerprints, file, true
		}
		s.SSH = &of
	}
	cfg.Standbys = standbys
	if is(cfg.Host, cfg.Ports.SFTP) {
		cfg.SSH, found = trust, true
	}
	return cfg, found
}
