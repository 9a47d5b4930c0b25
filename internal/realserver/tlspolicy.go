//go:build linux

package realserver

import (
	"crypto/tls"
	"fmt"
	"os"
)

// openSSLNames are the protocol versions in the spelling that OpenSSL's
// configuration and ProFTPD share.
var openSSLNames = map[uint16]string{
	tls.VersionTLS10: "TLSv1",
	tls.VersionTLS11: "TLSv1.1",
	tls.VersionTLS12: "TLSv1.2",
	tls.VersionTLS13: "TLSv1.3",
}

// writeOpenSSLConfig bounds the TLS versions for programs that have no setting
// for it (vsftpd 3.0.3, Pure-FTPd): OpenSSL applies system_default to every
// context that it creates (config(5), "SSL Configuration").
func writeOpenSSLConfig(file string, lo, hi uint16) error {
	minimum, ok := openSSLNames[lo]
	maximum, ok2 := openSSLNames[hi]
	if !ok || !ok2 {
		return fmt.Errorf("realserver: unknown TLS version %#x or %#x", lo, hi)
	}
	var c config
	c.line("openssl_conf = init")
	c.line("[init]")
	c.line("ssl_conf = ssl")
	c.line("[ssl]")
	c.line("system_default = limits")
	c.line("[limits]")
	c.line("MinProtocol = %s", minimum)
	c.line("MaxProtocol = %s", maximum)
	return os.WriteFile(file, c.bytes(), 0o600)
}
