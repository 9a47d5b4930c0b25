package retry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestClassOfEveryKind(t *testing.T) {
	want := map[transport.Kind]retry.Class{
		transport.KindUnknown: retry.Transient, transport.KindCanceled: retry.Canceled, transport.KindInvalid: retry.Permanent,
		transport.KindLocal: retry.Permanent, transport.KindNoHost: retry.Permanent, transport.KindUnreachable: retry.Transient,
		transport.KindTimeout: retry.Transient, transport.KindNotOffered: retry.Permanent, transport.KindAuth: retry.Permanent,
		transport.KindHostKey: retry.Permanent, transport.KindCertificate: retry.Permanent, transport.KindInsecure: retry.Permanent,
		transport.KindBusy: retry.Busy, transport.KindLost: retry.Transient, transport.KindStalled: retry.Transient,
		transport.KindTruncated: retry.Transient, transport.KindProtocol: retry.Transient, transport.KindTemporary: retry.Transient,
		transport.KindLocked: retry.Transient, transport.KindRestart: retry.Transient, transport.KindNotExist: retry.Permanent,
		transport.KindExist: retry.Permanent, transport.KindPermission: retry.Permanent, transport.KindName: retry.Permanent,
		transport.KindNoSpace: retry.Permanent, transport.KindQuota: retry.Permanent, transport.KindUnsupported: retry.Permanent,
		transport.KindRefused: retry.Permanent,
	}
	for k := transport.Kind(0); k == 0 || k.String() != "unknown"; k++ {
		class, ok := want[k]
		if !ok {
			t.Errorf("kind %q has no class in this test", k)
		}
		for _, err := range []error{
			&transport.Error{Kind: k, Err: io.EOF},
			fmt.Errorf("upload: %w", &transport.Error{Kind: k}),
			errors.Join(&transport.Error{Kind: k}, errors.New("and closing failed")),
		} {
			if got := retry.Classify(err); got != class {
				t.Errorf("%q as %T is %v, want %v", k, err, got, class)
			}
		}
	}
	if got := retry.Classify(&transport.Error{Kind: 250}); got != retry.Transient {
		t.Errorf("a kind of the future is %v", got)
	}
}

