package cli

import (
	"errors"
	"slices"

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
	// ExitUnknown: of some files it is not known whether they are there, and nothing
	// else failed. Of jobs with an end alone: uploader and downloader call that
	// ExitSome, and a watch has told of it when it happened.
	ExitUnknown = 6
	// ExitLocked: another run of the same job is under way. Of jobs alone.
	ExitLocked = 7
	// ExitInterrupted: a signal ended it; partials have been kept.
	ExitInterrupted = 130
)

// exitHelp is the part of a command's -h that lists the exit codes.
const exitHelp = `
Exit codes:
  0    all files are there, whole
  1    some files failed, could not be read, or have vanished; each is named
  2    bad usage: flags, URL, a source that does not exist
  3    no connection could be made, or it could not be restored
  4    the login was refused
  5    the server's identity (host key or certificate) did not verify
  130  interrupted; partials are kept, and the next run goes on from them
`

// jobExitHelp is the same for commands that run jobs.
const jobExitHelp = `
Exit codes:
  0    all is done; compared files are equal
  1    some files failed, or deleting was refused; each is named
  2    bad usage: flags, configuration file, URL, a local source that does not exist
  3    no connection could be made, or it could not be restored
  4    the login was refused
  5    the server's identity (host key or certificate) did not verify
  6    mirror: the outcome of some files is unknown, nothing failed: check whether they
       arrived; with -ledger another run does not send them without -resend-unknown
  7    another run holds the job's lock or its ledger
  130  interrupted; partials are kept, and the next run goes on from them
Of several jobs or targets: the code of those that did not end with 0 if they
agree, else 1.
`

// ExitCode is an exit code and what it means.
type ExitCode struct {
	// Code is the number.
	Code int
	// Meaning says what it means, in a line.
	Meaning string
}

// ExitCodes are those of the one command.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{ExitDone, "all is done; compared files are equal"},
		{ExitSome, "some files failed or differ, or deleting was refused; each is named"},
		{ExitUsage, "bad usage: flags, configuration, address, a local source that does not exist"},
		{ExitConnect, "no connection could be made, or it could not be restored"},
		{ExitLogin, "the login was refused"},
		{ExitIdentity, "the server's identity (host key or certificate) did not verify"},
		{ExitUnknown, "the outcome of some files is unknown, nothing failed: check whether they arrived"},
		{ExitLocked, "another run holds the job's lock or its ledger"},
		{ExitInterrupted, "interrupted; what has arrived is kept, and the same command goes on from there"},
	}
}

// ErrUsage marks what the caller must change on the command line.
var ErrUsage = errors.New("usage")

// ExitOf is the exit code of an error that ended a whole run: bad usage, no
// connection, or none any more.
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

// Together is the exit code of several things that were done.
func Together(codes []int) int {
	codes = slices.DeleteFunc(slices.Clone(codes), func(c int) bool { return c == ExitDone })
	switch {
	case len(codes) == 0:
		return ExitDone
	case slices.Contains(codes, ExitInterrupted):
		return ExitInterrupted
	case len(slices.Compact(codes)) == 1:
		return codes[0]
	}
	return ExitSome
}

// Hint names the flags that have to do with a failure, in a line, or is empty.
func Hint(err error) string { return hint(err) }

// EndsAll reports whether an error is the server's, so that every other file would
// meet it too.
func EndsAll(err error) bool { return ftpx.EndsAll(err) }

// hint names the flags that have to do with a failure; the library's own text
// names its options.
func hint(err error) string {
	if errors.Is(err, transport.ErrNoDataConn) {
		return "the server's passive ports are closed to us, by a firewall or because its passive address is wrong; -protocols sftp needs none"
	}
	switch ftpx.KindOf(err) {
	case transport.KindAuth:
		return "the password comes from FTPX_PASSWORD, -password-file or a prompt, keys from -identity or -agent"
	case transport.KindHostKey:
		return "-known-hosts, -host-key and -tofu say which host keys to trust"
	case transport.KindCertificate:
		return "-ca names a file of authorities to trust"
	case transport.KindUnreachable, transport.KindTimeout, transport.KindNotOffered:
		return "-protocols and -sftp-port, -ftp-port, -ftps-port, -ftps-implicit-port say what to try and where, -retry-for how long"
	}
	return ""
}
