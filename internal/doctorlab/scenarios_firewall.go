//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/doctor"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// The kernel's own firewall does what those in the field do: it reads what is said on a
// control connection, follows connections and forgets them.

func ofFirewall() []scenario {
	vsftpd, proftpd := realserver.Options{Kind: realserver.VSFTPD}, realserver.Options{Kind: realserver.ProFTPD}
	return []scenario{
		{name: "one command in a packet", server: "vsftpd behind nftables", want: "alg-strict", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			return b.behind(mended, vsftpd, func(s *realserver.Server) []string {
				// A command of four letters with more behind its CR LF. 58 is what the headers take,
				// and six bytes.
				return []string{fmt.Sprintf("tcp dport %d @ih,32,16 0x0d0a meta length > 58 reject with tcp reset", s.Port)}
			})
		}},
		{name: "AUTH is rejected", server: "ProFTPD behind nftables", want: "win-firewall", cured: "the rule is removed", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.secured(proftpd)
			if err == nil && !mended {
				err = b.rule(fmt.Sprintf("tcp dport %d @ih,0,32 0x41555448 reject with tcp reset", s.Port))
			}
			return set, err
		}},
		{name: "idle connections forgotten, SFTP", server: "sshd behind conntrack", want: "idle-cut", cured: "the timeout is raised", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.ssh(realserver.Options{})
			if err != nil {
				return set, err
			}
			set.opt.Idle = 3 * time.Second
			return set, b.forgetting("dport", s.Port, pick(mended, time.Minute, time.Second))
		}},
		{name: "idle connections forgotten, FTP", server: "Pure-FTPd behind conntrack", want: "idle-cut", cured: "the timeout is raised", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.plain(realserver.Options{Kind: realserver.PureFTPd})
			if err != nil {
				return set, err
			}
			set.opt.Idle = 3 * time.Second
			return set, b.forgetting("dport", s.Port, pick(mended, time.Minute, time.Second))
		}},
		{name: "control connection forgotten", server: "ProFTPD behind conntrack", want: "control-cut", cured: "the timeout is raised", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.plain(proftpd)
			if err != nil {
				return set, err
			}
			// What the client says makes the connection known again, and a transfer's last reply
			// is the server's.
			set.opt = doctor.Options{Scratch: ".", Idle: 3 * time.Second}
			return set, b.forgetting("sport", s.Port, pick(mended, time.Minute, time.Second))
		}},
		{name: "data ports that conntrack reads", server: "vsftpd behind conntrack", want: "ftps-firewall", cured: "the ports are opened", build: func(b *bench, mended bool) (setup, error) {
			set, s, err := b.secured(vsftpd)
			if err != nil {
				return set, err
			}
			set.cfg.Protocols, set.cfg.AllowPlaintext = []ftpx.Protocol{ftpx.FTPS, ftpx.FTP}, true
			if mended {
				return set, nil
			}
			return set, b.following(s)
		}},
		{name: "a rename does not replace, SFTP", server: "sshd", want: "no-rename", cured: "internal-sftp without -P", build: func(b *bench, mended bool) (setup, error) {
			root, err := b.folder()
			if err != nil {
				return setup{}, err
			}
			o := realserver.Options{Root: root}
			if !mended {
				o.Extra = []string{"ForceCommand internal-sftp -d " + root + " -P posix-rename"}
			}
			set, _, err := b.ssh(o)
			set.opt = writing()
			return set, err
		}},
		{name: "a zone that is 7 minutes off", server: "vsftpd", want: "clock", cured: "use_localtime=NO", build: func(b *bench, mended bool) (setup, error) {
			set, _, err := b.plain(realserver.Options{Kind: realserver.VSFTPD, LocalTime: pick(mended, "", "LAB0:07")})
			set.opt = doctor.Options{Scratch: "."}
			return set, err
		}},
	}
}

// conntrack adds a table with an output chain, in which connections are looked at when they
// begin, and an input chain. what are further objects of it.
func (b *bench) conntrack(what, out, in string) error {
	b.tables++
	table := fmt.Sprintf("s%d_%d", b.number, b.tables)
	err := tool("nft", fmt.Sprintf(`table inet %s {
%s
chain out { type filter hook output priority 1; %s; }
chain in { type filter hook input priority 1; %s; }
}
`, table, what, out, in))
	if err == nil {
		b.cleanup(func() error { return tool("nft", "delete table inet "+table) })
	}
	return err
}

// forgetting is a firewall that forgets connections to a port which are idle, and answers what
// belongs to none that it knows by an RST: from the client (to "dport") or from the server
// (from "sport").
func (b *bench) forgetting(from string, port int, idle time.Duration) error {
	return b.conntrack(
		fmt.Sprintf("ct timeout idle { protocol tcp; l3proto ip; policy = { established : %d }; }", int(idle.Seconds())),
		fmt.Sprintf(`tcp dport %d ct timeout set "idle"`, port),
		fmt.Sprintf("tcp %s %d tcp flags & (syn | rst) == 0 ct state new reject with tcp reset", from, port))
}

// following is a firewall that opens a data port when its FTP helper reads of it, which under
// TLS it cannot.
func (b *bench) following(s *realserver.Server) error {
	return b.conntrack(
		`ct helper reads { type "ftp" protocol tcp; l3proto ip; }`,
		fmt.Sprintf(`tcp dport %d ct helper set "reads"`, s.Port),
		fmt.Sprintf("tcp dport %d-%d ct state new drop", s.PassiveLo, s.PassiveHi))
}
