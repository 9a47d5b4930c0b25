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
	// DefaultHeadStart is how long a better protocol may stay silent before
	// the next one is tried beside it.
	DefaultHeadStart = 500 * time.Millisecond
	// DefaultRecheckAfter is how long a chosen protocol is kept.
	DefaultRecheckAfter = 10 * time.Minute
)

// Config says what to connect to. [Open] makes one of a URL.
type Config struct {
	// Host is a name or an address, without port.
	Host string
	// User is the login name; empty means anonymous, on FTP and FTPS alone.
	User string
	// Base is the remote folder that relative paths start from; itself relative
	// to the login folder unless it starts with "/". It need not exist.
	Base string
	Options
}

// Options say how to connect and what to do about trouble. The zero value is
// ready for use.
type Options struct {
	// Password is the password. What has none logs in by key, agent or as
	// anonymous.
	Password Secret
	// Protocols are tried in this order; nil means SFTP, FTPS, FTPSImplicit.
	// FTP is used only where it is listed here and AllowPlaintext is set.
	Protocols []Protocol
	// AllowPlaintext permits plain FTP, which shows password and payload to
	// anyone on the way, when no better protocol listed is offered. On a host
	// where a better one has worked since the client was opened it is not used
	// any more: whoever disturbs the line could else wait for a password in clear.
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
	// Dial replaces net.Dialer, for tunnels; see package transport/tunnel.
	Dial transport.DialFunc
	// ConnectTimeout bounds dialling, handshakes and login of one attempt
	// together; 0 means 15 s.
	ConnectTimeout time.Duration
	// StallTimeout is how long an operation may go without a byte in either
	// direction; 0 means 30 s, or 7 s with Standbys; negative means for ever.
	StallTimeout time.Duration
	// MinRate is the least number of bytes a second that a transfer may move
	// over one StallTimeout; 0 means 2, negative means any. Less than that is a server
	// that keeps a transfer alive, and no line. What the caller's source or destination
	// takes, and what a server takes to compute a digest, does not count.
	MinRate int64
	// Retry is the policy for what can be tried again.
	Retry retry.Policy
	// Verify is the default of the transfers' Verify; zero means [VerifyAuto].
	Verify Verify
	// Standbys are hosts to turn to, in this order or that of their ranks, when Config.Host does not
	// work: when it cannot be reached, drops connections, is silent or full.
	// They are logged in to with the same credentials and trust, unless a Standby has its own,
	// and Base holds on each.
	// An upload that moves goes on where it was if the hosts share their
	// storage, and begins again if not. Work returns to a better host when
	// that has been well for half a minute.
	Standbys []Standby
	// Credentials, if not nil, is asked for user and password before the first
	// login to each host, and once more when a login is refused, because
	// passwords are replaced. What it returns is kept in between. It is called
	// by one goroutine at a time.
	Credentials func(context.Context, CredentialRequest) (Credential, error)
	// MaxRate is how many bytes of payload a second the client moves at most,
	// all transfers and both directions together; 0 means any number.
	MaxRate int64
	// MaxTransfers is how many transfers are under way at once; those beyond
	// wait their turn. 0 means as many as there are calls.
	MaxTransfers int
	// MaxConns is how many connections are open to a host at once; 0 means 8.
	// Operations beyond that wait their turn, but for small ones over SFTP: files
	// of up to 256 KiB, and what moves no file, share connections, up to 128 on one.
	// Where the server takes fewer connections, the client finds out and lives
	// within that.
	MaxConns int
	// MaxListing is how many bytes of memory the entries of a folder's listing may
	// take, with those of the folders above it in a walk; 0 means 128 MiB, which is
	// some 800,000 entries. A longer listing fails with [transport.ErrListingTooLong],
	// so that no server uses up the program's memory.
	MaxListing int64
	// HeadStart is how long a protocol may stay silent before the next one is
	// tried beside it; 0 means 500 ms. Plain FTP never starts beside another:
	// it waits until all others have failed.
	HeadStart time.Duration
	// RecheckAfter is how long a chosen protocol is kept before a new
	// connection looks for a better one; 0 means 10 minutes.
	RecheckAfter time.Duration
	// Charset is what names are in on the servers, such as simplifiedchinese.GBK,
	// japanese.ShiftJIS or charmap.Windows1252 of golang.org/x/text/encoding; nil
	// means UTF-8. Paths given and names returned are in UTF-8 all the same. A
	// path that the set cannot express fails with transport.KindName before
	// anything is sent. What a listing holds that is not in the set is passed on
	// unchanged, so that it reaches the same file: see package transport/charset.
	// With nil, too, names that are no UTF-8 pass as the bytes that they are.
	Charset encoding.Encoding
	// ListZone is the time zone of LIST, for FTP servers that have no MLSD and
	// show local time; nil means UTC. Times of MLSD and MDTM are in UTC, and
	// SFTP's are too. On vsftpd it is the zone of use_localtime.
	ListZone *time.Location
	// ActiveAddr switches FTP and FTPS to active mode, in which the server connects
	// to this machine for each transfer: an IP address and a port, such as
	// "192.0.2.1:0", or ":0" for the control connection's own address and any
	// port. It cannot be used with Dial. "" means passive mode, which is what
	// works through firewalls.
	ActiveAddr string
	// Learned is what [Client].Learned of an earlier client has returned, perhaps in
	// another process or version; nil for nothing. What it says wrongly of a server costs
	// a round trip. New refuses what it cannot read; then leave it out: it is learned again.
	Learned []byte
	// FTPType is how files are moved over FTP and FTPS: as they are, or, with FTPTypeASCII, as
	// text, for z/OS, IBM i and others whose files are records in characters of their own.
	// Nothing can be compared of text, because the server's file has another size than what
	// was sent: uploads must have Delivery set to DeliverDrop, and [Verified].Acknowledged is
	// all that is known of either direction. Nothing is resumed: what is cut off comes again
	// from its beginning, and a Get of which bytes have been written fails. A folder job takes
	// files for changed whose sizes differ. FS reads files as they are.
	FTPType FTPType
	// AfterLogin are command lines that are sent to an FTP server after each login, such as
	// "SITE FILETYPE=SEQ" to z/OS. Commands that move data or change what a connection
	// relies on are refused, see [Files].Raw; a server that refuses one is not used.
	AfterLogin []string
	// Hooks are told what happens; nil for none.
	Hooks *Hooks
	// Alarms are the thresholds of [Hooks].Alarm; zero values are the defaults.
	Alarms Alarms
	// Connect replaces the drivers: it connects to an endpoint, logs in, and keeps
	// to what package transport says of a Conn and its errors. It is for servers of
	// one's own making, such as those of package ftpxtest; nil means the drivers.
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
		return cfg, errors.New("plain FTP alone is listed but not allowed, because it shows password and files to anyone on the way: list SFTP or FTPS, or set Options.AllowPlaintext (-allow-plaintext)")
	}
	if cfg.RequirePostQuantum && seen[FTP] {
		return cfg, errors.New("Options.Protocols lists FTP and Options.RequirePostQuantum is set, but plain FTP has no key exchange: remove one of them")
	}
	if cfg.FTPType > FTPTypeASCII {
		return cfg, fmt.Errorf("Options.FTPType is %d: use FTPTypeBinary or FTPTypeASCII", cfg.FTPType)
	}
	if cfg.FTPType == FTPTypeASCII && seen[SFTP] {
		return cfg, errors.New("Options.FTPType is FTPTypeASCII, which SFTP does not have: list only FTPS, FTPSImplicit or FTP in Options.Protocols (-protocols)")
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
