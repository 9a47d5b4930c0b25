package sshconfig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport/tunnel"
)

// Apply looks cfg.Host up and fills in what cfg leaves open. A user and a port in
// cfg win, and count as those of Match user and %-tokens. The settings are returned
// for the jump hosts, which are the caller's to dial through, and for what is
// missing or ignored. On an error cfg is as it was.
func (c *Config) Apply(cfg *ftpx.Config) (Settings, error) {
	s, err := c.ResolveAs(cfg.User, cfg.Host, cfg.Ports.SFTP)
	if err != nil {
		return s, err
	}
	return s, s.Apply(cfg)
}

// Apply fills in what cfg leaves open: Host (which may be empty or the alias), User,
// Ports.SFTP, each field of SSH, Timeouts.Connect, and Timeouts.Stall where
// ServerAliveInterval is set, as long as ssh would wait for an answer. Without
// jumps AddressFamily becomes Dial. Jumps themselves are not applied: a
// configuration with jumps and no Dial is an error, since it would go round them.
func (s Settings) Apply(cfg *ftpx.Config) error {
	if cfg.Host != "" && !strings.EqualFold(cfg.Host, s.Alias) && !strings.EqualFold(cfg.Host, s.HostName) {
		return fmt.Errorf("sshconfig: the settings are those of %q and Config.Host is %q: leave it empty", s.Alias, cfg.Host)
	}
	if len(s.Jumps) > 0 && cfg.Dial == nil {
		return fmt.Errorf("sshconfig: host %q is reached through %s: set Config.Dial to the Dial of a tunnel.New(settings.Hops()...) first", s.Alias, s.Jumps[len(s.Jumps)-1].HostName)
	}
	keys := s.SSH.IdentityFiles
	if s.defaultKeys && cfg.SSH.Passphrase == nil {
		keys = unlocked(keys) // the agent offers what it has by itself
	}
	cfg.Host = s.HostName
	fill(&cfg.User, s.User)
	fill(&cfg.Ports.SFTP, s.Port)
	fill(&cfg.Timeouts.Connect, s.ConnectTimeout)
	fill(&cfg.Timeouts.Stall, s.ServerAliveInterval*time.Duration(s.ServerAliveCountMax))
	if cfg.Dial == nil && s.AddressFamily != "any" {
		cfg.Dial = dialFamily(map[string]string{"inet": "tcp4", "inet6": "tcp6"}[s.AddressFamily])
	}
	to, from := &cfg.SSH, s.SSH
	fillList(&to.IdentityFiles, keys)
	fillList(&to.CertificateFiles, from.CertificateFiles)
	fillList(&to.AuthMethods, from.AuthMethods)
	fillList(&to.KeyExchanges, from.KeyExchanges)
	fillList(&to.Ciphers, from.Ciphers)
	fillList(&to.MACs, from.MACs)
	fillList(&to.HostKeyAlgorithms, from.HostKeyAlgorithms)
	fillList(&to.PublicKeyAlgorithms, from.PublicKeyAlgorithms)
	fillList(&to.CASignatureAlgorithms, from.CASignatureAlgorithms)
	to.MinRSABits = max(to.MinRSABits, from.MinRSABits)
	fill(&to.Agent, from.Agent)
	fill(&to.HostKeyAlias, from.HostKeyAlias)
	to.IdentitiesOnly = to.IdentitiesOnly || from.IdentitiesOnly
	if to.KnownHosts == nil {
		// Whoever names files decides about new hosts too.
		to.KnownHosts = from.KnownHosts
		fill(&to.TrustOnFirstUse, from.TrustOnFirstUse)
	}
	return nil
}

// Hops returns the jump hosts for [tunnel.New], the nearest first, none where the
// host is reached directly. Keys that need a passphrase are left to the agent
// where ssh would try them by itself; for others set Hop.SSH.Passphrase, Hop.Password where
// a jump host wants one, and Hop.SSH.KeyboardInteractive where it asks for more, such as a
// code.
//
//	settings, err := config.Resolve("backup")
//	...
//	if hops := settings.Hops(); len(hops) > 0 {
//		way, err := tunnel.New(hops...)
//		...
//		defer way.Close()
//		cfg.Dial = way.Dial
//	}
//	err = settings.Apply(&cfg)
func (s Settings) Hops() []tunnel.Hop {
	var hops []tunnel.Hop
	for _, j := range s.Jumps {
		h := tunnel.Hop{Scheme: tunnel.SSH, Host: j.HostName, Port: j.Port, User: j.User, SSH: j.SSH,
			ConnectTimeout: j.ConnectTimeout, KeepAlive: j.ServerAliveInterval}
		if j.defaultKeys {
			h.SSH.IdentityFiles = unlocked(h.SSH.IdentityFiles)
		}
		hops = append(hops, h)
	}
	return hops
}

func fill[T comparable](to *T, from T) {
	var zero T
	if *to == zero {
		*to = from
	}
}

func fillList(to *[]string, from []string) {
	if *to == nil {
		*to = from
	}
}

// unlocked leaves out keys that need a passphrase, for those that ssh tries without
// being told and nobody can be asked about.
func unlocked(files []string) []string {
	out := []string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		var locked *ssh.PassphraseMissingError
		if _, perr := ssh.ParsePrivateKey(data); err == nil && !errors.As(perr, &locked) {
			out = append(out, file)
		}
	}
	return out
}

// dialFamily dials in one family of addresses.
func dialFamily(network string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}
}
