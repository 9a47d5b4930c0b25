package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"regexp"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Words is the text of an error for who typed a command: it names flags where the
// library names its options, and each cause once.
func Words(err error) string {
	text := strings.TrimPrefix(err.Error(), ErrUsage.Error()+": ")
	var sel *ftpx.ProtocolsError
	if errors.As(err, &sel) {
		text = strings.Replace(text, "connect "+transport.KindUnreachable.String()+": "+transport.Printable(sel.Error()), tried(sel), 1)
	}
	text = strings.NewReplacer(
		"set Password, IdentityFiles, Signers, Agent or KeyboardInteractive", "give a password (FTPX_PASSWORD, -password-file) or a key (-identity, -agent)",
		"or pin it in HostKeyFingerprints, or set TrustOnFirstUse", "or pin it with -host-key, or use -tofu",
	).Replace(forJump(text, err))
	// The old commands write flags with one dash, and their name of this one is older.
	return transport.Printable(strings.ReplaceAll(oneDash.ReplaceAllString(flagged(text), "$1-$2"), "-connections", "-parallel"))
}

// oneDash finds the two dashes of a flag.
var oneDash = regexp.MustCompile(`(^|[\s(,;])--([a-z])`)

// forJump leaves out of a text what does not help if the host key that an error is about is
// that of a jump host: pinned keys are the server's.
func forJump(text string, err error) string {
	var key *transport.HostKeyError
	if errors.As(err, &key) && key.Jump {
		text = strings.Replace(text, ", or pin it in HostKeyFingerprints, or set TrustOnFirstUse", "", 1)
	}
	return text
}

// tried says which protocols were tried, and why each could not be used.
func tried(sel *ftpx.ProtocolsError) string {
	short := *sel
	short.Tried = nil
	rest := strings.TrimPrefix(short.Error(), "no protocol could be used:") // what was held back
	var parts []string
	for _, t := range sel.Tried {
		parts = append(parts, fmt.Sprintf("%v: %s", t.Protocol, cause(t.Err)))
	}
	return strings.Join(parts, "; ") + rest
}

// cause is why one protocol could not be used, without what has been said.
func cause(err error) string {
	var te *transport.Error
	if !errors.As(err, &te) {
		return err.Error()
	}
	var op *net.OpError
	if te.Op == "dial" && te.Addr != "" && errors.As(te.Err, &op) && op.Err != nil {
		last := op.Err
		for inner := errors.Unwrap(last); inner != nil; inner = errors.Unwrap(inner) {
			last = inner
		}
		return te.Addr + ": " + last.Error()
	}
	rest := *te
	rest.Protocol = 0
	return rest.Error()
}

// missing names a file that was asked for, by whatever asked for it, and why it
// cannot be had.
func missing(by string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = fmt.Errorf("%s: %w", at.Path, at.Err)
	}
	if by != "" {
		err = fmt.Errorf("%s %w", by, err)
	}
	return fmt.Errorf("%w: %w", ErrUsage, err)
}

// Missing is the error of a file of the command line that cannot be had, with the
// flag or the argument that named it, "" for none.
func Missing(by string, err error) error { return missing(by, err) }
