//go:build linux

package main

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

const name = "files.example.test"

// named has the server found by name, through an imitated name server.
func (b *bench) named(set setup, z zone) (setup, error) {
	r, err := b.resolver(z)
	if err != nil {
		return setup{}, err
	}
	set.cfg.Host, set.opt.Resolver = name, r
	return set, nil
}

// mapped is a server that is found through dnsmasq, which without the remedy knows what the
// flags say.
func mapped(flags ...string) func(*bench, bool) (setup, error) {
	return func(b *bench, mended bool) (setup, error) {
		set, _, err := b.plain(realserver.Options{Kind: realserver.VSFTPD})
		if err != nil {
			return setup{}, err
		}
		known := flags
		if mended {
			known = []string{"--host-record=" + name + ",127.0.0.1"}
		}
		set.cfg.Host = name
		set.opt.Resolver, err = b.dnsmasq(known...)
		return set, err
	}
}

func ofNetwork() []scenario {
	vsftpd := realserver.Options{Kind: realserver.VSFTPD}
	dns := func(broken, well zone) func(*bench, bool) (setup, error) {
		return func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(vsftpd)
			if err != nil {
				return setup{}, err
			}
			return b.named(set, pick(mended, well, broken))
		}
	}
	well := zone{v4: "127.0.0.1"}
	return []scenario{
		{name: "no such name", server: "vsftpd, imitated DNS", want: "dns-none", cured: "the name is added", build: dns(zone{none: true}, well)},
		{name: "name without addresses", server: "vsftpd, imitated DNS", want: "dns-none", cured: "an A record is added", build: dns(zone{}, well)},
		{name: "no such name, dnsmasq", server: "vsftpd, dnsmasq", want: "dns-none", cured: "the name is added", build: mapped()},
		{name: "name without addresses, dnsmasq", server: "vsftpd, dnsmasq", want: "dns-none", cured: "an A record is added", build: mapped("--txt-record=" + name + ",text")},
		{name: "slow name server", server: "vsftpd, imitated DNS", want: "dns-slow", cured: "a name server that is near",
			build: dns(zone{v4: "127.0.0.1", delay: 800 * time.Millisecond}, well)},
		{name: "dead IPv6", server: "vsftpd behind nftables", want: "v6-dead", cured: "the AAAA record is removed",
			build: dns(zone{v4: "127.0.0.1", v6: deadV6}, well)},
		{name: "service stopped", server: "sshd", want: "port-closed", cured: "the service is started", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.ssh(realserver.Options{})
			if err == nil && !mended {
				err = s.Stop()
			}
			return set, err
		}},
		{name: "port rejected by a firewall", server: "vsftpd behind nftables", want: "port-closed", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			return b.behind(mended, vsftpd, func(s *realserver.Server) []string {
				return []string{fmt.Sprintf("tcp dport %d reject with tcp reset", s.Port)}
			})
		}},
		{name: "port filtered", server: "vsftpd behind nftables", want: "port-filtered", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			return b.behind(mended, vsftpd, func(s *realserver.Server) []string {
				return []string{fmt.Sprintf("tcp dport %d drop", s.Port)}
			})
		}},
		{name: "full packets lost, SFTP", server: "sshd behind nftables", want: "mtu-hole", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.ssh(realserver.Options{})
			if err == nil && !mended {
				err = b.rule(hole(s.Port)...)
			}
			return set, err
		}},
		{name: "full packets lost, FTPS", server: "ProFTPD behind nftables", want: "mtu-hole", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.secured(realserver.Options{Kind: realserver.ProFTPD})
			if err == nil && !mended {
				err = b.rule(hole(s.Port)...)
			}
			return set, err
		}},
		{name: "packets lost at random", server: "ProFTPD behind nftables", want: "tcp-loss", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.plain(realserver.Options{Kind: realserver.ProFTPD})
			if err == nil && !mended {
				// Every fifth, so that chance has no part in it.
				err = b.rule(fmt.Sprintf("tcp dport %d tcp flags & syn == 0 numgen inc mod 5 == 3 drop", s.Port))
			}
			return set, err
		}},
		{name: "one command at a time", server: "vsftpd, imitated firewall", want: "alg-strict", cured: "the inspection is switched off", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.plain(vsftpd)
			if err != nil || mended {
				return set, err
			}
			set.cfg.Ports.FTP, err = b.middlebox(s.Addr(), func(p []byte) bool { return bytes.Count(p, []byte("\n")) > 1 }, 0)
			return set, err
		}},
		{name: "reset at AUTH TLS", server: "ProFTPD, imitated firewall", want: "win-firewall", cured: "the inspection is switched off", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.secured(realserver.Options{Kind: realserver.ProFTPD})
			if err != nil || mended {
				return set, err
			}
			set.cfg.Ports.FTP, err = b.middlebox(s.Addr(), func(p []byte) bool { return bytes.HasPrefix(p, []byte("AUTH")) }, 0)
			return set, err
		}},
		{name: "idle sessions cut, SFTP", server: "sshd, imitated firewall", want: "idle-cut", cured: "the timeout is raised", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.ssh(realserver.Options{})
			if err != nil {
				return set, err
			}
			// The host key is known by the server's own port.
			set.opt.Idle = 2 * time.Second
			set.cfg.SSH.KnownHosts = nil
			set.cfg.SSH.HostKeyFingerprints = fingerprints(s)
			set.cfg.Ports.SFTP, err = b.middlebox(s.Addr(), nil, pick(mended, time.Minute, time.Second))
			return set, err
		}},
		{name: "idle sessions cut, FTP", server: "Pure-FTPd, imitated firewall", want: "idle-cut", cured: "the timeout is raised", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.plain(realserver.Options{Kind: realserver.PureFTPd})
			if err != nil {
				return set, err
			}
			set.opt.Idle = 2 * time.Second
			set.cfg.Ports.FTP, err = b.middlebox(s.Addr(), nil, pick(mended, time.Minute, time.Second))
			return set, err
		}},
		{name: "control connection cut meanwhile", server: "ProFTPD, imitated firewall", want: "control-cut", cured: "the timeout is raised", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.plain(realserver.Options{Kind: realserver.ProFTPD})
			if err != nil {
				return set, err
			}
			set.opt = doctor.Options{Scratch: ".", Idle: 2 * time.Second}
			if !mended {
				set.cfg.Ports.FTP, err = b.place(forgetful(s.Addr()))
			}
			return set, err
		}},
	}
}

// forgetful is a firewall that forgets the control connection of a transfer that takes more
// than a second: the server's final reply to it is met with an RST.
func forgetful(target string) *middlebox {
	var mu sync.Mutex
	var began time.Time
	return &middlebox{target: target,
		judge: func(p []byte) bool {
			mu.Lock()
			defer mu.Unlock()
			if bytes.Contains(p, []byte("STOR ")) {
				began = time.Now()
			}
			return false
		},
		cuts: func(p []byte) bool {
			mu.Lock()
			defer mu.Unlock()
			return bytes.HasPrefix(p, []byte("226")) && !began.IsZero() && time.Since(began) > time.Second
		}}
}

// behind puts up a server for plain FTP behind rules.
func (b *bench) behind(mended bool, o realserver.Options, rules func(*realserver.Server) []string) (setup, error) {
	set, s, err := b.by(o, ftpx.FTP)
	if err == nil && !mended {
		err = b.rule(rules(s)...)
	}
	return set, err
}

// hole are rules that lose every packet of more than 900 bytes to and from a port.
func hole(port int) []string {
	return []string{fmt.Sprintf("tcp dport %d meta length > 900 drop", port), fmt.Sprintf("tcp sport %d meta length > 900 drop", port)}
}
