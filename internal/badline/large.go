//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// resetEvery is how far each connection gets.
const resetEvery = 10 * mib

// lineRate is that of the line: one that servers keep up with. On one that is
// faster, more of what had arrived is unread when the reset comes.
const lineRate = 64 * mib

// Bounds on what goes over the line beyond the file. On FTP uploads the server's
// kernel throws away what its program had not read when the reset came.
const (
	maxBeyond       = 0.03
	maxBeyondUpload = 0.20
)

// noise is what two runs of one program differ by: a few packets.
const noise = 0.001

// large is one server behind a line that resets every connection.
type large struct {
	srv    *realserver.Server
	proxy  *faultproxy.Proxy
	proto  ftpx.Protocol
	peers  bool
	port   int
	source string
	size   int64
	sum    [sha256.Size]byte
}

func runLarge(ctx context.Context, size int64, peers bool) error {
	dir, err := os.MkdirTemp("", "badline-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source := filepath.Join(dir, "large.bin")
	sum, err := makeLarge(source, size)
	if err != nil {
		return err
	}
	fmt.Printf("%d bytes, every connection reset after %d\n", size, resetEvery)
	var failed error
	for _, c := range []struct {
		proto ftpx.Protocol
		opt   realserver.Options
	}{
		{ftpx.SFTP, realserver.Options{Kind: realserver.OpenSSH}},
		{ftpx.FTPS, realserver.Options{Kind: realserver.VSFTPD, TLS: realserver.TLSRequired, RequireReuse: true}},
		{ftpx.FTPS, realserver.Options{Kind: realserver.ProFTPD, TLS: realserver.TLSRequired, RequireReuse: true}},
		{ftpx.FTP, realserver.Options{Kind: realserver.VSFTPD}},
		{ftpx.FTP, realserver.Options{Kind: realserver.PureFTPd}},
	} {
		l := &large{peers: peers, proto: c.proto, source: source, size: size, sum: sum}
		if err := l.run(ctx, c.opt, dir); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%v on %v: %w", c.proto, c.opt.Kind, err))
		}
	}
	return failed
}

func makeLarge(name string, size int64) (sum [sha256.Size]byte, err error) {
	f, err := os.Create(name)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	if _, err = io.CopyN(io.MultiWriter(f, h), rand.NewChaCha8([32]byte{7}), size); err == nil {
		err = f.Close()
	}
	h.Sum(sum[:0])
	return sum, err
}

func (l *large) run(ctx context.Context, opt realserver.Options, dir string) (err error) {
	if l.srv, err = realserver.Start(ctx, opt); err != nil {
		return err
	}
	defer l.srv.Close()
	const front = "127.0.0.2"
	l.proxy = faultproxy.New(faultproxy.Options{UpRate: lineRate, DownRate: lineRate})
	defer l.proxy.Close()
	role := faultproxy.Control
	var plan faultproxy.Plan
	if l.proto == ftpx.SFTP {
		role, plan = faultproxy.SSH, faultproxy.ResetEvery(resetEvery)
	} else if _, err := l.proxy.MirrorRange(front, l.srv.Host, l.srv.PassiveLo, l.srv.PassiveHi, faultproxy.ResetEvery(resetEvery)); err != nil {
		return err
	}
	route, err := l.proxy.Route(faultproxy.RouteOptions{Role: role, Listen: front + ":0", Target: l.srv.Addr(), Plan: plan})
	if err != nil {
		return err
	}
	l.port = route.Port()

	client, err := ftpx.New(ctx, ftpx.Config{Host: front, User: l.srv.User, Options: ftpx.Options{
		Password: ftpx.Secret(l.srv.Password), Protocols: []ftpx.Protocol{l.proto}, AllowPlaintext: true,
		Ports: ftpx.Ports{SFTP: l.port, FTP: l.port},
		SSH:   transport.SSH{HostKeyFingerprints: fingerprints(l.srv)},
		TLS:   transport.TLS{Config: &tls.Config{RootCAs: l.srv.CAPool()}},
	}})
	if err != nil {
		return err
	}
	defer client.Close()

	ours, err := l.measure("go-ftpx upload", filepath.Join(l.srv.Root, "up.bin"), func() error {
		_, err := client.Upload(ctx, l.source, "up.bin", nil)
		return err
	})
	if err != nil {
		return err
	}
	bound := maxBeyond
	if l.proto.IsFTP() {
		bound = maxBeyondUpload
	}
	var failed error
	if ours > bound {
		failed = fmt.Errorf("upload: %.1f %% beyond need, bound %.0f %%", 100*ours, 100*bound)
	}
	back := filepath.Join(dir, "back.bin")
	down, err := l.measure("go-ftpx download", back, func() error {
		_, err := client.Download(ctx, "up.bin", back, nil)
		return err
	})
	if err != nil {
		return errors.Join(failed, err)
	}
	if down > maxBeyond {
		failed = errors.Join(failed, fmt.Errorf("download: %.1f %% beyond need, bound %.0f %%", 100*down, 100*maxBeyond))
	}
	for _, peer := range l.others(ctx) {
		theirs, err := l.measure(peer.name, filepath.Join(l.srv.Root, "peer.bin"), peer.run)
		if err != nil {
			fmt.Printf("      %v\n", err) // that a peer fails is no failure of ours
			continue
		}
		if ours > theirs+noise {
			failed = errors.Join(failed, fmt.Errorf("upload: %.2f %% beyond need, %s %.2f %%", 100*ours, peer.name, 100*theirs))
		}
	}
	return failed
}

