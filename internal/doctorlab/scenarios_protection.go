//go:build linux

package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// extra is a server with lines of its own unless it is mended.
func extra(o realserver.Options, lines ...string) func(mended bool) realserver.Options {
	return func(mended bool) realserver.Options {
		if !mended {
			o.Extra = append(o.Extra[:len(o.Extra):len(o.Extra)], lines...)
		}
		return o
	}
}

func ofProtection() []scenario {
	return []scenario{
		{name: "TLS is switched off", server: "vsftpd", want: "not-offered", cured: "ssl_enable=YES", build: func(b *bench, mended bool) (setup, error) {
			return just(b.by(realserver.Options{Kind: realserver.VSFTPD, TLS: pick(mended, realserver.TLSAllowed, realserver.TLSOff)}, ftpx.FTPS))
		}},
		{name: "FTP on the port of SFTP", server: "Pure-FTPd", want: "not-offered", cured: "", build: func(b *bench, _ bool) (setup, error) {
			return just(b.by(realserver.Options{Kind: realserver.PureFTPd}, ftpx.SFTP))
		}},
		{name: "SSH on the port of FTP", server: "sshd", want: "not-offered", cured: "", build: func(b *bench, _ bool) (setup, error) {
			return just(b.by(realserver.Options{Kind: realserver.OpenSSH}, ftpx.FTP))
		}},
		{name: "TLS 1.1 alone", server: "ProFTPD", want: "tls-version", cured: "TLSProtocol TLSv1.2 TLSv1.3", build: func(b *bench, mended bool) (setup, error) {
			o := realserver.Options{Kind: realserver.ProFTPD, Extra: []string{"TLSCipherSuite ALL:@SECLEVEL=0"}}
			if !mended {
				o.MinTLS, o.MaxTLS = tls.VersionTLS11, tls.VersionTLS11
			}
			return just(b.secured(o))
		}},
		{name: "key exchanges of old", server: "sshd", want: "ssh-algorithms", cured: "KexAlgorithms removed", build: func(b *bench, mended bool) (setup, error) {
			return just(b.ssh(extra(realserver.Options{}, "KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group1-sha1")(mended)))
		}},
		{name: "ciphers of old", server: "sshd", want: "ssh-algorithms", cured: "Ciphers removed", build: func(b *bench, mended bool) (setup, error) {
			return just(b.ssh(extra(realserver.Options{}, "Ciphers aes128-cbc,3des-cbc")(mended)))
		}},
		{name: "post-quantum is demanded", server: "sshd 9.2", want: "no-pq", cured: "", build: func(b *bench, _ bool) (setup, error) {
			// Debian 12's sshd has the older hybrid, sntrup761x25519-sha512@openssh.com.
			set, _, err := b.ssh(realserver.Options{})
			set.cfg.RequirePostQuantum = true
			return set, err
		}},
		{name: "post-quantum is demanded, FTPS", server: "Pure-FTPd, OpenSSL 3.0", want: "no-pq", cured: "", build: func(b *bench, _ bool) (setup, error) {
			set, _, err := b.secured(realserver.Options{Kind: realserver.PureFTPd})
			set.cfg.RequirePostQuantum = true
			return set, err
		}},
		{name: "logins under way use up MaxStartups", server: "sshd", want: "ssh-startups", cured: "MaxStartups 10:30:100", build: func(b *bench, mended bool) (setup, error) {
			o := realserver.Options{}
			o.SSH.MaxStartups = pick(mended, "10:30:100", "1:100:1")
			set, s, err := b.ssh(o)
			if err == nil {
				err = b.linger(s.Addr())
			}
			return set, err
		}},
		{name: "the address is shut out", server: "imitated OpenSSH 10", want: "ssh-penalty", cured: "", build: func(b *bench, _ bool) (setup, error) {
			return b.imitated(ftpx.SFTP, func(c net.Conn) { _, _ = fmt.Fprint(c, "Not allowed at this time\r\n") })
		}},
	}
}

// linger connects and says nothing, as long as the set-up is there.
func (b *bench) linger(addr string) error {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return err
	}
	b.cleanup(c.Close)
	// The version comes when sshd has begun to count this one.
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err = c.Read(make([]byte, 256))
	return err
}

// imitated is a server of a few lines: serve has each connection, which is closed after it.
func (b *bench) imitated(p ftpx.Protocol, serve func(net.Conn)) (setup, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return setup{}, err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			_ = c.Close()
		}
	}()
	b.cleanup(func() error {
		err := l.Close()
		<-done
		return err
	})
	port := l.Addr().(*net.TCPAddr).Port
	cfg := ftpx.Config{Host: "127.0.0.1", User: "user", Options: ftpx.Options{Password: "password", Protocols: []ftpx.Protocol{p}, AllowPlaintext: p == ftpx.FTP,
		Ports: ftpx.Ports{SFTP: port, FTP: port}}}
	cfg.SSH.HostKeyFingerprints = []string{"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}
	return setup{cfg: cfg}, nil
}
