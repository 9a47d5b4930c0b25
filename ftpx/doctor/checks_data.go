package doctor

import (
	"errors"
	"net/netip"
	"syscall"
)

var dataChecks = []check{
	{Check: Check{Code: "pasv-address", Layer: Data, Title: "the server names a wrong address for data", Symptom: "other clients hang at the first listing",
		Remedy: "tell the server its address as clients see it; the library connects to the control connection's address all the same",
		Directives: map[Software]string{VSFTPD: "pasv_address", ProFTPD: "MasqueradeAddress", PureFTPd: "-P (ForcePassiveIP)", IIS: "externalIp4Address",
			FileZilla: "Passive mode, public IP", AWS: "PassiveIp"}},
		needs: atLoggedIn, applies: isFTP, judge: func(s *seen) judgement {
			named, err := netip.ParseAddr(s.data.passive)
			control, err2 := netip.ParseAddr(s.data.control)
			if err != nil || err2 != nil || !control.Unmap().Is4() || s.ep.Dial != nil {
				return judgement{} // through a tunnel the address is that of its end
			}
			if named != control.Unmap() {
				return note("PASV names %s, the control connection goes to %s", named, control)
			}
			return ok("PASV names the address of the control connection")
		}},
	{Check: Check{Code: "epsv-only", Layer: Data, Title: "one of EPSV and PASV does not work", Symptom: "clients that know the other alone fail; over IPv6 EPSV must work",
		Remedy:     "let the server take both; the library begins with EPSV and goes on with PASV",
		Directives: map[Software]string{VSFTPD: "cmds_denied, pasv_enable", ProFTPD: "<Limit EPSV PASV>"}},
		needs: atLoggedIn, applies: isFTP, judge: func(s *seen) judgement {
			_, extended := parseEPSV(s.ftp.epsv)
			_, _, classic := parsePASV(s.ftp.pasv)
			control, err := netip.ParseAddr(s.data.control)
			six := err == nil && !control.Unmap().Is4()
			switch {
			case s.ftp.epsv.code == 0 || s.ftp.pasv.code == 0:
				return judgement{}
			case extended && !classic && six:
				return ok("EPSV works, and PASV means nothing over IPv6")
			case extended && !classic:
				return note("PASV was answered %s, EPSV works", s.hide.said(s.ftp.pasv.line()))
			case classic && !extended:
				return note("EPSV was answered %s, PASV works", s.hide.said(s.ftp.epsv.line()))
			case !classic && !extended:
				return cause("PASV was answered %s, EPSV %s", s.hide.said(s.ftp.pasv.line()), s.hide.said(s.ftp.epsv.line()))
			}
			return ok("both work")
		}},
	{Check: Check{Code: "ftps-firewall", Layer: Data, Title: "a firewall opens data ports for plain FTP alone", Symptom: "listings hang under TLS and work without",
		Remedy: "open a fixed range of passive ports in the firewall, since it cannot read them under TLS; or use SFTP",
		Directives: map[Software]string{VSFTPD: "pasv_min_port, pasv_max_port", ProFTPD: "PassivePorts", PureFTPd: "-p (PassivePortRange)", IIS: "lowDataChannelPort, highDataChannelPort",
			FileZilla: "Passive mode, custom port range"}},
		needs: atLoggedIn, applies: isFTPS, judge: func(s *seen) judgement {
			if s.data.dialErr != nil && s.data.inClearTried && s.data.inClearErr == nil {
				return cause("under TLS %s could not be reached (%s); in clear a data port of the same server could", s.data.addr, s.hide.failed(s.data.dialErr))
			}
			return judgement{}
		}},
	{Check: Check{Code: "pasv-port", Layer: Data, Title: "the data port cannot be reached", Symptom: "logs in, and hangs or fails at the first listing",
		Remedy: "fix the range of passive ports on the server, and open the same range in the firewalls before it",
		Directives: map[Software]string{VSFTPD: "pasv_min_port, pasv_max_port", ProFTPD: "PassivePorts", PureFTPd: "-p (PassivePortRange)", IIS: "lowDataChannelPort, highDataChannelPort",
			FileZilla: "Passive mode, custom port range"}},
		needs: atLoggedIn, applies: isFTP, judge: func(s *seen) judgement {
			switch {
			case s.data.dialErr == nil && s.data.tried:
				return ok("%s answered within %s", s.data.addr, took(s.data.dialTook)).lasting(s.data.dialTook)
			case errors.Is(s.data.dialErr, syscall.ECONNREFUSED):
				return cause("%s refused the connection (RST)", s.data.addr)
			case timedOut(s.data.dialErr):
				return cause("%s did not answer within %s", s.data.addr, took(s.data.dialTook))
			case s.data.dialErr != nil:
				return cause("%s did not answer within %s: %s", s.data.addr, took(s.data.dialTook), s.hide.failed(s.data.dialErr))
			}
			return judgement{}
		}},
	{Check: Check{Code: "tls-reuse", Layer: Data, Title: "the data connection must resume the TLS session, and cannot", Symptom: "logs in, and fails at the first listing with 425, 426 or 522",
		Remedy: "let the server give session tickets or speak TLS 1.3, or not demand it",
		Directives: map[Software]string{VSFTPD: "require_ssl_reuse=NO", ProFTPD: "TLSOptions NoSessionReuseRequired, or TLSSessionTickets on",
			FileZilla: "Protocols, FTP server: require TLS session resumption"}},
		needs: atLoggedIn, applies: isFTPS, judge: func(s *seen) judgement {
			d := &s.data
			refused := d.reply.code == 425 || d.reply.code == 426 || d.reply.code == 522 || d.reply.code == 421
			switch {
			case has(d.reply.text, "session reuse", "reuse required", "tls session", "ssl session"):
				return cause("the server answered %s", s.hide.said(d.reply.line())).and("%s", s.resumption())
			case !d.resumed && refused && s.failing(atServed) && has(d.reply.text, "operation not permitted", "ssl", "tls"):
				return cause("the server answered %s", s.hide.said(d.reply.line())).and("%s", s.resumption())
			case d.resumed:
				return ok("the data connection resumed the session")
			case d.tried && d.tlsErr == nil && s.reached >= atServed:
				return ok("the server does not demand it")
			}
			return judgement{}
		}},
	{Check: Check{Code: "data-peer", Layer: Data, Title: "control and data connection come from different addresses", Symptom: "425 or 426 at each transfer",
		Remedy:     "let both leave by one address: one uplink, a NAT that keeps to an address, no pool of them",
		Directives: map[Software]string{VSFTPD: "pasv_promiscuous=YES", ProFTPD: "AllowForeignAddress on", IIS: "matchClientAddressForPasv=false"}},
		needs: atLoggedIn, applies: isFTP, judge: func(s *seen) judgement {
			r := s.data.reply
			if s.failing(atServed) && s.data.tried && (r.code == 425 || r.code == 426 || r.code == 500 || r.code == 501) &&
				(has(r.text, "bad ip", "foreign address", "foreign ip", "not the same", "does not match", "address mismatch", "security") ||
					!s.ep.Protocol.Secure() && has(r.text, "operation not permitted")) {
				return cause("the data connection stood, and the server answered %s", s.hide.said(r.line()))
			}
			return judgement{}
		}},
	{Check: Check{Code: "tls-eof", Layer: Data, Title: "data connections end without close_notify", Symptom: "a cut line cannot be told from a file's end; some clients say -110 or 426",
		Remedy:     "have the server end TLS in order; the library checks sizes all the same",
		Directives: map[Software]string{VSFTPD: "strict_ssl_read_eof=YES"}},
		needs: atServed, applies: isFTPS, judge: func(s *seen) judgement {
			switch {
			case !s.data.notifySet:
				return judgement{}
			case !s.data.notified:
				return warn("a listing of %s ended without it", bytesText(s.data.bytes))
			}
			return ok("a listing ended with it")
		}},
}

// resumption says whether there was a session to resume.
func (s *seen) resumption() string {
	if s.data.resumed {
		return "the session was resumed"
	}
	if s.tls.version == "TLS 1.2" {
		return "the server speaks " + s.tls.version + " and gave no session ticket"
	}
	return "the session was not resumed over " + s.tls.version
}
