//go:build linux

package realserver

import (
	"net/netip"
	"os"
	"path/filepath"
)

// configureVSFTPD writes vsftpd.conf (vsftpd.conf(5)).
func (s *Server) configureVSFTPD(program string) (command, error) {
	o, c := s.opt, &config{}
	if netip.MustParseAddr(s.Host).Is6() {
		c.line("listen=NO")
		c.line("listen_ipv6=YES")
		c.line("listen_address6=%s", s.Host)
	} else {
		c.line("listen=YES")
		c.line("listen_ipv6=NO")
		c.line("listen_address=%s", s.Host)
	}
	if a, err := netip.ParseAddr(o.PassiveAddress); err == nil && a.Is4() { // PASV knows nothing else
		c.line("pasv_address=%s", o.PassiveAddress)
	}
	c.line("background=NO")
	c.line("listen_port=%d", s.Port)
	c.line("pasv_min_port=%d", s.PassiveLo)
	c.line("pasv_max_port=%d", s.PassiveHi)

	c.line("anonymous_enable=NO")
	c.line("local_enable=YES")
	c.line("write_enable=YES")
	c.line("local_umask=022")
	c.line("local_root=%s", s.Root)
	c.line("chroot_local_user=YES")
	c.line("allow_writeable_chroot=YES")
	c.line("secure_chroot_dir=%s", filepath.Join(s.dir, "empty"))
	c.line("pam_service_name=vsftpd")
	// The sandbox's list of system calls is older than today's kernels and C
	// libraries; with it, sessions die.
	c.line("seccomp_sandbox=NO")
	c.line("mdtm_write=YES")
	c.line("use_localtime=%s", yes(o.LocalTime != ""))
	c.line("max_per_ip=%d", o.MaxPerHost) // zero is no limit
	c.line("max_clients=%d", or(o.MaxClients, plenty))
	if o.IdleTimeout > 0 {
		c.line("idle_session_timeout=%d", seconds(o.IdleTimeout))
	}
	if o.DataTimeout > 0 {
		c.line("data_connection_timeout=%d", seconds(o.DataTimeout))
	}
	c.line("xferlog_enable=YES")
	c.line("xferlog_std_format=NO")
	c.line("log_ftp_protocol=YES")
	c.line("vsftpd_log_file=%s", filepath.Join(s.logDir(), "vsftpd.log"))

	cmd := command{path: program, logStdin: true}
	if o.LocalTime != "" {
		cmd.env = append(cmd.env, "TZ="+o.LocalTime)
	}
	if o.TLS != TLSOff {
		required := o.TLS != TLSAllowed
		c.line("ssl_enable=YES")
		c.line("implicit_ssl=%s", yes(o.TLS == TLSImplicit))
		c.line("force_local_logins_ssl=%s", yes(required))
		c.line("force_local_data_ssl=%s", yes(required))
		c.line("rsa_cert_file=%s", s.keyPairFile()) // the name is history: any key type will do
		c.line("rsa_private_key_file=%s", s.keyPairFile())
		c.line("require_ssl_reuse=%s", yes(o.RequireReuse))
		c.line("ssl_ciphers=HIGH") // the default is DES-CBC3-SHA, which OpenSSL 3 has dropped
		c.line("debug_ssl=YES")
		c.line("ssl_request_cert=%s", yes(o.ClientCAFile != ""))
		if o.ClientCAFile != "" {
			c.line("require_cert=YES")
			c.line("validate_cert=YES")
			c.line("ca_certs_file=%s", o.ClientCAFile)
		}
		file := filepath.Join(s.confDir(), "openssl.cnf")
		if err := writeOpenSSLConfig(file, o.MinTLS, o.MaxTLS); err != nil {
			return command{}, err
		}
		cmd.env = append(cmd.env, "OPENSSL_CONF="+file)
	}
	c.lines(o.Extra)
	file := filepath.Join(s.confDir(), "vsftpd.conf")
	cmd.args = []string{file}
	return cmd, os.WriteFile(file, c.bytes(), 0o600)
}
