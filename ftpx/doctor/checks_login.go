package doctor

import (
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// slowLogin is more than a directory and a password hash take together.
const slowLogin = 2 * time.Second

var loginChecks = []check{
	{Check: Check{Code: "too-many", Layer: Login, Title: "the server takes no more connections", Symptom: "421 or 530 at the first or a later connection",
		Remedy: "let the client open fewer connections (Options.Limits.Conns), close what others hold, or raise the server's limit",
		Directives: map[Software]string{VSFTPD: "max_per_ip, max_clients", ProFTPD: "MaxClientsPerHost, MaxClients", PureFTPd: "-C (MaxClientsPerIP), -c (MaxClientsNumber)",
			FileZilla: "Limits, connection limits per IP", OpenSSH: "MaxSessions, MaxStartups", IIS: "maxConnections"}},
		needs: atConnected, judge: func(s *seen) judgement {
			if s.failing(atGreeted, atProtected, atLoggedIn) && s.stop.kind == transport.KindBusy {
				return cause("%s: %s", s.stop.what, s.stopSaid())
			}
			if a := &s.asked; a.manyTried {
				if a.manyErr != nil {
					return warn("%d connections stood at once, the next was refused: %s", a.many, s.hide.failed(a.manyErr))
				}
				return ok("%d connections stood at once", a.many)
			}
			return judgement{}
		}},
	{Check: Check{Code: "tls-required", Layer: Login, Title: "the server demands TLS", Symptom: "530, 550 or 421 before the login, with any password",
		Remedy: "use FTPS (ftpes://, or ftps in the list of protocols)",
		Directives: map[Software]string{VSFTPD: "force_local_logins_ssl=NO permits plain logins", ProFTPD: "TLSRequired off permits plain logins", PureFTPd: "-Y 1 (TLS) permits plain logins",
			IIS: "controlChannelPolicy SslAllow permits plain logins"}},
		needs: atGreeted, applies: func(s *seen) bool { return s.ep.Protocol == transport.FTP }, judge: func(s *seen) judgement {
			if s.failing(atLoggedIn) && has(s.stop.text, "must use encryption", "cleartext sessions", "ssl/tls required", "tls is required", "requires ssl",
				"policy requires", "must be encrypted", "use explicit tls", "secure connection") {
				return cause("%s: %s", s.stop.what, s.stopSaid())
			}
			return judgement{}
		}},
	{Check: Check{Code: "chroot", Layer: Login, Title: "the login folder may not be used as a root", Symptom: "the login is accepted, and then the connection closes",
		Remedy:     "over SSH the root folder and all above it must belong to root and be writable by root alone; give the user a folder beneath it to write in",
		Directives: map[Software]string{VSFTPD: "allow_writeable_chroot=YES", OpenSSH: "ChrootDirectory: owner root, mode 755"}},
		needs: atProtected, judge: func(s *seen) judgement {
			switch {
			case isSSH(s) && s.failing(atServed) && s.ssh.op == "subsystem" && lost(s.stop.err):
				return cause("the login was accepted, and the connection closed as the session began: %s", s.hide.failed(s.stop.err))
			case isFTP(s) && s.failing(atLoggedIn) && has(s.stop.text, "chroot", "chdir", "home directory"):
				return cause("%s: %s", s.stop.what, s.stopSaid())
			case isFTP(s) && s.failing(atLoggedIn) && s.ftp.user.code == 331 && s.ftp.pass.code == 0 && s.stop.err != nil && lost(s.stop.err):
				return cause("after the password the server closed the connection without a word: %s", s.hide.failed(s.stop.err))
			}
			return judgement{}
		}},
	{Check: Check{Code: "ssh-keys", Layer: Login, Title: "too many keys are offered", Symptom: "\"Too many authentication failures\"",
		Remedy:     "offer the right key alone: SSH.IdentityFiles with SSH.IdentitiesOnly (IdentitiesOnly yes), no agent",
		Directives: map[Software]string{OpenSSH: "MaxAuthTries (6 unless set)"}},
		needs: atGreeted, applies: isSSH, judge: func(s *seen) judgement {
			if s.failing(atLoggedIn) && strings.Contains(strings.ToLower(s.stop.err.Error()), "too many authentication failures") {
				return cause("%s", s.hide.failed(s.stop.err))
			}
			return judgement{}
		}},
	{Check: Check{Code: "login-policy", Layer: Login, Title: "the server's rules keep this user out", Symptom: "530 with the right password",
		Remedy: "have the server's owner look at the account: on a list of users that are kept out, shell not in /etc/shells, expired, locked, allowed from other addresses alone",
		Directives: map[Software]string{VSFTPD: "userlist_deny, userlist_file, check_shell", ProFTPD: "RequireValidShell, <Limit LOGIN>", PureFTPd: "-u (MinUID)",
			OpenSSH: "AllowUsers, DenyUsers, AllowGroups", IIS: "authorization rules"}},
		needs: atGreeted, judge: func(s *seen) judgement {
			if !s.failing(atLoggedIn) {
				return judgement{}
			}
			text := s.stop.text
			if s.stop.err != nil {
				text = s.stop.err.Error()
			}
			switch {
			case isFTP(s) && s.ftp.user.code >= 500 && s.ftp.pass.code == 0 && s.stop.kind != transport.KindBusy:
				return cause("the name alone was refused, before the password was asked for: %s", s.stopSaid())
			case has(text, "expired", "account is disabled", "account disabled", "account locked", "is locked", "not allowed to", "permission denied.", "anonymous only", "shell"):
				return cause("%s: %s", s.stop.what, s.stopSaid())
			}
			return judgement{}
		}},
	{Check: Check{Code: "login-refused", Layer: Login, Title: "user or password is wrong", Symptom: "530, or \"unable to authenticate\"",
		Remedy:     "correct user, password or key; servers say the same where a rule keeps the right user out (see login-policy)",
		Directives: map[Software]string{OpenSSH: "PasswordAuthentication, AuthorizedKeysFile, AllowUsers", VSFTPD: "pam_service_name, local_enable", ProFTPD: "AuthOrder, AuthUserFile", PureFTPd: "-l (authentication back ends)"}},
		needs: atGreeted, judge: func(s *seen) judgement {
			if s.failing(atLoggedIn) && s.stop.kind == transport.KindAuth {
				return cause("%s: %s", s.stop.what, s.stopSaid())
			}
			if s.loggedIn {
				return ok("logged in as %s", s.hide.said(s.user()))
			}
			return judgement{}
		}},
	{Check: Check{Code: "slow-login", Layer: Login, Title: "greeting or login is slow", Symptom: "seconds before each session",
		Remedy:     "the server most likely looks up this client's name, or asks its identd, and waits for an answer: switch that off, or mend its resolver",
		Directives: map[Software]string{VSFTPD: "reverse_lookup_enable=NO, where it knows it", ProFTPD: "UseReverseDNS off, IdentLookups off", PureFTPd: "-H (DontResolve)", OpenSSH: "UseDNS no"}},
		needs: atLoggedIn, judge: func(s *seen) judgement {
			if isSSH(s) {
				if s.ssh.version > slowLogin || s.ssh.login > slowLogin+s.tcp.wasted() {
					return warn("the version came after %s, the login was done after %s", took(s.ssh.version), took(s.ssh.login)).lasting(s.ssh.login)
				}
				return ok("logged in within %s", took(s.ssh.login)).lasting(s.ssh.login)
			}
			if s.ftp.greetingTook > slowLogin || s.ftp.loginTook > slowLogin {
				return warn("the greeting came after %s, the login took %s", took(s.ftp.greetingTook), took(s.ftp.loginTook)).lasting(s.ftp.greetingTook + s.ftp.loginTook)
			}
			return ok("greeted within %s, logged in within %s", took(s.ftp.greetingTook), took(s.ftp.loginTook)).lasting(s.ftp.greetingTook + s.ftp.loginTook)
		}},
	{Check: Check{Code: "sftp-noise", Layer: Login, Title: "text comes before SFTP", Symptom: "\"Received message too long\"",
		Remedy:     "no program may print in the account's shell start files (.bashrc, .profile) unless a person is there; with internal-sftp no shell is started",
		Directives: map[Software]string{OpenSSH: "Subsystem sftp internal-sftp; ForceCommand internal-sftp"}},
		needs: atLoggedIn, applies: isSSH, judge: func(s *seen) judgement {
			if s.failing(atServed) && s.ssh.op == "subsystem" && strings.Contains(s.stop.err.Error(), "it said ") {
				return cause("%s", s.hide.failed(s.stop.err))
			}
			return judgement{}
		}},
	{Check: Check{Code: "sftp-absent", Layer: Login, Title: "SSH is there, SFTP is not", Symptom: "the login works, and the transfer ends at once",
		Remedy:     "configure the subsystem, and look whether its program exists and the account may run it",
		Directives: map[Software]string{OpenSSH: "Subsystem sftp internal-sftp", ProFTPD: "SFTPEngine on"}},
		needs: atLoggedIn, applies: isSSH, judge: func(s *seen) judgement {
			if s.failing(atServed) && s.ssh.op == "subsystem" {
				return cause("%s", s.hide.failed(s.stop.err))
			}
			if s.reached >= atServed {
				return ok("the subsystem answers")
			}
			return judgement{}
		}},
}

// stopSaid is what the server said as the examination stopped, or the error.
func (s *seen) stopSaid() string {
	if s.stop.code != 0 {
		return s.hide.said(reply{s.stop.code, s.stop.text}.line())
	}
	if s.stop.err != nil {
		return s.hide.failed(s.stop.err)
	}
	return "nothing"
}

func (s *seen) user() string {
	if s.ep.User == "" {
		return "anonymous"
	}
	return s.ep.User
}

// wasted is how long addresses that did not answer were waited for.
func (t *seenTCP) wasted() (d time.Duration) {
	for _, a := range t.attempts {
		if a.err != nil {
			d += a.took
		}
	}
	return d
}

// has reports whether a text holds one of the parts, in any case.
func has(text string, parts ...string) bool {
	text = strings.ToLower(text)
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}
