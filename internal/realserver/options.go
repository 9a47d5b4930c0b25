//go:build linux

package realserver

import (
	"crypto/tls"
	"fmt"
	"net/netip"
	"regexp"
	"time"

	"golang.org/x/crypto/ssh"
)

// Options says which server to start and how it behaves. Only Kind is required;
// the zero value of the rest is a plain server on 127.0.0.1 with a free port and
// no limits. An option that the kind cannot honour makes Start fail with
// ErrUnsupported.
type Options struct {
	Kind Kind

	// Listen is a loopback address such as 127.0.0.1 (the default), 127.0.0.2
	// or ::1. Any other address is refused.
	Listen string
	// Root is an existing folder to serve, for servers that share storage. It
	// is handed over (chown) to Account and survives Close; Account must be able
	// to reach it, which excludes testing.TB.TempDir. Empty means a new folder
	// that goes with Close.
	Root string
	// PassiveAddress is what the FTP servers name in a reply to PASV; empty
	// means the listening address. A wrong one imitates a server behind NAT.
	PassiveAddress string

	// TLS says whether an FTP server speaks TLS, and how.
	TLS TLSMode
	// MinTLS and MaxTLS bound the TLS versions (tls.VersionTLS12,
	// tls.VersionTLS13); zero leaves 1.2 and 1.3.
	MinTLS, MaxTLS uint16
	// RequireReuse refuses data connections that do not resume the control
	// connection's TLS session (vsftpd, ProFTPD).
	RequireReuse bool
	// Certificate replaces the generated one, for expired or wrong-name tests.
	Certificate *tls.Certificate
	// ClientCAFile names a PEM file; TLS clients must then present a
	// certificate that it signed (vsftpd, ProFTPD).
	ClientCAFile string

	// MaxPerHost bounds connections from one address, MaxClients all of them
	// (FTP servers). Zero means no bound that a test would meet.
	MaxPerHost, MaxClients int
	// QuotaBytes and QuotaFiles bound what the login may store (Pure-FTPd).
	QuotaBytes int64
	QuotaFiles int
	// NoStoreRestart makes STOR after REST fail (ProFTPD, AllowStoreRestart off).
	NoStoreRestart bool
	// Digest offers HASH, XCRC, XMD5, XSHA1 and XSHA256 (ProFTPD, mod_digest).
	Digest bool
	// IdleTimeout ends sessions without a command (vsftpd and ProFTPD to the
	// second, Pure-FTPd to the minute).
	IdleTimeout time.Duration
	// DataTimeout ends data connections that do not move, to the second
	// (vsftpd, ProFTPD).
	DataTimeout time.Duration

	// LocalTime is the name of a time zone in which the server shows times, in
	// place of UTC (vsftpd, use_localtime).
	LocalTime string

	// Permissions are what the user may do on SFTPGo, by its names, as "upload" and
	// "create_dirs"; nil for everything.
	Permissions []string

	// SSH holds what only OpenSSH knows.
	SSH SSHOptions

	// Extra is passed through: configuration lines for vsftpd, ProFTPD and
	// OpenSSH, command line arguments for Pure-FTPd. They override what was
	// generated: placed last, but first in sshd_config, where the first value
	// of a keyword counts.
	Extra []string
}

// SSHOptions is the part of Options that only OpenSSH knows.
type SSHOptions struct {
	// NoPassword switches password logins off.
	NoPassword bool
	// KeyboardInteractive switches keyboard-interactive logins on; sshd needs
	// PAM for it, so this also means UsePAM yes.
	KeyboardInteractive bool
	// AuthorizedKeys may log in as Account.
	AuthorizedKeys []ssh.PublicKey
	// UserCAs sign user certificates that may log in (TrustedUserCAKeys); the
	// principal must be Account.
	UserCAs []ssh.PublicKey
	// HostCA signs the host keys, and the known_hosts file then holds a
	// @cert-authority line instead of the keys themselves.
	HostCA ssh.Signer
	// MaxStartups is sshd's start:rate:full, for example "3:100:3".
	MaxStartups string
	// MaxSessions bounds the sessions of one connection; zero is sshd's default.
	MaxSessions int
	// Penalties leaves PerSourcePenalties on, by sshd's defaults, which 9.8 and later have;
	// see [SSHDEnv].
	Penalties bool
}

