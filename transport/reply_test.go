package transport

import (
	"strings"
	"testing"
	"time"
)

// The texts are those of the servers named, as measured or as in their source.
func TestKindOfReply(t *testing.T) {
	for _, tt := range []struct {
		situation string
		cmd       string
		code      int
		text      string
		want      Kind
	}{
		// Login.
		{"vsftpd bad password", "PASS", 530, "Login incorrect.", KindAuth},
		{"ProFTPD bad password", "PASS", 530, "Login incorrect.", KindAuth},
		{"Pure-FTPd bad password", "PASS", 530, "Login authentication failed", KindAuth},
		{"RFC 959 bad password", "PASS", 530, "Not logged in.", KindAuth},
		{"bad password, command unknown", "", 530, "Not logged in.", KindAuth},
		{"Pure-FTPd gives up on guesses", "PASS", 421, "Too many authentication failures", KindAuth},
		{"ProFTPD gives up on guesses", "PASS", 530, "Denied by MaxLoginAttempts", KindAuth},
		{"needs an account", "PASS", 332, "Need account for login.", KindAuth},
		{"no answer to PASS but another question", "PASS", 331, "Please specify the password.", KindAuth},
		{"needs an account to store", "STOR", 532, "Need account for storing files.", KindAuth},
		{"code 430", "PASS", 430, "Invalid username or password", KindAuth},
		{"vsftpd wants TLS", "USER", 530, "Non-anonymous sessions must use encryption.", KindAuth},
		{"ProFTPD wants TLS", "USER", 550, "SSL/TLS required on the control channel", KindAuth},
		{"Pure-FTPd wants TLS", "USER", 421, "Sorry, cleartext sessions and weak ciphers are not accepted on this server.", KindAuth},
		{"ftpserverlib wants TLS", "USER", 421, "TLS is required", KindAuth},
		{"the session was lost", "STOR", 530, "Please login with USER and PASS.", KindProtocol},
		{"the session was lost", "SIZE", 530, "Not logged in", KindProtocol},

		// Protection.
		{"vsftpd without TLS", "AUTH", 530, "Please login with USER and PASS.", KindNotOffered},
		{"ProFTPD without TLS", "AUTH", 500, "AUTH not understood", KindNotOffered},
		{"Pure-FTPd without TLS", "AUTH", 504, "This security scheme is not implemented", KindNotOffered},
		{"AUTH on a busy server", "AUTH", 421, "Too many connections (1) from this IP", KindBusy},
		{"vsftpd PROT", "PROT", 536, "PROT not supported.", KindInsecure},
		{"PROT refused by policy", "PROT", 534, "Request denied for policy reasons", KindInsecure},
		{"vsftpd data in clear", "STOR", 522, "Data connections must be encrypted.", KindInsecure},
		{"vsftpd without session reuse", "STOR", 522, "SSL connection failed: session reuse required", KindLost},
		{"ProFTPD without session reuse", "STOR", 425, "Unable to build data connection: Operation not permitted", KindLost},

		// Too many.
		{"vsftpd per-IP limit", "", 421, "There are too many connections from your internet address.", KindBusy},
		{"vsftpd limit", "", 421, "There are too many connected users, please try later.", KindBusy},
		{"ProFTPD per-IP limit", "PASS", 530, "Sorry, the maximum number of clients (1) from your host are already connected.", KindBusy},
		{"ProFTPD limit", "PASS", 530, "Sorry, the maximum number of allowed clients (10) are already connected.", KindBusy},
		{"ProFTPD transfers", "STOR", 451, "Sorry, the maximum number of data transfers (2) from your host are currently being used.", KindBusy},
		{"Pure-FTPd per-IP limit", "", 421, "Too many connections (1) from this IP", KindBusy},
		{"Pure-FTPd limit", "", 421, "50 users (the maximum) are already logged in, sorry", KindBusy},
		{"Pure-FTPd per-user limit", "PASS", 421, "I can't accept more than 3 connections as the same user", KindBusy},
		{"FileZilla limit", "", 421, "Too many users are connected, please try again later.", KindBusy},
		{"ProFTPD shutting down", "USER", 500, "FTP server shut down (going down at 22:00) -- please try again later", KindBusy},
		{"shutting down", "NOOP", 421, "Service not available, closing control connection.", KindBusy},
		{"Winsock", "", 10054, "Too many connections", KindBusy},

		{"ftp-srv, data cut off", "STOR", 550, "read ECONNRESET", KindLost},
		{"ftpserverlib, data cut off", "STOR", 550, "Issue during transfer: network error: error transferring data: EOF", KindLost},

		// Idle.
		{"vsftpd idle", "NOOP", 421, "Timeout.", KindLost},
		{"vsftpd idle data", "STOR", 421, "Data timeout. Reconnect. Sorry.", KindLost},
		{"ProFTPD idle", "NOOP", 421, "Idle timeout (2 seconds): closing control connection", KindLost},
		{"ProFTPD no transfer", "NOOP", 421, "No transfer timeout (600 seconds): closing control connection", KindLost},
		{"Pure-FTPd idle", "NOOP", 421, "Timeout - try typing a little faster next time", KindLost},
		{"IIS idle", "NOOP", 421, "Connection timed out.", KindLost},

		// Space.
		{"vsftpd disk full", "STOR", 451, "Failure writing to local file.", KindNoSpace},
		{"ProFTPD disk full", "STOR", 451, "Transfer aborted. Input/output error", KindNoSpace},
		{"Pure-FTPd disk full", "STOR", 451, "Error during write to file", KindNoSpace},
		{"ftpserverlib disk full", "STOR", 550, "Issue during transfer: write /srv/f: no space left on device", KindNoSpace},
		{"ftpserverlib storage", "STOR", 552, "Could not access file: storage limit exceeded", KindNoSpace},
		{"disk full seen as an abort", "STOR", 426, "Transfer aborted. No space left on device", KindNoSpace},
		{"RFC 959 storage", "STOR", 452, "Insufficient storage space in system.", KindNoSpace},
		{"Pure-FTPd quota", "STOR", 552, "Transfer aborted (quota)", KindQuota},
		{"Pure-FTPd quota at the end", "STOR", 552, "Quota exceeded: [f] won't be saved", KindQuota},
		{"ProFTPD quota", "STOR", 552, "Transfer aborted. Disk quota exceeded", KindQuota},

		// Permission, name, existence.
		{"vsftpd no permission, STOR", "STOR", 553, "Could not create file.", KindRefused},
		{"ProFTPD no permission, STOR", "STOR", 550, "up/f: Permission denied", KindPermission},
		{"Pure-FTPd no permission, STOR", "STOR", 553, "Can't open that file: Permission denied", KindPermission},
		{"vsftpd read-only", "STOR", 550, "Permission denied.", KindPermission},
		{"vsftpd missing folder, STOR", "STOR", 553, "Could not create file.", KindRefused},
		{"ProFTPD missing folder, STOR", "STOR", 550, "no/f: No such file or directory", KindNotExist},
		{"Pure-FTPd missing folder, STOR", "STOR", 553, "Can't open that file: No such file or directory", KindNotExist},
		{"ftpserverlib missing folder", "STOR", 550, "Could not access file: open /no/f: file does not exist", KindNotExist},
		{"vsftpd missing file, RETR", "RETR", 550, "Failed to open file.", KindNotExist},
		{"ProFTPD missing file, RETR", "RETR", 550, "f: No such file or directory", KindNotExist},
		{"Pure-FTPd missing file, RETR", "RETR", 550, "Can't open f: No such file or directory", KindNotExist},
		{"vsftpd missing file, SIZE", "SIZE", 550, "Could not get file size.", KindNotExist},
		{"Pure-FTPd missing file, SIZE", "SIZE", 550, "Can't check for file existence", KindNotExist},
		{"ProFTPD missing file, MLST", "MLST", 550, "'no' cannot be listed", KindNotExist},
		{"vsftpd missing file, RNFR", "RNFR", 550, "RNFR command failed.", KindNotExist},
		{"Pure-FTPd missing file, RNFR", "RNFR", 550, "Sorry, but that file doesn't exist", KindNotExist},
		{"vsftpd missing folder, CWD", "CWD", 550, "Failed to change directory.", KindNotExist},
		{"ProFTPD LIST missing folder", "LIST", 450, "no: No such file or directory", KindNotExist},
		{"vsftpd MKD", "MKD", 550, "Create directory operation failed.", KindRefused},
		{"ProFTPD MKD exists", "MKD", 550, "d: File exists", KindExist},
		{"RFC 2228 MKD exists", "MKD", 521, "Directory exists", KindExist},
		{"IIS MKD exists", "MKD", 550, "Cannot create a file when that file already exists.", KindExist},
		{"RMD of a full folder", "RMD", 550, "d: Directory not empty", KindRefused},
		{"name refused", "STOR", 553, "File name not allowed.", KindName},
		{"a folder of that name", "STOR", 553, "Can't open that file: Is a directory", KindRefused},
		{"Windows sharing", "STOR", 550, "The process cannot access the file because it is being used by another process.", KindLocked},

		// The name of a file is not the cause.
		{"named like a cause", "RETR", 550, "not found.txt: Permission denied", KindPermission},
		{"named like a cause", "RETR", 550, "/in/quota.csv: No such file or directory", KindNotExist},
		{"named like a cause", "SIZE", 550, "disk full: No such file or directory", KindNotExist},

		// The line.
		{"vsftpd data reset in RETR", "RETR", 426, "Failure writing network stream.", KindLost},
		{"ProFTPD data reset in RETR", "RETR", 426, "Transfer aborted. Data connection closed", KindLost},
		{"Pure-FTPd data reset in RETR", "RETR", 150, "Accepted data connection", KindProtocol},
		{"vsftpd data reset in STOR", "STOR", 426, "Failure reading network stream.", KindLost},
		{"ProFTPD data reset in STOR", "STOR", 426, "Transfer aborted. Connection reset by peer", KindLost},
		{"Pure-FTPd data reset in STOR", "STOR", 451, "Error during read from data connection", KindLost},
		{"ftpserverlib data reset", "STOR", 550, "Issue during transfer: error transferring data: read tcp 127.0.0.1:2122->127.0.0.1:4000: read: connection reset by peer", KindLost},
		{"ftpserverlib no data connection", "STOR", 550, "unable to open transfer: no transfer connection", KindLost},
		{"vsftpd no data connection", "STOR", 425, "Failed to establish connection.", KindLost},
		{"vsftpd wrong peer", "LIST", 425, "Security: Bad IP connecting.", KindLost},

		// Restart.
		{"ProFTPD AllowStoreRestart off", "STOR", 451, "f: Append/Restart not permitted, try again", KindRestart},
		{"ProFTPD AllowRetrieveRestart off", "RETR", 451, "f: Restart not permitted, try again", KindRestart},
		{"ProFTPD REST beyond the size", "STOR", 554, "f: invalid REST argument", KindRestart},
		{"Pure-FTPd REST beyond the size", "RETR", 554, "Restart offset 10 is too large for file size 5.\nRestart offset reset to 0", KindRestart},
		{"554 of nothing else", "STOR", 554, "Requested action not taken", KindRestart},
		{"goftp REST beyond the size", "STOR", 450, "error: EOF", KindTemporary},

		// The rest.
		{"vsftpd MLST", "MLST", 500, "Unknown command.", KindUnsupported},
		{"Pure-FTPd OPTS UTF8", "OPTS", 504, "Unknown command", KindUnsupported},
		{"superfluous", "ALLO", 202, "ALLO command ignored.", KindUnsupported},
		{"SITE", "SITE", 502, "Command not implemented.", KindUnsupported},
		{"syntax", "MFMT", 501, "Invalid number of parameters", KindRefused},
		{"pyftpdlib", "MLSD", 501, "No such directory.", KindNotExist},
		{"out of step", "RNTO", 503, "RNFR required first.", KindProtocol},
		{"vsftpd child died", "STOR", 500, "OOPS: child died", KindTemporary},
		{"local error", "STOR", 451, "Requested action aborted. Local error in processing.", KindTemporary},
		{"busy file", "STOR", 450, "Requested file action not taken.", KindTemporary},
		{"vsftpd rename", "RNTO", 550, "Rename failed.", KindRefused},
		{"garbage", "STOR", 0, "", KindProtocol},
		{"garbage", "STOR", 999, "x", KindProtocol},
		{"success where none was expected", "STOR", 226, "Too many connections", KindProtocol},
	} {
		if got := KindOfReply(tt.cmd, tt.code, tt.text); got != tt.want {
			t.Errorf("%s: %s answered by %d %s is %q, want %q", tt.situation, tt.cmd, tt.code, tt.text, got, tt.want)
		}
	}
}

