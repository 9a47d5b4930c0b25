package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport/tunnel"
)

// Flags are the flags that the commands share. Their help texts, in register, say
// more.
type Flags struct {
	// Protocols are names of protocols with commas; "" means the default.
	Protocols string
	// AllowPlaintext permits plain FTP.
	AllowPlaintext bool
	// Ports replaces the protocols' own ports.
	Ports ftpx.Ports
	// Identities are files of private keys, KnownHosts known_hosts files, HostKeys
	// fingerprints.
	Identities, KnownHosts, HostKeys list
	// TOFU is the known_hosts file to which unknown hosts are added, or "".
	TOFU string
	// Agent uses the SSH agent.
	Agent bool
	// CA is a PEM file of authorities, or "".
	CA string
	// Parallel is how many files are under way at once.
	Parallel int
	// JSON prints records, Quiet nothing but failures, Verbose what happens on the
	// way.
	JSON, Quiet, Verbose bool
	// RetryFor is how long to go on without progress, Stall how long a line may be
	// silent; 0 means the library's own.
	RetryFor, Stall time.Duration
	// Retry, if it is not zero, is the policy in place of RetryFor.
	Retry retry.Policy
	// PasswordFile is the file that holds the password, or "".
	PasswordFile string
	// Verify is "auto", "size" or "full".
	Verify string
	// Standbys are hosts to turn to when that of the URL does not work.
	Standbys list
	// Others are standbys, after those, with a login of their own.
	Others []Standby
	// Via are URLs of proxies and jump hosts, the nearest first.
	Via list
	// Rate is how many bytes a second are moved at most, "" for any number.
	Rate string
	// MaxListing is how many bytes the entries of a listing may take, "" for the
	// library's own limit.
	MaxListing string
	// Charset is the name of the character set of the server's names, "" for UTF-8.
	Charset string
	// ListZone is the time zone of an FTP server's LIST, "" for UTC.
	ListZone string
	// Version prints the version and does nothing else.
	Version bool

	// Own connects as the user's ssh and curl do.
	Own Own
	// Connections is how many connections are open at most, Files how many files are under
	// way at once; 0 means the library's own.
	Connections, Files int

	way *tunnel.Tunnel // of Via, once Options has made it
	end []func() error // what Close does
}

// list is a flag that may be given several times, or with commas where no file's own
// name has them.
type list []string

// String is part of flag.Value.
func (l *list) String() string { return strings.Join(*l, ",") }

// Set is part of flag.Value.
func (l *list) Set(s string) error {
	if _, err := os.Stat(s); err == nil {
		*l = append(*l, s)
		return nil
	}
	for _, v := range strings.Split(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			*l = append(*l, v)
		}
	}
	return nil
}

// register defines the flags.
func (f *Flags) register(fs *flag.FlagSet) {
	fs.StringVar(&f.Protocols, "protocols", "", "for ftpx:// URLs, what to try, in order: sftp, ftps (AUTH TLS), ftps-implicit, ftp (default sftp,ftps,ftps-implicit)")
	fs.BoolVar(&f.AllowPlaintext, "allow-plaintext", false, "permit plain FTP, which shows password and files to anyone on the way")
	numberVar(fs, &f.Ports.SFTP, "sftp-port", "`port` of SSH (default 22)")
	numberVar(fs, &f.Ports.FTP, "ftp-port", "`port` of plain FTP (default 21)")
	numberVar(fs, &f.Ports.FTPS, "ftps-port", "`port` of FTP with AUTH TLS (default that of plain FTP)")
	numberVar(fs, &f.Ports.FTPSImplicit, "ftps-implicit-port", "`port` of implicit FTPS (default 990)")
	fs.Var(&f.Identities, "identity", "private key `file`, may be repeated; the passphrase comes from FTPX_PASSPHRASE or a prompt (default id_ed25519, id_ecdsa and id_rsa of ~/.ssh where there is no password)")
	fs.Var(&f.KnownHosts, "known-hosts", "known_hosts `file`, may be repeated (default ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts)")
	fs.Var(&f.HostKeys, "host-key", "`fingerprint` that the host key must have, as ssh-keygen -l prints it (SHA256:...)")
	fs.StringVar(&f.TOFU, "tofu", "", "known_hosts `file` to which the key of an unknown host is added (trust on first use)")
	fs.BoolVar(&f.Agent, "agent", false, "use the SSH agent of $SSH_AUTH_SOCK")
	fs.StringVar(&f.CA, "ca", "", "PEM `file` of certificate authorities to trust")
	f.Parallel = 4
	numberVar(fs, &f.Parallel, "parallel", "`number` of connections at once (default 4), which small files share")
	fs.BoolVar(&f.JSON, "json", false, "one JSON record a file on standard output, and a summary")
	fs.BoolVar(&f.Quiet, "quiet", false, "say nothing unless something fails")
	fs.BoolVar(&f.Verbose, "v", false, "tell of protocol choice, retries and resumes")
	durationVar(fs, &f.RetryFor, "retry-for", "how `long` to go on without progress, such as 30s or 2h (default ten attempts, about a minute and a half)")
	durationVar(fs, &f.Stall, "stall", "`silence` of the line that counts as a stall (default 30s)")
	fs.StringVar(&f.PasswordFile, "password-file", "", "`file` that holds the password (default $FTPX_PASSWORD, or a prompt on a terminal)")
	fs.StringVar(&f.Verify, "verify", "auto", "how much to check: auto, size or full")
	fs.Var(&f.Standbys, "standby", "`host` to turn to when that of the URL is away, may be repeated; same user, ports and folders")
	fs.Var(&f.Via, "via", "`URL` of a proxy or jump host to go through, may be repeated, the nearest first: socks5://host, http://host, ssh://user@host (default $FTPX_VIA, which may hold passwords)")
	fs.StringVar(&f.Rate, "rate", "", "maximum `bytes` per second, such as 500k or 20M")
	fs.StringVar(&f.MaxListing, "max-listing", "", "maximum `bytes` of memory that the entries of a remote folder may take, such as 500M (default 128M, some 800,000 entries)")
	fs.StringVar(&f.Charset, "charset", "", "character `set` of the names on the server, such as gbk, shift_jis or windows-1252 (default utf-8)")
	fs.StringVar(&f.ListZone, "list-zone", "", "time `zone` of an FTP server that has no MLSD and lists local time, such as Europe/Berlin (default UTC)")
	fs.BoolVar(&f.Version, "version", false, "print the version")
}

