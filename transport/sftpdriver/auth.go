package sftpdriver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// maxOffers bounds the keys offered when a password may still be needed: sshd
// counts each refused key against MaxAuthTries, 6 unless changed, and hangs up.
const maxOffers = 5

// login is how one connection authenticates. The methods are tried in the
// order in which x/crypto gets them, as far as the server lists them: all keys
// together (it takes each method once), the password, keyboard-interactive.
type login struct {
	ctx     context.Context
	ep      *transport.Endpoint
	signers []ssh.Signer

	mu       sync.Mutex // guards agent
	agent    io.Closer
	agentErr error
}

func (l *login) methods() []ssh.AuthMethod {
	var out []ssh.AuthMethod
	if len(l.signers) > 0 || l.ep.SSH.Agent != "" {
		out = append(out, ssh.PublicKeysCallback(l.keys))
	}
	if l.ep.Password != "" {
		out = append(out, ssh.Password(l.ep.Password.Reveal()))
	}
	if l.ep.SSH.KeyboardInteractive != nil || l.ep.Password != "" {
		out = append(out, ssh.KeyboardInteractive(l.answer))
	}
	return out
}

// keys returns all signers. The agent is asked only here, when the host is
// known to be the right one and takes public keys.
func (l *login) keys() ([]ssh.Signer, error) {
	out := append([]ssh.Signer(nil), l.signers...)
	fromAgent, err := l.agentSigners()
	if err != nil {
		l.agentErr = err
	}
	for _, s := range fromAgent {
		if known(out, s) {
			continue
		}
		if l.hasSecret() && len(out) >= maxOffers {
			break
		}
		if strong, err := strongSigner(s); err == nil {
			out = append(out, strong)
		}
	}
	return out, nil
}

func (l *login) hasSecret() bool { return l.ep.Password != "" || l.ep.SSH.KeyboardInteractive != nil }

func known(signers []ssh.Signer, s ssh.Signer) bool {
	for _, k := range signers {
		if bytes.Equal(k.PublicKey().Marshal(), s.PublicKey().Marshal()) {
			return true
		}
	}
	return false
}

// agentSigners asks the agent for its keys. The connection stays open, because
// the signers sign through it, until close.
func (l *login) agentSigners() ([]ssh.Signer, error) {
	path := l.ep.SSH.Agent
	if path == "auto" {
		if path = os.Getenv("SSH_AUTH_SOCK"); path == "" {
			return nil, nil
		}
	}
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

// answer answers keyboard-interactive questions (RFC 4256): through the
// caller's function, or with the password where the answer does not echo,
// which is how servers with PAM ask for it.
func (l *login) answer(name, instruction string, questions []string, echos []bool) ([]string, error) {
	if ask := l.ep.SSH.KeyboardInteractive; ask != nil {
		return within(l.ctx, func() ([]string, error) { return ask(name, instruction, questions, echos) })
	}
	out := make([]string, len(questions))
	for i, q := range questions {
		if echos[i] {
			return nil, fmt.Errorf("the server asks %q, which a password does not answer: set KeyboardInteractive", transport.Printable(q))
		}
		out[i] = l.ep.Password.Reveal()
	}
	return out, nil
}

// failure explains why the login was refused, without any secret.
func (l *login) failure(err error) error {
	hint := ""
	switch {
	case len(l.methods()) == 0:
		hint = "no way to log in was given: set Password, IdentityFiles, Signers, Agent or KeyboardInteractive"
	case strings.Contains(err.Error(), "unexpected message type 60"):
		// SSH_MSG_USERAUTH_PASSWD_CHANGEREQ, RFC 4252 section 8.
		hint = "the password has expired: change it with ssh or passwd"
	case strings.Contains(strings.ToLower(err.Error()), "too many authentication failures"):
		hint = "too many keys were offered: give fewer IdentityFiles, or no Agent"
	}
	if l.agentErr != nil {
		err = fmt.Errorf("%w (%w)", err, l.agentErr)
	}
	if hint != "" {
		return fmt.Errorf("user %q: %s (%w)", l.ep.User, hint, err)
	}
	return fmt.Errorf("user %q: %w", l.ep.User, err)
}
