package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// password comes from the file, the environment or a prompt; none of them is an
// error, for keys and anonymous logins need none.
func (f *Flags) password(env Env) (ftpx.Secret, error) {
	if f.PasswordFile != "" {
		b, err := os.ReadFile(f.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("-password-file: %w", err)
		}
		if info, err := os.Stat(f.PasswordFile); err == nil && info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
			fmt.Fprintf(env.Stderr, "warning: others may read %s: chmod 600 it\n", f.PasswordFile)
		}
		return ftpx.Secret(strings.TrimRight(string(b), "\r\n")), nil
	}
	if pw := env.Getenv("FTPX_PASSWORD"); pw != "" {
		return ftpx.Secret(pw), nil
	}
	if env.Prompt == nil || len(f.Identities) > 0 || f.Agent {
		return "", nil
	}
	pw, err := env.Prompt("Password: ")
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return ftpx.Secret(pw), nil
}

// passphrase answers for encrypted private keys.
func passphrase(env Env) func(string) (ftpx.Secret, error) {
	return func(file string) (ftpx.Secret, error) {
		if pw := env.Getenv("FTPX_PASSPHRASE"); pw != "" {
			return ftpx.Secret(pw), nil
		}
		if env.Prompt == nil {
			return "", fmt.Errorf("the key %s is encrypted: put its passphrase into FTPX_PASSPHRASE", file)
		}
		pw, err := env.Prompt("Passphrase of " + file + ": ")
		return ftpx.Secret(pw), err
	}
}
