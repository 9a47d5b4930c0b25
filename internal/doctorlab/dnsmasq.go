//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// dnsmasq starts the name server of that name for example.test, of which it knows what the
// flags say, and returns a resolver that asks it.
func (b *bench) dnsmasq(flags ...string) (*net.Resolver, error) {
	port, err := freeUDP()
	if err != nil {
		return nil, err
	}
	dir, err := b.folder()
	if err != nil {
		return nil, err
	}
	const probe = "ready.example.test"
	cmd := exec.CommandContext(b.ctx, "dnsmasq", append([]string{"--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--no-hosts", "--no-resolv",
		"--bind-interfaces", "--listen-address=127.0.0.1", "--port=" + strconv.Itoa(port), "--pid-file=" + filepath.Join(dir, "pid"),
		"--local=/example.test/", "--host-record=" + probe + ",127.0.0.1"}, flags...)...)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("dnsmasq (Debian package dnsmasq-base): %w", err)
	}
	b.cleanup(func() error {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed, which it says
		return nil
	})
	addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", addr)
	}}
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	for {
		_, err := r.LookupHost(ctx, probe)
		if err == nil {
			return r, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return nil, errors.Join(errors.New("dnsmasq does not answer"), err)
		}
	}
}

// freeUDP finds a port that nobody listens on.
func freeUDP() (int, error) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}
