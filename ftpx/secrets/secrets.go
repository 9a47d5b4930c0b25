// Package secrets takes passwords from where they are kept outside a program's
// source and its command line: the environment and files.
//
// Errors name the variable or the file, and never what is in it. See package netrc
// for ~/.netrc.
package secrets

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// maxSecret bounds a secret, so that a wrongly named file is not read to its end.
const maxSecret = 64 << 10

// FromEnv returns the secret in an environment variable. One that is not set or
// empty is an error. Other processes of the same user can read it.
func FromEnv(name string) (transport.Secret, error) {
	s := os.Getenv(name)
	if s == "" {
		return "", fmt.Errorf("environment variable %s is not set or is empty: put the secret there", name)
	}
	return check(s, "environment variable "+name)
}

// FromFile returns the secret in a file, without one line end at its end, which
// editors and echo leave there. A file that others may read is refused, see
// [Private].
func FromFile(file string) (transport.Secret, error) {
	data, err := ReadPrivate(file, maxSecret)
	if err != nil {
		return "", err
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if s == "" {
		return "", fmt.Errorf("file %s is empty: put the secret there", file)
	}
	return check(s, "file "+file)
}

func check(s, where string) (transport.Secret, error) {
	if strings.ContainsAny(s, "\r\n\x00") {
		return "", fmt.Errorf("%s holds CR, LF or NUL within the secret: keep one line there, with the secret alone", where)
	}
	return transport.Secret(s), nil
}

// ReadPrivate reads a file of at most limit bytes that others must not be able to
// read, see [Private].
func ReadPrivate(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := Private(f); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("file %s is larger than %d bytes: this is not a file of secrets, it seems", file, limit)
	}
	return data, nil
}

// ErrExposed is in the error about a file that others may read.
var ErrExposed = errors.New("others may read or change it")

// Private returns an error if a regular file may be read or changed by its group
// or by others, as ssh does with private keys. It asks the open file, so that
// nothing can be put in its place in between. What is no regular file (a pipe, as
// of <(command)) passes, and so does everything on Windows, where the mode tells
// nothing.
func Private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a folder: name a file", f.Name())
	}
	if runtime.GOOS == "windows" || !info.Mode().IsRegular() {
		return nil
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("file %s has mode %04o, %w: run chmod 600 on it", f.Name(), mode, ErrExposed)
	}
	return nil
}
