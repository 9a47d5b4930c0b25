//go:build linux

package realserver

import (
	"crypto/rsa"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// configureProFTPD writes proftpd.conf and its own passwd file.
func (s *Server) configureProFTPD(program string) (command, error) {
	o, c := s.opt, &config{}
	modules := filepath.Join(prefixOf(program), "usr/lib/proftpd")
	if prefixOf(program) == "/" {
		modules = "/usr/lib/proftpd"
	}
	c.line("ModulePath %s", modules)
	if o.TLS != TLSOff {
		c.line("LoadModule mod_tls.c")
	}
	if o.Digest {
		c.line("LoadModule mod_digest.c")
	}
	c.line("ServerName go-ftpx")
	c.line("ServerType standalone")
	c.line("DefaultServer on")
	c.line("DefaultAddress %s", s.Host)
	c.line("SocketBindTight on") // else it listens on every address of the machine
	c.line("Port %d", s.Port)
	c.line("UseIPv6 on")
	c.line("PassivePorts %d %d", s.PassiveLo, s.PassiveHi)
	if netip.MustParseAddr(s.Host).Is4() {
		c.line("MasqueradeAddress %s", o.PassiveAddress)
	}
	// The listener stays root: a change of its effective user would clear the
	// death signal that ends it with the test binary. Sessions become Account.
	c.line("User root")
	c.line("Group root")
	c.line("PidFile %s", filepath.Join(s.confDir(), "proftpd.pid"))
	c.line("ScoreboardFile %s", filepath.Join(s.confDir(), "scoreboard"))
	c.line("SystemLog %s", filepath.Join(s.logDir(), "system.log"))
	c.line("ExtendedLog %s ALL", filepath.Join(s.logDir(), "commands.log"))
	c.line("TransferLog none")
	c.line("WtmpLog off")
	c.line("<IfModule mod_ctrls.c>\nControlsEngine off\n</IfModule>")

	c.line("AuthUserFile %s", filepath.Join(s.confDir(), "passwd"))
	c.line("AuthOrder mod_auth_file.c")
	c.line("RequireValidShell off")
	c.line("DefaultRoot ~")
	c.line("Umask 022")
	c.line("UseReverseDNS off")
	c.line("DelayEngine off")
	c.line("AllowOverwrite on")
	c.line("AllowRetrieveRestart on")
	c.line("AllowStoreRestart %s", on(!o.NoStoreRestart))
	if o.MaxPerHost > 0 {
		c.line("MaxClientsPerHost %d", o.MaxPerHost)
	}
	c.line("MaxClients %d", or(o.MaxClients, plenty))
	if o.IdleTimeout > 0 {
		c.line("TimeoutIdle %d", seconds(o.IdleTimeout))
	}
	if o.DataTimeout > 0 {
		c.line("TimeoutStalled %d", seconds(o.DataTimeout))
	}
	if o.TLS != TLSOff {
		if err := s.proftpdTLS(c); err != nil {
			return command{}, err
		}
	}
	if o.Digest {
		c.line("DigestEngine on")
	}
	c.lines(o.Extra)

	hash, err := output(s.Password, "openssl", "passwd", "-6", "-stdin")
	if err != nil {
		return command{}, err
	}
	// It refuses a passwd file that others can read.
	entry := fmt.Sprintf("%s:%s:%d:%d::%s:/bin/sh\n", s.User, hash, s.account.uid, s.account.gid, s.Root)
	if err := os.WriteFile(filepath.Join(s.confDir(), "passwd"), []byte(entry), 0o600); err != nil {
		return command{}, err
	}
	file := filepath.Join(s.confDir(), "proftpd.conf")
	return command{path: program, args: []string{"-n", "-q", "-c", file}}, os.WriteFile(file, c.bytes(), 0o600)
}

// proftpdTLS adds what mod_tls needs. There is no TLSSessionCache: control and
// data connections of one session are served by one process, whose own cache is
// enough, while shm: would leave a shared memory segment behind after Kill.
func (s *Server) proftpdTLS(c *config) error {
	o := s.opt
	var versions []string
	for v := o.MinTLS; v <= o.MaxTLS; v++ {
		name, ok := openSSLNames[v]
		if !ok {
			return fmt.Errorf("realserver: unknown TLS version %#x", v)
		}
		versions = append(versions, name)
	}
	c.line("TLSEngine on")
	c.line("TLSLog %s", filepath.Join(s.logDir(), "tls.log"))
	c.line("TLSProtocol %s", strings.Join(versions, " "))
	c.line("TLSRequired %s", on(o.TLS != TLSAllowed))
	kind := "EC"
	if _, ok := s.certificate.PrivateKey.(*rsa.PrivateKey); ok {
		kind = "RSA"
	}
	c.line("TLS%sCertificateFile %s", kind, s.keyPairFile())
	c.line("TLS%sCertificateKeyFile %s", kind, s.keyPairFile())
	var options []string
	if !o.RequireReuse {
		options = append(options, "NoSessionReuseRequired")
	}
	if o.TLS == TLSImplicit {
		options = append(options, "UseImplicitSSL")
	}
	if len(options) > 0 {
		c.line("TLSOptions %s", strings.Join(options, " "))
	}
	c.line("TLSVerifyClient %s", on(o.ClientCAFile != ""))
	if o.ClientCAFile != "" {
		c.line("TLSCACertificateFile %s", o.ClientCAFile)
	}
	return nil
}
