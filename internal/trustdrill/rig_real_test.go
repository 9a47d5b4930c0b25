//go:build linux && realserver

package trustdrill

import (
	"bytes"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// waitLimit bounds what should take a moment, on a machine that is busy.
const waitLimit = 4 * time.Minute

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

// access is how to reach a server: all that a client needs, in a form that a
// mover can be given.
type access struct {
	Protocol       uint8 // ftpx.Protocol, whose text form is for people
	Host           string
	Port           int
	User, Password string
	CAFile         string
	ServerName     string
	HostKeys       []string
	Stall          time.Duration
	Rate           int64 // bytes a second, 0 for no limit
}

// at is the access to another address.
func (a access) at(host string) access {
	a.Host = host
	return a
}

func (a access) config() ftpx.Config {
	proto := ftpx.Protocol(a.Protocol)
	return ftpx.Config{Host: a.Host, User: a.User, Options: ftpx.Options{
		Password: ftpx.Secret(a.Password), Protocols: []ftpx.Protocol{proto}, AllowPlaintext: proto == ftpx.FTP,
		Ports:    ftpx.Ports{SFTP: a.Port, FTP: a.Port},
		SSH:      transport.SSH{HostKeyFingerprints: a.HostKeys},
		TLS:      transport.TLS{CAFile: a.CAFile, Config: &tls.Config{ServerName: a.ServerName}},
		Timeouts: ftpx.Timeouts{Stall: a.Stall}, Limits: ftpx.Limits{Rate: a.Rate},
	}}
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

// only fails the test unless the server's folder holds exactly these names:
// nothing may be left of what a transfer needed on its way.
func (r *rig) only(t *testing.T, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(r.srv.Root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if strings.Join(got, " ") != strings.Join(names, " ") {
		t.Errorf("%s: the server holds %q, want %q", r.name, got, names)
	}
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

func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	if !comes(happened) {
		t.Fatalf("waited %v for this: %s", waitLimit, what)
	}
}

// comes waits for what counters alone tell, so that they are looked at often.
// Goroutines beside the test, which may not end it, use it as it is.
func comes(happened func() bool) bool {
	for begin := time.Now(); !happened(); time.Sleep(500 * time.Microsecond) {
		if time.Since(begin) > waitLimit {
			return false
		}
	}
	return true
}

// content makes n bytes of which no part resembles another, by seed.
func content(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// write writes a file and returns its path.
func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// local makes a source file.
func local(t *testing.T, data []byte) string {
	t.Helper()
	return write(t, filepath.Join(t.TempDir(), "source"), data)
}

// same fails the test unless a file on disk is exactly this.
func same(t *testing.T, path string, want []byte) bool {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return false
	}
	if bytes.Equal(got, want) {
		return true
	}
	n := 0
	for n < min(len(got), len(want)) && got[n] == want[n] {
		n++
	}
	t.Errorf("%s holds %d bytes, want %d; they differ from byte %d on", path, len(got), len(want), n)
	return false
}

// lessIfShort returns n, or what -short makes do with.
func lessIfShort(n, short int) int {
	if testing.Short() {
		return short
	}
	return n
}

const mib = 1 << 20

func inMiB(n int64) string { return strconv.FormatFloat(float64(n)/mib, 'f', 2, 64) + " MiB" }
