package ftpx

import (
	"context"

	"golang.org/x/text/encoding"
)

// Config says what to connect to. [ParseURL] makes one from a URL.
type Config struct {
	// Host is a name or an address, without port.
	Host string
	// User is the login name; empty means anonymous, on FTP and FTPS only.
	User string
	// Base is the remote folder that relative paths start from; itself relative
	// to the login folder unless it starts with "/". It need not exist.
	Base string
	Options
}

// Options say how to connect, and what to do about failures. The zero value is
// ready for use, and zero in any field means its default. The fields are in the order in
// which programs need them: what follows Alarms is rarely set.
type Options struct {
	// Password is the password. Without one the client logs in by key, by agent or
	// as anonymous.
	Password Secret
	// Credentials, if not nil, returns user and password. It is called before the
	// first login to each host, and once more when a login is refused, because
	// passwords get replaced. The result is kept in between. Calls do not overlap.
	Credentials func(context.Context, CredentialRequest) (Credential, error)
	// Protocols are tried in this order; nil means SFTP, FTPS, FTPSImplicit.
	// FTP is used only if it is listed here and AllowPlaintext is set.
	Protocols []Protocol
	// AllowPlaintext permits plain FTP if the host offers no better protocol of
	// the list. Plain FTP shows password and payload to anyone on the way. After a
	// better protocol has worked on a host, the client never uses plain FTP there:
	// otherwise somebody who disturbs the line could obtain the password.
	AllowPlaintext bool
	// Ports replaces the protocols' own ports.
	Ports Ports
	// SSH is for SFTP: keys, known hosts, algorithms.
	SSH SSH
	// TLS is for FTPS: a tls.Config, authorities, pins.
	TLS TLS
	// FTP is for FTP and FTPS: text files, commands after login, active mode.
	FTP FTPOptions
	// Dial replaces net.Dialer, for tunnels. See package transport/tunnel.
	Dial DialFunc

	// Retry is the policy for operations that can be retried.
	Retry RetryPolicy
	// Verify is the default of the transfers' Verify; zero means [VerifyAuto].
	Verify Verify
	// Standbys are the hosts to fail over to, in this order or that of their ranks,
	// when Config.Host cannot be reached, drops connections, is silent or is full.
	// They get the same credentials and trust settings, unless a Standby has its own.
	// Base applies to each host. After a failover an upload resumes if the hosts share
	// their storage, and starts again if not. Work returns to a preferred host when
	// that has been healthy for half a minute.
	Standbys []Standby
	// Limits bound connections, transfers, rate and memory.
	Limits Limits
	// Timeouts say how long to wait for a server.
	Timeouts Timeouts

	// Hooks are called for events; nil means none.
	Hooks *Hooks
	// Alarms are the thresholds of [Hooks].Alarm; zero values are the defaults.
	Alarms Alarms

	// Charset is the character set of names on the servers, such as
	// simplifiedchinese.GBK, japanese.ShiftJIS or charmap.Windows1252 of
	// golang.org/x/text/encoding; nil means UTF-8. Programs always pass and receive
	// UTF-8. A path that the set cannot express fails with [KindName] before anything
	// is sent. Bytes of a listing that are not in the set are returned unchanged, and
	// lead back to the same file: see package transport/charset. With nil, too, names
	// that are not UTF-8 pass unchanged.
	Charset encoding.Encoding
	// RequirePostQuantum refuses every connection whose key exchange is not a
	// hybrid with a post-quantum part, over SSH and TLS, data connections
	// included. Such a refusal is final: no other protocol is tried for it.
	RequirePostQuantum bool
	// Learned is the result of [Client].Learned of an earlier client, perhaps from another
	// process or version; nil means none. A wrong fact about a server costs a round trip.
	// If New cannot read it, New returns an error: leave the value out, and the client
	// learns it again.
	Learned []byte
	// Connect replaces the drivers: it connects to an endpoint, logs in, and obeys the
	// contract of package transport for a Conn and its errors. It is for special
	// servers, such as those of package ftpxtest; nil means the drivers.
	Connect func(context.Context, *Endpoint) (Conn, error)
}
