//go:build linux && realserver

package tunneldrill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/tunnel"
)

const secret = "s3cr3t-w0rd" // of the proxies

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func parsed(t *testing.T, url string) tunnel.Hop {
	t.Helper()
	h, err := tunnel.ParseHop(url)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func openHops(t *testing.T, hops ...tunnel.Hop) *tunnel.Tunnel {
	t.Helper()
	tun, err := tunnel.New(hops...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tun.Close(); err != nil {
			t.Error(err)
		}
	})
	return tun
}

// TestRealServersBehindTunnels moves a file up and down through every kind of
// tunnel to servers that cannot be reached otherwise.
func TestRealServersBehindTunnels(t *testing.T) {
	out := enterNamespace(t)
	gate := parsed(t, "ssh://"+out.jump.User+"@"+out.doors[2])
	gate.Password = transport.Secret(out.jump.Password)
	gate.SSH = transport.SSH{HostKeyFingerprints: out.jump.HostKeys}
	inner := gate // the jump host again, as the proxies see it
	inner.Host, inner.Port = "127.0.0.1", out.jump.Port
	files := out.servers[0] // the second jump is the other sshd
	second := parsed(t, fmt.Sprintf("ssh://%s@127.0.0.1:%d", files.User, files.Port))
	second.Password = transport.Secret(files.Password)
	second.SSH = transport.SSH{KnownHosts: []string{files.KnownHosts}}
	socks, web := parsed(t, "socks5://user:"+secret+"@"+out.doors[0]), parsed(t, "http://user:"+secret+"@"+out.doors[1])

	local := filepath.Join(t.TempDir(), "up")
	data := make([]byte, 3<<20+7)
	_, _ = rand.NewChaCha8([32]byte{'t', 'u', 'n'}).Read(data)
	if err := os.WriteFile(local, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range out.servers {
		// Nothing leads there but a tunnel.
		direct := net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port))
		conn, err := (&net.Dialer{}).DialContext(within(t), "tcp", direct)
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("a direct dial to %s: %v; want it refused", direct, err)
		}
		for name, hops := range map[string][]tunnel.Hop{
			"socks5": {socks}, "connect": {web}, "jump": {gate}, "two jumps": {gate, second}, "mixed": {web, inner, second},
		} {
			t.Run(fmt.Sprintf("%s/%v/%s", s.Kind, transport.Protocol(s.Protocol), name), func(t *testing.T) {
				moveFile(t, openHops(t, hops...), s, local, data)
			})
		}
	}
}

// moveFile uploads and downloads through the tunnel.
func moveFile(t *testing.T, tun *tunnel.Tunnel, s insideServer, local string, data []byte) {
	ctx, proto := within(t), transport.Protocol(s.Protocol)
	c, err := ftpx.Open(ctx, "ftpx://"+s.User+"@127.0.0.1/", &ftpx.Options{
		Password:       transport.Secret(s.Password),
		Protocols:      []ftpx.Protocol{proto},
		AllowPlaintext: proto == ftpx.FTP,
		Ports:          ftpx.Ports{SFTP: s.Port, FTP: s.Port, FTPS: s.Port},
		SSH:            transport.SSH{KnownHosts: []string{s.KnownHosts}},
		TLS:            transport.TLS{CAFile: s.CAFile},
		Dial:           tun.Dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	remote := fmt.Sprintf("%x", t.Name())
	if _, err := c.Upload(ctx, local, remote, nil); err != nil {
		t.Fatal(err)
	}
	back := filepath.Join(t.TempDir(), "down")
	if _, err := c.Download(ctx, remote, back, nil); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Fatalf("%d bytes came back that are not the %d sent", len(got), len(data))
	}
}
