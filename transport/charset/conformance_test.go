package charset_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/seed01fc2e40/go-ftpx/internal/conformance"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/charset"
	"github.com/seed01fc2e40/go-ftpx/transport/ftpdriver"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// A connection behind a character set is one like any other. GB 18030 has all of
// Unicode, and writes nothing but ASCII as UTF-8 does.
func TestConformance(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("what is written in GB 18030 is no name here")
	}
	for _, p := range []transport.Protocol{transport.SFTP, transport.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			trio, err := testserver.StartTrio(testserver.TrioOptions{Root: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = trio.Close() })
			var sent atomic.Int64
			ep := &transport.Endpoint{Protocol: p, Host: "127.0.0.1", Port: trio.SFTP.Port(), User: trio.User, Password: transport.Secret(trio.Password),
				SSH:     transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}},
				Charset: simplifiedchinese.GB18030,
				Trace:   &transport.Trace{Command: func(context.Context, transport.TraceCommand) { sent.Add(1) }}}
			skip := map[string]string{}
			if p == transport.FTP {
				ep.Port = trio.FTP.Port()
				skip["ListLinks"] = "ftpserverlib's MLSD calls a link a file"
			}
			conformance.Run(t, func(t *testing.T) transport.Conn {
				var c transport.Conn
				var err error
				if p == transport.SFTP {
					c, err = sftpdriver.Dial(context.Background(), ep)
				} else {
					c, err = ftpdriver.Dial(context.Background(), ep)
				}
				if err != nil {
					t.Fatal(err)
				}
				return charset.New(c, ep.Charset)
			}, conformance.Options{Sent: sent.Load, Skip: skip})
		})
	}
}
