package transport

import (
	"fmt"
	"strings"
)

// Protocol is one way to move files to and from a server. Zero is none, or not known.
type Protocol uint8

// The protocols, in the order in which a client prefers them.
const (
	// SFTP is the SSH File Transfer Protocol, version 3
	// (draft-ietf-secsh-filexfer-02), over SSH, port 22.
	SFTP Protocol = iota + 1
	// FTPS is FTP with explicit TLS (AUTH TLS, RFC 4217), port 21.
	FTPS
	// FTPSImplicit is FTP inside TLS from the first byte, port 990.
	FTPSImplicit
	// FTP is plain FTP (RFC 959), port 21. Nothing in it is secret.
	FTP
)

var protocolNames = [...]string{SFTP: "sftp", FTPS: "ftps", FTPSImplicit: "ftps-implicit", FTP: "ftp"}

// String returns the name that [ParseProtocol] reads: "sftp", "ftps" (explicit
// TLS), "ftps-implicit" or "ftp".
func (p Protocol) String() string {
	if p.Valid() {
		return protocolNames[p]
	}
	return fmt.Sprintf("protocol(%d)", uint8(p))
}

// Valid reports whether p is one of the four protocols.
func (p Protocol) Valid() bool { return p >= SFTP && p <= FTP }

// Secure reports whether passwords and payload are encrypted on the way.
func (p Protocol) Secure() bool { return p == SFTP || p == FTPS || p == FTPSImplicit }

// IsFTP reports whether p speaks FTP on its control connection, in clear or
// inside TLS.
func (p Protocol) IsFTP() bool { return p == FTPS || p == FTPSImplicit || p == FTP }

// DefaultPort returns the port that IANA assigned: 22, 21, 990 or 21.
func (p Protocol) DefaultPort() int {
	switch p {
	case SFTP:
		return 22
	case FTPSImplicit:
		return 990
	default:
		return 21
	}
}

// MarshalText makes a Protocol readable in JSON and logs.
func (p Protocol) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what [ParseProtocol] does.
func (p *Protocol) UnmarshalText(text []byte) (err error) {
	*p, err = ParseProtocol(string(text))
	return err
}

// ParseProtocol reads a name as [Protocol.String] writes it, in any case, and
// "ftpes" as another name of "ftps".
func ParseProtocol(name string) (Protocol, error) {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "sftp":
		return SFTP, nil
	case "ftps", "ftpes":
		return FTPS, nil
	case "ftps-implicit":
		return FTPSImplicit, nil
	case "ftp":
		return FTP, nil
	}
	return 0, fmt.Errorf("unknown protocol %q: use sftp, ftps (explicit TLS), ftps-implicit or ftp", name)
}
