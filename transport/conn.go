package transport

import (
	"context"
	"slices"
	"time"
)

// Conn is one logged-in connection to a server.
//
// Up to [Caps].Overlap calls of Do may run at once. Close, Usable and Info may be called at
// any time from any goroutine.
//
// Paths are sent as they are: relative ones are relative to the login folder. A request
// whose path holds CR, LF or NUL is refused with [KindInvalid] before it is sent. Errors
// are [*Error].
type Conn interface {
	// Info describes the connection: what was negotiated and what the server can do.
	Info() Info

	// Do carries out a batch as if each request were sent after the answer to the
	// previous one. The results are in the requests. The error is about the session
	// only: it says why the session ended, and is nil if the server merely refused a
	// request.
	//
	// Do obeys its context at once, by closing the sockets. After that, and after any
	// failure that leaves the state of the session unknown, Usable is false and every
	// later call fails. Concurrent calls fail with the session.
	Do(ctx context.Context, b *Batch) error

	// Usable reports whether the session is in a known state. It asks nothing of the
	// server.
	Usable() bool

	// Close ends the session. It says goodbye on a healthy session, but never waits for
	// the server. It may be called twice, and from any goroutine; calls in flight fail.
	Close() error
}

// Info describes an open connection.
type Info struct {
	// Protocol is the protocol spoken.
	Protocol Protocol
	// Addr is the address that was dialled, host:port.
	Addr string
	// Peer is what the socket is connected to, an IP address and port: the server, or a proxy
	// on the way. "" where there is no such thing.
	Peer string
	// Server is how the server names itself: greeting or SSH version. It is
	// hostile input; control characters have been removed.
	Server string
	// RoundTrip is the shortest round trip seen while connecting.
	RoundTrip time.Duration
	// Caps is what the server can do.
	Caps Caps
	// Security is what was negotiated, nil on plain FTP.
	Security *Security
}

// Caps tells what a server can do, as far as it says or has shown.
type Caps struct {
	// ReplaceOnRename: [Rename] with Replace takes the place of an existing file
	// in one step. On FTP it is assumed until a server shows otherwise.
	ReplaceOnRename bool
	// WriteWindow is how many bytes before a file's end may be holes after an
	// interrupted Store, because writes overlap; 0 if the file never has holes.
	WriteWindow int64
	// Truncate: [Truncate] works.
	Truncate bool
	// SetTime: [SetTime] is expected to work.
	SetTime bool
	// ExactTimes: Stat gives times exact to the second.
	ExactTimes bool
	// Hashes are the algorithms that [Hash] offers, strongest first, from
	// "sha512", "sha256", "sha1", "md5", "crc32".
	Hashes []string
	// HashRanges: [Hash] takes an offset and a length.
	HashRanges bool
	// OneStream says that a file must not be moved over several connections at once.
	OneStream bool
	// Overlap is how many calls of [Conn.Do] may run at once; 0 means one. If one of them
	// closes the socket (because of its context, a stall or a lost line), all of them end.
	Overlap int
	// InTurn says that concurrent calls are carried out one after the other, so a short
	// call waits for a long one before it. Overlap then saves one round trip: the end of
	// one call and the start of the next leave together.
	InTurn bool
}

// HasHash reports whether algo is offered.
func (c Caps) HasHash(algo string) bool { return slices.Contains(c.Hashes, algo) }

// Security is what protects a connection.
type Security struct {
	// Version is "TLS 1.3", "TLS 1.2" or "SSH 2.0".
	Version string
	// KeyExchange is the TLS curve or the SSH key exchange.
	KeyExchange string
	// Cipher is the TLS cipher suite or the SSH cipher, client to server.
	Cipher string
	// MAC is the SSH message authentication code, client to server; "" where the
	// cipher authenticates by itself (AEAD), as all of TLS 1.3.
	MAC string
	// HostKey is the SHA-256 fingerprint of the SSH host key, or of the TLS
	// certificate's public key, as "SHA256:" and base64.
	HostKey string
	// CertificateExpiry is when the server's certificate ends; zero for a bare
	// SSH host key.
	CertificateExpiry time.Time
	// PostQuantum says that the key exchange is a hybrid with a post-quantum part.
	PostQuantum bool
}
