package ftpdriver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// hybrids are the key exchanges of TLS 1.3 with a post-quantum part, in Go's order.
var hybrids = []tls.CurveID{tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024}

// applyPolicy sets versions, suites and key exchanges, within what the program's own
// configuration chooses. The order of suites is
// Go's, which puts first what the processor is fast at; those of TLS 1.3 are all
// AEAD and cannot be chosen.
func applyPolicy(config *tls.Config, ep *transport.Endpoint) error {
	opt := &ep.TLS
	lowest := uint16(tls.VersionTLS12)
	if opt.LegacyAlgorithms {
		lowest = tls.VersionTLS10
	}
	if ep.RequirePostQuantum {
		lowest = tls.VersionTLS13
		var err error
		if config.CurvePreferences, err = hybridsOf(config.CurvePreferences); err != nil {
			return err
		}
	}
	config.MinVersion = max(config.MinVersion, lowest)
	if err := applySuites(config, opt.LegacyAlgorithms); err != nil {
		return err
	}
	if config.MaxVersion != 0 && config.MaxVersion < config.MinVersion {
		why := "raise it, or lower TLS.Config.MinVersion"
		switch {
		case ep.RequirePostQuantum:
			why = "RequirePostQuantum needs TLS 1.3: raise it, or leave it 0"
		case config.MaxVersion < tls.VersionTLS12 && !opt.LegacyAlgorithms:
			why = "what is older than TLS 1.2 needs TLS.LegacyAlgorithms"
		}
		return fmt.Errorf("TLS.Config.MaxVersion is %s and the lowest allowed is %s: %s", tls.VersionName(config.MaxVersion), tls.VersionName(config.MinVersion), why)
	}
	return nil
}

// suites are the cipher suites up to TLS 1.2: AEAD with forward secrecy, or with
// legacy adds to them CBC and RSA key exchange; RC4 and 3DES never.
func suites(legacy bool) []uint16 {
	var out []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		aead := strings.Contains(s.Name, "_GCM_") || strings.Contains(s.Name, "_CHACHA20_")
		switch {
		case !slices.Contains(s.SupportedVersions, tls.VersionTLS12): // of 1.3 alone
		case strings.HasPrefix(s.Name, "TLS_ECDHE_") && aead,
			legacy && !strings.Contains(s.Name, "RC4") && !strings.Contains(s.Name, "3DES"):
			out = append(out, s.ID)
		}
	}
	return out
}

// hybrid reports whether a key exchange has a post-quantum part.
func hybrid(id tls.CurveID) bool { return slices.Contains(hybrids, id) }

// errNotHybrid says that a server took what was not offered, or that a session
// was resumed which should not have been.
var errNotHybrid = errors.New("the key exchange has no post-quantum part, which RequirePostQuantum asks for")

// checkHybrid looks at what was negotiated, on the control and on each data
// connection.
func checkHybrid(state tls.ConnectionState) error {
	if !hybrid(state.CurveID) {
		return as(transport.KindInsecure, fmt.Errorf("%w: it is %v in %s", errNotHybrid, state.CurveID, tls.VersionName(state.Version)))
	}
	return nil
}

// explainPolicy says which of our demands a server most likely could not meet: TLS
// has a bare alert for it. Without a post-quantum key exchange the kind is
// KindInsecure and not KindNotOffered: TLS is offered, what it lacks was asked for,
// and a client must not go on to its next protocol because somebody on the way
// has sent an alert.
func (s *tlsSetup) explainPolicy(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	refused := strings.Contains(text, "handshake failure") || strings.Contains(text, "protocol version") || strings.Contains(text, "insufficient security") ||
		strings.Contains(text, "unsupported curve")
	switch {
	case !refused:
		return err
	case s.requirePostQuantum:
		return as(transport.KindInsecure, fmt.Errorf("%w: RequirePostQuantum asks for TLS 1.3 with a hybrid post-quantum key exchange (%v), "+
			"which the server does not seem to have (OpenSSL has it since 3.5)", err, hybrids))
	case !s.legacy:
		return fmt.Errorf("%w: the server takes nothing that is safe to use, it seems (TLS 1.2 or later, AEAD with forward secrecy): "+
			"have it updated; if that cannot be, set TLS.LegacyAlgorithms", err)
	}
	return err
}

// refuseInClear refuses plain FTP where the caller asks for what it cannot have.
// It is a mistake of the configuration, not of the server.
func refuseInClear(ep *transport.Endpoint) error {
	if ep.RequirePostQuantum && !ep.Protocol.Secure() {
		return errors.New("plain FTP has no key exchange, and RequirePostQuantum asks for a post-quantum one: use SFTP or FTPS, or do not set it")
	}
	return nil
}
