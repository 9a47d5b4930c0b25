package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/text/encoding"
)

// Defaults of an [Endpoint].
const (
	// DefaultConnectTimeout bounds dialling, handshakes and login together.
	DefaultConnectTimeout = 15 * time.Second
	// DefaultStall is how long a connection may be silent within an operation.
	DefaultStall = 30 * time.Second
	// DefaultMinRate is how many bytes a second an operation must move, over one stall
	// time. A server that moves less only keeps the operation alive. Even a slow server,
	// which takes nearly a stall time for each command, moves more.
	DefaultMinRate = 2
)

// DialFunc opens a TCP-like connection to address, host:port. It must honour
// ctx. The library sets TCP options where the result is a *net.TCPConn.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Endpoint is one server with one protocol: everything that a driver needs to know,
// and nothing about retries. Drivers do not change it.
type Endpoint struct {
	// Protocol is the protocol to speak.
	Protocol Protocol
	// Host is a name or an IP address, without brackets.
	Host string
	// Port is the port, or 0 for the protocol's own.
	Port int
	// User is the login name. Empty means "anonymous" on FTP and is an error on SFTP.
	User string
	// Password is the password, empty if there is none.
	Password Secret
	// SSH holds the settings that only SFTP needs.
	SSH SSH
	// TLS holds the settings that only FTPS needs.
	TLS TLS
	// RequirePostQuantum refuses, with [KindInsecure], every connection whose
	// key exchange is not a hybrid with a post-quantum part: traffic that
	// somebody records today stays secret from a quantum computer of later. On
	// FTPS it also means TLS 1.3, and holds for each data connection. Plain FTP
	// is then [KindInvalid].
	RequirePostQuantum bool
	// Charset is the character set of the server's names, nil for UTF-8. Drivers
	// do not convert names, see package transport/charset. If it is set, FTP does
	// not ask the server for UTF-8.
	Charset encoding.Encoding
	// ListZone is the time zone of the times in an FTP server's LIST, nil for UTC.
	// MLSD and MDTM are in UTC (RFC 3659), with one exception: vsftpd with
	// use_localtime uses that zone in MDTM too. For a server that greets as vsftpd,
	// ListZone is therefore the zone of both.
	ListZone *time.Location
	// Dial replaces net.Dialer for control and data connections, nil for the default.
	Dial DialFunc
	// ActiveAddr switches FTP to active mode: the server connects to this machine
	// for each transfer, at this IP address and port ("192.0.2.1:0"; ":0" is the
	// control connection's own address and any port). Use it only for servers that
	// offer nothing else: firewalls and address translation prevent it, it cannot be
	// combined with Dial, and files are not sent with sendfile. "" means passive mode.
	ActiveAddr string
	// AfterLogin are command lines for an FTP server that are sent after each login, such
	// as "SITE FILETYPE=SEQ" to z/OS. Commands that [Raw] refuses are refused here too. If
	// the server refuses one, the login fails, because the files would be wrong.
	AfterLogin []string
	// ConnectTimeout bounds dialling, handshakes and login together; 0 means
	// [DefaultConnectTimeout].
	ConnectTimeout time.Duration
	// Stall is how long all sockets of an operation may be silent before it
	// fails with [KindStalled]; 0 means [DefaultStall], negative means for ever.
	// Detection takes up to a quarter longer.
	Stall time.Duration
	// MinRate is the lowest rate, in bytes a second averaged over one Stall, at which
	// a transfer is not stalled; 0 means [DefaultMinRate], negative means any rate.
	MinRate int64
	// Learned holds what earlier connections have learned about the server, for later
	// ones; nil remembers nothing.
	Learned *Learned
	// Trace sees commands and replies; nil for none.
	Trace *Trace
	// Phase, if not nil, is called after each step of connecting, with its name (one of
	// the Phase constants), its duration, and its error. It is called by the goroutine that
	// connects, and must not block.
	Phase func(name string, d time.Duration, err error)
	// Traffic, if not nil, sums up the bytes that the sockets of the connection have moved.
	Traffic *Traffic
	// Answered, if not nil, is called when the first byte arrives on a socket
	// of this endpoint: somebody is there. It must not block.
	Answered func()
}