// The table "Replies" of the server facts: every row, every server.
func TestClassifyReplies(t *testing.T) {
	const P, T, B = retry.Permanent, retry.Transient, retry.Busy
	for _, tt := range []struct {
		situation, server, cmd string
		code                   int
		text                   string
		want                   retry.Class
	}{
		{"bad password", "vsftpd", "PASS", 530, "Login incorrect.", P},
		{"bad password", "ProFTPD", "PASS", 530, "Login incorrect.", P},
		{"bad password", "Pure-FTPd", "PASS", 530, "Login authentication failed", P},
		{"per-IP limit", "vsftpd", "", 421, "There are too many connections from your internet address.", B},
		{"per-IP limit", "ProFTPD", "PASS", 530, "Sorry, the maximum number of clients (1) from your host are already connected.", B},
		{"per-IP limit", "Pure-FTPd", "", 421, "Too many connections (1) from this IP", B},
		{"disk full", "vsftpd", "STOR", 451, "Failure writing to local file.", P},
		{"disk full", "ProFTPD", "STOR", 451, "Transfer aborted. Input/output error", P},
		{"disk full", "Pure-FTPd", "STOR", 451, "Error during write to file", P},
		{"disk full", "ftpserverlib", "STOR", 550, "Issue during transfer: write /f: no space left on device", P},
		{"no permission, STOR", "vsftpd", "STOR", 553, "Could not create file.", P},
		{"no permission, STOR", "ProFTPD", "STOR", 550, "f: Permission denied", P},
		{"no permission, STOR", "Pure-FTPd", "STOR", 553, "Can't open that file: Permission denied", P},
		{"missing folder, STOR", "vsftpd", "STOR", 553, "Could not create file.", P},
		{"missing folder, STOR", "ProFTPD", "STOR", 550, "d/f: No such file or directory", P},
		{"missing folder, STOR", "Pure-FTPd", "STOR", 553, "Can't open that file: No such file or directory", P},
		{"missing file, RETR", "vsftpd", "RETR", 550, "Failed to open file.", P},
		{"missing file, RETR", "ProFTPD", "RETR", 550, "f: No such file or directory", P},
		{"missing file, RETR", "Pure-FTPd", "RETR", 550, "Can't open f: No such file or directory", P},
		{"LIST missing folder", "ProFTPD", "LIST", 550, "d: No such file or directory", P},
		{"LIST missing folder", "Pure-FTPd", "LIST", 550, "Can't change directory to d: No such file or directory", P},
		{"idle", "vsftpd", "NOOP", 421, "Timeout.", T},
		{"idle", "ProFTPD", "NOOP", 421, "Idle timeout (2 seconds): closing control connection", T},
		{"data reset in RETR", "vsftpd", "RETR", 426, "Failure writing network stream.", T},
		{"data reset in RETR", "ProFTPD", "RETR", 426, "Transfer aborted. Data connection closed", T},
		{"data reset in RETR", "Pure-FTPd", "RETR", 150, "Accepted data connection", T},
		{"data reset in STOR", "vsftpd", "STOR", 426, "Failure reading network stream.", T},
		{"data reset in STOR", "ProFTPD", "STOR", 426, "Transfer aborted. Data connection closed", T},
		{"data reset in STOR", "Pure-FTPd", "STOR", 451, "Error during read from data connection", T},
		{"data reset in STOR", "ftpserverlib", "STOR", 550, "Issue during transfer: read tcp 1.2.3.4:5: read: connection reset by peer", T},
		{"quota", "Pure-FTPd", "STOR", 552, "Transfer aborted (quota)", P},
		{"restart refused", "ProFTPD", "STOR", 451, "f: Append/Restart not permitted, try again", T},
		{"TLS session not resumed", "ProFTPD", "STOR", 425, "Unable to build data connection: Operation not permitted", T},
		{"TLS session not resumed", "vsftpd", "STOR", 522, "SSL connection failed: session reuse required", T},
	} {
		reply := &textproto.Error{Code: tt.code, Msg: tt.text}
		err := &transport.Error{Op: tt.cmd, Protocol: transport.FTPS, Code: tt.code, Kind: transport.KindOfReply(tt.cmd, tt.code, tt.text), Err: reply}
		if got := retry.Classify(err); got != tt.want {
			t.Errorf("%s on %s (%d %s) is %v, want %v", tt.situation, tt.server, tt.code, tt.text, got, tt.want)
		}
	}
}

func TestClassifyBareErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want retry.Class
	}{
		{"nil", nil, retry.Permanent},
		{"anything", errors.New("x"), retry.Transient},
		{"reply 530", &textproto.Error{Code: 530, Msg: "Login incorrect."}, retry.Permanent},
		{"reply 421", fmt.Errorf("x: %w", &textproto.Error{Code: 421, Msg: "full"}), retry.Busy},
		{"reply 426", &textproto.Error{Code: 426}, retry.Transient},
		{"cancelled", context.Canceled, retry.Canceled},
		{"deadline", fmt.Errorf("x: %w", context.DeadlineExceeded), retry.Canceled},
		{"EOF", io.ErrUnexpectedEOF, retry.Transient},
		{"reset", &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, retry.Transient},
		{"refused", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, retry.Transient},
		{"no such host", &net.DNSError{IsNotFound: true}, retry.Permanent},
		{"DNS down", &net.DNSError{IsTemporary: true}, retry.Transient},
		{"source", &transport.LocalError{Err: io.ErrUnexpectedEOF}, retry.Permanent},
		{"ssh login", errors.New("ssh: handshake failed: ssh: unable to authenticate, attempted methods [none]"), retry.Permanent},
		{"ssh cut off", fmt.Errorf("ssh: handshake failed: %w", io.EOF), retry.Transient},
		{"stopped", fmt.Errorf("x: %w", retry.Stop(io.EOF)), retry.Permanent},
		{"a loop that gave up", fmt.Errorf("x: %w", &retry.Error{Reason: retry.ReasonAttempts, Attempts: []retry.AttemptError{{Err: io.EOF}}}), retry.Permanent},
		{"a loop that was cancelled", &retry.Error{Reason: retry.ReasonCanceled}, retry.Canceled},
	} {
		if got := retry.Classify(tt.err); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestClassifyByOperation(t *testing.T) {
	for _, tt := range []struct {
		err  *transport.Error
		want retry.Class
	}{
		{&transport.Error{Op: "handshake", Kind: transport.KindNotOffered}, retry.Permanent},
		{&transport.Error{Op: "STOR", Kind: transport.KindNotOffered}, retry.Transient},
		{&transport.Error{Op: "RETR", Kind: transport.KindNotOffered}, retry.Transient},
		{&transport.Error{Op: "SSH_FXP_MKDIR", Protocol: transport.SFTP, Code: 4, Kind: transport.KindTemporary}, retry.Permanent},
		{&transport.Error{Op: "SSH_FXP_RENAME", Protocol: transport.SFTP, Code: 4, Kind: transport.KindTemporary}, retry.Permanent},
		{&transport.Error{Op: "SSH_FXP_EXTENDED posix-rename@openssh.com", Protocol: transport.SFTP, Code: 4, Kind: transport.KindTemporary}, retry.Permanent},
		{&transport.Error{Op: "SSH_FXP_WRITE", Protocol: transport.SFTP, Code: 4, Kind: transport.KindTemporary}, retry.Transient},
		{&transport.Error{Op: "SSH_FXP_RENAME", Protocol: transport.SFTP, Kind: transport.KindLost}, retry.Transient},
		{&transport.Error{Op: "RNTO", Protocol: transport.FTP, Code: 450, Kind: transport.KindTemporary}, retry.Transient},
	} {
		if got := retry.Classify(tt.err); got != tt.want {
			t.Errorf("%s %v (%d): %v, want %v", tt.err.Op, tt.err.Kind, tt.err.Code, got, tt.want)
		}
	}
}

func TestClassifyJoined(t *testing.T) {
	e := func(kinds ...transport.Kind) error {
		var errs []error
		for _, k := range kinds {
			errs = append(errs, fmt.Errorf("tried: %w", &transport.Error{Op: "dial", Kind: k}))
		}
		return fmt.Errorf("no protocol: %w", errors.Join(append(errs, errors.New("plain FTP is not allowed"))...))
	}
	for _, tt := range []struct {
		err  error
		want retry.Class
	}{
		{e(transport.KindNotOffered, transport.KindNotOffered), retry.Permanent},
		{e(transport.KindNotOffered, transport.KindUnreachable), retry.Transient},
		{e(transport.KindUnreachable, transport.KindNotOffered), retry.Transient},
		{e(transport.KindNotOffered, transport.KindBusy), retry.Busy},
		{e(transport.KindUnreachable, transport.KindAuth), retry.Permanent},
		{e(transport.KindTimeout, transport.KindCertificate), retry.Permanent},
		{e(transport.KindLost, transport.KindHostKey), retry.Permanent},
		{e(transport.KindNotExist, transport.KindLost), retry.Permanent},
		{e(transport.KindLost, transport.KindNotExist), retry.Transient},
		{e(transport.KindAuth, transport.KindCanceled), retry.Canceled},
	} {
		if got := retry.Classify(tt.err); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	b, err := json.Marshal([]any{retry.Permanent, retry.Transient, retry.Busy, retry.Canceled, retry.Class(9),
		retry.ReasonAttempts, retry.ReasonElapsed, retry.ReasonPermanent, retry.ReasonCanceled, retry.Reason(0)})
	want := `["permanent","transient","busy","canceled","unknown",` +
		`"too many attempts without progress","no progress in time","failed for good","canceled","unknown"]`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v", b, err)
	}
}

// TestClassifyMayPass: a function of the caller's decides what it knows, and leaves the rest.
func TestClassifyMayPass(t *testing.T) {
	mine := errors.New("mine")
	p := retry.Policy{MaxAttempts: 3, InitialDelay: time.Nanosecond, Classify: func(err error) retry.Class {
		if errors.Is(err, mine) {
			return retry.Permanent
		}
		return 0
	}}
	for err, want := range map[error]int{mine: 1, &transport.Error{Kind: transport.KindLost}: 3, &transport.Error{Kind: transport.KindAuth}: 1} {
		n := 0
		_ = p.Do(t.Context(), func(context.Context, *retry.Attempt) error { n++; return err }, nil)
		if n != want {
			t.Errorf("%v: %d attempts, want %d", err, n, want)
		}
	}
}
