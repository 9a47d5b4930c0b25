package sftpdriver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// agentTimeout bounds a question to the agent for which no person is needed.
const agentTimeout = 5 * time.Second

// agentPath returns the agent's socket, "" for none.
func agentPath(s *transport.SSH) string {
	if s.Agent == "auto" {
		return os.Getenv("SSH_AUTH_SOCK")
	}
	return s.Agent
}

// agentHolds reports whether the agent has a key, so that nobody is asked for the
// passphrase of its file. Listing keys needs no person, and no answer means no.
func agentHolds(ctx context.Context, s *transport.SSH, key ssh.PublicKey) bool {
	path := agentPath(s)
	if path == "" || key == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	conn, err := dialAgent(ctx, path)
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	keys, err := agent.NewClient(conn).List()
	return err == nil && slices.ContainsFunc(keys, func(k *agent.Key) bool { return bytes.Equal(k.Blob, key.Marshal()) })
}

// agentSigners asks the agent for its keys. The connection stays open, because
// the signers sign through it, until close.
func (l *login) agentSigners() ([]ssh.Signer, error) {
	path := agentPath(&l.ep.SSH)
	if path == "" {
		return nil, nil
	}
	conn, err := dialAgent(l.ctx, path)
	if err != nil {
		return nil, fmt.Errorf("SSH agent: %w", err)
	}
	l.mu.Lock()
	l.agent = conn
	l.mu.Unlock()
	// An agent may wait for a person to confirm; it must not outlive ctx.
	context.AfterFunc(l.ctx, l.close)
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		return nil, fmt.Errorf("SSH agent at %s: %w", path, err)
	}
	return signers, nil
}

func dialAgent(ctx context.Context, path string) (io.ReadWriteCloser, error) {
	if strings.HasPrefix(path, `\\.\pipe\`) { // OpenSSH for Windows
		return os.OpenFile(path, os.O_RDWR, 0)
	}
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}

func (l *login) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.agent != nil {
		_ = l.agent.Close()
		l.agent = nil
	}
}
