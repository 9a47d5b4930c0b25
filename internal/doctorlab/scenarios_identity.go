//go:build linux

package main

import (
	"os"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// fingerprints are what the server's host keys are pinned by.
func fingerprints(s *realserver.Server) []string {
	var out []string
	for _, k := range s.HostKeys() {
		out = append(out, ssh.FingerprintSHA256(k))
	}
	return out
}

// certified is a server with a certificate, or with a good one.
func certified(kind realserver.Kind, broken func() pki.CertOptions) func(*bench, bool) (setup, error) {
	return func(b *bench, mended bool) (setup, error) {
		o := realserver.Options{Kind: kind}
		if !mended {
			pair, err := b.certificate(broken())
			if err != nil {
				return setup{}, err
			}
			o.Certificate = pair
		}
		return just(b.secured(o))
	}
}

func ofIdentity() []scenario {
	day := 24 * time.Hour
	ending := func(in time.Duration) func() pki.CertOptions {
		return func() pki.CertOptions {
			now := time.Now()
			return pki.CertOptions{Hosts: hosts, NotBefore: now.Add(-90 * day), NotAfter: now.Add(in)}
		}
	}
	return []scenario{
		{name: "certificate expired", server: "vsftpd", want: "cert-expired", cured: "a new certificate", build: certified(realserver.VSFTPD, ending(-2*time.Hour))},
		{name: "certificate expired long ago", server: "ProFTPD", want: "cert-expired", cured: "a new certificate", build: certified(realserver.ProFTPD, ending(-30*day))},
		{name: "certificate of the future", server: "Pure-FTPd", want: "cert-expired", cured: "a new certificate", build: certified(realserver.PureFTPd, func() pki.CertOptions {
			return pki.CertOptions{Hosts: hosts, NotBefore: time.Now().Add(day), NotAfter: time.Now().Add(400 * day)}
		})},
		{name: "certificate with 5 days left", server: "Pure-FTPd", want: "cert-soon", cured: "a new certificate", build: certified(realserver.PureFTPd, ending(5*day))},
		{name: "certificate for another name", server: "vsftpd", want: "cert-name", cured: "a certificate for this name", build: certified(realserver.VSFTPD, func() pki.CertOptions {
			return pki.CertOptions{Hosts: []string{"other.example.test"}, NotAfter: time.Now().Add(400 * day)}
		})},
		{name: "certificate of an unknown authority", server: "ProFTPD", want: "cert-chain", cured: "a certificate of a known one", build: func(b *bench, mended bool) (setup, error) {
			o := realserver.Options{Kind: realserver.ProFTPD}
			if !mended {
				ca, err := pki.NewCA("somebody else's authority")
				if err != nil {
					return setup{}, err
				}
				pair, err := ca.Server(pki.CertOptions{Hosts: hosts, NotAfter: time.Now().AddDate(1, 0, 0)})
				if err != nil {
					return setup{}, err
				}
				o.Certificate = &pair
			}
			return just(b.secured(o))
		}},
		{name: "host key unknown", server: "sshd", want: "hostkey-new", cured: "its line is added to known_hosts", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.ssh(realserver.Options{})
			if err != nil || mended {
				return set, err
			}
			empty, err := b.file("known_hosts", "")
			set.cfg.SSH.KnownHosts = []string{empty}
			return set, err
		}},
		{name: "host key changed", server: "sshd", want: "hostkey-changed", cured: "its line in known_hosts is replaced", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.ssh(realserver.Options{})
			if err != nil || mended {
				return set, err
			}
			other, err := pki.NewSSHKey()
			if err != nil {
				return set, err
			}
			file, err := b.file("known_hosts", pki.KnownHost(s.Addr(), other.Public())+"\n")
			set.cfg.SSH.KnownHosts = []string{file}
			return set, err
		}},
		{name: "host key revoked", server: "sshd", want: "hostkey-changed", cured: "the mark is removed", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.ssh(realserver.Options{})
			if err != nil || mended {
				return set, err
			}
			lines, err := os.ReadFile(s.KnownHosts)
			if err != nil {
				return set, err
			}
			for _, k := range s.HostKeys() {
				lines = append(lines, pki.KnownHostRevoked("*", k)+"\n"...)
			}
			file, err := b.file("known_hosts", string(lines))
			set.cfg.SSH.KnownHosts = []string{file}
			return set, err
		}},
	}
}
