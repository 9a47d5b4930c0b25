package transport

import (
	"regexp"
	"strings"
	"time"
)

// KindOfReply names the kind of a negative FTP reply (RFC 959 section 4.2). cmd
// is the command it answers, upper case, or "" if unknown. The code alone
// misleads: 530 is a wrong password or a server that is full, 550 and 553 are
// anything at all, and a full disk is a 4xx on some servers and a 5xx on
// others, so the text is read as well, where real servers are known to say it.
func KindOfReply(cmd string, code int, text string) Kind {
	t := strings.ToLower(text)
	if k, ok := kindOfSession(cmd, code, t); ok {
		return k
	}
	if code == 425 || code == 426 {
		if k, ok := kindOfErrno(t); ok && (k == KindNoSpace || k == KindQuota) {
			return k
		}
		// The data connection, whatever the text: ProFTPD says "Operation not
		// permitted" where the TLS session was not resumed.
		return KindLost
	}
	if k, ok := kindOfErrno(t); ok {
		if cmd == "STOR" && code == 451 && strings.Contains(t, "input/output error") {
			return KindNoSpace // ProFTPD, when the disk is full
		}
		return k
	}
	if k, ok := kindOfText(code, t); ok {
		return k
	}
	if k, ok := kindOfCode(cmd, code, t); ok {
		return k
	}
	if code < 500 {
		return KindTemporary
	}
	return KindRefused
}

// kindOfSession judges the replies that are about the session, not about a file.
func kindOfSession(cmd string, code int, t string) (Kind, bool) {
	login := cmd == "" || cmd == "USER" || cmd == "PASS" || cmd == "ACCT"
	switch {
	case code == 202:
		return KindUnsupported, true // "superfluous at this site"
	case code == 332, code == 331 && cmd == "PASS":
		return KindAuth, true
	case code < 400 || code > 599:
		// A positive reply where another was expected (Pure-FTPd ends a reset
		// RETR with 150), or no reply at all. 10054 is a server's Winsock error.
		if code >= 600 && busyText(t) {
			return KindBusy, true
		}
		return KindProtocol, true
	case cmd == "AUTH" && code >= 500:
		// vsftpd without TLS says 530 "Please login with USER and PASS."
		return KindNotOffered, true
	case (cmd == "PROT" || cmd == "PBSZ") && code >= 500,
		code == 522 && contains(t, "must be encrypted"):
		return KindInsecure, true
	case contains(t, "session reuse required"):
		return KindLost, true // vsftpd, 522: a new control connection has a session to resume
	case contains(t, "login attempts", "maxloginattempts", "authentication failures", "failed logins", "login failures"):
		return KindAuth, true
	case contains(t, "cleartext sessions", "must use encryption", "ssl/tls required", "tls is required", "policy requires ssl"):
		return KindAuth, true // 421 on Pure-FTPd and ftpserverlib, 530 on vsftpd, 550 on ProFTPD
	case busyText(t):
		return KindBusy, true
	case code == 421 && contains(t, "timeout", "timed out", "time exceeded"):
		return KindLost, true // an idle session ended; nobody is busy
	case code == 421:
		return KindBusy, true
	case code == 530 && !login && contains(t, "please login", "not logged in", "login with user"):
		return KindProtocol, true // the server has lost the session
	case code == 430 || code == 530 || code == 532:
		return KindAuth, true
	case code == 500 && strings.HasPrefix(t, "oops:"):
		return KindTemporary, true // vsftpd: a process of its own died
	}
	return KindUnknown, false
}

// errnoTexts are what strerror(3) and Go call errors of the file system and of
// sockets. Where one ends a reply it is the cause, whatever the file's name in
// front of it looks like.
var errnoTexts = []struct {
	text string
	kind Kind
}{
	{"no such file or directory", KindNotExist},
	{"file does not exist", KindNotExist},
	{"permission denied", KindPermission},
	{"operation not permitted", KindPermission},
	{"read-only file system", KindPermission},
	{"file exists", KindExist},
	{"file already exists", KindExist},
	{"no space left on device", KindNoSpace},
	{"disk quota exceeded", KindQuota},
	{"file too large", KindQuota},
	{"file name too long", KindName},
	{"is a directory", KindRefused},
	{"not a directory", KindRefused},
	{"directory not empty", KindRefused},
	{"input/output error", KindTemporary},
	{"resource temporarily unavailable", KindTemporary},
	{"stale file handle", KindTemporary},
	{"text file busy", KindLocked},
	{"device or resource busy", KindLocked},
	{"connection reset by peer", KindLost},
	{"broken pipe", KindLost},
	{"connection timed out", KindLost},
	{"i/o timeout", KindLost},
	{"unexpected eof", KindLost},
	{"use of closed network connection", KindLost},
}

func kindOfErrno(t string) (Kind, bool) {
	t = strings.TrimRight(t, " .\r\n")
	for _, e := range errnoTexts {
		if strings.HasSuffix(t, e.text) {
			return e.kind, true
		}
	}
	return KindUnknown, false
}

