package transport

import "fmt"

// Kind says what went wrong, in terms that decide what to do about it. Zero is
// KindUnknown.
type Kind uint8

// The kinds of failure.
const (
	// KindUnknown is a failure that no other kind describes.
	KindUnknown Kind = iota
	// KindCanceled: the caller's context ended.
	KindCanceled
	// KindInvalid: an argument that must not be sent to a server, such as a path with CR.
	KindInvalid
	// KindLocal: the source could not be read or the destination not written.
	KindLocal

	// KindNoHost: the host's name does not resolve.
	KindNoHost
	// KindUnreachable: connection refused, or no route.
	KindUnreachable
	// KindTimeout: connecting took too long.
	KindTimeout
	// KindNotOffered: the host answers, but does not offer this protocol: a wrong
	// banner, AUTH TLS unknown, no TLS where TLS was expected.
	KindNotOffered
	// KindAuth: the login was refused.
	KindAuth
	// KindHostKey: the SSH host key is unknown, changed or revoked.
	KindHostKey
	// KindCertificate: the TLS certificate does not verify.
	KindCertificate
	// KindInsecure: the server refuses protection that the caller asked for,
	// such as PROT P.
	KindInsecure

	// KindBusy: too many connections, or a server that is shutting down.
	KindBusy
	// KindLost: the connection was reset or closed.
	KindLost
	// KindStalled: nothing moved for longer than allowed.
	KindStalled
	// KindTruncated: a transfer looked complete but ended early.
	KindTruncated
	// KindProtocol: a reply that makes no sense.
	KindProtocol
	// KindTemporary: the server says "not now", or fails without saying why.
	KindTemporary
	// KindLocked: the server does not answer a request to write a file, most
	// likely because an older session still holds it.
	KindLocked
	// KindRestart: the server refuses to continue at an offset.
	KindRestart

	// KindNotExist: no such file or folder.
	KindNotExist
	// KindExist: the file or folder exists already.
	KindExist
	// KindPermission: not allowed.
	KindPermission
	// KindName: the server does not accept the name.
	KindName
	// KindNoSpace: the disk is full.
	KindNoSpace
	// KindQuota: the account's quota is used up.
	KindQuota
	// KindUnsupported: the server does not support the operation.
	KindUnsupported
	// KindRefused: a permanent refusal for another reason.
	KindRefused

	kindEnd
)

var kindNames = [kindEnd]string{
	KindUnknown: "unknown", KindCanceled: "canceled", KindInvalid: "invalid argument", KindLocal: "local file",
	KindNoHost: "no such host", KindUnreachable: "unreachable", KindTimeout: "timed out", KindNotOffered: "not offered",
	KindAuth: "login refused", KindHostKey: "host key", KindCertificate: "certificate", KindInsecure: "protection refused",
	KindBusy: "server busy", KindLost: "connection lost", KindStalled: "stalled", KindTruncated: "truncated",
	KindProtocol: "protocol error", KindTemporary: "temporary failure", KindLocked: "locked by another session",
	KindRestart: "restart refused", KindNotExist: "not found", KindExist: "exists", KindPermission: "permission denied",
	KindName: "name refused", KindNoSpace: "disk full", KindQuota: "quota exceeded", KindUnsupported: "unsupported",
	KindRefused: "refused",
}

// String returns a few words, such as "connection lost".
func (k Kind) String() string {
	if k < kindEnd {
		return kindNames[k]
	}
	return "unknown"
}

// MarshalText makes a Kind readable in JSON and logs.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what String writes.
func (k *Kind) UnmarshalText(text []byte) error {
	return unmarshalName(text, "kind of failure", kindNames[:], k)
}

// unmarshalName finds a text among the names of an enumeration.
func unmarshalName[T ~uint8](text []byte, what string, names []string, to *T) error {
	for i, name := range names {
		if string(text) == name {
			*to = T(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no %s", text, what)
}
