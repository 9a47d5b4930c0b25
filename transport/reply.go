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
	switch {
	case code < 400:
		// A positive reply where another was expected.
		return KindProtocol
	case busyText(t):
		return KindBusy
	case code == 421:
		return KindBusy
	case code == 530 || code == 332 || code == 532:
		return KindAuth
	case code == 331 && cmd == "PASS":
		return KindAuth
	case contains(t, "quota"):
		return KindQuota
	case code == 552:
		return KindNoSpace
	case contains(t, "no space", "disk full", "disk is full", "storage limit", "insufficient storage", "insufficient disk", "not enough space"),
		code == 452, code == 451 && contains(t, "writing to local file", "error during write to file"):
		return KindNoSpace
	case code == 451 && cmd == "STOR" && contains(t, "input/output error"):
		return KindNoSpace
	case code == 500 || code == 502 || code == 504 || code == 202 || contains(t, "not implemented", "command not understood"):
		return KindUnsupported
	case code == 501:
		return KindRefused
	case contains(t, "no such file", "not found", "does not exist", "doesn't exist", "no such directory", "cannot find"):
		return KindNotExist
	case contains(t, "permission denied", "access denied", "access is denied", "not permitted", "read-only", "read only", "prohibited"):
		return KindPermission
	case contains(t, "already exists", "file exists"):
		return KindExist
	}
	if k, ok := kindOfCode(cmd, code, t); ok {
		return k
	}
	if code < 500 {
		return KindTemporary
	}
	return KindRefused
}

// kindOfCode judges the replies whose texts say too little, by the command.
func kindOfCode(cmd string, code int, t string) (Kind, bool) {
	switch code {
	case 425, 426:
		return KindLost, true
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
		case "RETR", "SIZE", "MDTM", "MLST", "CWD", "RNFR", "DELE", "LIST", "MLSD", "RMD":
			if contains(t, "failed to open file", "could not get file", "failed to change directory",
				"rnfr command failed", "can't open", "can't check", "delete operation failed", "remove directory operation failed") {
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

// busyText recognises "too many", which servers send as 421, 530, 550 or 10054
// of their own making.
func busyText(t string) bool {
	return contains(t, "too many connections", "too many users", "maximum number of clients", "maximum number of connections",
		"too many clients", "connection limit", "connections exceeded", "maximum login", "max clients", "maximum clients",
		"too many sessions", "too many open", "user limit", "server is full", "try again later")
}

func contains(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

var retryAfter = regexp.MustCompile(`(?i)(?:retry|try again|wait|again)[^0-9]{0,20}(\d{1,5})\s*(s\b|sec|min|m\b|hour|h\b)`)

// RetryAfterOf reads how long a reply asks to wait ("try again in 30 seconds",
// "120 Service ready in 3 minutes" of RFC 959), at most an hour; 0 if it does
// not say.
func RetryAfterOf(code int, text string) time.Duration {
	m := retryAfter.FindStringSubmatch(text)
	if m == nil && code == 120 {
		m = regexp.MustCompile(`(\d{1,3})\s*(min)`).FindStringSubmatch(text)
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
