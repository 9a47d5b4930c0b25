package ftpx

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/encoding"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/charset"
)

// Names of package transport that a program needs to use this one.
type (
	// Protocol is SFTP, FTPS, FTPSImplicit or FTP.
	Protocol = transport.Protocol
	// Entry describes a remote file or folder.
	Entry = transport.Entry
	// Secret is a password that does not print.
	Secret = transport.Secret
	// Info describes a connection.
	Info = transport.Info
)

// The protocols, see package transport.
const (
	SFTP         = transport.SFTP
	FTPS         = transport.FTPS
	FTPSImplicit = transport.FTPSImplicit
	FTP          = transport.FTP
)

// Defaults of [Options].
const (
	// DefaultMaxConns is how many connections a client opens at most.
	DefaultMaxConns = 8
	// DefaultMaxListing is how many bytes the entries of a listing may take.
	DefaultMaxListing = 128 << 20
	// DefaultHeadStart is how long a preferred protocol may stay silent before
	// the next one is tried concurrently.
	DefaultHeadStart = 500 * time.Millisecond
	// DefaultRecheckAfter is how long a chosen protocol is kept.
	DefaultRecheckAfter = 10 * time.Minute
)

// Config says what to connect to. [ParseURL] makes one from a URL.
type Config struct {
	// Host is a name or an address, without port.
	Host string
	// User is the login name; empty means anonymous, on FTP and FTPS only.
	User string
	// Base is the remote folder that relative paths start from; itself relative
	// to the login folder unless it starts with "/". It need not exist.
	Base string
	Options
}

// Options say how to connect, and what to do about failures. The zero value is
// ready for use.
type Options struct {
	// Password is the password. Without one the client logs in by key, by agent or
	// as anonymous.
	Password Secret
	// Protocols are tried in this order; nil means SFTP, FTPS, FTPSImplicit.
	// FTP is used only if it is listed here and AllowPlaintext is set.
	Protocols []Protocol
	// AllowPlaintext permits plain FTP if the host offers no better protocol of
	// the list. Plain FTP shows password and payload to anyone on the way. After a
	// better protocol has worked on a host, the client never uses plain FTP there:
	// otherwise somebody who disturbs the line could obtain the password.
	AllowPlaintext bool
	// Ports replaces the protocols' own ports.
	Ports Ports
	// SSH is for SFTP.
	SSH transport.SSH
	// TLS is for FTPS.
	TLS transport.TLS
	// RequirePostQuantum refuses every connection whose key exchange is not a
	// hybrid with a post-quantum part, over SSH and TLS, data connections
	// included. Such a refusal is final: no other protocol is tried for it.
	RequirePostQuantum bool
	// Dial replaces net.Dialer, for tunnels. See package transport/tunnel.
	Dial transport.DialFunc
	// ConnectTimeout bounds dialling, handshakes and login of one attempt
	// together; 0 means 15 s.
	ConnectTimeout time.Duration
	// StallTimeout is how long an operation may go without a byte in either
	// direction; 0 means 30 s, or 7 s with Standbys; negative means for ever.
	StallTimeout time.Duration
	// MinRate is the lowest rate, in bytes a second averaged over one StallTimeout, at
	// which a transfer is not stalled. 0 means 2, negative means any rate. A lower rate
	// is a server that keeps a dead transfer alive. The time that the caller's source or
	// destination takes does not count, nor does the time that a server takes to compute
	// a digest.
	MinRate int64
	// Retry is the policy for operations that can be retried.
	Retry retry.Policy
	// Verify is the default of the transfers' Verify; zero means [VerifyAuto].
	Verify Verify
	// Standbys are the hosts to fail over to, in this order or that of their ranks,
	// when Config.Host cannot be reached, drops connections, is silent or is full.
	// They get the same credentials and trust settings, unless a Standby has its own.
	// Base applies to each host. After a failover an upload resumes if the hosts share
	// their storage, and starts again if not. Work returns to a preferred host when
	// that has been healthy for half a minute.
	Standbys []Standby
	// Credentials, if not nil, returns user and password. It is called before the
	// first login to each host, and once more when a login is refused, because
	// passwords get replaced. The result is kept in between. Calls do not overlap.
	Credentials func(context.Context, CredentialRequest) (Credential, error)
	// MaxRate is how many bytes of payload a second the client moves at most,
	// all transfers and both directions together; 0 means any number.
	MaxRate int64
	// MaxTransfers is how many transfers may run at once; further ones wait.
	// 0 means no limit.
	MaxTransfers int
	// MaxConns is how many connections to a host may be open at once; 0 means 8.
	// Further operations wait. Small operations over SFTP share connections instead,
	// up to 128 on one: files of up to 256 KiB, and operations that move no file. If
	// the server accepts fewer connections, the client finds that out and stays
	// within the limit.
	MaxConns int
	// MaxListing is how many bytes of memory the entries of a folder may take,
	// including those of its parent folders in a walk; 0 means 128 MiB, which is
	// some 800,000 entries. A longer listing fails with [transport.ErrListingTooLong],
	// so that no server can use up the program's memory.
	MaxListing int64
	// HeadStart is how long a protocol may stay silent before the next one is
	// tried concurrently; 0 means 500 ms. Plain FTP is never tried concurrently:
	// it waits until all others have failed.
	HeadStart time.Duration
	// RecheckAfter is how long a chosen protocol is kept before a new
	// connection looks for a better one; 0 means 10 minutes.
	RecheckAfter time.Duration
	// Charset is the character set of names on the servers, such as
	// simplifiedchinese.GBK, japanese.ShiftJIS or charmap.Windows1252 of
	// golang.org/x/text/encoding; nil means UTF-8. Programs always pass and receive
	// UTF-8. A path that the set cannot express fails with transport.KindName before
	// anything is sent. Bytes of a listing that are not in the set are returned
	// unchanged, and lead back to the same file: see package transport/charset. With
	// nil, too, names that are not UTF-8 pass unchanged.
	Charset encoding.Encoding
	// ListZone is the time zone of LIST, for FTP servers that have no MLSD and
	// show local time; nil means UTC. Times of MLSD, MDTM and SFTP are always in
	// UTC. On vsftpd it is the zone of use_localtime.
	ListZone *time.Location
	// ActiveAddr switches FTP and FTPS to active mode, in which the server connects
	// to this machine for each transfer: an IP address and a port, such as
	// "192.0.2.1:0", or ":0" for the control connection's own address and any
	// port. It cannot be combined with Dial. "" means passive mode, which works
	// through firewalls.
	ActiveAddr string
	// Learned is the result of [Client].Learned of an earlier client, perhaps from another
	// process or version; nil means none. A wrong fact about a server costs a round trip.
	// If New cannot read it, New returns an error: leave the value out, and the client
	// learns it again.
	Learned []byte
	// FTPType says how files are moved over FTP and FTPS: unchanged, or with FTPTypeASCII as
	// text, for z/OS, IBM i and other systems whose files are records in a character set of
	// their own. Text cannot be compared, because the server's file has another size than the
	// local one: uploads must set Delivery to DeliverDrop, and [Verified].Acknowledged is the
	// only check in both directions. Nothing is resumed: an interrupted transfer starts again
	// from the beginning, and a Get that has already written bytes fails. A folder job takes
	// files with different sizes for changed. FS reads files unchanged.
	FTPType FTPType
	// AfterLogin are command lines that are sent to an FTP server after each login, such as
	// "SITE FILETYPE=SEQ" to z/OS. Commands that move data or change what a connection
	// relies on are refused, see [Files].Raw; a server that refuses one is not used.
	AfterLogin []string
	// Hooks are called for events; nil means none.
	Hooks *Hooks
	// Alarms are the thresholds of [Hooks].Alarm; zero values are the defaults.
	Alarms Alarms
	// Connect replaces the drivers: it connects to an endpoint, logs in, and obeys the
	// contract of package transport for a Conn and its errors. It is for special
	// servers, such as those of package ftpxtest; nil means the drivers.
	Connect func(context.Context, *transport.Endpoint) (transport.Conn, error)
}

