package cli

import (
	"context"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// questions has a person answer what an SSH server asks besides the password, such as a
// code of today. Each connection is asked anew: such an answer is good for one. It is nil
// where there is nobody, and the library then answers with the password alone. mu is held
// while a person is asked, so that the questions of several hosts do not mix; who is put
// before each, "" for the server itself.
func questions(ctx context.Context, env Env, mu *sync.Mutex, who string, password ftpx.Secret) ssh.KeyboardInteractiveChallenge {
	if env.Prompt == nil {
		return nil
	}
	return func(name, instruction string, questions []string, echos []bool) ([]string, error) {
		if len(questions) == 0 {
			return nil, nil
		}
		mu.Lock()
		defer mu.Unlock()
		answers := make([]string, len(questions))
		for i, q := range questions {
			if password != "" && !echos[i] && isPassword(q) {
				answers[i] = password.Reveal()
				continue
			}
			var text []string
			for _, part := range []string{who, name, instruction, q} {
				if part = strings.TrimSpace(transport.Printable(part)); part != "" {
					text = append(text, part)
				}
			}
			answer, err := env.Prompt(ctx, strings.Join(text, " ")+" ")
			if err != nil {
				return nil, err
			}
			answers[i] = answer
		}
		return answers, nil
	}
}

// isPassword reports whether a question is for the password of the account: not for a new
// one, nor for one that is good once.
func isPassword(question string) bool {
	q := strings.ToLower(question)
	for _, other := range []string{"new", "retype", "again", "one-time", "one time", "otp", "code", "token"} {
		if strings.Contains(q, other) {
			return false
		}
	}
	return strings.Contains(q, "password")
}
