package sftpdriver

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// asks has a server ask for the password and, in the same round or in the next, for a code.
// With a key it does so only when that has been accepted.
func asks(t *testing.T, oneRound bool, key *pki.SSHKey, failures *atomic.Int32) *transport.Endpoint {
	questions := func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
		var got []string
		rounds := [][]string{{"Password: "}, {"Verification code: "}}
		if oneRound {
			rounds = [][]string{{"Password: ", "Verification code: "}}
		}
		for _, q := range rounds {
			a, err := ask("", "", q, make([]bool, len(q)))
			if err != nil {
				return nil, err
			}
			got = append(got, a...)
		}
		if !slices.Equal(got, []string{"s3cret-word", "123456"}) {
			failures.Add(1)
			return nil, errors.New("no")
		}
		return nil, nil
	}
	opts := testserver.SFTPOptions{NoPassword: true, Configure: func(c *ssh.ServerConfig) {
		if key == nil {
			c.KeyboardInteractiveCallback = questions
			return
		}
		byKey := c.PublicKeyCallback
		c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if _, err := byKey(m, k); err != nil {
				return nil, err
			}
			return nil, &ssh.PartialSuccessError{Next: ssh.ServerAuthCallbacks{KeyboardInteractiveCallback: questions}}
		}
	}}
	if key != nil {
		opts.AuthorizedKeys = []ssh.PublicKey{key.Public()}
	}
	_, ep := startServer(t, opts)
	return ep
}

// TestSeveralQuestions: one who answers is asked them all, alone or behind a key. The
// password alone answers one question: the second is not about it, and a wrong answer to
// that would count as a failed login.
func TestSeveralQuestions(t *testing.T) {
	key := must(pki.NewSSHKey())
	for _, oneRound := range []bool{false, true} {
		for _, k := range []*pki.SSHKey{nil, key} {
			var failures atomic.Int32
			ep := asks(t, oneRound, k, &failures)
			if k != nil {
				ep.SSH.Signers = []ssh.Signer{k.Signer}
			}
			ep.Password = "s3cret-word"
			if te := dialFail(t, ep, transport.KindAuth); !strings.Contains(te.Error(), "Verification code") || !strings.Contains(te.Error(), "KeyboardInteractive") {
				t.Error(te)
			}
			if n := failures.Load(); n != 0 {
				t.Errorf("%d wrong answers were given", n)
			}
			ep.SSH.KeyboardInteractive = func(_, _ string, questions []string, _ []bool) (answers []string, _ error) {
				for _, q := range questions {
					answers = append(answers, map[string]string{"Password: ": "s3cret-word", "Verification code: ": "123456"}[q])
				}
				return answers, nil
			}
			dialOK(t, ep)
		}
	}
}

// TestEchoingQuestion: a question that echoes asks for something else than a
// password, and must not get it.
func TestEchoingQuestion(t *testing.T) {
	l := &login{ctx: t.Context(), ep: &transport.Endpoint{Password: "s3cret-word"}}
	if _, err := l.answer("", "", []string{"Name of your first pet: "}, []bool{true}); err == nil {
		t.Error("answered")
	}
	if a, err := l.answer("", "", nil, nil); err != nil || len(a) != 0 {
		t.Error(a, err)
	}
}
