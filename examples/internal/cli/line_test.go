package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestLine: a line names each cause once, in words of who typed the command, and a remedy that
// helps.
func TestLine(t *testing.T) {
	const at = "127.0.0.1:21"
	of := func(p ftpx.Protocol, op string, kind transport.Kind, text string) error {
		return &ftpx.Error{Op: "open", Outcome: ftpx.NotDone, Err: &transport.Error{Op: op, Addr: at, Protocol: p, Kind: kind, Err: errors.New(text)}}
	}
	const login = "check the user's name; the password comes from ~/.netrc, $FTPX_PASSWORD, --password-file or a prompt"
	for _, c := range []struct {
		err  error
		want string
	}{
		{of(ftpx.FTPS, "handshake", transport.KindCertificate, "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-12-01T14:02:04Z is after 2026-12-01T13:01:04Z: the certificate expired at 2026-12-01T13:01:04Z: the server needs a new one"),
			at + ": the certificate expired at 2026-12-01T13:01:04Z: the server needs a new one"},
		{of(ftpx.FTPS, "handshake", transport.KindCertificate, "tls: failed to verify certificate: x509: certificate signed by unknown authority: name its authority in TLS.CAFile or TLS.Config.RootCAs"),
			at + ": certificate signed by unknown authority: name its authority with --ca"},
		{of(ftpx.FTPS, "handshake", transport.KindCertificate, "tls: failed to verify certificate: "+x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"a"}}, Host: "b"}.Error()+": connect to a name that the certificate has, or set TLS.Config.ServerName"),
			at + ": certificate is valid for a, not b: connect to a name that the certificate has"},
		{of(ftpx.FTPS, "AUTH", transport.KindNotOffered, "530 Please login with USER and PASS."),
			"the server offers no TLS (530 Please login with USER and PASS.) (" + at + "): check the port (-p), or choose another protocol by the address: sftp://, ftpes://, ftps://"},
		{of(ftpx.FTPS, "PASS", transport.KindAuth, "530 Login incorrect."), "login refused: 530 Login incorrect. (" + at + "): " + login},
		{of(ftpx.SFTP, "login", transport.KindAuth, `user "u": ssh: handshake failed: ssh: unable to authenticate, attempted methods [none publickey password], no supported methods remain`),
			at + `: login refused: user "u": not accepted: publickey, password: ` + login + ", a key from -i, the agent or ~/.ssh"},
		{&ftpx.Error{Op: "open", Outcome: ftpx.NotDone, Err: &transport.Error{Op: "dial", Addr: "files:22", Protocol: ftpx.SFTP, Kind: transport.KindNoHost, Err: &net.DNSError{Name: "files", IsNotFound: true}}},
			"files: no such host: check its spelling, or add it to ~/.ssh/config"},
		{fmt.Errorf("%w: plain FTP alone is listed but not allowed, because it shows password and files to anyone on the way: list SFTP or FTPS, or set Options.AllowPlaintext", ErrUsage),
			"plain FTP shows password and files to anyone on the way: use sftp:// or ftpes://, or permit it with --allow-plaintext"},
		{&ftpx.Error{Op: "open", Outcome: ftpx.NotDone, Err: &transport.Error{Op: "dial", Addr: at, Kind: transport.KindTimeout, Err: context.DeadlineExceeded}},
			at + ": no answer: check host and port (-p), and whether a firewall is in the way"},
		{fmt.Errorf("the link cannot be followed: %w", &fs.PathError{Op: "stat", Path: "/src/x", Err: fs.ErrNotExist}), "the link cannot be followed: /src/x: file does not exist"},
		{fmt.Errorf("its entries take more than 128 MiB: raise Options.Limits.Listing"), "its entries take more than 128 MiB: raise --max-listing"},
		{fmt.Errorf("set Options.Ports, or name the protocol"), "use --sftp-port, --ftp-port or --ftps-port, or name the protocol"},
	} {
		if got := Line(Env{Long: true}, "", c.err); got != c.want {
			t.Errorf("says %s\nwant %s", got, c.want)
		}
	}
}
