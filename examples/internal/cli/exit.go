package cli

import (
	"errors"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Exit codes of the commands.
const (
	// ExitDone: every file is there, whole.
	ExitDone = 0
	// ExitSome: some files failed; each has been named.
	ExitSome = 1
	// ExitUsage: bad flags, a malformed URL, a source that does not exist.
	ExitUsage = 2
	// ExitConnect: no connection could be made.
	ExitConnect = 3
	// ExitLogin: the login was refused.
	ExitLogin = 4
	// ExitIdentity: the server's host key or certificate did not verify.
	ExitIdentity = 5
	// ExitInterrupted: a signal ended it; partials have been kept.
	ExitInterrupted = 130
)

// ExitHelp is the part of a command's -h that lists the exit codes.
const ExitHelp = `
Exit codes:
  0    all files are there, whole
  1    some files failed; each is named
  2    bad usage: flags, URL, a source that does not exist
  3    no connection could be made
  4    the login was refused
  5    the server's host key or certificate did not verify
  130  interrupted; partials are kept, and the next run goes on from them
`

// ErrUsage marks what the caller must change on the command line.
var ErrUsage = errors.New("usage")

// ExitOf is the exit code of an error of opening a connection.
func ExitOf(err error) int {
	if errors.Is(err, ErrUsage) {
		return ExitUsage
	}
	switch ftpx.KindOf(err) {
	case transport.KindCanceled:
		return ExitInterrupted
	case transport.KindInvalid:
		return ExitUsage
	case transport.KindAuth:
		return ExitLogin
	case transport.KindHostKey, transport.KindCertificate:
		return ExitIdentity
	}
	return ExitConnect
}
