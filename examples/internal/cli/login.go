package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// login fills in who logs in, with what, and whom to trust. It may ask for secrets, until ctx
// ends. Its errors are [ErrUsage].
func (f *Flags) login(ctx context.Context, env Env, opts *ftpx.Options) error {
	// Some are read for some protocols alone: a misspelt one is told at once.
	for _, of := range []struct {
		name  string
		files []string
	}{{"-identity", f.Identities}, {"-known-hosts", f.KnownHosts}, {"-ca", []string{f.CA}}} {
		for _, file := range of.files {
			if file == "" {
				continue
			}
			if _, err := os.Stat(file); err != nil {
				return missing(of.name, err)
			}
		}
	}
	password, err := f.password(ctx, env)
	if err != nil {
		return err
	}
	identities := []string(f.Identities)
	if password == "" && len(identities) == 0 && !f.Agent && !f.Own.Use {
		identities = userKeys(env)
	}
	ask := passphrases(ctx, env)
	if err := askNow(env, f.Identities, ask); err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	opts.Password = password
	opts.SSH = transport.SSH{IdentityFiles: identities, KnownHosts: f.KnownHosts, HostKeyFingerprints: f.HostKeys,
		TrustOnFirstUse: f.TOFU, Passphrase: ask}
	if f.Agent {
		opts.SSH.Agent = "auto"
	}
	opts.TLS = transport.TLS{CAFile: f.CA}
	return nil
}
