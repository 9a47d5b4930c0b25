package cli

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// scpForm is user@host:path. What could be a password before the @ is none.
var scpForm = regexp.MustCompile(`^([^/@:\s]+)@([^/@:\s]+|\[[0-9A-Fa-f:.]+\]):([^@\s]*)$`)

// Scp says how a URL is to be written that has the form of scp; "" for anything else.
func Scp(arg string) string {
	m := scpForm.FindStringSubmatch(arg)
	if m == nil {
		return ""
	}
	// A path of scp's is relative to the login folder unless it begins with a slash.
	return fmt.Sprintf("%q has the form of scp: write sftp://%s@%s/%s", arg, m[1], m[2], m[3])
}

// ParseURL is [ftpx.ParseURL] for an argument of a command, which holds no password. Its
// errors are [ErrUsage].
func ParseURL(arg string, opts *ftpx.Options) (ftpx.Config, error) {
	if how := Scp(arg); how != "" {
		return ftpx.Config{}, fmt.Errorf("%w: %s", ErrUsage, how)
	}
	cfg, err := ftpx.ParseURL(arg, opts)
	if err == nil {
		return cfg, nil
	}
	if what, _, ok := strings.Cut(err.Error(), "write scheme://user:password@host"); ok {
		err = errors.New(what + "write scheme://user@host[:port]/folder, special characters of the user as %XX (@ is %40, / is %2F); the password comes from FTPX_PASSWORD or -password-file")
	}
	return cfg, fmt.Errorf("%w: %w", ErrUsage, err)
}

// Unescape reads the %XX of a URL's path. Its error is [ErrUsage].
func Unescape(path string) (string, error) {
	plain, err := url.PathUnescape(path)
	if err != nil {
		return "", fmt.Errorf("%w: the path %q of the URL has a %% that two hexadecimal digits do not follow: write %%25 for it", ErrUsage, path)
	}
	return plain, nil
}
