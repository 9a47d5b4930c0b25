//go:build linux

package main

import (
	"fmt"
	"path/filepath"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

func ofLogin() []scenario {
	full := func(kind realserver.Kind) func(*bench, bool) (setup, error) {
		return func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(realserver.Options{Kind: kind, MaxPerHost: pick(mended, 10, 1)})
			if err == nil {
				err = b.hold(set.cfg, 1)
			}
			return set, err
		}
	}
	needsTLS := func(kind realserver.Kind) func(*bench, bool) (setup, error) {
		return func(b *bench, mended bool) (setup, error) {
			return just(b.plain(realserver.Options{Kind: kind, TLS: pick(mended, realserver.TLSAllowed, realserver.TLSRequired)}))
		}
	}
	wrong := func(o realserver.Options, p ftpx.Protocol) func(*bench, bool) (setup, error) {
		return func(b *bench, mended bool) (setup, error) {
			set, _, err := b.by(o, p)
			if !mended {
				set.cfg.Password = "not the password"
			}
			return set, err
		}
	}
	return []scenario{
		{name: "421 at once", server: "vsftpd", want: "too-many", cured: "max_per_ip=10", build: full(realserver.VSFTPD)},
		{name: "530 for the maximum of clients", server: "ProFTPD", want: "too-many", cured: "MaxClientsPerHost 10", build: full(realserver.ProFTPD)},
		{name: "421 for this address", server: "Pure-FTPd", want: "too-many", cured: "-C 10", build: full(realserver.PureFTPd)},
		{name: "fewer connections than the client wants", server: "vsftpd", want: "too-many", cured: "max_per_ip=20", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(realserver.Options{Kind: realserver.VSFTPD, MaxPerHost: pick(mended, 20, 3)})
			set.opt.Connections = 6
			return set, err
		}},
		{name: "TLS is demanded", server: "vsftpd", want: "tls-required", cured: "force_local_logins_ssl=NO", build: needsTLS(realserver.VSFTPD)},
		{name: "TLS is demanded", server: "ProFTPD", want: "tls-required", cured: "TLSRequired off", build: needsTLS(realserver.ProFTPD)},
		{name: "TLS is demanded", server: "Pure-FTPd", want: "tls-required", cured: "-Y 1", build: needsTLS(realserver.PureFTPd)},
		{name: "login folder is writable", server: "vsftpd", want: "chroot", cured: "allow_writeable_chroot=YES", build: func(b *bench, mended bool) (setup, error) {
			return just(b.plain(extra(realserver.Options{Kind: realserver.VSFTPD}, "allow_writeable_chroot=NO")(mended)))
		}},
		{name: "root folder belongs to the user", server: "sshd", want: "chroot", cured: "ChrootDirectory of root's", build: func(b *bench, mended bool) (setup, error) {
			root, err := b.folder()
			if err != nil {
				return setup{}, err
			}
			o := realserver.Options{Root: root, Extra: []string{"ChrootDirectory " + pick(mended, "/", root)}}
			if !mended {
				o.Extra = append(o.Extra, "ForceCommand internal-sftp")
			}
			return just(b.ssh(o))
		}},
		{name: "three keys, two tries", server: "sshd", want: "ssh-keys", cured: "the right key alone", build: func(b *bench, mended bool) (setup, error) {
			right, err := pki.NewSSHKey()
			if err != nil {
				return setup{}, err
			}
			o := realserver.Options{Extra: []string{"MaxAuthTries 2"}}
			o.SSH.AuthorizedKeys, o.SSH.NoPassword = append(o.SSH.AuthorizedKeys, right.Public()), true
			set, _, err := b.ssh(o)
			set.cfg.Password = ""
			for range pick(mended, 0, 3) {
				other, err := pki.NewSSHKey()
				if err != nil {
					return set, err
				}
				set.cfg.SSH.Signers = append(set.cfg.SSH.Signers, other.Signer)
			}
			set.cfg.SSH.Signers = append(set.cfg.SSH.Signers, right.Signer)
			return set, err
		}},
		{name: "user on a list", server: "vsftpd", want: "login-policy", cured: "the line is removed from userlist_file", build: func(b *bench, mended bool) (setup, error) {
			list, err := b.file("users", pick(mended, "", realserver.Account+"\n"))
			if err != nil {
				return setup{}, err
			}
			return just(b.plain(realserver.Options{Kind: realserver.VSFTPD, Extra: []string{"userlist_enable=YES", "userlist_deny=YES", "userlist_file=" + list}}))
		}},
		{name: "wrong password", server: "Pure-FTPd", want: "login-refused", cured: "the right password", build: wrong(realserver.Options{Kind: realserver.PureFTPd}, ftpx.FTP)},
		{name: "wrong password, FTPS", server: "vsftpd", want: "login-refused", cured: "the right password",
			build: wrong(realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSAllowed}, ftpx.FTPS)},
		{name: "wrong password, SFTP", server: "sshd", want: "login-refused", cured: "the right password", build: wrong(realserver.Options{Kind: realserver.OpenSSH}, ftpx.SFTP)},
		{name: "reverse look-ups that nobody answers", server: "ProFTPD behind nftables", want: "slow-login", cured: "UseReverseDNS off", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(extra(realserver.Options{Kind: realserver.ProFTPD}, "UseReverseDNS on")(mended))
			set.cfg.Dial = from(namelessV4)
			return set, err
		}},
		{name: "name look-ups that nobody answers", server: "sshd behind nftables", want: "slow-login", cured: "UseDNS no", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.ssh(extra(realserver.Options{}, "UseDNS yes")(mended))
			set.cfg.Dial = from(namelessV4)
			return set, err
		}},
		{name: "a shell that greets", server: "sshd", want: "sftp-noise", cured: "ForceCommand internal-sftp", build: func(b *bench, mended bool) (setup, error) {
			return just(b.ssh(extra(realserver.Options{}, "ForceCommand echo Welcome to this host; exec /usr/lib/openssh/sftp-server")(mended)))
		}},
		{name: "no SFTP subsystem", server: "sshd", want: "sftp-absent", cured: "ForceCommand internal-sftp", build: func(b *bench, mended bool) (setup, error) {
			return just(b.ssh(extra(realserver.Options{}, "ForceCommand /bin/false")(mended)))
		}},
		{name: "the subsystem's program is missing", server: "sshd", want: "sftp-absent", cured: "ForceCommand internal-sftp", build: func(b *bench, mended bool) (setup, error) {
			dir, err := b.folder()
			if err != nil {
				return setup{}, err
			}
			return just(b.ssh(extra(realserver.Options{}, fmt.Sprintf("ForceCommand exec %s", filepath.Join(dir, "sftp-server")))(mended)))
		}},
	}
}
