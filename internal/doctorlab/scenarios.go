//go:build linux

package main

import (
	"crypto/tls"
	"fmt"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// scenarios are all of them, in the order of the page.
func scenarios() []scenario {
	return slices.Concat(healthy(), ofNetwork(), ofFirewall(), ofIdentity(), ofProtection(), ofLogin(), ofData(), ofBehaviour())
}

// healthy are servers that are well: no check may call them broken.
func healthy() []scenario {
	type build = func(b *bench, _ bool) (setup, error)
	deep := func(f build) build {
		return func(b *bench, mended bool) (setup, error) {
			set, err := f(b, mended)
			set.opt = doctor.Options{Scratch: ".", Connections: 3}
			return set, err
		}
	}
	return []scenario{
		{name: "healthy FTP", server: "vsftpd", build: func(b *bench, _ bool) (setup, error) {
			return just(b.plain(realserver.Options{Kind: realserver.VSFTPD}))
		}},
		{name: "healthy FTPS, session reuse demanded", server: "vsftpd", build: func(b *bench, _ bool) (setup, error) {
			return just(b.secured(realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSRequired, RequireReuse: true}))
		}},
		{name: "healthy FTP over IPv6", server: "vsftpd", build: deep(func(b *bench, _ bool) (setup, error) {
			return just(b.plain(realserver.Options{Kind: realserver.VSFTPD, Listen: "::1"}))
		})},
		{name: "healthy FTPS", server: "ProFTPD", build: func(b *bench, _ bool) (setup, error) {
			return just(b.secured(realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired}))
		}},
		{name: "healthy implicit FTPS", server: "ProFTPD", build: deep(func(b *bench, _ bool) (setup, error) {
			return just(b.by(realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSImplicit}, ftpx.FTPSImplicit))
		})},
		{name: "healthy FTP with digests", server: "ProFTPD", build: deep(func(b *bench, _ bool) (setup, error) {
			return just(b.plain(realserver.Options{Kind: realserver.ProFTPD, Digest: true}))
		})},
		{name: "healthy FTPS, TLS 1.2 alone", server: "Pure-FTPd", build: func(b *bench, _ bool) (setup, error) {
			return just(b.secured(realserver.Options{Kind: realserver.PureFTPd, MaxTLS: tls.VersionTLS12}))
		}},
		{name: "healthy FTP, written to", server: "Pure-FTPd", build: deep(func(b *bench, _ bool) (setup, error) {
			return just(b.plain(realserver.Options{Kind: realserver.PureFTPd}))
		})},
		{name: "healthy SFTP, by password", server: "sshd", build: func(b *bench, _ bool) (setup, error) {
			return just(b.ssh(realserver.Options{}))
		}},
		{name: "healthy SFTP, by key", server: "sshd", build: deep(func(b *bench, _ bool) (setup, error) {
			key, err := pki.NewSSHKey()
			if err != nil {
				return setup{}, err
			}
			o := realserver.Options{}
			o.SSH.AuthorizedKeys, o.SSH.NoPassword = append(o.SSH.AuthorizedKeys, key.Public()), true
			set, _, err := b.ssh(o)
			set.cfg.Password, set.cfg.SSH.Signers = "", append(set.cfg.SSH.Signers, key.Signer)
			return set, err
		})},
		{name: "healthy SFTP, FTPS filtered", server: "sshd behind nftables", build: func(b *bench, _ bool) (setup, error) {
			set, s, err := b.ssh(realserver.Options{})
			if err != nil {
				return setup{}, err
			}
			set.cfg.Protocols, set.cfg.Ports.FTP, set.cfg.Ports.FTPSImplicit = nil, s.Port+1, s.Port+2
			return set, b.rule(fmt.Sprintf("tcp dport %d-%d drop", s.Port+1, s.Port+2))
		}},
		{name: "healthy SFTP", server: "asyncssh", build: deep(func(b *bench, _ bool) (setup, error) {
			return just(b.by(realserver.Options{Kind: realserver.AsyncSSH}, ftpx.SFTP))
		})},
	}
}
