package cli

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Standby is a host to turn to that is not reached or logged in to as the first one is.
type Standby struct {
	// URL is scheme://user@host[:port], of the same scheme.
	URL string
	// Flags say who logs in, at which ports, and whom to trust; nothing else of them counts.
	Flags *Flags
	// Env is where the secrets come from.
	Env Env
}

// standby makes the library's of it.
func (s *Standby) standby(ctx context.Context) (ftpx.Standby, error) {
	env := s.Env
	opts := ftpx.Options{Ports: s.Flags.Ports}
	cfg, err := ParseURL(s.URL, &opts)
	if err != nil {
		return ftpx.Standby{}, err
	}
	if ask := env.Prompt; ask != nil {
		env.Prompt = func(ctx context.Context, question string) (string, error) {
			return ask(ctx, transport.Printable(cfg.Host)+": "+question)
		}
	}
	if err := s.Flags.login(ctx, env, &opts); err != nil {
		return ftpx.Standby{}, fmt.Errorf("%w (standby %s)", err, transport.Printable(cfg.Host))
	}
	if cfg.Ports == (ftpx.Ports{}) { // which would mean those of the first host
		cfg.Ports = ftpx.Ports{SFTP: 22, FTP: 21, FTPSImplicit: 990}
	}
	opts.SSH.KeyboardInteractive = questions(ctx, env, new(sync.Mutex), cfg.Host+":", opts.Password)
	return ftpx.Standby{Host: cfg.Host, Ports: cfg.Ports, User: cfg.User, Password: opts.Password, SSH: &opts.SSH, TLS: &opts.TLS}, nil
}
