//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"golang.org/x/crypto/ssh"
)

func ofBehaviour() []scenario {
	return []scenario{
		{name: "sessions end after 2 s", server: "vsftpd", want: "idle-short", cured: "idle_session_timeout=60", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(realserver.Options{Kind: realserver.VSFTPD, IdleTimeout: pick(mended, time.Minute, 2*time.Second)})
			set.opt.Idle = 4 * time.Second
			return set, err
		}},
		{name: "sessions end after 2 s", server: "ProFTPD", want: "idle-short", cured: "TimeoutIdle 60", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(realserver.Options{Kind: realserver.ProFTPD, IdleTimeout: pick(mended, time.Minute, 2*time.Second)})
			set.opt.Idle = 4 * time.Second
			return set, err
		}},
		{name: "REST is denied", server: "vsftpd", want: "no-restart", cured: "cmds_denied removed", build: func(b *bench, mended bool) (setup, error) {
			return just(b.plain(extra(realserver.Options{Kind: realserver.VSFTPD}, "cmds_denied=REST")(mended)))
		}},
		{name: "uploads may not go on", server: "ProFTPD", want: "no-restart", cured: "AllowStoreRestart on", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(realserver.Options{Kind: realserver.ProFTPD, NoStoreRestart: !mended})
			set.opt = writing()
			return set, err
		}},
		{name: "listings are denied", server: "ProFTPD", want: "other", cured: "<Limit LIST MLSD> removed", build: func(b *bench, mended bool) (setup, error) {
			return just(b.plain(extra(realserver.Options{Kind: realserver.ProFTPD}, "<Limit LIST MLSD NLST>", "DenyAll", "</Limit>")(mended)))
		}},
		{name: "a rename does not replace", server: "imitated server", want: "no-rename", cured: "", build: func(b *bench, _ bool) (setup, error) {
			return b.embedded(testserver.FTPOptions{RefuseOverwrite: true})
		}},
		{name: "SIZE and MDTM are denied", server: "vsftpd", want: "denied-verbs", cured: "cmds_denied removed", build: func(b *bench, mended bool) (setup, error) {
			return just(b.plain(extra(realserver.Options{Kind: realserver.VSFTPD}, "cmds_denied=SIZE,MDTM")(mended)))
		}},
		{name: "read-only account", server: "vsftpd", want: "denied-verbs", cured: "write_enable=YES", build: func(b *bench, mended bool) (setup, error) {
			return just(b.plain(extra(realserver.Options{Kind: realserver.VSFTPD}, "write_enable=NO")(mended)))
		}},
		{name: "times of Tokyo", server: "vsftpd", want: "zone", cured: "use_localtime=NO", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(realserver.Options{Kind: realserver.VSFTPD, LocalTime: pick(mended, "", "Asia/Tokyo")})
			set.opt = writing()
			return set, err
		}},
		{name: "a clock 7 minutes behind", server: "imitated server", want: "clock", cured: "", build: func(b *bench, _ bool) (setup, error) {
			return b.embedded(testserver.FTPOptions{Disable: []string{"MLST", "MLSD"}, OnReply: late(7 * time.Minute)})
		}},
		{name: "full disk", server: "sshd", want: "no-space", cured: "space is made", build: func(b *bench, mended bool) (setup, error) {
			root, err := b.smallDisk(mended)
			if err != nil {
				return setup{}, err
			}
			return just(b.ssh(realserver.Options{Root: root}))
		}},
		{name: "quota of 10 KiB", server: "Pure-FTPd", want: "no-space", cured: "-n (quota) raised", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(realserver.Options{Kind: realserver.PureFTPd, QuotaBytes: pick[int64](mended, 64<<20, 10<<10)})
			set.opt = writing()
			return set, err
		}},
		{name: "an object store", server: "imitated AWS Transfer", want: "object-store", cured: "", build: func(b *bench, _ bool) (setup, error) {
			root, err := b.folder()
			if err != nil {
				return setup{}, err
			}
			s, err := testserver.StartSFTP(testserver.SFTPOptions{Root: root, Version: "SSH-2.0-AWS_SFTP_1.2"})
			if err != nil {
				return setup{}, err
			}
			b.cleanup(s.Close)
			cfg := ftpx.Config{Host: "127.0.0.1", User: "user", Options: ftpx.Options{Password: "password", Protocols: []ftpx.Protocol{ftpx.SFTP},
				Ports: ftpx.Ports{SFTP: s.Port()}, SSH: transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(s.HostKey())}}}}
			return setup{cfg: cfg}, nil
		}},
	}
}

// embedded is a server of the project's own, examined with a scratch folder.
func (b *bench) embedded(o testserver.FTPOptions) (setup, error) {
	var err error
	if o.Root, err = b.folder(); err != nil {
		return setup{}, err
	}
	s, err := testserver.StartFTP(o)
	if err != nil {
		return setup{}, err
	}
	b.cleanup(s.Close)
	cfg := ftpx.Config{Host: "127.0.0.1", User: "user", Options: ftpx.Options{Password: "password", Protocols: []ftpx.Protocol{ftpx.FTP}, AllowPlaintext: true, Ports: ftpx.Ports{FTP: s.Port()}}}
	return setup{cfg: cfg, opt: writing()}, nil
}

// late turns the times in replies to MDTM back.
func late(by time.Duration) func(verb, line string) string {
	const form = "20060102150405"
	return func(verb, line string) string {
		code, stamp, _ := strings.Cut(line, " ")
		if verb != "MDTM" || code != "213" {
			return line
		}
		t, err := time.Parse(form, stamp)
		if err != nil {
			return line
		}
		return code + " " + t.Add(-by).Format(form)
	}
}

// smallDisk is a folder on a disk in memory, which is full unless it is mended.
func (b *bench) smallDisk(mended bool) (string, error) {
	dir, err := b.folder()
	if err != nil {
		return "", err
	}
	size := pick(mended, "128m", "256k")
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755,size="+size); err != nil {
		return "", fmt.Errorf("mount a small disk: %w", err)
	}
	b.cleanup(func() error { return unix.Unmount(dir, unix.MNT_DETACH) })
	if mended {
		return dir, nil
	}
	return dir, os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 256<<10), 0o644)
}
