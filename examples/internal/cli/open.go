package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
		case kind == transport.KindHostKey && env.Ask != nil && cfg.SSH.TrustOnFirstUse == "":
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

// Connect is [ftpx.New] for a command. On a terminal it shows what is waited for; with -v
// the hooks say more.
func Connect(ctx context.Context, f Flags, env Env, cfg ftpx.Config) (ftpx.Client, error) {
	d := NewDisplay(&f, env.Shared())
	defer d.Close()
	cfg.Hooks = Hooks(f, env, d)
	d.Say(connecting("", cfg))
	return ftpx.New(ctx, cfg)
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

// unknownKey finds host, fingerprint and type in the library's text about a host key that no file knows.
var unknownKey = regexp.MustCompile(`the host key of (\S+), (SHA256:\S+) \((\S+)\), is unknown:`)

// askTrust asks whether a host is to be trusted, as ssh does. The key is pinned then, so
// that no other can take its place before it is written down.
//
// It asks nothing about the key of a jump host, whose error hides its cause: pinned for the
// server it would trust the wrong host.
func askTrust(ctx context.Context, env Env, cfg *ftpx.Config, why error) (bool, error) {
	if !errors.Is(why, transport.ErrHostKeyUnknown) {
		return false, nil
	}
	m := unknownKey.FindStringSubmatch(why.Error())
	home, err := os.UserHomeDir()
	if m == nil || err != nil {
		return false, nil
	}
	file := filepath.Join(home, ".ssh", "known_hosts")
	answer, err := env.Ask(ctx, fmt.Sprintf("The host key of %s is not known: %s (%s).\nCompare it with what the server's owner says. Trust it, and add it to %s? [yes/no] ",
		transport.Printable(m[1]), m[2], transport.Printable(m[3]), file))
	if err != nil {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		return false, errors.Join(why, err)
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "yes" && a != "y" {
		return false, nil
	}
	cfg.SSH.HostKeyFingerprints, cfg.SSH.TrustOnFirstUse = []string{m[2]}, file
	return true, nil
}