// measure runs a transfer and returns what passed the proxy beyond the file, as a
// share of it.
func (l *large) measure(name, result string, run func() error) (float64, error) {
	os.Remove(result)
	before, begin := l.proxy.Stats(), time.Now()
	err := run()
	if err == nil {
		err = l.compare(result)
	}
	after := l.proxy.Stats()
	passed := max(after.Up-before.Up, after.Down-before.Down)
	beyond := float64(passed-l.size) / float64(l.size)
	state := "whole"
	if err != nil {
		state = "NOT WHOLE"
	}
	fmt.Printf("%-5v %-9v %-17s %s, %4d resets, beyond need %6.2f %%, %v\n", l.proto, l.srv.Kind, name, state,
		after.Resets-before.Resets, 100*beyond, time.Since(begin).Round(10*time.Millisecond))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return beyond, nil
}

func (l *large) compare(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err == nil && !slices.Equal(h.Sum(nil), l.sum[:]) {
		err = fmt.Errorf("what arrived differs: %d of %d bytes", n, l.size)
	}
	return err
}

type peer struct {
	name string
	run  func() error
}

// others are the tools that a user would take instead, told to resume. curl makes
// one attempt a run, and is run until it succeeds.
func (l *large) others(ctx context.Context) []peer {
	if !l.peers || !l.proto.IsFTP() {
		return nil
	}
	var ps []peer
	host := "127.0.0.2:" + strconv.Itoa(l.port)
	if _, err := exec.LookPath("lftp"); err == nil {
		ps = append(ps, peer{"lftp put -c", func() error {
			cmd := exec.CommandContext(ctx, "lftp", "--norc", "-c", fmt.Sprintf(
				"set ssl:verify-certificate no; set ftp:ssl-force %v; set ftp:ssl-protect-data true; set net:max-retries 1000; set net:reconnect-interval-base 0.02; set net:reconnect-interval-max 1; set net:timeout 20; open -u %s,%s ftp://%s; put -c %s -o peer.bin",
				l.proto == ftpx.FTPS, l.srv.User, l.srv.Password, host, l.source))
			return cmd.Run()
		}})
	}
	if _, err := exec.LookPath("curl"); err == nil {
		ps = append(ps, peer{"curl -C -", func() error {
			var err error
			for range 1000 {
				args := []string{"-sS", "-C", "-", "-T", l.source, "-u", l.srv.User + ":" + l.srv.Password, "ftp://" + host + "/peer.bin"}
				if l.proto == ftpx.FTPS {
					args = append(args, "--ssl-reqd", "-k")
				}
				if err = exec.CommandContext(ctx, "curl", args...).Run(); err == nil || ctx.Err() != nil {
					return err
				}
			}
			return err
		}})
	}
	return ps
}
