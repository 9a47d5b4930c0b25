//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

const (
	connections = 3     // that each partner allows
	resetRate   = 0.127 // of data connections, and of the segments of the long ones
	segment     = 64 << 10
	drawn       = 0.20 // of data connections: those that carry less than they drew live
	front       = "127.0.0.2"
)

// partner is a server behind a bad line.
type partner struct {
	name  string
	srv   *realserver.Server
	proxy *faultproxy.Proxy
	port  int
}

func (p *partner) close() error { return errors.Join(p.proxy.Close(), p.srv.Close()) }

// startPartners starts all three, and returns their part of the configuration.
func startPartners(ctx context.Context, seed uint64) (all []*partner, toml string, err error) {
	defer func() {
		if err != nil {
			for _, p := range all {
				err = errors.Join(err, p.close())
			}
		}
	}()
	var text strings.Builder
	for i, o := range []realserver.Options{
		{Kind: realserver.VSFTPD, MaxClients: connections},
		{Kind: realserver.ProFTPD, MaxClients: connections, TLS: realserver.TLSRequired},
		{Kind: realserver.OpenSSH},
	} {
		p, err := startPartner(ctx, o, seed+uint64(i))
		if err != nil {
			return all, "", err
		}
		all = append(all, p)
		fmt.Fprintf(&text, "[[target]]\nname = %q\nconnections = %d\npassword_env = \"DRILL_PASSWORD\"\n", p.name, connections)
		switch o.Kind {
		case realserver.VSFTPD:
			fmt.Fprintf(&text, "url = \"ftp://%s@%s:%d\"\nallow_plaintext = true\n", p.srv.User, front, p.port)
		case realserver.ProFTPD:
			fmt.Fprintf(&text, "url = \"ftpes://%s@%s:%d\"\nca = %q\n", p.srv.User, front, p.port, p.srv.CAFile)
		case realserver.OpenSSH:
			fmt.Fprintf(&text, "url = \"sftp://%s@%s:%d\"\nhost_key = [%s]\n", p.srv.User, front, p.port, keys(p.srv))
		}
		text.WriteString("\n")
	}
	return all, text.String(), nil
}

func keys(s *realserver.Server) string {
	var prints []string
	for _, k := range s.HostKeys() {
		prints = append(prints, fmt.Sprintf("%q", ssh.FingerprintSHA256(k)))
	}
	return strings.Join(prints, ", ")
}

func startPartner(ctx context.Context, o realserver.Options, seed uint64) (*partner, error) {
	srv, err := realserver.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	p := &partner{name: strings.ToLower(string(o.Kind)), srv: srv, proxy: faultproxy.New(faultproxy.Options{Seed: seed})}
	role := faultproxy.Control
	if o.Kind == realserver.OpenSSH {
		role = faultproxy.SSH
	} else if _, err := p.proxy.MirrorRange(front, srv.Host, srv.PassiveLo, srv.PassiveHi, data); err != nil {
		return nil, errors.Join(err, p.close())
	}
	r, err := p.proxy.Route(faultproxy.RouteOptions{Role: role, Listen: front + ":0", Target: srv.Addr(), Plan: perSegment})
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.port = r.Port()
	return p, nil
}

// perSegment resets a share of the segments that go over a connection.
func perSegment(info faultproxy.ConnInfo) faultproxy.Fault {
	n := int64(math.Log(1-info.Rand.Float64()) / math.Log(1-resetRate))
	return resetAfter(n*segment + info.Rand.Int64N(segment) + 1)
}

// data resets a share of the data connections.
func data(info faultproxy.ConnInfo) faultproxy.Fault {
	if chosen, at := info.Rand.Float64() < drawn, math.Exp(info.Rand.Float64()*math.Log(1<<20)); chosen {
		return resetAfter(int64(at))
	}
	return faultproxy.Fault{}
}

func resetAfter(n int64) faultproxy.Fault {
	f := faultproxy.ResetAt(faultproxy.Both, n)
	f.Grace = 3 * time.Millisecond
	return f
}

// sessions is how many sessions the server's own log shows at once, at most, and how many it
// has refused for being too many.
func (p *partner) sessions() (most, refused int, err error) {
	logs, err := filepath.Glob(filepath.Join(filepath.Dir(p.srv.Root), "log", "*"))
	if err != nil {
		return 0, 0, err
	}
	seen, now := 0, 0
	for _, name := range logs {
		b, err := os.ReadFile(name)
		if err != nil {
			return 0, 0, err
		}
		for line := range strings.Lines(string(b)) {
			switch {
			case strings.Contains(line, "too many sessions"), strings.Contains(line, "MaxClients"):
				refused++
			case strings.Contains(line, "FTP session opened"), strings.Contains(line, "Starting session: subsystem 'sftp'"):
				now++
				seen++
				most = max(most, now)
			case strings.Contains(line, "FTP session closed"), strings.Contains(line, "session closed for user"),
				strings.Contains(line, "Close session: user"):
				now--
			}
		}
	}
	if p.srv.Kind != realserver.VSFTPD && seen == 0 { // vsftpd tells of no ends: its refusals are counted
		return 0, 0, fmt.Errorf("%s: its log shows no session: what is looked for there has changed", p.name)
	}
	return most, refused, nil
}
