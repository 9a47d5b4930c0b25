package doctor

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

const (
	// slowDNS is what a name server that is near takes a tenth of.
	slowDNS = time.Second
	// Of so many segments that were sent again, of those sent, a line is called bad.
	badResent = 3
	badShare  = 0.02
)

var networkChecks = []check{
	{Check: Check{Code: "dns-none", Layer: Client, Title: "the name has no address", Symptom: "no connection, at once or after seconds",
		Remedy: "correct the host's name, or this machine's resolver and search domains; a line in its hosts file helps meanwhile"},
		applies: byName, judge: func(s *seen) judgement {
			if s.failing(atResolved) {
				return cause("IPv4: %s", orWell(s, s.dns.v4Err)).and("IPv6: %s", orWell(s, s.dns.v6Err))
			}
			return ok("%d IPv4 and %d IPv6 addresses", len(s.dns.v4), len(s.dns.v6))
		}},
	{Check: Check{Code: "dns-slow", Layer: Client, Title: "the resolver is slow", Symptom: "seconds before each connection",
		Remedy: "use a resolver that is near or caches; remove search domains that do not answer"},
		needs: atResolved, applies: byName, judge: func(s *seen) judgement {
			d := s.dns.v4Took + s.dns.v6Took
			if d > slowDNS {
				return warn("A took %s, AAAA took %s", took(s.dns.v4Took), took(s.dns.v6Took)).lasting(d)
			}
			return ok("A and AAAA took %s", took(d)).lasting(d)
		}},
	{Check: Check{Code: "port-closed", Layer: Network, Title: "nothing listens on the port", Symptom: "connection refused",
		Remedy: "start the service, or correct the port or the address that it listens on; a firewall that rejects looks the same"},
		needs: atResolved, judge: func(s *seen) judgement {
			if s.failing(atConnected) && errors.Is(s.stop.err, syscall.ECONNREFUSED) {
				return cause("%s refused the connection (RST) after %s", s.lastAttempt().addr, took(s.lastAttempt().took))
			}
			return judgement{}
		}},
	{Check: Check{Code: "port-filtered", Layer: Network, Title: "a firewall drops the connection", Symptom: "connecting takes until its timeout",
		Remedy: "open the port for this client's address in the firewalls on the way and on the host; check the address"},
		needs: atResolved, judge: func(s *seen) judgement {
			if !s.failing(atConnected) || len(s.tcp.attempts) == 0 {
				return judgement{}
			}
			a := s.lastAttempt()
			switch {
			case timedOut(s.stop.err):
				return cause("%s did not answer within %s: neither an acceptance nor a refusal", a.addr, took(a.took))
			case errors.Is(s.stop.err, syscall.EHOSTUNREACH), errors.Is(s.stop.err, syscall.ENETUNREACH), errors.Is(s.stop.err, syscall.EACCES):
				return cause("%s cannot be reached: %s", a.addr, s.hide.failed(a.err))
			}
			return judgement{}
		}},
	{Check: Check{Code: "v6-dead", Layer: Network, Title: "IPv6 leads nowhere", Symptom: "the first connection takes seconds, each time",
		Remedy: "mend the IPv6 route, or remove the AAAA record of the host; the library tries both families at once, other clients wait"},
		needs: atConnected, applies: func(s *seen) bool { return byName(s) && len(s.dns.v6) > 0 && len(s.dns.v4) > 0 }, judge: func(s *seen) judgement {
			for _, a := range s.tcp.attempts {
				if a.v6 && timedOut(a.err) {
					return warn("%s did not answer within %s, IPv4 did", a.addr, took(a.took)).lasting(a.took)
				}
				if a.v6 && a.err != nil {
					return note("%s fails at once, which costs no time: %s", a.addr, s.hide.failed(a.err))
				}
			}
			return ok("IPv6 answers")
		}},
	{Check: Check{Code: "mtu-hole", Layer: Network, Title: "full-size packets are lost", Symptom: "connects, and hangs in the handshake or at the first file",
		Remedy: "let ICMP \"fragmentation needed\" through the firewalls on the way, or clamp the MSS to the path MTU on the router or VPN in between"},
		needs: atConnected, judge: func(s *seen) judgement {
			if s.tcp.smallTried && s.tcp.smallWorks {
				j := cause("%s: nothing came within the time, while the same with segments of %d bytes went through", s.tcp.smallWhat, smallest)
				if t := s.tcp.last(); t != nil && t.countsSet && t.counts.resent > 0 {
					j = j.and("of %d segments, %d were sent again", t.counts.sent, t.counts.resent)
				}
				return j
			}
			return judgement{}
		}},
	{Check: Check{Code: "win-firewall", Layer: Network, Title: "the line is cut at AUTH TLS", Symptom: "connection reset as TLS begins; plain FTP works",
		Remedy:     "a firewall inspects FTP and cuts what it cannot read: on Windows run netsh advfirewall set global StatefulFTP disable; elsewhere exclude this host from FTP inspection, or use SFTP",
		Directives: map[Software]string{IIS: "netsh advfirewall set global StatefulFTP disable", FileZilla: "netsh advfirewall set global StatefulFTP disable"}},
		needs: atGreeted, applies: isFTPS, judge: func(s *seen) judgement {
			if s.failing(atProtected) && s.stop.err != nil && reset(s.stop.err) {
				j := cause("%s: the connection was reset %s after it was opened, behind a greeting that came in order", s.stop.what, took(time.Since(s.tcp.conns[0].opened)))
				if s.software != IIS && s.software != FileZilla && !strings.Contains(s.server, "Windows") {
					j = j.and("the greeting does not say that this is Windows: another firewall that inspects FTP does the same")
				}
				return j
			}
			return judgement{}
		}},
	{Check: Check{Code: "alg-strict", Layer: Network, Title: "a firewall allows one command at a time", Symptom: "connection reset in the middle of work, on this client alone",
		Remedy: "switch strict FTP inspection off for this host (Cisco: inspect ftp, without strict), or use SFTP or FTPS"},
		needs: atLoggedIn, applies: isFTP, judge: func(s *seen) judgement {
			switch {
			case !s.ftp.pipelinedSet:
				return judgement{}
			case s.ftp.pipelined == nil:
				return ok("two commands in one write were both answered")
			case lost(s.ftp.pipelined):
				return cause("commands were answered one at a time, and two in one write cut the line: %s", s.hide.failed(s.ftp.pipelined))
			}
			return judgement{}
		}},
	{Check: Check{Code: "tcp-loss", Layer: Network, Title: "packets are lost", Symptom: "slow transfers, stalls, resets under load",
		Remedy: "measure the line from both ends (mtr --tcp), look for a duplex mismatch, a full uplink or a bad radio link"},
		needs: atServed, applies: func(s *seen) bool { return s.resent().known }, judge: func(s *seen) judgement {
			r := s.resent()
			if r.resent >= badResent && float64(r.resent) > badShare*float64(r.sent) {
				return warn("of %d segments, %d were sent again", r.sent, r.resent)
			}
			return ok("of %d segments, %d were sent again", r.sent, r.resent)
		}},
	{Check: Check{Code: "idle-cut", Layer: Network, OnRequest: true, Title: "idle connections are cut on the way", Symptom: "reset or silence at the first command after a pause",
		Remedy: "keep connections alive more often than that, or raise the idle timeout of the load balancer or firewall on the way (AWS NLB: 350 s unless set; Azure: 4 min)"},
		needs: atServed, judge: func(s *seen) judgement {
			a := &s.asked
			switch {
			case !a.idleTried || a.idleReply.code == 421:
				return judgement{}
			case a.idleErr != nil:
				return fail("after %s without a word: %s", took(a.idleTook), s.hide.failed(a.idleErr))
			}
			return ok("the session was well after %s without a word", took(a.idleTook))
		}},
	{Check: Check{Code: "control-cut", Layer: Network, OnRequest: true, Title: "the control connection is cut during transfers", Symptom: "files arrive whole, and the client says that the connection was lost",
		Remedy:     "enable TCP keepalive on the control connection, or raise the firewall's timeout for idle connections",
		Directives: map[Software]string{ProFTPD: "SocketOptions keepalive on"}},
		needs: atServed, applies: isFTP, judge: func(s *seen) judgement {
			t := &s.scratch
			switch {
			case !t.slowTried || s.asked.idleErr != nil:
				return judgement{} // or an idle session is cut just the same
			case t.slowErr != nil && t.cutWhole:
				return fail("an upload that took %s is whole on the server, and its final reply never came: %s", took(s.opt.Idle), s.hide.failed(t.slowErr))
			case t.slowErr == nil:
				return ok("an upload that took %s was answered", took(s.opt.Idle))
			}
			return judgement{}
		}},
}

