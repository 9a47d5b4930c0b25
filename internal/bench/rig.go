//go:build linux

package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/bench/line"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

// front is the address of the lines: the servers' passive ports are mirrored on it.
const front = "127.0.0.2"

// A rig is the servers and files of one run of the command.
type rig struct {
	dir    string // everything; in memory, so that no disk is measured
	root   string // the login folder of all servers
	local  string // files of the clients
	key    string // private key file
	signer ssh.Signer
	kinds  map[ftpx.Protocol]realserver.Kind
	raw    *rawServer
	files  *files
	// command is what users run, before a bench of another commit ("" for none), and
	// collector the address of one that takes what OpenTelemetry sends.
	command, before, collector string
}

func newRig(ctx context.Context, dir string, kinds map[ftpx.Protocol]realserver.Kind) (r *rig, err error) {
	if dir, err = os.MkdirTemp(dir, "ftpx-bench-"); err != nil {
		return nil, err
	}
	r = &rig{dir: dir, root: filepath.Join(dir, "root"), local: filepath.Join(dir, "local"), kinds: kinds}
	if err := os.Chmod(dir, 0o711); err != nil {
		return r, err
	}
	for _, d := range []string{r.root, r.local} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return r, err
		}
	}
	if err := r.makeKey(); err != nil {
		return r, err
	}
	if r.command, err = build(ctx, dir); err != nil {
		return r, err
	}
	if r.raw, err = startRaw(r.root); err != nil {
		return r, err
	}
	r.files = &files{rig: r}
	return r, nil
}

func (r *rig) close() error {
	if r.raw != nil {
		r.raw.Close()
	}
	return os.RemoveAll(r.dir)
}

// makeKey writes the key that logs in to OpenSSH.
func (r *rig) makeKey() error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	if r.signer, err = ssh.NewSignerFromKey(key); err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "bench")
	if err != nil {
		return err
	}
	r.key = filepath.Join(r.dir, "id")
	return os.WriteFile(r.key, pem.EncodeToMemory(block), 0o600)
}

// A place is a server and the line to it.
type place struct {
	endpoint
	server *realserver.Server
	line   *line.Line // nil on loopback
	faults *faults    // between line and server, nil for none
	raw    endpoint   // of the raw copy
	opt    line.Options
	home   string // of the user who runs the command
}

func (p *place) close() {
	if p.line != nil {
		p.line.Close()
	}
	if p.faults != nil {
		p.faults.proxy.Close()
	}
	p.server.Close()
}

// stats returns what the line has carried, nothing on loopback.
func (p *place) stats() line.Stats {
	if p.line == nil {
		return line.Stats{}
	}
	return p.line.Stats()
}

// place starts the server of a protocol behind the line of a scenario.
func (r *rig) place(ctx context.Context, proto ftpx.Protocol, sc *scenario) (*place, error) {
	opt := sc.line
	behind := opt.RTT > 0 || opt.Rate > 0
	so := realserver.Options{Kind: r.kinds[proto], Root: r.root}
	if behind {
		so.PassiveAddress = front
	}
	switch so.Kind {
	case realserver.OpenSSH:
		so.SSH.AuthorizedKeys = []ssh.PublicKey{r.signer.PublicKey()}
		so.Extra = []string{"LogLevel ERROR"}
	case realserver.VSFTPD:
		so.Extra = []string{"log_ftp_protocol=NO", "debug_ssl=NO", "xferlog_enable=NO"}
	case realserver.ProFTPD:
		so.Extra = []string{"SystemLog none", "TLSLog none"}
		if proto == ftpx.FTP {
			so.Extra = so.Extra[:1]
		}
	}
	if proto == ftpx.FTPS {
		so.TLS, so.RequireReuse = realserver.TLSRequired, true
	}
	srv, err := realserver.Start(ctx, so)
	if err != nil {
		return nil, err
	}
	p := &place{server: srv, opt: opt, endpoint: endpoint{
		Proto: protocol{proto}, Host: srv.Host, Port: srv.Port, User: srv.User, Password: srv.Password, CAFile: srv.CAFile, Root: r.root,
	}}
	p.raw = endpoint{Proto: p.Proto, Host: "127.0.0.1", Port: r.raw.Addr().(*net.TCPAddr).Port}
	if behind {
		p.line = line.New(opt)
		if sc.resets {
			p.faults, err = newFaults(srv, proto, opt.Rate)
		}
		if err == nil {
			err = r.connect(p)
		}
		if err != nil {
			p.close()
			return nil, err
		}
	}
	if proto == ftpx.SFTP {
		p.KeyFile = r.key
		p.KnownHosts = filepath.Join(r.dir, fmt.Sprintf("known_hosts-%d", p.Port))
		var lines strings.Builder
		for _, k := range srv.HostKeys() {
			fmt.Fprintln(&lines, knownhosts.Line([]string{p.addr()}, k))
		}
		if err := os.WriteFile(p.KnownHosts, []byte(lines.String()), 0o600); err != nil {
			p.close()
			return nil, err
		}
	}
	if err := p.settle(filepath.Join(r.dir, fmt.Sprintf("home-%d", p.Port))); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// connect leads the line to the server, through its faults, and to the raw copy.
func (r *rig) connect(p *place) error {
	host, addr := p.server.Host, p.server.Addr()
	if p.faults != nil {
		host, addr = faulty, p.faults.addr
	}
	if p.server.PassiveLo > 0 {
		if err := p.line.Mirror(front, host, p.server.PassiveLo, p.server.PassiveHi); err != nil {
			return err
		}
	}
	a, err := p.line.Listen(front+":0", addr)
	if err != nil {
		return err
	}
	p.Host, p.Port = front, a.Port
	if a, err = p.line.Listen(front+":0", r.raw.Addr().String()); err == nil {
		p.raw.Host, p.raw.Port = front, a.Port
	}
	return err
}

// give makes a file or folder the servers' user's.
func (r *rig) give(name string) error {
	info, err := os.Stat(r.root)
	if err != nil {
		return err
	}
	st := info.Sys().(*syscall.Stat_t)
	return os.Chown(name, int(st.Uid), int(st.Gid))
}

// label says what line this is.
func label(o line.Options) string {
	if o.RTT == 0 && o.Rate == 0 {
		return "loopback"
	}
	s := fmt.Sprint(o.RTT.Round(time.Microsecond))
	if o.Rate > 0 {
		s += fmt.Sprintf(", %d MB/s", o.Rate/1e6)
	}
	if o.Window > 0 {
		s += fmt.Sprintf(", window %d KiB", o.Window/kib)
	}
	return s
}
