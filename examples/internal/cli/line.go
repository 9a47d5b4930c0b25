package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/textproto"
	"os"
	"path"
	"regexp"
	"strings"
	"syscall"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Line is an error in one line for who typed a command: the file's name, what was to be
// done about it, why it could not be, where, and what helps. Each cause is in it once. name
// is what the error is about where it does not say so itself.
func Line(env Env, name string, err error) string {
	var parts []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" && !contains(parts, text) {
			parts = append(parts, text)
		}
	}
	var e *ftpx.Error
	if errors.As(err, &e) {
		if name == "" {
			name = subject(e)
		}
		add(name)
		if said := before(err, e); said != "" && e.Outcome != ftpx.Unknown {
			add(said) // by a caller, who knows better what was to be done
		} else {
			add(undone(e))
		}
		add(reason(e.Err))
		switch {
		case e.Offset > 0 && e.Partial != "" && e.Op == "put":
			add("what has arrived is left there as " + e.Partial + ", and a stream cannot be gone on with: remove it")
		case e.Partial != "" && delivery(err) != "":
			add("what has arrived is left there as " + e.Partial)
		case e.Offset > 0 && e.Partial != "":
			add("what has arrived, " + progressOf(e) + ", is kept, and the same command goes on from there")
		}
	} else {
		add(name)
		add(plain(err, name))
	}
	add(remedy(err))
	return transport.Printable(env.Flags(flagged(forJump(strings.Join(parts, ": "), err))))
}

// contains reports whether one of the parts says the same.
func contains(parts []string, text string) bool {
	for _, p := range parts {
		if strings.Contains(strings.ToLower(p), strings.ToLower(text)) {
			return true
		}
	}
	return false
}

// subject is the name of what an error is about.
func subject(e *ftpx.Error) string {
	switch {
	case e.Op == "upload" && e.Local != "":
		return e.Local
	case e.Remote != "":
		return e.Remote
	}
	return e.Local
}

// undone says what was to be done.
func undone(e *ftpx.Error) string {
	what := map[string]string{"upload": "not sent", "put": "not sent", "download": "not fetched", "get": "not fetched", "stat": "", "list": "not listed", "rename": "not renamed",
		"remove": "not removed", "mkdir": "not created", "chmod": "mode not set", "chtimes": "time not set", "space": "free space unknown", "close": "was replaced after it had been sent"}[e.Op]
	if e.Outcome == ftpx.Unknown {
		if e.Op == "upload" || e.Op == "put" {
			return "outcome unknown: check whether the file arrived"
		}
		return "outcome unknown: check whether it was done"
	}
	return what
}

func progressOf(e *ftpx.Error) string {
	if e.Size > 0 {
		return Bytes(e.Offset) + " of " + Bytes(e.Size)
	}
	return Bytes(e.Offset)
}

// before is what was said in front of an error of the client's.
func before(err error, e *ftpx.Error) string {
	text, _, ok := strings.Cut(err.Error(), e.Error())
	if !ok || err == error(e) {
		return ""
	}
	return strings.TrimRight(strings.TrimPrefix(text, "folder: "), ": ")
}

// reason is why, without what has been said: of several attempts the last counts.
func reason(err error) string {
	if err == nil {
		return ""
	}
	var hosts *ftpx.HostsError
	var sel *ftpx.ProtocolsError
	var spent *retry.Error
	switch {
	case errors.As(err, &hosts):
		var parts []string
		for i, h := range hosts.Hosts {
			parts = append(parts, h+": "+reason(hosts.Errs[i]))
		}
		return strings.Join(parts, "; ")
	case errors.As(err, &sel):
		return triedOf(sel)
	case errors.As(err, &spent) && spent.Last() != nil && spent.Reason != retry.ReasonCanceled:
		text := reason(spent.Last())
		if spent.Count > 1 {
			text += fmt.Sprintf(" (%d attempts)", spent.Count)
		}
		return text
	}
	var te *transport.Error
	if !errors.As(err, &te) {
		return innermost(err)
	}
	return why(te)
}

