package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/examples/internal/clitest"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// asksAll is a login that asks one question after the other.
func asksAll(questions [][2]string) func(ssh.ConnMetadata, ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
	return func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		for _, q := range questions {
			if a, err := ask("", "", []string{q[0]}, []bool{false}); err != nil || !slices.Equal(a, []string{q[1]}) {
				return nil, errors.New("refused")
			}
		}
		return nil, nil
	}
}

// TestJumpHostAsks: a jump host that asks for a password and a code, before a server that
// asks for a code too. Each question names the jump host, and nobody is told the password of
// another.
func TestJumpHostAsks(t *testing.T) {
	w := clitest.Start(t, func(o *testserver.TrioOptions) {
		o.SFTP = func(o *testserver.SFTPOptions) {
			o.NoPassword = true
			o.Configure = func(c *ssh.ServerConfig) {
				c.KeyboardInteractiveCallback = asksAll([][2]string{{"Password: ", clitest.Password}, {"Code: ", "server code"}})
			}
		}
	})
	address, known := startJump(t, asksAll([][2]string{{"Password: ", "jump password"}, {"Verification code: ", "jump code"}}))
	src := t.TempDir()
	clitest.Write(t, src, map[string]string{"a": "content"})
	args := w.Flags("-parallel", "1", "-known-hosts", known, "-via", "ssh://me@"+address, filepath.Join(src, "a"), w.URLOf("sftp", ""))
	uploader.Run(t.Context(), t, args...).Want(t, cli.ExitLogin)

	answers := map[string]string{
		`jump host "127.0.0.1": Password: `: "jump password", `jump host "127.0.0.1": Verification code: `: "jump code", "Code: ": "server code",
	}
	var mu sync.Mutex
	var asked []string
	c := uploader
	c.Prompt = func(_ context.Context, q string) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, q)
		return answers[q], nil
	}
	c.Run(t.Context(), t, args...).Want(t, cli.ExitDone)
	if len(asked) != len(answers) {
		t.Errorf("asked %q", asked)
	}
	clitest.Holds(t, w.Root, clitest.Tree(t, src))
}

// startJump runs a jump host, and returns its address and a known_hosts file.
func startJump(t *testing.T, login func(ssh.ConnMetadata, ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error)) (address, known string) {
	t.Helper()
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	known = filepath.Join(t.TempDir(), "known_hosts")
	if err := pki.WriteKnownHosts(known, pki.KnownHost(l.Addr().String(), key.Signer.PublicKey())); err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{KeyboardInteractiveCallback: login}
	config.AddHostKey(key.Signer)
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	t.Cleanup(func() {
		stop()
		_ = l.Close()
		work.Wait()
	})
	work.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { forward(ctx, &work, conn, config) })
		}
	})
	return l.Addr().String(), known
}

// forward serves one connection of a jump host.
func forward(ctx context.Context, work *sync.WaitGroup, raw net.Conn, config *ssh.ServerConfig) {
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	defer raw.Close()
	_, channels, requests, err := ssh.NewServerConn(raw, config)
	if err != nil {
		return
	}
	work.Go(func() { ssh.DiscardRequests(requests) })
	for open := range channels {
		var to struct {
			Host       string
			Port       uint32
			Originator string
			OrigPort   uint32
		}
		if open.ChannelType() != "direct-tcpip" || ssh.Unmarshal(open.ExtraData(), &to) != nil {
			_ = open.Reject(ssh.UnknownChannelType, "forwarding only")
			continue
		}
		up, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
		if err != nil {
			_ = open.Reject(ssh.ConnectionFailed, "refused")
			continue
		}
		ch, requests, err := open.Accept()
		if err != nil {
			up.Close()
			continue
		}
		work.Go(func() { ssh.DiscardRequests(requests) })
		work.Go(func() {
			defer context.AfterFunc(ctx, func() { up.Close() })()
			testserver.Splice(ch, up, ch)
		})
	}
}
