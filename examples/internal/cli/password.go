package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// password comes from the file, the environment or a prompt; none of them is an
// error, for keys and anonymous logins need none.
func (f *Flags) password(ctx context.Context, env Env) (ftpx.Secret, error) {
	if f.PasswordFile != "" {
		b, err := os.ReadFile(f.PasswordFile)
		if err != nil {
			return "", missing("-password-file", err)
		}
		if info, err := os.Stat(f.PasswordFile); err == nil && info.Mode().Perm()&0o077 != 0 && os.PathSeparator == '/' {
			fmt.Fprintf(env.Stderr, "warning: others may read %s: chmod 600 it\n", transport.Printable(f.PasswordFile))
		}
		return ftpx.Secret(strings.TrimRight(string(b), "\r\n")), nil
	}
	if pw := env.Getenv("FTPX_PASSWORD"); pw != "" {
		return ftpx.Secret(pw), nil
	}
	if env.Prompt == nil || len(f.Identities) > 0 || f.Agent || f.Own.Use {
		return "", nil
	}
	question := "Password: "
	if len(userKeys(env)) > 0 {
		question = "Password (empty for the keys of ~/.ssh): "
	}
	pw, err := env.Prompt(ctx, question)
	if err != nil {
		return "", fmt.Errorf("%w: read the password: %w", ErrUsage, err)
	}
	return ftpx.Secret(pw), nil
}

// userKeys are the private keys of ~/.ssh that can be used without a question, the ones
// that ssh looks for.
func userKeys(env Env) (files []string) {
	home := cmp.Or(env.Getenv("HOME"), env.Getenv("USERPROFILE"))
	if home == "" {
		return nil
	}
	for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
		file := filepath.Join(home, ".ssh", name)
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		var locked *ssh.PassphraseMissingError
		if _, err := ssh.ParsePrivateKey(data); err == nil || errors.As(err, &locked) && env.Getenv("FTPX_PASSPHRASE") != "" {
			files = append(files, file)
		}
	}
	return files
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

// askNow asks for the passphrases that will be needed, if there is somebody to ask.
// Later, the time to type one would count as silence of the server, and another
// protocol would be taken.
func askNow(env Env, files []string, ask func(string) (ftpx.Secret, error)) error {
	if env.Prompt == nil {
		return nil
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		_, err = ssh.ParsePrivateKey(data)
		var locked *ssh.PassphraseMissingError
		if !errors.As(err, &locked) {
			continue // what else is wrong with it, the driver knows how to say
		}
		if _, err := ask(file); err != nil {
			return err
		}
	}
	return nil
}