func FuzzKindOfReply(f *testing.F) {
	f.Add("STOR", 550, "x: Permission denied")
	f.Add("", 421, "Too many")
	f.Add("PASS", -1, "\xff\x00")
	f.Fuzz(func(t *testing.T, cmd string, code int, text string) {
		k := KindOfReply(cmd, code, text)
		switch k {
		case KindUnknown, KindCanceled, KindInvalid, KindLocal, KindNoHost, KindUnreachable, KindTimeout, KindHostKey, KindCertificate, KindStalled, KindTruncated:
			t.Errorf("a reply cannot mean %q", k)
		}
		if k >= kindEnd {
			t.Errorf("kind %d does not exist", k)
		}
		if code >= 200 && code < 400 && (k == KindBusy || k == KindNotExist || k == KindPermission) {
			t.Errorf("the positive reply %d is %q because of its text", code, k)
		}
		if up := ascii(text, strings.ToUpper); up != "" && KindOfReply(cmd, code, up) != k {
			t.Errorf("%q is %q, in capitals %q", text, k, KindOfReply(cmd, code, up))
		}
	})
}

// ascii applies f if s is ASCII; capitals are not reversible beyond.
func ascii(s string, f func(string) string) string {
	for _, r := range s {
		if r >= 0x80 {
			return ""
		}
	}
	return f(s)
}

