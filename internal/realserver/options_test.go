//go:build linux

package realserver

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"
)

func TestOptionsCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  Options
		want error // nil with bad false is success
		bad  bool  // refused for another reason
	}{
		{name: "zero value", opt: Options{Kind: VSFTPD}},
		{name: "second loopback address", opt: Options{Kind: ProFTPD, Listen: "127.0.0.2"}},
		{name: "world address", opt: Options{Kind: VSFTPD, Listen: "0.0.0.0"}, bad: true},
		{name: "other address", opt: Options{Kind: VSFTPD, Listen: "192.0.2.1"}, bad: true},
		{name: "host name", opt: Options{Kind: VSFTPD, Listen: "localhost"}, bad: true},
		{name: "unknown kind", opt: Options{Kind: "IIS"}, bad: true},
		{name: "relative root", opt: Options{Kind: VSFTPD, Root: "data"}, bad: true},
		{name: "root with a blank", opt: Options{Kind: VSFTPD, Root: "/tmp/a b"}, bad: true},
		{name: "root with a line break", opt: Options{Kind: VSFTPD, Root: "/tmp/a\nb"}, bad: true},
		{name: "empty TLS range", opt: Options{Kind: VSFTPD, MinTLS: tls.VersionTLS13, MaxTLS: tls.VersionTLS12}, bad: true},
		{name: "TLS on SSH", opt: Options{Kind: OpenSSH, TLS: TLSAllowed}, want: ErrUnsupported},
		{name: "implicit Pure-FTPd", opt: Options{Kind: PureFTPd, TLS: TLSImplicit}, want: ErrUnsupported},
		{name: "quota on vsftpd", opt: Options{Kind: VSFTPD, QuotaBytes: 1}, want: ErrUnsupported},
		{name: "data timeout on Pure-FTPd", opt: Options{Kind: PureFTPd, DataTimeout: time.Second}, want: ErrUnsupported},
		{name: "SSH option on FTP", opt: Options{Kind: VSFTPD, SSH: SSHOptions{NoPassword: true}}, want: ErrUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.opt.check()
			if c.bad || c.want != nil {
				if err == nil || c.bad == errors.Is(err, ErrUnsupported) {
					t.Fatalf("%v; want %v", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.opt.Listen == "" || c.opt.PassiveAddress != c.opt.Listen || c.opt.MaxTLS == 0 {
				t.Errorf("defaults are missing: %+v", c.opt)
			}
		})
	}
}

func TestSecondsNeverBecomeZero(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 0, time.Millisecond: 1, time.Second: 1, 1500 * time.Millisecond: 2} {
		if got := seconds(d); got != want {
			t.Errorf("seconds(%s) = %d; want %d", d, got, want)
		}
	}
}