// triedOf says which protocols were tried; one cause of all is said once.
func triedOf(sel *ftpx.ProtocolsError) string {
	var parts []string
	for _, t := range sel.Tried {
		text := reason(t.Err)
		if len(sel.Tried) > 1 {
			text = t.Protocol.String() + ": " + text
		}
		parts = append(parts, text)
	}
	short := *sel
	short.Tried = nil
	return strings.Join(parts, "; ") + strings.TrimPrefix(short.Error(), "no protocol could be used:")
}

// why says what one attempt met, and where.
func why(te *transport.Error) string {
	detail := login(strings.TrimSpace(machinery.ReplaceAllString(innermost(te.Err), "")))
	kind := te.Kind.String()
	text := kind
	switch {
	case te.Kind == transport.KindUnknown || te.Kind == transport.KindRefused || te.Kind == transport.KindInvalid || te.Kind == transport.KindUnreachable && detail != "":
		text = detail
	case te.Kind == transport.KindNotExist:
		if text = "no such file or folder"; !sameSaid.MatchString(detail) {
			text += " (" + detail + ")"
		}
	case te.Kind == transport.KindTimeout && detail == "no answer":
		text = detail
	case te.Kind == transport.KindNoHost && detail != "":
		return detail
	case te.Kind == transport.KindNotOffered && strings.HasPrefix(te.Op, "AUTH"):
		text = "the server offers no TLS (" + detail + ")"
	case te.Kind == transport.KindLocal:
		return detail // and no server's
	case te.Kind == transport.KindHostKey || te.Kind == transport.KindCertificate:
		text = detail
	case detail != "" && !strings.Contains(strings.ToLower(detail), kind):
		text += ": " + detail
	case detail != "":
		text = detail
	}
	if te.Addr == "" || strings.Contains(text, te.Addr) || te.Kind == transport.KindHostKey {
		return text
	}
	switch te.Op {
	case "dial", "connect", "handshake", "login", "":
		return te.Addr + ": " + text
	}
	return text + " (" + te.Addr + ")"
}

// machinery is what programs say to programmers.
var machinery = regexp.MustCompile(`^tls: failed to verify certificate: x509: (certificate has expired or is not yet valid: current time \S+ is (after|before) \S+?: )?` +
	`|\s*\(?\bSSH_FX_[A-Z_]+\)?| \(ssh: handshake failed: [^()]*\)`)

// notTaken is what the SSH library says of a login.
var notTaken = regexp.MustCompile(`ssh: handshake failed: ssh: unable to authenticate, attempted methods \[none ?([a-z -]*)\], no supported methods remain`)

// login says of a refused login what was tried.
func login(text string) string {
	return notTaken.ReplaceAllStringFunc(text, func(said string) string {
		if tried := notTaken.FindStringSubmatch(said)[1]; tried != "" {
			return "not accepted: " + strings.ReplaceAll(tried, " ", ", ")
		}
		return "nothing to log in with was given"
	})
}

// sameSaid is what servers say of what is not there, and the name of SFTP's code.
var sameSaid = regexp.MustCompile(`(?i)no such file|not found|not exist|SSH_FX_NO_SUCH|^$`)

// innermost is the text of the cause at the end of a chain, by what the system or the
// server said.
func innermost(err error) string {
	if err == nil {
		return ""
	}
	var reply *textproto.Error
	var errno syscall.Errno
	var dns *net.DNSError
	var op *net.OpError
	var at *fs.PathError
	switch {
	case errors.As(err, &reply):
		return fmt.Sprintf("%d %s", reply.Code, transport.Printable(reply.Msg))
	case errors.As(err, &dns) && dns.IsNotFound:
		return dns.Name + ": no such host"
	case errors.As(err, &op) && errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &op) && op.Timeout():
		return "no answer"
	case errors.As(err, &at):
		return at.Path + ": " + at.Err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	}
	var te *transport.Error
	if errors.As(err, &te) {
		return why(te)
	}
	return transport.Printable(err.Error())
}

