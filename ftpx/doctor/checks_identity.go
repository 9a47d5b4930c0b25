package doctor

import (
	"crypto/x509"
	"errors"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

var identityChecks = []check{
	{Check: Check{Code: "cert-expired", Layer: Identity, Title: "the certificate has expired", Symptom: "TLS fails for every client that checks",
		Remedy: "renew the certificate and restart the service; if it begins in the future, look at both clocks",
		Directives: map[Software]string{VSFTPD: "rsa_cert_file", ProFTPD: "TLSRSACertificateFile, TLSECCertificateFile", PureFTPd: "-2 FILE (TLSCertificate)",
			IIS: "serverCertHash", FileZilla: "Protocols, FTP server, TLS certificate"}},
		needs: atGreeted, applies: isFTPS, judge: func(s *seen) judgement {
			leaf := s.tls.leaf()
			if leaf == nil {
				return judgement{}
			}
			now := time.Now()
			switch {
			case now.After(leaf.NotAfter):
				return s.identity("it ended %s, %s ago", day(leaf.NotAfter), days(now.Sub(leaf.NotAfter)))
			case now.Before(leaf.NotBefore):
				return s.identity("it begins %s, in %s", day(leaf.NotBefore), days(leaf.NotBefore.Sub(now)))
			}
			return ok("it is valid until %s", day(leaf.NotAfter))
		}},
	{Check: Check{Code: "cert-soon", Layer: Identity, Title: "the certificate ends soon", Symptom: "none yet",
		Remedy: "renew it now, and find out why that did not happen by itself",
		Directives: map[Software]string{VSFTPD: "rsa_cert_file", ProFTPD: "TLSRSACertificateFile, TLSECCertificateFile", PureFTPd: "-2 FILE (TLSCertificate)",
			IIS: "serverCertHash", FileZilla: "Protocols, FTP server, TLS certificate", OpenSSH: "HostCertificate"}},
		needs: atGreeted, applies: func(s *seen) bool {
			return isFTPS(s) || s.ssh.security != nil && !s.ssh.security.CertificateExpiry.IsZero()
		}, judge: func(s *seen) judgement {
			ends := time.Time{}
			if leaf := s.tls.leaf(); leaf != nil {
				ends = leaf.NotAfter
			} else if s.ssh.security != nil {
				ends = s.ssh.security.CertificateExpiry
			}
			left := time.Until(ends)
			switch {
			case ends.IsZero() || left <= 0:
				return judgement{}
			case left < s.opt.CertSoon:
				return warn("it ends %s, in %s", day(ends), days(left))
			}
			return ok("it has %s left", days(left))
		}},
	{Check: Check{Code: "cert-name", Layer: Identity, Title: "the certificate is for another name", Symptom: "TLS fails for every client that checks",
		Remedy:     "connect to a name that the certificate has, or have it made for this one; the library takes TLS.Config.ServerName",
		Directives: map[Software]string{VSFTPD: "rsa_cert_file", ProFTPD: "TLSRSACertificateFile, TLSECCertificateFile", PureFTPd: "-2 FILE (TLSCertificate)", IIS: "serverCertHash"}},
		needs: atGreeted, applies: isFTPS, judge: func(s *seen) judgement {
			leaf := s.tls.leaf()
			if leaf == nil {
				return judgement{}
			}
			name := s.ep.Host
			if c := s.ep.TLS.Config; c != nil && c.ServerName != "" {
				name = c.ServerName
			}
			var wrong x509.HostnameError
			if errors.As(s.tls.verify, &wrong) {
				return s.identity("it is for %s, and not for %s", s.hide.said(strings.Join(namesOf(leaf), ", ")), s.hide.said(name))
			}
			if s.tls.verify != nil {
				return judgement{} // what was wrong came before this was checked
			}
			return ok("it is for %s", s.hide.said(name))
		}},
	{Check: Check{Code: "cert-chain", Layer: Identity, Title: "nobody trusted has signed the certificate", Symptom: "TLS fails for every client that checks",
		Remedy: "have the server send the intermediate certificates too; of a private authority, give its certificate to the client (TLS.CAFile, --ca)",
		Directives: map[Software]string{VSFTPD: "rsa_cert_file with the whole chain, the server's own certificate first", ProFTPD: "TLSCertificateChainFile",
			PureFTPd: "-2 FILE with the whole chain", IIS: "the Windows store for intermediate authorities"}},
		needs: atGreeted, applies: isFTPS, judge: func(s *seen) judgement {
			leaf := s.tls.leaf()
			if s.failing(atProtected) && s.stop.err != nil && strings.Contains(s.stop.err.Error(), "pinned") {
				return cause("%s", s.hide.failed(s.stop.err))
			}
			if leaf == nil {
				return judgement{}
			}
			var unknown x509.UnknownAuthorityError
			var wrong x509.HostnameError
			var invalid x509.CertificateInvalidError
			switch {
			case errors.As(s.tls.verify, &unknown):
				return s.identity("the server sends %d certificates, the last signed by %s, which is not known here", len(s.tls.chain),
					s.hide.said(s.tls.chain[len(s.tls.chain)-1].Issuer.String()))
			case errors.As(s.tls.verify, &invalid) && invalid.Reason == x509.Expired, errors.As(s.tls.verify, &wrong):
				return judgement{}
			case s.tls.verify != nil:
				return s.identity("%s", s.hide.failed(s.tls.verify))
			}
			return ok("a trusted authority has signed it")
		}},
	{Check: Check{Code: "hostkey-new", Layer: Identity, Title: "the host key is not known here", Symptom: "SSH asks, or refuses to connect",
		Remedy: "compare the fingerprint with the server's owner by another way, then add it to known_hosts ([host]:port where the port is not 22)"},
		needs: atGreeted, applies: isSSH, judge: func(s *seen) judgement {
			if s.stop != nil && errors.Is(s.stop.err, transport.ErrHostKeyUnknown) {
				return cause("%s", s.hide.failed(s.stop.err))
			}
			return judgement{}
		}},
	{Check: Check{Code: "hostkey-changed", Layer: Identity, Title: "the host key is another one", Symptom: "SSH warns that somebody may listen in",
		Remedy: "ask the server's owner, by another way, whether the key was changed; if it was, replace the line in known_hosts; if not, do not connect"},
		needs: atGreeted, applies: isSSH, judge: func(s *seen) judgement {
			if s.stop != nil && s.stop.kind == transport.KindHostKey && !errors.Is(s.stop.err, transport.ErrHostKeyUnknown) {
				return cause("%s", s.hide.failed(s.stop.err))
			}
			if s.reached >= atProtected && s.ssh.security != nil {
				return ok("it is %s, as known", s.ssh.security.HostKey)
			}
			return judgement{}
		}},
}

// identity is a failure where the certificate was checked, and a warning where the
// configuration accepts any.
func (s *seen) identity(format string, args ...any) judgement {
	if s.tls.verify != nil {
		return cause(format, args...)
	}
	return warn(format, args...).and("the configuration accepts any certificate")
}

func namesOf(c *x509.Certificate) []string {
	out := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		out = append(out, ip.String())
	}
	if len(out) == 0 {
		out = append(out, c.Subject.CommonName)
	}
	return out
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// days writes a long duration.
func days(d time.Duration) string {
	if d < 48*time.Hour {
		return d.Round(time.Minute).String()
	}
	return plural(int(d/(24*time.Hour)), "day")
}
