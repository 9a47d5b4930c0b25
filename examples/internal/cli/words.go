package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
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
	return transport.Printable(strings.NewReplacer(
		"set Password, IdentityFiles, Signers, Agent or KeyboardInteractive", "give a password (FTPX_PASSWORD, -password-file) or a key (-identity, -agent)",
		"or pin it in HostKeyFingerprints, or set TrustOnFirstUse", "or pin it with -host-key, or use -tofu",
		"choose another with PartialName", "choose another with -partial-name",
		"deliver without one: Delivery Direct sends under the final name, Drop asks nothing about the file",
		"-delivery direct sends under the final name, -delivery drop asks nothing about the file",
		"set Delivery to Drop", "use -delivery drop",
		`>> known_hosts"`, `>> ~/.ssh/known_hosts"`, // the driver found no file, and looks there
	).Replace(text))
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