// resentCount is what the kernel counted over all connections of a target.
type resentCount struct {
	sent, resent uint32
	known        bool
}

func (s *seen) resent() resentCount {
	var r resentCount
	for _, t := range s.tcp.conns {
		if t.countsSet {
			r.sent, r.resent, r.known = r.sent+t.counts.sent, r.resent+t.counts.resent, true
		}
	}
	return r
}

func byName(s *seen) bool { return s.dns.asked }
func isFTP(s *seen) bool  { return s.ep.Protocol.IsFTP() }
func isFTPS(s *seen) bool {
	return s.ep.Protocol == transport.FTPS || s.ep.Protocol == transport.FTPSImplicit
}
func isSSH(s *seen) bool { return s.ep.Protocol == transport.SFTP }

func (s *seen) lastAttempt() attempt {
	if len(s.tcp.attempts) == 0 {
		return attempt{addr: s.ep.Addr()}
	}
	return s.tcp.attempts[len(s.tcp.attempts)-1]
}

func orWell(s *seen, err error) string {
	var dns *net.DNSError
	switch {
	case err == nil:
		return "none"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "no such name"
	case errors.As(err, &dns) && dns.IsTimeout:
		return "the resolver does not answer"
	}
	return s.hide.failed(err)
}

// reset reports whether a connection was cut by an RST.
func reset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// lost reports whether a connection has ended.
func lost(err error) bool {
	return reset(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || transport.KindOf(err) == transport.KindLost
}
