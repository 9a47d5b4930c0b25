package ftpx

import (
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// The names of packages transport and retry that a program of its own meets: it imports
// this package alone.
type (
	// Kind says what went wrong, see [KindOf].
	Kind = transport.Kind
	// EntryType tells what an [Entry] is.
	EntryType = transport.EntryType
	// SSH are the settings for SFTP.
	SSH = transport.SSH
	// TLS are the settings for FTPS.
	TLS = transport.TLS
	// RetryPolicy says what is tried again and how long, see [Options].Retry.
	RetryPolicy = retry.Policy
	// RetryError says that the retry policy has been used up, and what each attempt met.
	RetryError = retry.Error
	// DialFunc opens a connection, see [Options].Dial.
	DialFunc = transport.DialFunc
	// TransportError is the error of a driver, with the server's reply code; errors.As
	// finds it in an [*Error].
	TransportError = transport.Error
)

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
	// ErrListingTooLong: a listing would have used up the memory, see [Options].MaxListing.
	ErrListingTooLong = transport.ErrListingTooLong
)
