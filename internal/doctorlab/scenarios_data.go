//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

func ofData() []scenario {
	address := func(kind realserver.Kind) func(*bench, bool) (setup, error) {
		return func(b *bench, mended bool) (setup, error) {
			return just(b.plain(realserver.Options{Kind: kind, PassiveAddress: pick(mended, "127.0.0.1", "192.0.2.17")}))
		}
	}
	peer := func(kind realserver.Kind, allow string) func(*bench, bool) (setup, error) {
		return func(b *bench, mended bool) (setup, error) {
			o := realserver.Options{Kind: kind}
			if mended {
				o.Extra = []string{allow}
			}
			set, s, err := b.plain(o)
			if err == nil {
				set.cfg.Dial = twoUplinks(s.Addr())
			}
			return set, err
		}
	}
	return []scenario{
		{name: "wrong passive address", server: "vsftpd", want: "pasv-address", cured: "pasv_address", build: address(realserver.VSFTPD)},
		{name: "wrong passive address", server: "ProFTPD", want: "pasv-address", cured: "MasqueradeAddress", build: address(realserver.ProFTPD)},
		{name: "wrong passive address", server: "Pure-FTPd", want: "pasv-address", cured: "-P", build: address(realserver.PureFTPd)},
		{name: "PASV is denied", server: "vsftpd", want: "epsv-only", cured: "cmds_denied removed", build: func(b *bench, mended bool) (setup, error) {
			return just(b.plain(extra(realserver.Options{Kind: realserver.VSFTPD}, "cmds_denied=PASV")(mended)))
		}},
		{name: "EPSV is denied", server: "vsftpd", want: "epsv-only", cured: "cmds_denied removed", build: func(b *bench, mended bool) (setup, error) {
			return just(b.plain(extra(realserver.Options{Kind: realserver.VSFTPD}, "cmds_denied=EPSV")(mended)))
		}},
		{name: "passive ports filtered", server: "vsftpd behind nftables", want: "pasv-port", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			return b.behind(mended, realserver.Options{Kind: realserver.VSFTPD}, func(s *realserver.Server) []string {
				return []string{fmt.Sprintf("tcp dport %d-%d drop", s.PassiveLo, s.PassiveHi)}
			})
		}},
		{name: "passive ports rejected", server: "ProFTPD behind nftables", want: "pasv-port", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			return b.behind(mended, realserver.Options{Kind: realserver.ProFTPD}, func(s *realserver.Server) []string {
				return []string{fmt.Sprintf("tcp dport %d-%d reject with tcp reset", s.PassiveLo, s.PassiveHi)}
			})
		}},
		{name: "passive ports filtered, FTPS", server: "Pure-FTPd behind nftables", want: "pasv-port", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.secured(realserver.Options{Kind: realserver.PureFTPd})
			if err == nil && !mended {
				err = b.rule(fmt.Sprintf("tcp dport %d-%d drop", s.PassiveLo, s.PassiveHi))
			}
			return set, err
		}},
		{name: "data from another address", server: "vsftpd", want: "data-peer", cured: "pasv_promiscuous=YES", build: peer(realserver.VSFTPD, "pasv_promiscuous=YES")},
		{name: "data ports open in clear alone", server: "vsftpd, imitated firewall", want: "ftps-firewall", cured: "the ports are opened", build: func(b *bench, mended bool) (setup, error) {
			return b.inspected(mended)
		}},
		{name: "session reuse demanded, no tickets", server: "ProFTPD", want: "tls-reuse", cured: "TLSOptions NoSessionReuseRequired", build: func(b *bench, mended bool) (setup, error) {
			return just(b.secured(realserver.Options{Kind: realserver.ProFTPD, MaxTLS: tls.VersionTLS12, RequireReuse: !mended}))
		}},
		{name: "data ends without close_notify", server: "imitated server", want: "tls-eof", cured: "", build: func(b *bench, _ bool) (setup, error) {
			return b.rudeTLS()
		}},
	}
}

// from dials by one of this client's addresses.
func from(local string) func(context.Context, string, string) (net.Conn, error) {
	return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}}).DialContext
}

// twoUplinks dials the control connection by one of the client's addresses and data
// connections by another, as behind two uplinks.
func twoUplinks(control string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		d := net.Dialer{}
		if address != control {
			d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(otherV4)}
		}
		return d.DialContext(ctx, network, address)
	}
}
