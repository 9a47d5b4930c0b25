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
	// ExitConnect: no connection could be made, or none any more.
	ExitConnect = 3
	// ExitLogin: the login was refused.
	ExitLogin = 4
	// ExitIdentity: the server's host key or certificate did not verify.
	ExitIdentity = 5
	// ExitInterrupted: a signal ended it; partials have been kept.
	ExitInterrupted = 130
)

// exitHelp is the part of a command's -h that lists the exit codes.
const exitHelp = `
Exit codes:
  0    all files are there, whole
  1    some files failed, could not be read, or have vanished; each is named
  2    bad usage: flags, URL, a source that does not exist
  3    no connection could be made, or after a loss none again
  4    the login was refused
  5    the server's identity (host key or certificate) did not verify
  130  interrupted; partials are kept, and the next run goes on from them
`

// ErrUsage marks what the caller must change on the command line.
var ErrUsage = errors.New("usage")

// ExitOf is the exit code of an error that ended a command before its first file:
// bad usage, or no connection.
func ExitOf(err error) int {
	kind := ftpx.KindOf(err)
	switch {
	case kind == transport.KindCanceled: // also at a prompt, whose errors are of usage
		return ExitInterrupted
	case errors.Is(err, ErrUsage):
		return ExitUsage
	}
	switch kind {
	case transport.KindInvalid, transport.KindLocal: // such as a key file that cannot be read
		return ExitUsage
	case transport.KindAuth:
		return ExitLogin
	case transport.KindHostKey, transport.KindCertificate:
		return ExitIdentity
	}
	return ExitConnect
}
