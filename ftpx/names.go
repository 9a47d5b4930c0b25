package ftpx

import (
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The names of packages transport and retry that a program of its own meets: it imports
// this package alone.
type (
	// Protocol is SFTP, FTPS, FTPSImplicit or FTP.
	Protocol = transport.Protocol
	// Secret is a password that does not print.
	Secret = transport.Secret
	// SSH are the settings for SFTP, see [Options].
	SSH = transport.SSH
	// TLS are the settings for FTPS, see [Options].
	TLS = transport.TLS
	// Keyring remembers unlocked SSH keys, see [SSH].
	Keyring = transport.Keyring
	// RetryPolicy says what is tried again and how long, see [Options].
	RetryPolicy = retry.Policy
	// DialFunc opens a connection, see [Options].
	DialFunc = transport.DialFunc
	// Endpoint is one server with one protocol, see [Options].Connect.
	Endpoint = transport.Endpoint
	// Conn is a connection, see [Options].Connect.
	Conn = transport.Conn

	// Entry describes a remote file or folder.
	Entry = transport.Entry
	// EntryType tells what an [Entry] is.
	EntryType = transport.EntryType
	// Info describes a connection.
	Info = transport.Info

	// Kind says what went wrong, see [KindOf].
	Kind = transport.Kind
	// RetryError says that the retry policy has been used up, and what each attempt met.
	RetryError = retry.Error
	// TransportError is the error of a driver, with the server's reply code; errors.As
	// finds it in an [*Error].
	TransportError = transport.Error
)

// The protocols, see package transport.
const (
	SFTP         = transport.SFTP
	FTPS         = transport.FTPS
	FTPSImplicit = transport.FTPSImplicit
	FTP          = transport.FTP
)

// ParseProtocol reads "sftp", "ftps" (explicit TLS), "ftps-implicit" or "ftp".
func ParseProtocol(name string) (Protocol, error) { return transport.ParseProtocol(name) }

// The types of an [Entry].
const (
	TypeUnknown = transport.TypeUnknown
	TypeFile    = transport.TypeFile
	TypeDir     = transport.TypeDir
	TypeLink    = transport.TypeLink
	TypeOther   = transport.TypeOther
)

// The kinds of failure, described in package transport.
const (
	KindUnknown     = transport.KindUnknown
	KindCanceled    = transport.KindCanceled
	KindInvalid     = transport.KindInvalid
	KindLocal       = transport.KindLocal
	KindNoHost      = transport.KindNoHost
	KindUnreachable = transport.KindUnreachable
	KindTimeout     = transport.KindTimeout
	KindNotOffered  = transport.KindNotOffered
	KindAuth        = transport.KindAuth
	KindHostKey     = transport.KindHostKey
	KindCertificate = transport.KindCertificate
	KindInsecure    = transport.KindInsecure
	KindBusy        = transport.KindBusy
	KindLost        = transport.KindLost
	KindStalled     = transport.KindStalled
	KindTruncated   = transport.KindTruncated
	KindProtocol    = transport.KindProtocol
	KindTemporary   = transport.KindTemporary
	KindLocked      = transport.KindLocked
	KindRestart     = transport.KindRestart
	KindNotExist    = transport.KindNotExist
	KindExist       = transport.KindExist
	KindPermission  = transport.KindPermission
	KindName        = transport.KindName
	KindNoSpace     = transport.KindNoSpace
	KindQuota       = transport.KindQuota
	KindUnsupported = transport.KindUnsupported
	KindRefused     = transport.KindRefused
)

// The errors of the drivers.
var (
	// ErrStalled is the cause of a [KindStalled].
	ErrStalled = transport.ErrStalled
	// ErrNoDataConn: the data connection of an FTP transfer could not be opened.
	ErrNoDataConn = transport.ErrNoDataConn
	// ErrListingTooLong: a listing would have used up the memory, see [Limits].
	ErrListingTooLong = transport.ErrListingTooLong
)
