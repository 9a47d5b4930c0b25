//go:build linux

package realserver

import "errors"

// A Kind says which server program to run.
type Kind string

// The kinds that Start knows.
const (
	VSFTPD   Kind = "vsftpd"
	ProFTPD  Kind = "ProFTPD"
	PureFTPd Kind = "Pure-FTPd"
	OpenSSH  Kind = "OpenSSH"
	// Erlang is ssh_sftpd of Erlang/OTP. It gives handles away twice.
	Erlang Kind = "Erlang"
	// Rclone is rclone serve sftp. It stores whole objects, when a file is closed.
	Rclone Kind = "rclone"
)

// Kinds returns the kinds that do what is to be expected of a server, FTP servers first:
// all but Erlang and Rclone, which serve Root as root and know no options.
func Kinds() []Kind { return []Kind{VSFTPD, ProFTPD, PureFTPd, OpenSSH} }

// FTPKinds returns the kinds that speak FTP and FTPS.
func FTPKinds() []Kind { return []Kind{VSFTPD, ProFTPD, PureFTPd} }

// A TLSMode says how an FTP server uses TLS.
type TLSMode int

// The modes of an FTP server. OpenSSH knows TLSOff only.
const (
	TLSOff      TLSMode = iota // AUTH TLS is refused
	TLSAllowed                 // AUTH TLS is offered, plain logins work too
	TLSRequired                // logins and data must be under TLS (AUTH TLS, PROT P)
	TLSImplicit                // TLS from the first byte, as on port 990; Pure-FTPd has no such mode
)

// String names the mode for test names and error texts.
func (m TLSMode) String() string {
	switch m {
	case TLSOff:
		return "plain"
	case TLSAllowed:
		return "explicit-allowed"
	case TLSRequired:
		return "explicit-required"
	case TLSImplicit:
		return "implicit"
	}
	return "unknown TLS mode"
}

// ErrMissing is what Available and Start answer, wrapped, when this machine
// cannot run the server: its program is not installed, or the caller is not root.
var ErrMissing = errors.New("real server not available")

// ErrUnsupported is what Start answers, wrapped, when the kind cannot do what an
// option asks for. Nothing is ever left out silently: a test that asks for a
// limit and gets a server without one would prove nothing.
var ErrUnsupported = errors.New("option not supported by this kind of server")
