package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/textproto"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Error is how every driver reports a failure.
//
// It unwraps to its cause: errors.As finds a *textproto.Error if the server
// replied, and errors.Is finds context.Canceled. Its Kind answers errors.Is for
// fs.ErrNotExist, fs.ErrExist and fs.ErrPermission. Its text holds no password:
// commands with a password are named, never quoted.
type Error struct {
	// Op is the FTP command or SFTP request at fault, such as "STOR" or
	// "SSH_FXP_OPEN", or the step of connecting: "dial", "handshake", "login".
	Op string
	// Path is the remote path, if there was one.
	Path string
	// Addr is the server's address, host:port.
	Addr string
	// Protocol is the protocol spoken.
	Protocol Protocol
	// Kind says what went wrong.
	Kind Kind
	// Code is the FTP reply code or the SFTP status code, 0 if none.
	Code int
	// MayHaveActed says that the request may have taken effect although no
	// answer arrived. It is false after a definite refusal.
	MayHaveActed bool
	// RetryAfter is how long the server asks the client to wait, 0 if it does not say.
	RetryAfter time.Duration
	// Err is the cause.
	Err error
}

// Error returns one line: protocol, address, operation, path, kind and cause.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Protocol.Valid() {
		b.WriteString(e.Protocol.String() + " ")
	}
	if e.Addr != "" {
		b.WriteString(e.Addr + ": ")
	}
	if e.Op != "" && !strings.HasPrefix(e.Kind.String(), e.Op+" ") { // not "login login refused"
		b.WriteString(e.Op + " ")
	}
	if e.Path != "" {
		fmt.Fprintf(&b, "%q ", e.Path)
	}
	b.WriteString(e.Kind.String())
	if e.Err != nil {
		b.WriteString(": " + Printable(e.Err.Error()))
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the Kind is that of a portable error of io/fs.
func (e *Error) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e.Kind == KindNotExist
	case fs.ErrExist:
		return e.Kind == KindExist
	case fs.ErrPermission:
		return e.Kind == KindPermission
	case errors.ErrUnsupported:
		return e.Kind == KindUnsupported
	}
	return false
}

// Printable replaces control characters, so that what a server said cannot
// move the cursor of a terminal or forge a line in a log.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // these turn the writing round
			return '\uFFFD'
		}
		return r
	}, strings.TrimRight(s, "\r\n"))
}

// LocalError marks an error of the caller's own source or destination, so that
// it is not taken for one of the connection.
type LocalError struct {
	// Writing is true for a destination, false for a source.
	Writing bool
	// Err is what the reader or writer returned.
	Err error
}

// Error names the side at fault.
func (e *LocalError) Error() string {
	if e.Writing {
		return "write destination: " + e.Err.Error()
	}
	return "read source: " + e.Err.Error()
}

// Unwrap returns what the reader or writer returned.
func (e *LocalError) Unwrap() error { return e.Err }

// ErrStalled is the cause of a [KindStalled]: no byte moved in either direction
// for longer than [Endpoint.Stall], or fewer than [Endpoint.MinRate] allows.
var ErrStalled = errors.New("no data moved within the stall time")

// ErrNoDataConn is in the error of a transfer or listing over FTP if its data connection
// could not be opened although the control connection works: the server's passive ports
// cannot be reached, or its passive address is wrong.
var ErrNoDataConn = errors.New("open data connection")

// ErrHandleReused is the cause of a [KindLost] on SFTP: the server answered an open request
// with the handle of a file that was still open, so that the bytes of one file go into the
// other. Everything in flight on the connection ends. A file that was being written must
// start again under another name, because the server may still write the bytes that it has
// received.
var ErrHandleReused = errors.New("the server gave one handle to two open files")

// KindOf names the kind of any error: of an [*Error] its Kind, of a bare
// *textproto.Error what [KindOfReply] says without knowing the command, of the
// errors of net, crypto/tls, ssh, io, io/fs and context what they mean; an *fs.PathError
// is one of a local file. An ended context
// and a stall come before what closing the sockets brought up. An error with a
// method FailureKind, such as [retry.Error], is asked. It is KindUnknown for nil.
//
// [retry.Error]: https://pkg.go.dev/github.com/seed01fc2e40/go-ftpx/retry#Error
func KindOf(err error) Kind {
	if err == nil {
		return KindUnknown
	}
	if own, ok := errors.AsType[kinder](err); ok {
		return own.FailureKind()
	}
	if te, ok := errors.AsType[*Error](err); ok {
		return te.Kind
	}
	if _, ok := errors.AsType[*LocalError](err); ok {
		return KindLocal
	}
	if errors.Is(err, ErrStalled) {
		return KindStalled
	}
	if errors.Is(err, context.Canceled) {
		return KindCanceled
	}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		return KindOfReply("", reply.Code, reply.Msg)
	}
	if k := kindOfTLS(err); k != KindUnknown {
		return k
	}
	if k := kindOfSSH(err); k != KindUnknown {
		return k
	}
	return kindOfNet(err)
}

