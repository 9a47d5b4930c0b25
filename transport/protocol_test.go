package transport

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestParseProtocol(t *testing.T) {
	for _, p := range []Protocol{SFTP, FTPS, FTPSImplicit, FTP} {
		for _, name := range []string{p.String(), strings.ToUpper(p.String()), " " + p.String() + "\n"} {
			if got, err := ParseProtocol(name); err != nil || got != p {
				t.Errorf("ParseProtocol(%q) = %v, %v, want %v", name, got, err, p)
			}
		}
		b, err := json.Marshal(map[string]Protocol{"p": p})
		if err != nil || string(b) != fmt.Sprintf(`{"p":"%v"}`, p) {
			t.Errorf("json: %s, %v", b, err)
		}
	}
	if p, err := ParseProtocol("ftpes"); err != nil || p != FTPS {
		t.Errorf(`ParseProtocol("ftpes") = %v, %v`, p, err)
	}
	for _, name := range []string{"", "ssh", "ftp s", "protocol(0)", "http", "ftpx"} {
		if p, err := ParseProtocol(name); err == nil || p.Valid() {
			t.Errorf("ParseProtocol(%q) = %v, no error", name, p)
		}
	}
}

func TestProtocolFacts(t *testing.T) {
	for p, want := range map[Protocol]struct {
		port        int
		secure, ftp bool
	}{SFTP: {22, true, false}, FTPS: {21, true, true}, FTPSImplicit: {990, true, true}, FTP: {21, false, true}} {
		if p.DefaultPort() != want.port || p.Secure() != want.secure || p.IsFTP() != want.ftp || !p.Valid() {
			t.Errorf("%v: port %d, secure %v, ftp %v", p, p.DefaultPort(), p.Secure(), p.IsFTP())
		}
	}
	for _, p := range []Protocol{0, FTP + 1, 255} {
		if p.Valid() || p.Secure() || p.String() != fmt.Sprintf("protocol(%d)", p) {
			t.Errorf("protocol %d is taken for one: %v", uint8(p), p)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for _, p := range []string{".", "/", "a b", "-rf", "a\tb", "ä", "\xff", "..", "a\x7fb", strings.Repeat("x", 5000)} {
		if err := CheckPath(p); err != nil {
			t.Errorf("CheckPath(%q): %v", p, err)
		}
	}
	for _, p := range []string{"", "\r", "a\nDELE b", "a\r\n", "\x00", "a\x00"} {
		if CheckPath(p) == nil {
			t.Errorf("CheckPath(%q) lets it pass", p)
		}
	}
}

func TestEndpointAddr(t *testing.T) {
	for want, ep := range map[string]Endpoint{
		"h:22": {Protocol: SFTP, Host: "h"}, "h:990": {Protocol: FTPSImplicit, Host: "h"}, "[::1]:2121": {Protocol: FTP, Host: "::1", Port: 2121},
	} {
		if ep.Addr() != want {
			t.Errorf("%q, want %q", ep.Addr(), want)
		}
	}
	ep := Endpoint{}
	if w := ep.WithDefaults(); w.Stall != DefaultStall || w.MinRate != DefaultMinRate || w.ConnectTimeout != DefaultConnectTimeout || ep.Stall != 0 {
		t.Errorf("defaults %+v of %+v", w, ep)
	}
	if ep.Stall = -1; ep.WithDefaults().Stall > 0 {
		t.Errorf("a negative Stall is not for ever: %+v", ep.WithDefaults())
	}
}

func TestKindNames(t *testing.T) {
	seen := map[string]Kind{}
	for k := Kind(0); k < kindEnd; k++ {
		name := k.String()
		if name == "" {
			t.Errorf("kind %d has no name", k)
		}
		if other, ok := seen[name]; ok {
			t.Errorf("kinds %d and %d are both %q", k, other, name)
		}
		seen[name] = k
	}
	if Kind(250).String() != "unknown" {
		t.Errorf("kind 250 is %q", Kind(250))
	}
	b, err := json.Marshal(KindNoSpace)
	if err != nil || string(b) != `"disk full"` {
		t.Errorf("json: %s, %v", b, err)
	}
}
