//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	lineRate    = 16 << 20 // bytes a second: a line with no rate holds megabytes that a reset destroys
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
		{Kind: realserver.ProFTPD, MaxClients: connections, TLS: realserver.TLSRequired, Extra: []string{"SyslogLevel info"}},
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
	p := &partner{name: strings.ToLower(string(o.Kind)), srv: srv, proxy: faultproxy.New(faultproxy.Options{Seed: seed, UpRate: lineRate, DownRate: lineRate})}
	role, segment := faultproxy.Control, int64(64<<10)
	if o.Kind == realserver.OpenSSH {
		role, segment = faultproxy.SSH, 1<<20
	} else if _, err := p.proxy.MirrorRange(front, srv.Host, srv.PassiveLo, srv.PassiveHi, data); err != nil {
		return nil, errors.Join(err, p.close())
	}
	r, err := p.proxy.Route(faultproxy.RouteOptions{Role: role, Listen: front + ":0", Target: srv.Addr(), Plan: perSegment(segment)})
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.port = r.Port()
	return p, nil
}

// perSegment resets a share of the segments that go over a connection: one that carries many
// files meets as many resets as many would.
func perSegment(segment int64) faultproxy.Plan {
	return func(info faultproxy.ConnInfo) faultproxy.Fault {
		n := int64(math.Log(1-info.Rand.Float64()) / math.Log(1-resetRate))
		return resetAfter(n*segment + info.Rand.Int64N(segment) + 1)
	}
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
func (p *partner) sessions() (most, refused int, why []string, err error) {
	logs, err := filepath.Glob(filepath.Join(filepath.Dir(p.srv.Root), "log", "*.log"))
	if err != nil {
		return 0, 0, nil, err
	}
	var text strings.Builder
	for _, name := range logs {
		b, err := os.ReadFile(name)
		if err != nil {
			return 0, 0, nil, err
		}
		text.Write(b)
	}
	open, seen, told := map[string]bool{}, 0, false
	var recent []string
	for line := range strings.Lines(text.String()) {
		if len(recent) == 30 {
			recent = recent[1:]
		}
		recent = append(recent, line)
		if told && len(why) < 45 { // and what followed
			why = append(why, line)
		}
		if tooMany.MatchString(line) {
			refused++
		}
		if m := opened.FindStringSubmatch(line); m != nil {
			open[m[1]+m[2]+m[3]] = true
			seen++
			if most = max(most, len(open)); most > connections && !told {
				told = true
				why = slices.Clone(recent)
			}
		} else if m := closed.FindStringSubmatch(line); m != nil {
			delete(open, m[1]+m[2])
		} else if m := over.FindStringSubmatch(line); m != nil {
			delete(open, m[1])
		}
	}
	if seen == 0 {
		return 0, 0, nil, fmt.Errorf("%s: its log shows no session: what is looked for there has changed", p.name)
	}
	if p.srv.Kind == realserver.VSFTPD { // it tells of no ends, but refuses what is too many
		most = 0
	}
	return most, refused, why, nil
}

// What the servers log. A session is told from others by the process that serves it, or by
// its client's port.
var (
	tooMany = regexp.MustCompile(`too many sessions|too many connections|MaxClients`)
	opened  = regexp.MustCompile(`\[(\d+)\].*FTP session opened|^Connection from \S+ port (\d+) on|\[pid (\d+)\] CONNECT`)
	closed  = regexp.MustCompile(`\[(\d+)\].*FTP session closed|^Closing connection to \S+ port (\d+)`)
	over    = regexp.MustCompile(`^(?:Connection (?:closed|reset) by|Disconnected from|Received disconnect from|Read error from remote host|Connection reset by|Write failed).* port (\d+)`)
)