// SSH is the part of an [Endpoint] that only SFTP uses.
type SSH struct {
	// Signers are private keys or certificates already in memory, tried first.
	Signers []ssh.Signer
	// IdentityFiles are private keys in OpenSSH or PEM form. If FILE-cert.pub
	// exists next to a key, that certificate is offered first, as OpenSSH does.
	IdentityFiles []string
	// CertificateFiles are additional user certificates. Each must belong to a key
	// in IdentityFiles, Signers or Agent.
	CertificateFiles []string
	// Passphrase is asked for the passphrase of an encrypted identity file,
	// unless Agent holds the key.
	Passphrase func(file string) (Secret, error)
	// Keyring remembers unlocked identity files, so that Passphrase is called
	// once per file and not once per connection; nil remembers nothing.
	Keyring *Keyring
	// Agent is the path of an SSH agent's socket, "" for none; "auto" means
	// $SSH_AUTH_SOCK, if that is set.
	Agent string
	// IdentitiesOnly offers only those keys of the agent whose public key is in
	// IdentityFiles, as FILE, as FILE.pub next to it, or as a certificate. An agent
	// with many keys would exceed the server's limit on attempts.
	IdentitiesOnly bool
	// AuthMethods are the permitted ways to log in, in the order in which to try
	// them: "publickey", "password" and "keyboard-interactive"; nil means all three,
	// in this order.
	AuthMethods []string
	// KeyboardInteractive answers the server's questions, within ConnectTimeout and once per
	// connection. nil answers the first question with the password, if the answer is not
	// echoed, and fails at any other question ([KindAuth]).
	KeyboardInteractive ssh.KeyboardInteractiveChallenge
	// KnownHosts are known_hosts files; nil means ~/.ssh/known_hosts and
	// /etc/ssh/ssh_known_hosts, as far as they exist.
	KnownHosts []string
	// HostKeyAlias replaces Host and Port as the name of the host in KnownHosts and in
	// its certificate.
	HostKeyAlias string
	// HostKeyFingerprints pins the host key: the server's must be one of
	// these, as ssh-keygen -l prints them ("SHA256:..."). KnownHosts is then
	// not read.
	HostKeyFingerprints []string
	// TrustOnFirstUse is a known_hosts file, created if missing. The key of a host
	// that no file knows is added to it. A changed key still fails. If
	// HostKeyFingerprints is set too, only a key with one of them is added.
	TrustOnFirstUse string
	// InsecureIgnoreHostKey accepts any host key: anyone on the way can then
	// read the password and every file, and change them. For tests only.
	InsecureIgnoreHostKey bool
	// KeyExchanges, Ciphers, MACs and HostKeyAlgorithms replace what is offered,
	// most preferred first, by the names of ssh -Q; nil means the defaults. An
	// unknown name is an error, and so is a weak one without LegacyAlgorithms.
	// HostKeyAlgorithms of keys that KnownHosts holds are offered first.
	KeyExchanges, Ciphers, MACs, HostKeyAlgorithms []string
	// PublicKeyAlgorithms are the algorithms with which a key or certificate may log in,
	// by the names of ssh -Q key-sig; nil means all except weak ones. A key that has none
	// of them is not offered. An unknown name is an error; a weak one needs
	// LegacyAlgorithms.
	PublicKeyAlgorithms []string
	// CASignatureAlgorithms are the algorithms with which an authority may have signed
	// the host's or the user's certificate; nil means all except ssh-rsa.
	CASignatureAlgorithms []string
	// MinRSABits is the minimum length of RSA keys. A shorter host key is refused
	// ([KindHostKey]), and a shorter user key is not offered; 0 means any length.
	MinRSABits int
	// LegacyAlgorithms also allows broken or nearly broken algorithms, after all
	// others: signatures and MACs with SHA-1 (ssh-rsa), Diffie-Hellman with
	// SHA-1, CBC ciphers. Only for servers that nobody can update.
	LegacyAlgorithms bool
}

// TLS is the part of an [Endpoint] that only FTPS uses. The zero value trusts the system's
// authorities, and takes TLS 1.2 and later with AEAD and forward secrecy.
type TLS struct {
	// Config is a configuration of the program's own, which must not change any more; nil
	// means the defaults. Certificates, GetClientCertificate, RootCAs, ServerName ("" means
	// [Endpoint.Host]), VerifyConnection, VerifyPeerCertificate, MaxVersion, CipherSuites,
	// CurvePreferences, Time, Rand, KeyLogWriter and Encrypted Client Hello are taken from
	// it, and a MinVersion of more than the lowest version that is allowed. Control and data
	// connections use it alike. What only servers use has no effect. Refused are
	//   - InsecureSkipVerify without the field of that name below;
	//   - a MaxVersion, or CipherSuites, that need LegacyAlgorithms; RC4 and 3DES always;
	//   - ClientSessionCache and SessionTicketsDisabled: servers demand that a data
	//     connection resumes the session of its own control connection (RFC 4217, section
	//     10.2), so that each control connection has its own cache;
	//   - NextProtos other than "ftp" (RFC 7301), and Renegotiation.
	Config *tls.Config
	// CAFile is a PEM file of authorities that are trusted in addition to Config.RootCAs,
	// or instead of the system's if there are none.
	CAFile string
	// PinnedPublicKeys, if set, must contain the SHA-256 of the server
	// certificate's SubjectPublicKeyInfo, as "SHA256:" and base64. The
	// certificate must verify as well.
	PinnedPublicKeys []string
	// LegacyAlgorithms also allows TLS 1.0 and 1.1 and, up to TLS 1.2, suites
	// with CBC or RSA key exchange. Only for servers that nobody can update.
	LegacyAlgorithms bool
	// InsecureSkipVerify accepts any certificate: anyone on the way can then
	// read the password and every file, and change them. For tests only, or with
	// a Config.VerifyConnection that checks the server in its own way.
	InsecureSkipVerify bool
}

// Addr returns host:port, with the protocol's own port for 0.
func (ep *Endpoint) Addr() string {
	port := ep.Port
	if port == 0 {
		port = ep.Protocol.DefaultPort()
	}
	return net.JoinHostPort(ep.Host, strconv.Itoa(port))
}

// WithDefaults returns a copy with the defaults of ConnectTimeout, Stall and MinRate filled
// in, for whoever connects to it. A negative Stall or MinRate stays: it means none.
func (ep *Endpoint) WithDefaults() *Endpoint {
	with := *ep
	if with.ConnectTimeout <= 0 {
		with.ConnectTimeout = DefaultConnectTimeout
	}
	with.Stall = cmp.Or(with.Stall, DefaultStall)
	with.MinRate = cmp.Or(with.MinRate, DefaultMinRate)
	return &with
}

// Fail makes an [*Error] of err in the name of this endpoint. Where err holds an
// FTP reply, its code and the wait that it asks for are filled in.
func (ep *Endpoint) Fail(op, path string, kind Kind, err error) *Error {
	e := &Error{Op: op, Path: path, Addr: ep.Addr(), Protocol: ep.Protocol, Kind: kind, Err: err}
	var reply *textproto.Error
	if errors.As(err, &reply) {
		e.Code, e.RetryAfter = reply.Code, RetryAfterOf(reply.Code, reply.Msg)
	}
	return e
}
