package cli

import (
	"flag"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Flags are the flags that the commands share.
type Flags struct {
	Protocols      string
	AllowPlaintext bool
	Ports          ftpx.Ports
	Identities     list
	KnownHosts     list
	HostKeys       list
	TOFU           string
	Agent          bool
	CA             string
	Parallel       int
	JSON           bool
	Quiet          bool
	Verbose        bool
	RetryFor       time.Duration
	Stall          time.Duration
	PasswordFile   string
	Verify         string
	Version        bool
}

// list is a flag that may be given several times, or with commas.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }
func (l *list) Set(s string) error {
	for _, v := range strings.Split(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			*l = append(*l, v)
		}
	}
	return nil
}

// Register defines the flags.
func (f *Flags) Register(fs *flag.FlagSet) {
	fs.StringVar(&f.Protocols, "protocols", "", "for ftpx:// URLs, what to try, in order: sftp, ftps (AUTH TLS), ftps-implicit, ftp (default sftp,ftps,ftps-implicit)")
	fs.BoolVar(&f.AllowPlaintext, "allow-plaintext", false, "permit plain FTP, which shows password and files to anyone on the way")
	fs.IntVar(&f.Ports.SFTP, "sftp-port", 0, "`port` of SSH (default 22)")
	fs.IntVar(&f.Ports.FTP, "ftp-port", 0, "`port` of plain FTP (default 21)")
	fs.IntVar(&f.Ports.FTPS, "ftps-port", 0, "`port` of FTP with AUTH TLS (default that of plain FTP)")
	fs.IntVar(&f.Ports.FTPSImplicit, "ftps-implicit-port", 0, "`port` of implicit FTPS (default 990)")
	fs.Var(&f.Identities, "identity", "private key `file`, may be repeated; the passphrase comes from FTPX_PASSPHRASE or a prompt")
	fs.Var(&f.KnownHosts, "known-hosts", "known_hosts `file`, may be repeated (default ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts)")
	fs.Var(&f.HostKeys, "host-key", "`fingerprint` that the host key must have, as ssh-keygen -l prints it (SHA256:...)")
	fs.StringVar(&f.TOFU, "tofu", "", "known_hosts `file` to which the key of an unknown host is added (trust on first use)")
	fs.BoolVar(&f.Agent, "agent", false, "use the SSH agent of $SSH_AUTH_SOCK")
	fs.StringVar(&f.CA, "ca", "", "PEM `file` of certificate authorities to trust")
	fs.IntVar(&f.Parallel, "parallel", 4, "files under way at once")
	fs.BoolVar(&f.JSON, "json", false, "one JSON record a file on standard output, and a summary")
	fs.BoolVar(&f.Quiet, "quiet", false, "say nothing unless something fails")
	fs.BoolVar(&f.Verbose, "v", false, "tell of protocol choice, retries and resumes")
	fs.DurationVar(&f.RetryFor, "retry-for", 0, "how long to go on without progress, such as 30s or 2h (default ten attempts, about a minute and a half)")
	fs.DurationVar(&f.Stall, "stall", 0, "silence of the line that counts as a stall (default 30s)")
	fs.StringVar(&f.PasswordFile, "password-file", "", "`file` that holds the password (default $FTPX_PASSWORD, or a prompt on a terminal)")
	fs.StringVar(&f.Verify, "verify", "auto", "how much to check: auto, size or full")
	fs.BoolVar(&f.Version, "version", false, "print the version")
}

// Options makes a client's options of the flags. It may ask for the password.
// Errors are [ErrUsage].
func (f *Flags) Options(env Env) (ftpx.Options, error) {
	var opts ftpx.Options
	if f.Parallel < 1 {
		return opts, fmt.Errorf("%w: -parallel is %d: use 1 or more", ErrUsage, f.Parallel)
	}
	if f.RetryFor < 0 {
		return opts, fmt.Errorf("%w: -retry-for is negative", ErrUsage)
	}
	for _, name := range strings.Split(f.Protocols, ",") {
		if f.Protocols == "" {
			break
		}
		p, err := ftpx.ParseProtocol(name)
		if err != nil {
			return opts, fmt.Errorf("%w: -protocols: %w", ErrUsage, err)
		}
		opts.Protocols = append(opts.Protocols, p)
	}
	switch f.Verify {
	case "auto":
		opts.Verify = ftpx.VerifyAuto
	case "size":
		opts.Verify = ftpx.VerifySize
	case "full":
		opts.Verify = ftpx.VerifyFull
	default:
		return opts, fmt.Errorf("%w: -verify %q: use auto, size or full", ErrUsage, f.Verify)
	}
	password, err := f.password(env)
	if err != nil {
		return opts, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	opts.Password = password
	opts.AllowPlaintext = f.AllowPlaintext
	opts.Ports = f.Ports
	opts.SSH = transport.SSH{IdentityFiles: f.Identities, KnownHosts: f.KnownHosts, HostKeyFingerprints: f.HostKeys,
		TrustOnFirstUse: f.TOFU, Passphrase: passphrase(env)}
	if f.Agent {
		opts.SSH.Agent = "auto"
	}
	opts.TLS = transport.TLS{CAFile: f.CA}
	opts.StallTimeout = f.Stall
	opts.MaxConns = f.Parallel
	opts.Retry = retry.Policy{MaxElapsed: f.RetryFor}
	return opts, nil
}

// CheckURL refuses a URL that everybody who lists processes could read a
// password in.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return nil // ftpx says what is wrong with it, without quoting it
	}
	if _, has := u.User.Password(); has {
		return fmt.Errorf("%w: the URL holds a password, which anyone who lists processes can read: put it into FTPX_PASSWORD or -password-file", ErrUsage)
	}
	return nil
}
