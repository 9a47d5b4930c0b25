package doctor

import (
	"fmt"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

var protectionChecks = []check{
	{Check: Check{Code: "not-offered", Layer: Protection, Title: "another protocol answers on this port", Symptom: "the handshake fails at once",
		Remedy: "correct protocol or port; to offer FTPS, give the server a certificate and switch TLS on",
		Directives: map[Software]string{VSFTPD: "ssl_enable=YES", ProFTPD: "TLSEngine on", PureFTPd: "-Y 1 (TLS)", IIS: "serverCertHash, controlChannelPolicy",
			FileZilla: "Protocols, FTP server: explicit FTP over TLS"}},
		needs: atConnected, judge: func(s *seen) judgement {
			if !s.notOffered() {
				return judgement{}
			}
			if s.stop.code != 0 {
				return cause("%s: the server answered %s", s.stop.what, s.hide.said(reply{s.stop.code, s.stop.text}.line()))
			}
			return cause("%s: %s", s.stop.what, s.hide.failed(s.stop.err)).and("what came first: %s", s.hide.said(s.server))
		}},
	{Check: Check{Code: "ssh-penalty", Layer: Protection, Title: "this address is shut out for a while", Symptom: "all connections are dropped for seconds to minutes",
		Remedy:     "stop what connects and leaves, or fails to log in, from this address: port checks, scanners, an old password in a job; then wait",
		Directives: map[Software]string{OpenSSH: "PerSourcePenaltyExemptList"}},
		needs: atConnected, applies: isSSH, judge: func(s *seen) judgement {
			if s.failing(atGreeted) && strings.Contains(strings.ToLower(s.stop.err.Error()+s.server), "not allowed at this time") {
				s.software = OpenSSH // nothing else says so
				return cause("in place of its version the server said %s", s.hide.said(s.server))
			}
			return judgement{}
		}},
	{Check: Check{Code: "ssh-startups", Layer: Protection, Title: "too many connections are logging in", Symptom: "connections are closed before the version, at random, under load",
		Remedy:     "connect one by one and keep connections; raise the server's limit",
		Directives: map[Software]string{OpenSSH: "MaxStartups (10:30:100 unless set)"}},
		needs: atConnected, applies: isSSH, judge: func(s *seen) judgement {
			if !s.failing(atGreeted) || s.stop.err == nil {
				return judgement{}
			}
			if t := s.tcp.last(); t != nil {
				if head, in := t.said(); in == 0 && lost(s.stop.err) {
					return cause("the connection was closed before the server's version: sshd does so over MaxStartups, and for addresses that it shuts out")
				} else if strings.Contains(string(head), "MaxStartups") {
					s.software = OpenSSH // nothing else says so
					return cause("in place of its version the server said %s", s.hide.said(s.server))
				}
			}
			return judgement{}
		}},
	{Check: Check{Code: "no-pq", Layer: Protection, Title: "no post-quantum key exchange", Symptom: "none today; what is recorded now can be read when quantum computers can",
		Remedy:     "update the server: OpenSSH 9.9, which offers it by itself, and OpenSSL 3.5 bring ML-KEM",
		Directives: map[Software]string{AWS: "SecurityPolicyName TransferSecurityPolicy-PQ-SSH-..."}},
		needs: atConnected, applies: func(s *seen) bool { return s.ep.Protocol.Secure() }, judge: func(s *seen) judgement {
			required := s.ep.RequirePostQuantum && isSSH(s) && s.failing(atProtected) && s.stop.kind == transport.KindInsecure
			switch {
			case required, s.tls.lacksHybrid:
				return cause("the configuration demands it: %s", s.hide.failed(s.stop.err))
			case s.ssh.security != nil && s.ssh.security.PostQuantum, s.tls.version != "" && s.tls.hybrid:
				return ok("the key exchange has a post-quantum part")
			case s.ssh.security != nil && s.ssh.kexInit != nil && len(s.ssh.kexInit.hybrids()) > 0:
				return note("the server offers %s, which this client does not speak; agreed on was %s", s.some(s.ssh.kexInit.hybrids()), s.ssh.security.KeyExchange)
			case s.ssh.security != nil:
				return note("agreed on was %s", s.ssh.security.KeyExchange)
			case s.tls.version != "":
				return note("agreed on was %s, %s", s.tls.version, s.tls.exchange)
			}
			return judgement{}
		}},
	{Check: Check{Code: "ssh-algorithms", Layer: Protection, Title: "no algorithm in common", Symptom: "the key exchange fails",
		Remedy: "have the server updated; where that cannot be, allow what it has (SSH.KeyExchanges, SSH.LegacyAlgorithms)",
		Directives: map[Software]string{OpenSSH: "KexAlgorithms, HostKeyAlgorithms, Ciphers, MACs", AWS: "SecurityPolicyName",
			ProFTPD: "SFTPKeyExchanges, SFTPCiphers, SFTPDigests"}},
		needs: atGreeted, applies: isSSH, judge: func(s *seen) judgement {
			k := s.ssh.kexInit
			if s.failing(atProtected) && strings.Contains(s.stop.err.Error(), "no common algorithm") {
				j := cause("%s", s.hide.failed(s.stop.err))
				if k != nil {
					j = j.and("the server offers key exchanges %s; host keys %s; ciphers %s; MACs %s", s.some(k.keyExchanges), s.some(k.hostKeys), s.some(k.ciphers), s.some(k.macs))
				}
				return j
			}
			if s.ssh.security != nil {
				return ok("%s, %s", s.ssh.security.KeyExchange, s.ssh.security.Cipher)
			}
			return judgement{}
		}},
	{Check: Check{Code: "tls-version", Layer: Protection, Title: "no TLS version or cipher in common", Symptom: "the TLS handshake fails with an alert",
		Remedy: "have the server speak TLS 1.2 or 1.3; where that cannot be, TLS.LegacyAlgorithms allows older versions",
		Directives: map[Software]string{VSFTPD: "ssl_tlsv1_2=YES, ssl_ciphers=HIGH", ProFTPD: "TLSProtocol TLSv1.2 TLSv1.3", PureFTPd: "-J (TLSCipherSuite)",
			IIS: "SChannel\\Protocols in the registry"}},
		needs: atConnected, applies: isFTPS, judge: func(s *seen) judgement {
			if s.versionRefused() {
				j := cause("%s: %s", s.stop.what, s.hide.failed(s.stop.err))
				if len(s.tls.older) > 0 {
					j = j.and("the server takes %s", strings.Join(s.tls.older, ", "))
				}
				return j
			}
			if s.tls.version != "" {
				return ok("%s, %s", s.tls.version, s.tls.exchange).lasting(s.tls.took)
			}
			return judgement{}
		}},
}

// notOffered reports whether what answered does not speak the protocol.
func (s *seen) notOffered() bool {
	if s.stop == nil {
		return false
	}
	switch {
	case s.ep.Protocol == transport.SFTP:
		return s.stop.at == atGreeted && s.stop.kind == transport.KindNotOffered
	case s.stop.at == atGreeted && s.stop.err != nil:
		return strings.Contains(s.stop.err.Error(), errNotFTP.Error()) || s.server != "" && s.ftp.greeting.code == 0
	case s.stop.at == atProtected && s.stop.err == nil:
		return s.stop.kind != transport.KindBusy // AUTH TLS was refused
	case s.stop.at == atProtected && s.ep.Protocol == transport.FTPSImplicit:
		return strings.Contains(s.stop.err.Error(), "does not look like a TLS handshake")
	}
	return false
}

// some shows the first names of a list that the server sent.
func (s *seen) some(list []string) string {
	const most = 6
	if len(list) > most {
		list = append(list[:most:most], fmt.Sprintf("and %d more", len(list)-most))
	}
	return s.hide.said(strings.Join(list, ", "))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