// numberVar and durationVar are IntVar and DurationVar of package flag, whose errors do
// not say what would be right.

func numberVar(fs *flag.FlagSet, to *int, name, usage string) {
	fs.Func(name, usage, func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return errors.New("write a whole number, as 8")
		}
		*to = n
		return nil
	})
}

func durationVar(fs *flag.FlagSet, to *time.Duration, name, usage string) {
	fs.Func(name, usage, func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return errors.New("write a positive duration, as 30s, 15m or 2h")
		}
		*to = d
		return nil
	})
}

// Options makes a client's options of the flags. It may ask for the password,
// until ctx ends. Errors are [ErrUsage].
func (f *Flags) Options(ctx context.Context, env Env) (ftpx.Options, error) {
	var opts ftpx.Options
	if f.Parallel < 1 {
		return opts, fmt.Errorf("%w: -parallel is %d: use 1 or more", ErrUsage, f.Parallel)
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
	if err := f.login(ctx, env, &opts); err != nil {
		return opts, err
	}
	opts.AllowPlaintext = f.AllowPlaintext
	opts.Ports = f.Ports
	opts.Timeouts.Stall = f.Stall
	if opts.Limits.Conns = f.Parallel; f.Own.Use {
		opts.Limits.Conns = f.Connections
	}
	if opts.Retry = f.Retry; opts.Retry.MaxElapsed == 0 && opts.Retry.MaxAttempts == 0 && opts.Retry.InitialDelay == 0 && opts.Retry.MaxDelay == 0 {
		opts.Retry = retry.Policy{MaxElapsed: f.RetryFor}
	}
	if err := f.names(&opts); err != nil {
		return opts, err
	}
	for i := range f.Others {
		other, err := f.Others[i].standby(ctx)
		if err != nil {
			return opts, err
		}
		opts.Standbys = append(opts.Standbys, other)
	}
	asking := new(sync.Mutex)
	err := f.reach(&opts, func(hop *tunnel.Hop) ssh.KeyboardInteractiveChallenge {
		return questions(ctx, env, asking, fmt.Sprintf("jump host %q:", hop.Host), hop.Password)
	})
	// After the jump hosts were made of these options: none may be told this password.
	if !f.Own.Use || opts.Password != "" {
		opts.SSH.KeyboardInteractive = questions(ctx, env, asking, "", opts.Password)
	}
	return opts, err
}

// CheckArg refuses an argument that everybody who lists processes could read a
// password in. It is for all arguments: a URL in the wrong place would be quoted
// in an error.
func CheckArg(arg string) error {
	_, rest, ok := strings.Cut(arg, "://")
	if !ok {
		return nil
	}
	if strings.ContainsAny(arg, "\r\n\x00") {
		return fmt.Errorf("%w: the URL holds CR, LF or NUL: remove it", ErrUsage)
	}
	authority, _, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 && strings.Contains(authority[:at], ":") {
		return fmt.Errorf("%w: the URL holds a password, which anyone who lists processes can read: put it into FTPX_PASSWORD or -password-file", ErrUsage)
	}
	if _, err := url.Parse(arg); err != nil && strings.Contains(rest, "@") {
		// The reason may quote what is a password with a slash in it.
		return fmt.Errorf("%w: malformed URL: write scheme://user@host[:port]/folder, special characters as %%XX, and no password", ErrUsage)
	}
	return nil
}
