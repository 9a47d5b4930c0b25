//go:build linux

package realserver

import (
	"errors"
	"slices"
)

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
	// PyFTPd is pyftpdlib, a library for FTP servers in Python.
	PyFTPd Kind = "pyftpdlib"
	// Inetutils is ftpd of the GNU inetutils, the BSD server of old. It tells neither
	// FEAT nor MLSD, and knows no TLS.
	Inetutils Kind = "inetutils"
	// BusyBox is its ftpd, as embedded systems have it.
	BusyBox Kind = "BusyBox"
	// AsyncSSH is the SFTP server of asyncssh, in Python.
	AsyncSSH Kind = "asyncssh"
	// GoFTP is goftp.io/server/v2 (built by .ci/run from the folder peers).
	GoFTP Kind = "goftp"
	// FTPSrv is ftp-srv, a library for FTP servers in JavaScript (installed by .ci/run).
	FTPSrv Kind = "ftp-srv"
	// SFTPGo and SFTPGoFTP are the SFTP and the FTP side of github.com/drakkan/sftpgo
	// (built by .ci/run).
	SFTPGo    Kind = "SFTPGo"
	SFTPGoFTP Kind = "SFTPGo-FTP"
)

// Kinds returns the kinds that do what is to be expected of a server, FTP servers first.
// They know most options; the others hardly any but TLS.
func Kinds() []Kind { return []Kind{VSFTPD, ProFTPD, PureFTPd, OpenSSH} }

// FTPKinds returns the kinds that speak FTP and FTPS.
func FTPKinds() []Kind { return []Kind{VSFTPD, ProFTPD, PureFTPd} }

// FurtherFTPKinds returns FTP servers beside those, and FurtherSFTPKinds those of SFTP:
// all that take a file's beginning for granted. Erlang and Rclone, which do not, have
// tests of their own, serve Root as root and know no options.
func FurtherFTPKinds() []Kind { return []Kind{PyFTPd, Inetutils, BusyBox, GoFTP, FTPSrv, SFTPGoFTP} }

// FurtherSFTPKinds: see FurtherFTPKinds.
func FurtherSFTPKinds() []Kind { return []Kind{AsyncSSH, SFTPGo} }

// SpeaksTLS reports whether an FTP server knows AUTH TLS. That of ftp-srv is of no use: it
// begins TLS a moment after its 234, and what comes before that it reads as a command.
func (k Kind) SpeaksTLS() bool {
	return slices.Contains(FTPKinds(), k) || k == PyFTPd || k == GoFTP || k == SFTPGoFTP
}

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
