package cli

import (
	"context"
	"errors"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestAskTrust: a person is asked about the unknown key of a host of the configuration, which is
// pinned for that host alone; and about no other key.
func TestAskTrust(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	unknown := &transport.HostKeyError{Host: "a", Addr: "a:22", Fingerprint: "SHA256:x", Type: "ssh-ed25519", Text: "unknown", Err: transport.ErrHostKeyUnknown}
	changed, jump, elsewhere, second := *unknown, *unknown, *unknown, *unknown
	changed.Err, jump.Jump, elsewhere.Addr, second.Addr = transport.ErrHostKeyChanged, true, "c:22", "b:2222"
	for name, c := range map[string]struct {
		why    error
		pinned string
	}{
		"unknown":                  {unknown, "a"},
		"of a standby":             {&second, "b"},
		"changed":                  {&changed, ""},
		"one changed, one unknown": {errors.Join(&changed, &second), ""},
		"of a jump host":           {&jump, ""},
		"of no host of ours":       {&elsewhere, ""},
		"nothing about a host key": {errors.New("x"), ""},
		"the answer is no":         {unknown, "no"},
	} {
		asked, answer := 0, "yes"
		if c.pinned == "no" {
			answer, c.pinned = "no", ""
		}
		env := Env{Ask: func(context.Context, string) (string, error) { asked++; return answer, nil }}
		cfg := ftpx.Config{Host: "a", Options: ftpx.Options{Standbys: []ftpx.Standby{{Host: "b", Ports: ftpx.Ports{SFTP: 2222}}}}}
		trusted, err := askTrust(t.Context(), env, &cfg, c.why)
		if err != nil || trusted != (c.pinned != "") || (asked == 1) != (trusted || answer == "no") {
			t.Errorf("%s: %v, %v, asked %d times", name, trusted, err, asked)
		}
		if n := len(cfg.SSH.HostKeyFingerprints); (n == 1) != (c.pinned == "a") {
			t.Errorf("%s: %d pins for a", name, n)
		}
		if s := cfg.Standbys[0].SSH; (s != nil && len(s.HostKeyFingerprints) == 1) != (c.pinned == "b") {
			t.Errorf("%s: b has %+v", name, s)
		}
	}
}
