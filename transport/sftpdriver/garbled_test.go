package sftpdriver

import (
	"errors"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// A packet of the login that the line has garbled is not a refused login.
func TestGarbledLogin(t *testing.T) {
	for text, want := range map[string]transport.Kind{
		"ssh: handshake failed: ssh: max packet length exceeded":                                                    transport.KindProtocol,
		"ssh: handshake failed: ssh: MAC failure":                                                                   transport.KindProtocol,
		"ssh: handshake failed: cipher: message authentication failed":                                              transport.KindProtocol,
		"ssh: handshake failed: ssh: unable to authenticate, attempted methods [none], no supported methods remain": transport.KindAuth,
	} {
		ep := &transport.Endpoint{Protocol: transport.SFTP, Host: "h", User: "u"}
		d := &dialer{ep: ep, ctx: t.Context(), step: "login", host: &hostVerifier{}, login: &login{ep: ep}}
		if kind, err := d.judge(errors.New(text)); kind != want {
			t.Errorf("%s: %v, want %v (%v)", text, kind, want, err)
		}
	}
}
