package main

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

const (
	// resetRate is the share of connections that meet a reset. A control or SSH
	// connection carries thousands of files; of it, that share of the segments does.
	resetRate = 0.127
	segment   = 64 << 10
	// drawn is the share of data connections that is given a reset at some byte:
	// those whose file is shorter live, and about resetRate of all are left.
	drawn = 0.20
	// grace lets the receiver read what has arrived, as on any line slower than
	// its memory.
	grace = 3 * time.Millisecond
)

// line is a server, what stands before it, and how a client gets there.
type line struct {
	name  string
	root  string // the folder that the server serves
	order order
	// ledger says that the server tells no exact times in its listings, so that
	// a ledger has to say what is the same.
	ledger bool
	proxy  *faultproxy.Proxy
	relay  *relay
	ends   []func() error
}

func (l *line) close() error {
	var errs []error
	for i := len(l.ends) - 1; i >= 0; i-- {
		errs = append(errs, l.ends[i]())
	}
	return errors.Join(errs...)
}

func (l *line) end(f func() error) { l.ends = append(l.ends, f) }

// starter starts the server for a protocol.
type starter func(ctx context.Context, p ftpx.Protocol, seed uint64) (*line, error)

func resetAfter(n int64) faultproxy.Fault {
	fault := faultproxy.ResetAt(faultproxy.Both, n)
	fault.Grace = grace
	return fault
}

// perSegment resets a share of the segments that go over a connection: one that
// carries many files meets as many resets as many would.
func perSegment(info faultproxy.ConnInfo) faultproxy.Fault {
	n := int64(math.Log(1-info.Rand.Float64()) / math.Log(1-resetRate))
	return resetAfter(n*segment + info.Rand.Int64N(segment) + 1)
}

// data resets a share of the data connections after a number of bytes that is as
// likely to be small as large.
func data(info faultproxy.ConnInfo) faultproxy.Fault {
	chosen, at := info.Rand.Float64() < drawn, math.Exp(info.Rand.Float64()*math.Log(small))
	if !chosen {
		return faultproxy.Fault{}
	}
	return resetAfter(int64(at))
}

// route puts proxy and relay before a control or SSH port.
func (l *line) route(host, target string) error {
	opts := faultproxy.RouteOptions{Role: faultproxy.Control, Listen: host + ":0", Target: target, Plan: perSegment}
	if l.order.Protocol == ftpx.SFTP {
		opts.Role = faultproxy.SSH
	}
	r, err := l.proxy.Route(opts)
	if err != nil {
		return err
	}
	if l.relay, err = startRelay(host, r.Addr().String()); err != nil {
		return err
	}
	l.end(func() error { l.relay.close(); return nil })
	l.order.Host, l.order.Port = host, l.relay.port()
	return nil
}

func startEmbedded(_ context.Context, p ftpx.Protocol, seed uint64) (_ *line, err error) {
	l := &line{name: "embedded", order: order{Protocol: p}, proxy: faultproxy.New(faultproxy.Options{Seed: seed})}
	l.end(l.proxy.Close)
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.root, err = os.MkdirTemp("", "treedrill-*"); err != nil {
		return nil, err
	}
	l.end(func() error { return os.RemoveAll(l.root) })
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: l.root,
		PassivePorts: l.proxy.PassivePorts(faultproxy.PassiveOptions{Plan: data})})
	if err != nil {
		return nil, err
	}
	l.end(trio.Close)
	l.order.User, l.order.Password, l.order.CA = trio.User, trio.Password, trio.CA.PEM()
	l.order.HostKeys = []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}
	target := trio.FTP.Addr()
	if p == ftpx.SFTP {
		target = trio.SFTP.Addr()
	}
	return l, l.route("127.0.0.1", target.String())
}

// leftovers returns what looks like an unfinished transfer or its state.
func leftovers(dirs ...string) error {
	var found []error
	for _, dir := range dirs {
		all, err := entries(dir)
		if err != nil {
			return err
		}
		for name := range all {
			base := filepath.Base(name)
			if strings.Contains(base, ".ftpx-") || strings.HasSuffix(base, ".part") || strings.Contains(base, ".part.state") {
				found = append(found, errors.New("left behind: "+name))
			}
		}
	}
	return few(found)
}
