package ftpx

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL returns the [Config] for a URL of [Open] and the given options, which
// may be nil. It makes no connection. Errors never quote the URL or a part of it,
// because a special character that is not written as %XX can turn any part of a
// password into a host, a port or a folder.
//
//	ftpx://user@host/base    the protocols of opts in order
//	sftp://user@host:port    SFTP only
//	ftpes://user@host:port   FTP with AUTH TLS only
//	ftps://user@host:port    FTP with implicit TLS only
//	ftp://user@host:port     plain FTP only; needs Options.AllowPlaintext
//
// The path is relative to the login folder unless it starts with "//".
// Options.Password takes precedence over a password in the URL.
func ParseURL(rawURL string, opts *Options) (Config, error) {
	var cfg Config
	if opts != nil {
		cfg.Options = *opts
	}
	if strings.ContainsAny(rawURL, "\r\n\x00") {
		return cfg, errors.New("URL holds CR, LF or NUL: remove it")
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return cfg, malformed(err)
	}
	var only Protocol
	switch strings.ToLower(u.Scheme) {
	case "ftpx":
	case "sftp":
		only = SFTP
	case "ftpes":
		only = FTPS
	case "ftps":
		only = FTPSImplicit
	case "ftp":
		only = FTP
	case "":
		return cfg, errors.New("URL has no scheme: write ftpx://user@host/folder (or sftp://, ftpes://, ftps://, ftp://)")
	default:
		return cfg, fmt.Errorf("unknown scheme%s in URL: use ftpx (choose), sftp, ftpes (explicit TLS), ftps (implicit TLS) or ftp", quotable(u.Scheme))
	}
	if u.Opaque != "" {
		return cfg, errors.New("URL lacks // after its scheme: write scheme://user@host[:port]/folder")
	}
	if ambiguous(u, rawURL) {
		return cfg, errors.New("URL has an @ after the first / behind //, so that it is not clear where the password ends: " +
			"write / in a password as %2F (better, give it as Options.Password), and @ in a folder's name as %40")
	}
	if u.Hostname() == "" {
		return cfg, errors.New("URL names no host: write scheme://user@host[:port]/folder")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return cfg, errors.New("URL has a query or a fragment: write ? as %3F and # as %23 in the folder's name")
	}
	if strings.ContainsAny(u.Hostname(), " \r\n\x00/@[]") {
		return cfg, errors.New("the host in the URL holds a character that no host name has: " + escapes)
	}
	cfg.Host = u.Hostname()
	if u.User != nil {
		cfg.User = u.User.Username()
		if pw, ok := u.User.Password(); ok && cfg.Password == "" {
			cfg.Password = Secret(pw)
		}
	}
	if u.Port() != "" {
		port, err := strconv.Atoi(u.Port())
		if err != nil || port < 1 || port > 65535 {
			return cfg, errors.New("the port in the URL is not between 1 and 65535: " + escapes)
		}
		if only == 0 {
			return cfg, errors.New("ftpx:// chooses among protocols, which have different ports: set Options.Ports, or name the protocol in the scheme")
		}
		switch only {
		case SFTP:
			cfg.Ports.SFTP = port
		case FTPS:
			cfg.Ports.FTPS = port
		case FTPSImplicit:
			cfg.Ports.FTPSImplicit = port
		case FTP:
			cfg.Ports.FTP = port
		}
	}
	if only != 0 {
		cfg.Protocols = []Protocol{only}
	}
	cfg.Base = strings.TrimPrefix(u.Path, "/")
	return cfg, nil
}

// escapes is the remedy where an unescaped character has shifted the pieces.
const escapes = "write scheme://user:password@host[:port]/folder, special characters of user and password as %XX " +
	"(/ is %2F, ? is %3F, # is %23, @ is %40, : is %3A, % is %25); better, give the password as Options.Password"

// malformed is the error for what net/url cannot read. Its own errors quote the
// piece at fault.
func malformed(err error) error {
	var escape url.EscapeError
	var host url.InvalidHostError
	switch {
	case errors.As(err, &escape):
		return errors.New("malformed URL: a % is not followed by two hexadecimal digits: " + escapes)
	case errors.As(err, &host):
		return errors.New("malformed URL: the host holds a character that no host name has: " + escapes)
	}
	return errors.New("malformed URL: " + escapes)
}

// quotable returns a scheme in quotes if it is a well-known one, else nothing:
// of "user:password@host" the scheme is the user.
func quotable(scheme string) string {
	switch strings.ToLower(scheme) {
	case "http", "https", "ssh", "scp", "file", "smb", "s3", "dav", "davs", "webdav", "rsync", "tftp", "ftpse", "fish":
		return fmt.Sprintf(" %q", scheme)
	}
	return ""
}

// ambiguous reports whether an @ in the path may be the one before the host,
// with a password that holds a slash: then host and folder would be pieces of
// the password, and every later error would show them.
func ambiguous(u *url.URL, rawURL string) bool {
	_, rest, _ := strings.Cut(rawURL, "//")
	_, folder, _ := strings.Cut(rest, "/")
	if !strings.Contains(folder, "@") {
		return false
	}
	if u.User == nil {
		return true
	}
	_, has := u.User.Password()
	return has
}
