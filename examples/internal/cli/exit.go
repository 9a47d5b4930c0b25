package cli

import (
	"errors"
	"fmt"
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

// ExitCode is an exit code and what it means.
type ExitCode struct {
	// Code is the number.
	Code int
	// Meaning says what it means, in a line.
	Meaning string
}

// ExitCodes are those of all commands: the one table.
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

// exitHelp is the part of a command's -h that lists the exit codes. Those of jobs alone are in
// it with jobs.
func exitHelp(jobs bool) string {
	text := "\nExit codes:\n"
	for _, c := range ExitCodes() {
		if jobs || c.Code != ExitUnknown && c.Code != ExitLocked {
			text += fmt.Sprintf("  %-4d %s\n", c.Code, c.Meaning)
		}
	}
	if jobs {
		text += "Of several jobs or targets: the code of those that did not end with 0 if they\nagree, else 1.\n"
	}
	return text
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
		var key *transport.HostKeyError
		if errors.As(err, &key) && key.Jump {
			return "-known-hosts and -tofu say which keys of jump hosts to trust"
		}
		return "-known-hosts, -host-key and -tofu say which host keys to trust"
	case transport.KindCertificate:
		return "-ca names a file of authorities to trust"
	case transport.KindUnreachable, transport.KindTimeout, transport.KindNotOffered:
		return "-protocols and -sftp-port, -ftp-port, -ftps-port, -ftps-implicit-port say what to try and where, -retry-for how long"
	}
	return ""
}