// safePath holds the characters that need quoting in none of the four
// configuration languages.
var safePath = regexp.MustCompile(`^/[A-Za-z0-9/._-]+$`)

// check refuses what no server could do, fills in defaults, and names the first
// option that this kind does not know.
func (o *Options) check() error {
	if o.Listen == "" {
		o.Listen = "127.0.0.1"
	}
	addr, err := netip.ParseAddr(o.Listen)
	if err != nil || !addr.IsLoopback() {
		return fmt.Errorf("realserver: listen address %q is not a loopback address", o.Listen)
	}
	if o.PassiveAddress == "" {
		o.PassiveAddress = o.Listen
	}
	if o.Root != "" && !safePath.MatchString(o.Root) {
		return fmt.Errorf("realserver: root %q must be an absolute path of letters, digits and ._-/", o.Root)
	}
	if o.MinTLS == 0 {
		o.MinTLS = tls.VersionTLS12
	}
	if o.MaxTLS == 0 {
		o.MaxTLS = tls.VersionTLS13
	}
	if o.MinTLS > o.MaxTLS {
		return fmt.Errorf("realserver: TLS from %s to %s is no range",
			tls.VersionName(o.MinTLS), tls.VersionName(o.MaxTLS))
	}
	if _, known := kinds[o.Kind]; !known {
		return fmt.Errorf("realserver: unknown kind %q", o.Kind)
	}
	for _, u := range o.uses() {
		if u.set && !u.by(o.Kind) {
			return fmt.Errorf("%s: %s: %w", o.Kind, u.option, ErrUnsupported)
		}
	}
	return nil
}

// A use is one option, whether it was asked for, and who knows it.
type use struct {
	option string
	set    bool
	by     func(Kind) bool
}

// uses lists every option that some kind cannot honour.
func (o *Options) uses() []use {
	only := func(kinds ...Kind) func(Kind) bool {
		return func(k Kind) bool {
			for _, known := range kinds {
				if k == known {
					return true
				}
			}
			return false
		}
	}
	ftp, strict := only(FTPKinds()...), only(VSFTPD, ProFTPD)
	s := &o.SSH
	return []use{
		{"TLS", o.TLS != TLSOff, Kind.SpeaksTLS},
		{"implicit TLS", o.TLS == TLSImplicit, strict},
		{"RequireReuse", o.RequireReuse, strict},
		{"ClientCAFile", o.ClientCAFile != "", strict},
		{"MaxPerHost", o.MaxPerHost > 0, ftp},
		{"MaxClients", o.MaxClients > 0, ftp},
		{"IdleTimeout", o.IdleTimeout > 0, ftp},
		{"DataTimeout", o.DataTimeout > 0, strict},
		{"LocalTime", o.LocalTime != "", only(VSFTPD)},
		{"quota", o.QuotaBytes > 0 || o.QuotaFiles > 0, only(PureFTPd)},
		{"NoStoreRestart", o.NoStoreRestart, only(ProFTPD)},
		{"Digest", o.Digest, only(ProFTPD)},
		{"Permissions", o.Permissions != nil, only(SFTPGo, SFTPGoFTP)},
		{"SSH", s.NoPassword || s.KeyboardInteractive || len(s.AuthorizedKeys) > 0 || len(s.UserCAs) > 0 ||
			s.HostCA != nil || s.MaxStartups != "" || s.MaxSessions > 0 || s.Penalties, only(OpenSSH)},
	}
}

// seconds rounds a timeout up to what the configuration files can say; zero
// stays zero, so that a timeout never becomes "none" by rounding.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
