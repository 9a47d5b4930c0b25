package ftpdriver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// alpn is the name of FTP in the negotiation of protocols (RFC 7301; registry of IANA).
const alpn = "ftp"

// programConfig returns a copy of the configuration that the program gives, or a new one.
// What would weaken the connection, or break data connections, is refused.
func programConfig(opt *transport.TLS) (*tls.Config, error) {
	if opt.Config == nil {
		return &tls.Config{}, nil
	}
	c := opt.Config.Clone()
	switch {
	case c.InsecureSkipVerify && !opt.InsecureSkipVerify:
		return nil, errors.New("TLS.Config.InsecureSkipVerify is true, with which anyone on the way can read the password and every file: " +
			"remove it, and name the server's authority in TLS.CAFile or TLS.Config.RootCAs (set TLS.InsecureSkipVerify too if you mean it)")
	case c.ClientSessionCache != nil:
		return nil, errors.New("TLS.Config.ClientSessionCache is set, but servers demand that a data connection resumes the session of its own control connection: leave it nil")
	case c.SessionTicketsDisabled:
		return nil, errors.New("TLS.Config.SessionTicketsDisabled is true, but servers demand that data connections resume the session: leave it false")
	case c.Renegotiation != tls.RenegotiateNever:
		return nil, errors.New("TLS.Config.Renegotiation is set, but renegotiation is not supported: leave it 0")
	}
	for _, name := range c.NextProtos {
		if name != alpn {
			return nil, fmt.Errorf("TLS.Config.NextProtos holds %q, which servers of FTP may refuse: leave it nil, or use %q", name, alpn)
		}
	}
	if check := c.VerifyPeerCertificate; check != nil {
		c.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) error {
			return notTrusted("VerifyPeerCertificate", check(raw, chains))
		}
	}
	return c, nil
}

// notTrusted says that a function of the program does not trust the server.
func notTrusted(field string, err error) error {
	if err == nil {
		return nil
	}
	return as(transport.KindCertificate, fmt.Errorf("TLS.Config.%s: %w", field, err))
}

// applySuites sets the suites up to TLS 1.2, or checks those that the program chooses.
func applySuites(config *tls.Config, legacy bool) error {
	allowed := suites(legacy)
	if config.CipherSuites == nil {
		config.CipherSuites = allowed
		return nil
	}
	for _, id := range config.CipherSuites {
		switch {
		case slices.Contains(allowed, id), slices.ContainsFunc(tls.CipherSuites(), func(s *tls.CipherSuite) bool {
			return s.ID == id && !slices.Contains(s.SupportedVersions, tls.VersionTLS12)
		}): // those of TLS 1.3 cannot be chosen, and may be named
		case slices.Contains(suites(true), id):
			return fmt.Errorf("TLS.Config.CipherSuites holds %s, which lacks AEAD or forward secrecy: remove it, or set TLS.LegacyAlgorithms if the server can do nothing better", tls.CipherSuiteName(id))
		default:
			return fmt.Errorf("TLS.Config.CipherSuites holds %s, which is broken or unknown: remove it", tls.CipherSuiteName(id))
		}
	}
	return nil
}

// hybridsOf returns those of the chosen key exchanges that have a post-quantum part; all
// of them if none was chosen.
func hybridsOf(chosen []tls.CurveID) ([]tls.CurveID, error) {
	if len(chosen) == 0 {
		return hybrids, nil
	}
	kept := slices.DeleteFunc(slices.Clone(chosen), func(id tls.CurveID) bool { return !hybrid(id) })
	if len(kept) == 0 {
		return nil, fmt.Errorf("TLS.Config.CurvePreferences names no hybrid post-quantum key exchange, and RequirePostQuantum is set: add one of %v, or leave it nil", hybrids)
	}
	return kept, nil
}
