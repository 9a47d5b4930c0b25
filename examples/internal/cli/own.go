package cli

import (
	"cmp"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/netrc"
	"github.com/seed01fc2e40/go-ftpx/ftpx/sshconfig"
)

// Own says how a command connects as the user's ssh and curl do.
type Own struct {
	// Use says that it does; the other fields count only then.
	Use bool
	// None reads no configuration, and uses neither agent nor default keys (--no-config).
	None bool
	// File is an SSH configuration in place of the user's, Set are directives that win over
	// it, Jumps jump hosts.
	File       string
	Set, Jumps []string
	// Port is that of the server where the address has none, 0 for the protocol's own.
	Port int
}

// place fills in what an address and the user's own files say. end closes what the server is
// reached through, and is never nil.
func (f *Flags) place(p Place, env Env, cfg *ftpx.Config) (end func() error, err error) {
	end = func() error { return nil }
	if p.Alias != "" {
		host := p.Alias
		if i := strings.LastIndexByte(host, '@'); i >= 0 {
			cfg.User, host = host[:i], host[i+1:]
		}
		cfg.Host = strings.Trim(host, "[]")
		if len(cfg.Protocols) == 0 {
			cfg.Protocols = []ftpx.Protocol{ftpx.SFTP} // as scp
		}
	}
	if err := f.Own.port(p, cfg); err != nil {
		return end, err
	}
	alias := cfg.Host
	var rc *netrc.File
	if !f.Own.None {
		rc = f.netrc(env)
	}
	overSSH := len(cfg.Protocols) == 0 || slices.Contains(cfg.Protocols, ftpx.SFTP)
	if overSSH {
		rc = machines(rc)
	}
	login, password, found := rc.Lookup(alias, cfg.User)
	if overSSH {
		if end, err = f.Own.ssh(cfg, login); err != nil {
			return end, err
		}
		if !found || cfg.User != login && login != "" {
			login, password, found = rc.Lookup(cfg.Host, cfg.User)
		}
		if login != "" && login != cfg.User {
			found = false // another user's password
		}
	}
	if found {
		cfg.User = cmp.Or(cfg.User, login)
		cfg.Password = cmp.Or(cfg.Password, password)
	}
	return end, nil
}

// machines are the entries of hosts. A default is for anonymous FTP: it is no reason to be
// another user over SSH, or to show its password to every host.
func machines(rc *netrc.File) *netrc.File {
	named := &netrc.File{}
	if rc != nil {
		for _, e := range rc.Entries {
			if e.Machine != "" {
				named.Entries = append(named.Entries, e)
			}
		}
	}
	return named
}

// port puts the port of the command line where the address says that it belongs.
func (o *Own) port(p Place, cfg *ftpx.Config) error {
	if o.Port == 0 {
		return nil
	}
	if p.URL != "" && len(cfg.Protocols) != 1 {
		return fmt.Errorf("%w: --port: ftpx:// chooses among protocols, which have different ports: name the protocol in the address, or use --sftp-port and --ftp-port", ErrUsage)
	}
	for of, port := range map[ftpx.Protocol]*int{ftpx.SFTP: &cfg.Ports.SFTP, ftpx.FTPS: &cfg.Ports.FTPS, ftpx.FTPSImplicit: &cfg.Ports.FTPSImplicit, ftpx.FTP: &cfg.Ports.FTP} {
		if cfg.Protocols[0] == of {
			*port = cmp.Or(*port, o.Port)
		}
	}
	return nil
}

// ssh applies the SSH configuration. login is what ~/.netrc has for the host, which counts
// where the configuration names no user.
func (o *Own) ssh(cfg *ftpx.Config, login string) (end func() error, err error) {
	end = func() error { return nil }
	if o.None && len(o.Set)+len(o.Jumps) == 0 && o.File == "" {
		cfg.User = cmp.Or(cfg.User, localUser())
		return end, nil
	}
	c, err := o.config()
	if err != nil {
		return end, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	if cfg.User == "" && login != "" {
		// ssh's own default, the local user, is the last choice.
		if s, err := c.ResolveAs("", cfg.Host, cfg.Ports.SFTP); err == nil && s.User == localUser() {
			cfg.User = login
		}
	}
	named := cfg.SSH.IdentityFiles
	if len(named) > 0 {
		if c, err = c.With(identities(named)...); err != nil {
			return end, fmt.Errorf("%w: -i: %w", ErrUsage, err)
		}
		cfg.SSH.IdentityFiles = nil // they come back, with those of the configuration
	}
	_, end, err = c.Reach(cfg)
	if err != nil {
		return end, fmt.Errorf("%w: %s", ErrUsage, strings.TrimPrefix(err.Error(), "sshconfig: "))
	}
	return end, nil
}

func (o *Own) config() (c *sshconfig.Config, err error) {
	switch {
	case o.None:
		c, err = sshconfig.Parse("none", "IdentityAgent none\nIdentityFile none\n")
	case o.File != "":
		c, err = sshconfig.Load(o.File)
	default:
		c, err = sshconfig.Load()
	}
	if err != nil {
		return nil, err
	}
	set := o.Set
	if len(o.Jumps) > 0 {
		set = append(set[:len(set):len(set)], "ProxyJump="+strings.Join(o.Jumps, ","))
	}
	if len(set) == 0 {
		return c, nil
	}
	return c.With(set...)
}

func identities(files []string) (set []string) {
	for _, f := range files {
		set = append(set, "IdentityFile="+strconv.Quote(strings.ReplaceAll(f, "%", "%%")))
	}
	return set
}

func localUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username[strings.LastIndexByte(u.Username, '\\')+1:]
}

// netrc reads ~/.netrc. What is wrong with it is told and no reason to end: the host may
// need no password.
func (f *Flags) netrc(env Env) *netrc.File {
	rc, err := netrc.Load()
	if err != nil {
		Note(*f, env, "%v; it is not used", err)
	}
	return rc
}
