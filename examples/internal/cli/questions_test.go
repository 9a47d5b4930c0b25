package cli

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestQuestions: a person is asked what the password does not answer, with the server's
// words as they can be shown.
func TestQuestions(t *testing.T) {
	var asked []string
	env := Env{Prompt: func(_ context.Context, q string) (string, error) {
		asked = append(asked, q)
		return "typed", nil
	}}
	ask := questions(t.Context(), env, new(sync.Mutex), "", "secret")
	for _, c := range []struct {
		name, instruction string
		questions         []string
		echos             []bool
		want, asked       []string
	}{
		{"", "", nil, nil, nil, nil},
		{"", "", []string{"(user@host) Password: "}, []bool{false}, []string{"secret"}, nil},
		{"", "", []string{"Password: ", "Verification code: "}, []bool{false, false}, []string{"secret", "typed"}, []string{"Verification code: "}},
		{"Duo", "Choose\x1b[2J", []string{"1 or 2: "}, []bool{true}, []string{"typed"}, []string{"Duo Choose\uFFFD[2J 1 or 2: "}},
		{"", "", []string{"Name of your password file: "}, []bool{true}, []string{"typed"}, []string{"Name of your password file: "}},
		{"", "", []string{"New password: ", "Retype new password: "}, []bool{false, false}, []string{"typed", "typed"}, []string{"New password: ", "Retype new password: "}},
		{"", "", []string{"One-time password (OATH): "}, []bool{false}, []string{"typed"}, []string{"One-time password (OATH): "}},
	} {
		asked = nil
		got, err := ask(c.name, c.instruction, c.questions, c.echos)
		if err != nil || !slices.Equal(got, c.want) || !slices.Equal(asked, c.asked) {
			t.Errorf("%q: %q, %v, asked %q", c.questions, got, err, asked)
		}
	}
	gone := errors.New("gone")
	env.Prompt = func(context.Context, string) (string, error) { return "", gone }
	if _, err := questions(t.Context(), env, new(sync.Mutex), "", "")("", "", []string{"Password: "}, []bool{false}); !errors.Is(err, gone) {
		t.Error(err)
	}
	if questions(t.Context(), Env{}, new(sync.Mutex), "", "secret") != nil {
		t.Error("there is nobody to ask")
	}
}

// TestJumpHostsAreNotToldThePassword: the server's password is not the hops'. A person is asked,
// and told which of them it is that asks.
func TestJumpHostsAreNotToldThePassword(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	asked := make(chan []string, 1)
	hop, err := testserver.StartSFTP(testserver.SFTPOptions{Root: t.TempDir(), NoPassword: true, Configure: func(c *ssh.ServerConfig) {
		c.KeyboardInteractiveCallback = func(_ ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			got, _ := ask("", "", []string{"Password: "}, []bool{false})
			asked <- got
			return nil, errors.New("refused")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer hop.Close()
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := pki.WriteKnownHosts(known, pki.KnownHost(hop.Addr().String(), hop.HostKey())); err != nil {
		t.Fatal(err)
	}
	env := Env{Getenv: func(name string) string { return map[string]string{"FTPX_PASSWORD": "secret"}[name] },
		Prompt: func(_ context.Context, q string) (string, error) {
			if q != `jump host "127.0.0.1": Password: ` {
				t.Errorf("asked %q", q)
			}
			return "typed", nil
		}}
	f := Flags{Verify: "auto", Parallel: 1, KnownHosts: list{known}, Via: list{"ssh://user@" + hop.Addr().String()}}
	opts, err := f.Options(t.Context(), env)
	if err != nil || opts.SSH.KeyboardInteractive == nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := opts.Dial(t.Context(), "tcp", "127.0.0.1:1"); err == nil {
		t.Fatal("the hop let us in")
	}
	if got := <-asked; !slices.Equal(got, []string{"typed"}) {
		t.Errorf("the hop was told %q", got)
	}
}
