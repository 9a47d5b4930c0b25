package sftpdriver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

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
	signers *identities

	mu       sync.Mutex // guards agent
	agent    io.Closer
	agentErr error
	withheld []string // why keys were not offered
	answered bool     // a question, with the password
}

func (l *login) methods() []ssh.AuthMethod {
	var out []ssh.AuthMethod
	for _, m := range authMethods(&l.ep.SSH) {
		switch {
		case m == "publickey" && (len(l.signers.offered()) > 0 || l.ep.SSH.Agent != ""):
			out = append(out, ssh.PublicKeysCallback(l.keys))
		case m == "password" && l.ep.Password != "":
			out = append(out, ssh.Password(l.ep.Password.Reveal()))
		case m == "keyboard-interactive" && (l.ep.SSH.KeyboardInteractive != nil || l.ep.Password != ""):
			out = append(out, ssh.KeyboardInteractive(l.answer))
		}
	}
	return out
}

// allMethods are the ways to log in that there are, in the order in which they
// are tried: what asks nobody and shows no secret first.
var allMethods = []string{"publickey", "password", "keyboard-interactive"}

func authMethods(s *transport.SSH) []string {
	if s.AuthMethods == nil {
		return allMethods
	}
	return s.AuthMethods
}

// keys returns all signers: those of the caller and of the identity files in the order in
// which they were named, also where the agent has the key, and then the agent's others. The
// agent is asked only here, when the host is known to be the right one and takes public
// keys.
func (l *login) keys() ([]ssh.Signer, error) {
	fromAgent, err := l.agentSigners()
	if err != nil {
		l.agentErr = err
	}
	held := l.ofAgent(fromAgent)
	var out []ssh.Signer
	l.withheld = nil
	add := func(s ssh.Signer) {
		if known(out, s) {
			return
		}
		k, err := permitted(&l.ep.SSH, s)
		if err != nil {
			l.withhold(s.PublicKey(), err)
			return
		}
		out = append(out, k)
	}
	for _, named := range l.signers.named() {
		for _, s := range append(slices.Clone(l.signers.offered()), held...) {
			if sameKey(named, plainKey(s.PublicKey())) {
				add(s)
			}
		}
	}
	for _, s := range held {
		if l.ep.SSH.IdentitiesOnly || l.hasSecret() && len(out) >= maxOffers {
			break
		}
		add(s)
	}
	return out, nil
}

// withhold takes note of a key that is not offered, for the error of a login that fails.
func (l *login) withhold(key ssh.PublicKey, why error) {
	note := fmt.Sprintf("%s: %v", ssh.FingerprintSHA256(plainKey(key)), why)
	if !slices.Contains(l.withheld, note) && len(l.withheld) < maxOffers {
		l.withheld = append(l.withheld, note)
	}
}

// ofAgent makes of the agent's signers those that are offered, each with the certificates
// that belong to it.
func (l *login) ofAgent(signers []ssh.Signer) (held []ssh.Signer) {
	for _, s := range signers {
		if strong, err := strongSigner(s, l.ep.SSH.LegacyAlgorithms); err == nil {
			held = append(append(held, l.signers.certified(strong)...), strong)
		}
	}
	return held
}

// hasSecret reports whether another way to log in may follow the keys.
func (l *login) hasSecret() bool {
	for _, m := range authMethods(&l.ep.SSH) {
		if m == "password" && l.ep.Password != "" ||
			m == "keyboard-interactive" && (l.ep.Password != "" || l.ep.SSH.KeyboardInteractive != nil) {
			return true
		}
	}
	return false
}

func known(signers []ssh.Signer, s ssh.Signer) bool {
	for _, k := range signers {
		if bytes.Equal(k.PublicKey().Marshal(), s.PublicKey().Marshal()) {
			return true
		}
	}
	return false
}

// answer answers keyboard-interactive questions (RFC 4256): through the
// caller's function, or with the password where the answer does not echo,
// which is how servers with PAM ask for it. That is once in a login: a second
// question is about something else (a code, a new password), and the password for
// an answer would be a failed login.
func (l *login) answer(name, instruction string, questions []string, echos []bool) ([]string, error) {
	if ask := l.ep.SSH.KeyboardInteractive; ask != nil {
		return within(l.ctx, func() ([]string, error) { return ask(name, instruction, questions, echos) })
	}
	for i, q := range questions {
		if echos[i] || l.answered || i > 0 {
			return nil, fmt.Errorf("the server asks %q, which a password does not answer: set KeyboardInteractive", transport.Printable(q))
		}
	}
	if len(questions) == 0 {
		return nil, nil
	}
	l.answered = true
	return []string{l.ep.Password.Reveal()}, nil
}

// failure explains why the login was refused, without any secret.
func (l *login) failure(err error) error {
	hint := ""
	switch {
	case len(l.methods()) == 0:
		hint = "no way to log in was given: set Password, IdentityFiles, Signers, Agent or KeyboardInteractive"
		if l.ep.SSH.AuthMethods != nil {
			hint += " to match AuthMethods (" + strings.Join(l.ep.SSH.AuthMethods, ", ") + ")"
		}
	case strings.Contains(err.Error(), "unexpected message type 60"):
		// SSH_MSG_USERAUTH_PASSWD_CHANGEREQ, RFC 4252 section 8.
		hint = "the password has expired: change it with ssh or passwd"
	case strings.Contains(err.Error(), "no common public key signature algorithm"):
		hint = "the server takes RSA keys with SHA-1 signatures alone, which can be forged: use an Ed25519 or ECDSA key, or set SSH.LegacyAlgorithms"
	case strings.Contains(strings.ToLower(err.Error()), "too many authentication failures"):
		hint = "too many keys were offered: give fewer IdentityFiles, no Agent, or set IdentitiesOnly"
	}
	if len(l.withheld) > 0 {
		err = fmt.Errorf("%w (keys that were not offered: %s)", err, strings.Join(l.withheld, "; "))
	}
	if l.agentErr != nil {
		err = fmt.Errorf("%w (%w)", err, l.agentErr)
	}
	if hint != "" {
		return fmt.Errorf("user %q: %s (%w)", l.ep.User, hint, err)
	}
	return fmt.Errorf("user %q: %w", l.ep.User, err)
}