// Ports are the ports of the protocols, 0 for a protocol's own.
type Ports struct {
	// SFTP is the SSH port, 22.
	SFTP int
	// FTP is the port of plain FTP, 21.
	FTP int
	// FTPS is the port of FTP with AUTH TLS; 0 means that of FTP.
	FTPS int
	// FTPSImplicit is the port of implicit FTPS, 990.
	FTPSImplicit int
}

func (p Ports) of(proto Protocol) int {
	switch proto {
	case SFTP:
		return p.SFTP
	case FTPSImplicit:
		return p.FTPSImplicit
	case FTPS:
		if p.FTPS != 0 {
			return p.FTPS
		}
	}
	return p.FTP
}

func (p Ports) check(field string) error {
	for name, port := range map[string]int{"SFTP": p.SFTP, "FTP": p.FTP, "FTPS": p.FTPS, "FTPSImplicit": p.FTPSImplicit} {
		if port < 0 || port > 65535 {
			return fmt.Errorf("%s.%s is %d: use 1 to 65535, or 0 for the protocol's own", field, name, port)
		}
	}
	return nil
}

func checkHost(field, host string) error {
	if host == "" {
		return fmt.Errorf("%s is empty: name the server", field)
	}
	if strings.ContainsAny(host, " \r\n\x00/@[]") {
		return fmt.Errorf("the host %q in %s is not a host name or an address: give it without scheme, user, port and brackets", host, field)
	}
	return nil
}

