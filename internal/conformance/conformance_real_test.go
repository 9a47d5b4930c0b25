//go:build linux && realserver

package conformance

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// realSetup is one way to run a real server.
type realSetup struct {
	name     string
	protocol transport.Protocol
	options  realserver.Options
}

// realSetups are all servers in clear and in each version of TLS, explicit and
// implicit, with session reuse required where the server knows that.
func realSetups() []realSetup {
	all := []realSetup{{"OpenSSH", transport.SFTP, realserver.Options{Kind: realserver.OpenSSH}}}
	for _, kind := range realserver.FTPKinds() {
		base := realserver.Options{Kind: kind, Digest: kind == realserver.ProFTPD}
		all = append(all, realSetup{fmt.Sprintf("%s/ftp", kind), transport.FTP, base})
		for _, v := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			opt := base
			opt.TLS, opt.MinTLS, opt.MaxTLS = realserver.TLSRequired, v, v
			opt.RequireReuse = kind != realserver.PureFTPd
			if kind == realserver.ProFTPD && v == tls.VersionTLS12 {
				// crypto/tls resumes TLS 1.2 sessions by ticket alone, and mod_tls
				// gives none unless told to.
				opt.Extra = []string{"TLSSessionTickets on"}
			}
			all = append(all, realSetup{fmt.Sprintf("%s/ftps %s", kind, tls.VersionName(v)), transport.FTPS, opt})
		}
		if kind != realserver.PureFTPd {
			opt := base
			opt.TLS, opt.RequireReuse = realserver.TLSImplicit, true
			all = append(all, realSetup{fmt.Sprintf("%s/ftps-implicit", kind), transport.FTPSImplicit, opt})
		}
	}
	for _, kind := range realserver.FurtherSFTPKinds() {
		all = append(all, realSetup{string(kind), transport.SFTP, realserver.Options{Kind: kind}})
	}
	for _, kind := range realserver.FurtherFTPKinds() {
		all = append(all, realSetup{string(kind) + "/ftp", transport.FTP, realserver.Options{Kind: kind}})
		if kind.SpeaksTLS() {
			all = append(all, realSetup{string(kind) + "/ftps", transport.FTPS, realserver.Options{Kind: kind, TLS: realserver.TLSRequired}})
		}
	}
	return all
}

// forbid makes what the login, who is not root, may not touch.
func forbid(t *testing.T, root string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(root, "forbidden"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "unreadable"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRealServers(t *testing.T) {
	for _, s := range realSetups() {
		t.Run(s.name, func(t *testing.T) {
			if why := unfit[s.name]; why != "" {
				t.Skip(why)
			}
			srv := realtest.Start(t, s.options)
			forbid(t, srv.Root)
			d := newDriver(realEndpoint(s.protocol, srv))
			Run(t, d.open, Options{Root: srv.Root, Forbidden: "forbidden", Unreadable: "unreadable", Sent: d.sent.Load, Skip: habitsOf(s)})
		})
	}
}

// TestRealBatches: a batch means what its requests mean one after the other, on every
// server. 60 lists each, 300 with FTPX_BATCHES=full.
func TestRealBatches(t *testing.T) {
	for _, s := range realSetups() {
		t.Run(s.name, func(t *testing.T) {
			if why := cmp.Or(unfit[s.name], undecided[s.name]); why != "" {
				t.Skip(why)
			}
			srv := realtest.Start(t, s.options)
			forbid(t, srv.Root)
			d := newDriver(realEndpoint(s.protocol, srv))
			RunBatches(t, d.open, BatchOptions{Lists: lists(60, 300), Disk: OnDisk(srv.Root, ownerOf(t, srv.Root)), Forbidden: "forbidden",
				Whole: srv.Kind == realserver.PureFTPd})
		})
	}
}

// TestRealBatchesProFTPD is [TestRealBatches] on another server of SFTP.
func TestRealBatchesProFTPD(t *testing.T) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.PrivatePEM("", "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "host_key")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	srv := realtest.Start(t, realserver.Options{Kind: realserver.ProFTPD, Extra: []string{
		"LoadModule mod_sftp.c", "SFTPEngine on", "SFTPHostKey " + file, "SFTPAuthMethods password"}})
	forbid(t, srv.Root)
	ep := realEndpoint(transport.SFTP, srv)
	ep.SSH = transport.SSH{HostKeyFingerprints: []string{key.Fingerprint()}}
	d := newDriver(ep)
	RunBatches(t, d.open, BatchOptions{Lists: lists(60, 300), Disk: OnDisk(srv.Root, ownerOf(t, srv.Root)), Forbidden: "forbidden"})
}

// ownerOf returns what gives a file to the owner of the login folder.
func ownerOf(t *testing.T, root string) func(string) error {
	t.Helper()
	info, err := os.Stat(root)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	return func(name string) error { return os.Lchown(name, int(owner.Uid), int(owner.Gid)) }
}

func realEndpoint(p transport.Protocol, srv *realserver.Server) *transport.Endpoint {
	ep := &transport.Endpoint{
		Protocol: p, Host: srv.Host, Port: srv.Port, User: srv.User, Password: transport.Secret(srv.Password),
		TLS: transport.TLS{CAFile: srv.CAFile},
	}
	if p == transport.SFTP {
		ep.SSH.KnownHosts = []string{srv.KnownHosts}
	}
	return ep
}