func TestRetryAfterOf(t *testing.T) {
	for _, tt := range []struct {
		code int
		text string
		want time.Duration
	}{
		{421, "Too many connections, try again in 30 seconds.", 30 * time.Second},
		{421, "Please wait 5s", 5 * time.Second},
		{450, "Retry after 2 minutes", 2 * time.Minute},
		{530, "RETRY IN 10 SEC", 10 * time.Second},
		{421, "try again in 1 hour", time.Hour},
		{421, "try again in 99999 hours", time.Hour},
		{421, "wait 90000 s", time.Hour},
		{120, "Service ready in 003 minutes.", 3 * time.Minute},
		{120, "Service ready in 3 Minutes.", 3 * time.Minute},
		{220, "Service ready in 3 minutes.", 0},
		{421, "Too many connections (8) from this IP", 0},
		{421, "Please try again later.", 0},
		{421, "wait 500 ms", 0},
		{421, "wait 123456789 seconds", 0},
		{421, "Idle timeout (2 seconds): closing control connection", 0},
		{421, "", 0},
	} {
		if got := RetryAfterOf(tt.code, tt.text); got != tt.want {
			t.Errorf("%d %s: %v, want %v", tt.code, tt.text, got, tt.want)
		}
	}
}

func FuzzRetryAfterOf(f *testing.F) {
	f.Add(421, "try again in 30 seconds")
	f.Add(120, "ready in 999 minutes")
	f.Fuzz(func(t *testing.T, code int, text string) {
		if d := RetryAfterOf(code, text); d < 0 || d > time.Hour {
			t.Errorf("%d %q: %v", code, text, d)
		}
	})
}
