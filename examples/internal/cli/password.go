package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// password comes from the file, the environment or a prompt; none of them is an
// error, for keys and anonymous logins need none.
func (f *Flags) password(ctx context.Context, env Env) (ftpx.Secret, error) {
	if f.PasswordFile != "" {
		b, err := os.ReadFile(f.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("-password-file: %w", err)
		}
		if info, err := os.Stat(f.PasswordFile); err == nil && info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
			fmt.Fprintf(env.Stderr, "warning: others may read %s: chmod 600 it\n", transport.Printable(f.PasswordFile))
		}
		return ftpx.Secret(strings.TrimRight(string(b), "\r\n")), nil
	}
	if pw := env.Getenv("FTPX_PASSWORD"); pw != "" {
		return ftpx.Secret(pw), nil
	}
	if env.Prompt == nil || len(f.Identities) > 0 || f.Agent {
		return "", nil
	}
	pw, err := env.Prompt(ctx, "Password: ")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return ftpx.Secret(pw), nil
}

// passphrases answers for encrypted private keys. Each is asked for once, however
// many connections are opened.
func passphrases(ctx context.Context, env Env) func(string) (ftpx.Secret, error) {
	var mu sync.Mutex // guards known; held while asking, so that questions do not mix
	known := map[string]ftpx.Secret{}
	return func(file string) (ftpx.Secret, error) {
		if pw := env.Getenv("FTPX_PASSPHRASE"); pw != "" {
			return ftpx.Secret(pw), nil
		}
		if env.Prompt == nil {
			return "", errors.New("the key is encrypted: put its passphrase into FTPX_PASSPHRASE")
		}
		mu.Lock()
		defer mu.Unlock()
		if pw, ok := known[file]; ok {
			return pw, nil
		}
		pw, err := env.Prompt(ctx, "Passphrase of "+transport.Printable(file)+": ")
		if err == nil {
			known[file] = ftpx.Secret(pw)
		}
		return ftpx.Secret(pw), err
	}
}