// plain is the text of an error that is not the client's.
func plain(err error, name string) string {
	text := err.Error()
	for _, said := range []string{ErrUsage.Error(), "folder", "the destination", "the source", folder.ErrTypeConflict.Error(), folder.ErrName.Error()} {
		text = strings.TrimPrefix(text, said+": ")
	}
	var at *fs.PathError
	if errors.As(err, &at) && err == error(at) || errors.As(err, &at) && errors.Unwrap(err) == error(at) {
		short := at.Path + ": " + at.Err.Error()
		if name != "" && (at.Path == name || path.Base(at.Path) == path.Base(name)) {
			short = at.Err.Error()
		}
		text = strings.Replace(text, at.Error(), short, 1)
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		text = link.New + ": " + link.Err.Error()
	}
	return text
}

// delivery says how to deliver into a folder that does not take a file in the way it was
// sent.
func delivery(err error) string {
	var refused *ftpx.DeliveryError
	if !errors.As(err, &refused) {
		return ""
	}
	switch refused.What {
	case "name":
		return "deliver with --delivery direct or --delivery drop, or under another --partial-name"
	case "keep":
		return "deliver with --delivery drop"
	}
	return "deliver with --delivery direct or --delivery drop, which need no partial"
}

// remedy says what helps against a kind of failure, unless the error says so itself.
func remedy(err error) string {
	if errors.Is(err, ErrUsage) {
		return ""
	}
	if text := delivery(err); text != "" {
		return text
	}
	if errors.Is(err, transport.ErrNoDataConn) {
		return "the server's passive ports are closed to us: open them in the firewall, or use SFTP, which needs none"
	}
	if errors.Is(err, ftpx.ErrSourceChanged) {
		return "send it again when nobody writes to it"
	}
	if text := otherDelivery(err); text != "" {
		return text
	}
	switch ftpx.KindOf(err) {
	case transport.KindAuth:
		text := "check the user's name; the password comes from ~/.netrc, $FTPX_PASSWORD, --password-file or a prompt"
		var te *transport.Error
		if !errors.As(err, &te) || !te.Protocol.Valid() || te.Protocol == ftpx.SFTP {
			text += ", a key from -i, the agent or ~/.ssh"
		}
		return text
	case transport.KindUnreachable:
		return "check host and port (-p), and whether the server runs"
	case transport.KindTimeout:
		return "check host and port (-p), and whether a firewall is in the way"
	case transport.KindNoHost:
		return "check its spelling, or add it to ~/.ssh/config"
	case transport.KindNotOffered:
		return "check the port (-p), or choose another protocol by the address: sftp://, ftpes://, ftps://"
	case transport.KindLost, transport.KindStalled, transport.KindTruncated:
		return "--retry-for says how long to go on"
	case transport.KindBusy:
		return "try later, or with fewer --connections"
	case transport.KindNoSpace, transport.KindQuota:
		return "make room there, then run the same command again"
	case transport.KindPermission:
		return "choose a folder that the user may use, or another user"
	}
	return ""
}

// otherDelivery names the way of delivery that a folder takes which refuses the chosen one.
func otherDelivery(err error) string {
	var d *ftpx.DeliveryError
	if !errors.As(err, &d) {
		return ""
	}
	switch d.What {
	case "name":
		text := "if it is the name of the partial that the server does not take, choose another: --partial-name '{name}.filepart', or send without one: --delivery direct"
		if ftpx.KindOf(err) == transport.KindPermission {
			text = "choose a folder that the user may use; " + text
		}
		return text
	case "rename":
		return "the server does not rename, so that a partial cannot get its name: --delivery direct sends under the final name"
	case "look":
		return "the server shows nothing of what it was sent: --delivery direct sends under the final name, --delivery drop asks nothing about the file"
	}
	return "for a folder whose files are taken as they are closed: --delivery drop"
}