// withDefaults checks the configuration and fills in what is zero. Errors name
// the field and the remedy.
func (cfg Config) withDefaults() (Config, error) {
	if err := checkHost("Config.Host", cfg.Host); err != nil {
		return cfg, err
	}
	for field, v := range map[string]string{"User": cfg.User, "Base": cfg.Base, "Password": cfg.Password.Reveal()} {
		if strings.ContainsAny(v, "\r\n\x00") {
			return cfg, fmt.Errorf("field Config.%s holds CR, LF or NUL: remove it (a password file often ends with one)", field)
		}
	}
	if len(cfg.Protocols) == 0 {
		cfg.Protocols = []Protocol{SFTP, FTPS, FTPSImplicit}
	}
	seen := map[Protocol]bool{}
	for _, p := range cfg.Protocols {
		if !p.Valid() {
			return cfg, fmt.Errorf("Options.Protocols holds %v: use SFTP, FTPS, FTPSImplicit or FTP", p)
		}
		if seen[p] {
			return cfg, fmt.Errorf("Options.Protocols lists %v twice: remove one", p)
		}
		seen[p] = true
	}
	if len(cfg.Protocols) == 1 && seen[FTP] && !cfg.AllowPlaintext {
		return cfg, errors.New("plain FTP alone is listed but not allowed, because it shows password and files to anyone on the way: list SFTP or FTPS, or set Options.AllowPlaintext")
	}
	if cfg.RequirePostQuantum && seen[FTP] {
		return cfg, errors.New("Options.Protocols lists FTP and Options.RequirePostQuantum is set, but plain FTP has no key exchange: remove one of them")
	}
	if cfg.FTPType > FTPTypeASCII {
		return cfg, fmt.Errorf("Options.FTPType is %d: use FTPTypeBinary or FTPTypeASCII", cfg.FTPType)
	}
	if cfg.FTPType == FTPTypeASCII && seen[SFTP] {
		return cfg, errors.New("Options.FTPType is FTPTypeASCII, which SFTP does not have: list only FTPS, FTPSImplicit or FTP in Options.Protocols")
	}
	if err := cfg.Ports.check("Options.Ports"); err != nil {
		return cfg, err
	}
	if cfg.MaxConns < 0 {
		return cfg, fmt.Errorf("Options.MaxConns is %d: use a positive number, or 0 for %d", cfg.MaxConns, DefaultMaxConns)
	}
	if cfg.MaxTransfers < 0 || cfg.MaxRate < 0 {
		return cfg, fmt.Errorf("Options.MaxTransfers is %d and Options.MaxRate is %d: use positive numbers, or 0 for no limit", cfg.MaxTransfers, cfg.MaxRate)
	}
	if cfg.MaxListing < 0 {
		return cfg, fmt.Errorf("Options.MaxListing is %d: use a number of bytes, or 0 for %d", cfg.MaxListing, DefaultMaxListing)
	}
	if cfg.Learned != nil {
		if err := new(transport.Learned).Load(cfg.Learned); err != nil {
			return cfg, fmt.Errorf("Options.Learned: %w", err)
		}
	}
	cfg.MaxListing = cmp.Or(cfg.MaxListing, DefaultMaxListing)
	if err := charset.Check(cfg.Charset); err != nil {
		return cfg, fmt.Errorf("Options.Charset: %w", err)
	}
	var err error
	if cfg.Alarms, err = cfg.Alarms.withDefaults(); err != nil {
		return cfg, err
	}
	if err := cfg.checkStandbys(); err != nil {
		return cfg, err
	}
	if cfg.Verify > VerifyFull {
		return cfg, fmt.Errorf("Options.Verify is %d: use VerifyAuto, VerifySize or VerifyFull", cfg.Verify)
	}
	if len(cfg.Standbys) > 0 {
		cfg.StallTimeout = orDefault(cfg.StallTimeout, standbyStall)
	}
	cfg.MaxConns = orDefault(cfg.MaxConns, DefaultMaxConns)
	cfg.HeadStart = orDefault(cfg.HeadStart, DefaultHeadStart)
	cfg.RecheckAfter = orDefault(cfg.RecheckAfter, DefaultRecheckAfter)
	cfg.Verify = orDefault(cfg.Verify, VerifyAuto)
	if cfg.SSH.Keyring == nil {
		cfg.SSH.Keyring = new(transport.Keyring)
	}
	if cfg.Connect == nil {
		cfg.Connect = dialDriver
	}
	if cfg.Charset != nil {
		cfg.Connect = inCharset(cfg.Connect)
	}
	return cfg, nil
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func (cfg *Config) checkStandbys() error {
	for i, s := range cfg.Standbys {
		if err := checkHost(fmt.Sprintf("Options.Standbys[%d].Host", i), s.Host); err != nil {
			return err
		}
		if s.Rank < 0 {
			return fmt.Errorf("Options.Standbys[%d].Rank is %d: use 1 or more, or 0 for its place in the list", i, s.Rank)
		}
		if strings.ContainsAny(s.User+s.Password.Reveal(), "\r\n\x00") {
			return fmt.Errorf("user or password of Options.Standbys[%d] holds CR, LF or NUL: remove it", i)
		}
		if err := s.Ports.check(fmt.Sprintf("Options.Standbys[%d].Ports", i)); err != nil {
			return err
		}
	}
	return nil
}

// ParseProtocol reads "sftp", "ftps" (explicit TLS), "ftps-implicit" or "ftp".
func ParseProtocol(name string) (Protocol, error) { return transport.ParseProtocol(name) }
