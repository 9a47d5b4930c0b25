//go:build linux && realserver

package trustdrill

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
)

// A setup is one way to run a server, and how to speak to it.
type setup struct {
	name  string
	proto ftpx.Protocol
	opt   realserver.Options
}

var (
	sshd      = setup{"OpenSSH", ftpx.SFTP, realserver.Options{Kind: realserver.OpenSSH}}
	vsftpd    = setup{"vsftpd/ftp", ftpx.FTP, realserver.Options{Kind: realserver.VSFTPD}}
	vsftpd12  = underTLS("vsftpd/ftps 1.2", realserver.VSFTPD, tls.VersionTLS12)
	vsftpd13  = underTLS("vsftpd/ftps 1.3", realserver.VSFTPD, tls.VersionTLS13)
	proftpd   = setup{"ProFTPD/ftp", ftpx.FTP, realserver.Options{Kind: realserver.ProFTPD}}
	proftpdS  = underTLS("ProFTPD/ftps", realserver.ProFTPD, tls.VersionTLS13)
	pureftpd  = setup{"Pure-FTPd/ftp", ftpx.FTP, realserver.Options{Kind: realserver.PureFTPd}}
	pureftpdS = underTLS("Pure-FTPd/ftps", realserver.PureFTPd, tls.VersionTLS13)

	ftpSetups = []setup{vsftpd, vsftpd13, proftpd, proftpdS, pureftpd, pureftpdS}
)

// underTLS is a server that demands TLS of one version, and session reuse where
// it can.
func underTLS(name string, kind realserver.Kind, version uint16) setup {
	return setup{name, ftpx.FTPS, realserver.Options{
		Kind: kind, TLS: realserver.TLSRequired, MinTLS: version, MaxTLS: version, RequireReuse: kind != realserver.PureFTPd,
	}}
}

// with returns the setup with other options of the server.
func (s setup) with(change func(*realserver.Options)) setup {
	change(&s.opt)
	return s
}

// A rig is a server behind a line that can be made bad.
type rig struct {
	setup
	srv     *realserver.Server
	proxy   *faultproxy.Proxy
	control *faultproxy.Route   // of the SSH connection or the control connection
	data    []*faultproxy.Route // of FTP data connections
}

// proxyHost is where the proxies listen: on the servers' own ports, so that what
// a server says about its passive ports needs no rewriting.
const proxyHost = "127.0.0.2"

func newRig(t *testing.T, s setup) *rig {
	t.Helper()
	return newRigWith(t, s, faultproxy.Options{Seed: 1})
}

func newRigWith(t *testing.T, s setup, line faultproxy.Options) *rig {
	t.Helper()
	r := &rig{setup: s, srv: realtest.Start(t, s.opt), proxy: faultproxy.New(line)}
	t.Cleanup(func() { _ = r.proxy.Close() })
	r.attach(t)
	return r
}

// attach puts the rig's proxy in front of its server.
func (r *rig) attach(t *testing.T) {
	t.Helper()
	role := faultproxy.Control
	if r.proto == ftpx.SFTP {
		role = faultproxy.SSH
	}
	var err error
	r.control, err = r.proxy.Route(faultproxy.RouteOptions{
		Role: role, Listen: net.JoinHostPort(proxyHost, strconv.Itoa(r.srv.Port)), Target: r.srv.Addr(),
	})
	if err == nil && role == faultproxy.Control {
		r.data, err = r.proxy.MirrorRange(proxyHost, r.srv.Host, r.srv.PassiveLo, r.srv.PassiveHi, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// payloadRole is the role of the connections that payload goes over.
func (r *rig) payloadRole() faultproxy.Role {
	if r.proto == ftpx.SFTP {
		return faultproxy.SSH
	}
	return faultproxy.Data
}

// planPayload sets the fate of the connections to come that carry payload.
func (r *rig) planPayload(p faultproxy.Plan) {
	if r.proto == ftpx.SFTP {
		r.control.SetPlan(p)
		return
	}
	r.planData(p)
}

func (r *rig) planData(p faultproxy.Plan) {
	for _, route := range r.data {
		route.SetPlan(p)
	}
}

// access leads through the proxy.
func (r *rig) access() access {
	a := access{Protocol: uint8(r.proto), Host: proxyHost, Port: r.srv.Port, User: r.srv.User, Password: r.srv.Password, CAFile: r.srv.CAFile}
	for _, key := range r.srv.HostKeys() {
		a.HostKeys = append(a.HostKeys, ssh.FingerprintSHA256(key))
	}
	return a
}

// client opens a client through the proxy.
func (r *rig) client(t *testing.T, change ...func(*ftpx.Options)) ftpx.Client {
	t.Helper()
	cfg := r.access().config()
	for _, f := range change {
		f(&cfg.Options)
	}
	return open(t, cfg)
}

func open(t *testing.T, cfg ftpx.Config) ftpx.Client {
	t.Helper()
	c, err := ftpx.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// on returns the path of a file on the server's disk.
func (r *rig) on(name string) string { return filepath.Join(r.srv.Root, name) }

// put places a file on the server, owned by who logs in.
func (r *rig) put(t *testing.T, name string, data []byte) {
	t.Helper()
	r.own(t, write(t, r.on(name), data))
}

// own gives a file to who logs in, who owns the folder above.
func (r *rig) own(t *testing.T, path string) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(r.srv.Root, &st); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, int(st.Uid), int(st.Gid)); err != nil {
		t.Fatal(err)
	}
}

// only fails the test unless the server's folder holds exactly these names.
func (r *rig) only(t *testing.T, names ...string) {
	t.Helper()
	onlyIn(t, r.srv.Root, names...)
}

// partials returns what there is of unfinished uploads.
func (r *rig) partials(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(r.on(".*.part"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// await waits until the proxy has seen something.
func (r *rig) await(t *testing.T, what string, seen func(faultproxy.Stats) bool, roles ...faultproxy.Role) {
	t.Helper()
	await(t, what, func() bool { return seen(r.proxy.Stats(roles...)) })
}
