package ftpx

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL reads a URL as [Open] takes it into a [Config] with the given
// options, which may be nil. It connects to nothing. Errors never hold the URL,
// since that may hold a password.
//
//	ftpx://user@host/base    the protocols of opts in order
//	sftp://user@host:port    SFTP alone
//	ftpes://user@host:port   FTP with AUTH TLS alone
//	ftps://user@host:port    FTP with implicit TLS alone
//	ftp://user@host:port     plain FTP alone; needs Options.AllowPlaintext
//
// The path is relative to the login folder unless it starts with "//". Options
// win over a password in the URL.
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
		// The error of net/url quotes the whole URL.
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return cfg, fmt.Errorf("malformed URL: %s: write scheme://user@host[:port]/folder, special characters as %%XX", strings.ReplaceAll(err.Error(), rawURL, "..."))
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
		return cfg, fmt.Errorf("unknown scheme %q in URL: use ftpx (choose), sftp, ftpes (explicit TLS), ftps (implicit TLS) or ftp", u.Scheme)
	}
	if u.Hostname() == "" {
		return cfg, errors.New("URL names no host: write scheme://user@host[:port]/folder")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return cfg, errors.New("URL has a query or a fragment: write ? as %3F and # as %23 in the folder's name")
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
			return cfg, fmt.Errorf("port %q in URL is not between 1 and 65535", u.Port())
		}
		if only == 0 {
			return cfg, errors.New("ftpx:// chooses among protocols, which have different ports: set Options.Ports (-sftp-port, -ftp-port, -ftps-port), or name the protocol in the scheme")
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