// A kinder is an error that says itself of what kind it is.
type kinder interface {
	error
	FailureKind() Kind
}

// WasReset reports whether an error of a lost connection says that it was reset, or that
// the kernel has given it up; otherwise the other side has ended it in good order.
func WasReset(err error) bool { return isAny(err, lostErrnos) }

func kindOfNet(err error) Kind {
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	var syntax textproto.ProtocolError
	var file *fs.PathError
	var link *os.LinkError
	var errno syscall.Errno
	switch {
	case errors.As(err, &dns):
		if dns.IsNotFound {
			return KindNoHost
		}
		return KindUnreachable
	case isAny(err, unreachableErrnos):
		return KindUnreachable
	// Before the context: net's own timeouts say that they are DeadlineExceeded.
	case errors.As(err, &op) && op.Op == "dial" && (op.Timeout() || errors.Is(err, errnoTimedOut)):
		return KindTimeout
	case errors.Is(err, context.DeadlineExceeded):
		return KindCanceled
	case isAny(err, lostErrnos), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed):
		return KindLost
	case errors.As(err, &timeout) && timeout.Timeout():
		return KindStalled
	case errors.As(err, &syntax):
		return KindProtocol
	case errors.As(err, &file), errors.As(err, &link):
		return KindLocal
	case op != nil, errors.As(err, &errno):
		return KindUnknown // "connect: permission denied" is a firewall's word, about no file
	}
	return kindOfFS(err)
}

// kindOfFS is for the errors of io/fs that stand alone, without a local file's name.
func kindOfFS(err error) Kind {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return KindNotExist
	case errors.Is(err, fs.ErrExist):
		return KindExist
	case errors.Is(err, fs.ErrPermission):
		return KindPermission
	case errors.Is(err, fs.ErrInvalid):
		return KindInvalid
	case errors.Is(err, errors.ErrUnsupported):
		return KindUnsupported
	}
	return KindUnknown
}

func isAny(err error, targets []error) bool {
	for _, t := range targets {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

func kindOfTLS(err error) Kind {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &invalid):
		return KindCertificate
	case errors.As(err, &header):
		// Conn is set when the very first answer is not TLS; later it is
		// garbage on the line.
		if header.Conn == nil {
			return KindProtocol
		}
		return KindNotOffered
	case errors.As(err, &op) && op.Op == "remote error":
		return kindOfAlert(op.Err.Error())
	}
	return KindUnknown
}

// kindOfAlert judges a TLS alert of the peer (RFC 8446 section 6.2), which
// crypto/tls tells apart by its text alone.
func kindOfAlert(text string) Kind {
	switch {
	case contains(text, "certificate", "access denied"):
		return KindAuth // it does not like ours, or wants one
	case contains(text, "protocol version", "insufficient security", "handshake failure", "no application protocol"):
		return KindInsecure
	}
	return KindProtocol
}

// kindOfSSH judges what x/crypto/ssh tells apart by type or, mostly, by text.
func kindOfSSH(err error) Kind {
	var key *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	var algorithms *ssh.AlgorithmNegotiationError
	var channel *ssh.OpenChannelError
	switch {
	case err == nil:
		return KindUnknown
	case errors.As(err, &key), errors.As(err, &revoked):
		return KindHostKey
	case errors.As(err, &algorithms):
		return KindInsecure
	case errors.As(err, &channel):
		if channel.Reason == ssh.ResourceShortage || channel.Reason == ssh.ConnectionFailed {
			return KindBusy // OpenSSH at MaxSessions: "open failed"
		}
		return KindRefused
	}
	text := err.Error()
	switch {
	case !strings.Contains(text, "ssh: "):
	case strings.Contains(text, "ssh: unable to authenticate"):
		return KindAuth
	case strings.Contains(text, "ssh: disconnect, reason 12:"): // SSH_DISCONNECT_TOO_MANY_CONNECTIONS
		return KindBusy
	case strings.Contains(text, "ssh: disconnect, reason 14:"), // SSH_DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE
		strings.Contains(text, "Too many authentication failures"):
		return KindAuth
	case strings.Contains(text, "ssh: disconnect, reason "):
		return KindLost
	}
	return KindUnknown
}
