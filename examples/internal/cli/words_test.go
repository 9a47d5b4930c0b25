package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestWords: what a command says names each cause once, and flags instead of options.
func TestWords(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	refused := &transport.Error{Op: "dial", Addr: "127.0.0.1:1", Protocol: ftpx.SFTP, Kind: transport.KindUnreachable,
		Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}}
	sel := &ftpx.ProtocolsError{Tried: []ftpx.ProtocolInfo{{Protocol: ftpx.SFTP, Err: refused}}, PlaintextHeld: true}
	for _, c := range []struct {
		err         error
		says, lacks string
	}{
		{&ftpx.Error{Outcome: ftpx.NotDone, Op: "open", Err: &transport.Error{Op: "connect", Addr: "127.0.0.1", Kind: transport.KindUnreachable, Err: sel}},
			"open: 127.0.0.1: sftp: 127.0.0.1:1: connection refused; ftp: not tried", "dial"},
		{&transport.Error{Op: "login", Kind: transport.KindAuth, Err: errors.New("530 no")}, "login refused: 530 no", "login login"},
		{errors.New("no way to log in was given: set Password, IdentityFiles, Signers, Agent or KeyboardInteractive"), "-identity", "Signers"},
		{errors.New(`add it with "ssh-keyscan -p 34061 127.0.0.1 >> known_hosts", or pin it in HostKeyFingerprints, or set TrustOnFirstUse`),
			`"ssh-keyscan -p 34061 127.0.0.1 >> ~/.ssh/known_hosts", or pin it with -host-key, or use -tofu`, "TrustOnFirstUse"},
		{fmt.Errorf("%w: give a SOURCE", ErrUsage), "give a SOURCE", "usage"},
		{Missing("-ca", &fs.PathError{Op: "stat", Path: "x.pem", Err: fs.ErrNotExist}), "-ca x.pem: file does not exist", "stat"},
		{errors.New("esc\x1b[2J"), "esc", "\x1b"},
	} {
		if got := Words(c.err); !strings.Contains(got, c.says) || strings.Contains(got, c.lacks) {
			t.Errorf("%q, want %q and no %q", got, c.says, c.lacks)
		}
	}
}