// kindOfText judges by what a reply says anywhere in its text.
func kindOfText(code int, t string) (Kind, bool) {
	switch {
	case contains(t, "restart not permitted", "invalid rest", "restart offset"):
		return KindRestart, true // ProFTPD, 451: a 4xx that is permanent
	case contains(t, "quota exceeded", "exceeded quota", "over quota", "disk quota", "quota limit", "quota reached", "(quota)"),
		(code == 452 || code == 552) && contains(t, "quota"):
		return KindQuota, true
	case code == 452 || code == 552,
		contains(t, "no space left", "not enough space", "disk full", "disk is full", "storage limit", "insufficient storage", "insufficient disk"),
		code == 451 && contains(t, "writing to local file", "error during write to file"):
		return KindNoSpace, true
	case code == 500 || code == 502 || code == 504 || contains(t, "not implemented", "command not understood"):
		return KindUnsupported, true
	case code == 503:
		return KindProtocol, true // out of step: a new session is in step
	case contains(t, "no such file", "not found", "does not exist", "doesn't exist", "no such directory", "cannot find"):
		return KindNotExist, true
	case contains(t, "permission denied", "access denied", "access is denied", "not permitted", "read-only", "read only", "prohibited"):
		return KindPermission, true
	case contains(t, "already exists", "file exists"):
		return KindExist, true
	case contains(t, "used by another process", "being used by", "is in use", "sharing violation", "is locked"):
		return KindLocked, true
	case contains(t, "no transfer connection", "to data connection", "data connection closed", "network error", "econnreset", "epipe"):
		// ftpserverlib answers 550 "Issue during transfer: network error: ...", ftp-srv
		// 550 "read ECONNRESET".
		return KindLost, true
	case contains(t, "temporarily"):
		return KindTemporary, true
	case code == 501:
		return KindRefused, true
	}
	return KindUnknown, false
}

// kindOfCode judges the replies whose texts say too little, by the command.
func kindOfCode(cmd string, code int, t string) (Kind, bool) {
	switch code {
	case 450, 451:
		if code == 451 && contains(t, "during read from data", "network") {
			return KindLost, true
		}
		return KindTemporary, true
	case 554:
		if cmd == "STOR" || cmd == "RETR" || cmd == "REST" {
			return KindRestart, true
		}
	case 550:
		switch cmd {
		// vsftpd says no more than "Failed to open file." or "Could not get
		// file size.": the file is not there, or is not a file.
		// "Delete operation failed." and "Remove directory operation failed." it
		// says as well to what is forbidden or not empty: those stay refusals,
		// and the driver looks.
		case "RETR", "SIZE", "MDTM", "MLST", "CWD", "RNFR", "DELE", "LIST", "MLSD", "RMD":
			if contains(t, "failed to open file", "could not get file", "failed to change directory",
				"rnfr command failed", "can't open", "can't check",
				"cannot be listed") { // ProFTPD's MLST
				return KindNotExist, true
			}
		}
	case 553:
		// vsftpd: "Could not create file." for a missing folder and for a
		// forbidden one. What it is, a look at the folder tells.
		if contains(t, "could not create file") {
			return KindRefused, true
		}
		return KindName, true
	case 521:
		if cmd == "MKD" {
			return KindExist, true
		}
	}
	return KindUnknown, false
}

// busyText recognises "too many", which servers send as 421, 500, 530, 550 or
// 10054 of their own making. ProFTPD's are "Sorry, the maximum number of
// clients", "of allowed clients", "of hosts", "of data transfers".
func busyText(t string) bool {
	return contains(t, "too many connections", "too many connected", "too many users", "maximum number of",
		"too many clients", "connection limit", "connections exceeded", "maximum login", "max clients", "maximum clients",
		"too many sessions", "too many simultaneous", "too many transfers", "too many logins", "too many open",
		"(the maximum) are", "user limit", "server is full", "try again later", "try later")
}

func contains(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

var (
	retryAfter  = regexp.MustCompile(`(?i)(?:retry|try again|wait|again)[^0-9]{0,20}(\d{1,5})\s*(s\b|sec|min|m\b|hour|h\b)`)
	readyInMins = regexp.MustCompile(`(?i)(\d{1,5})\s*(min)`)
)

// RetryAfterOf reads how long a reply asks to wait ("try again in 30 seconds",
// "120 Service ready in 3 minutes" of RFC 959), at most an hour; 0 if it does
// not say.
func RetryAfterOf(code int, text string) time.Duration {
	m := retryAfter.FindStringSubmatch(text)
	if m == nil && code == 120 {
		m = readyInMins.FindStringSubmatch(text)
	}
	if m == nil {
		return 0
	}
	n := 0
	for _, c := range m[1] {
		n = n*10 + int(c-'0')
	}
	unit := time.Second
	switch strings.ToLower(m[2])[0] {
	case 'm':
		unit = time.Minute
	case 'h':
		unit = time.Hour
	}
	return min(time.Duration(n)*unit, time.Hour)
}
