package job

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/examples/internal/cli"
	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// TestStandbys: a standby has the port, user, password and trust that its table says, and
// else those of its job.
func TestStandbys(t *testing.T) {
	name := write(t, `
[defaults]
known_hosts = ["hosts"]
ca = "ca.pem"

[[job]]
name = "a"
source = "."
target = "sftp://first@one.example.com:2201/in"
password_env = "PW"
standby = ["same.example.com"]

[[job.standbys]]
url = "sftp://second@two.example.com:2202"
password_file = "two.txt"
host_key = ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]

[[job.standbys]]
url = "sftp://third@one.example.com"
identity = ["key"]
`)
	dir := filepath.Dir(name)
	for file, text := range map[string]string{"two.txt": "secret two\n", "hosts": "", "ca.pem": "", "key": "none"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	jobs, err := Load(name, "")
	if err != nil {
		t.Fatal(err)
	}
	var shown, noted bytes.Buffer
	env := cli.Env{Stdout: &shown, Stderr: &noted, Getenv: func(n string) string { return map[string]string{"PW": "secret one", "FTPX_PASSWORD": "another"}[n] }}
	cfg, end, err := jobs[0].Targets[0].Reach(t.Context(), env)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if cfg.Host != "one.example.com" || cfg.Ports.SFTP != 2201 || cfg.User != "first" || cfg.Password.Reveal() != "secret one" || len(cfg.Standbys) != 3 {
		t.Fatalf("%+v", cfg)
	}
	var two, three, same ftpx.Standby
	for _, s := range cfg.Standbys {
		switch {
		case s.Host == "two.example.com":
			two = s
		case s.User == "third":
			three = s
		default:
			same = s
		}
	}
	if same.Host != "same.example.com" || same.Ports != (ftpx.Ports{}) || same.User != "" || same.SSH != nil {
		t.Errorf("%+v", same)
	}
	if two.Ports.SFTP != 2202 || two.User != "second" || two.Password.Reveal() != "secret two" || len(two.SSH.HostKeyFingerprints) != 1 || len(two.SSH.KnownHosts) != 0 || two.TLS.CAFile != filepath.Join(dir, "ca.pem") {
		t.Errorf("%+v, %+v", two, two.SSH)
	}
	if three.Ports.SFTP != 22 || three.Password.Reveal() != "secret one" || len(three.SSH.IdentityFiles) != 1 || len(three.SSH.KnownHosts) != 1 || len(three.SSH.HostKeyFingerprints) != 0 {
		t.Errorf("%+v, %+v", three, three.SSH)
	}
	if err := cfg.Check(); err != nil {
		t.Error(err)
	}
	Show(env, jobs)
	for _, want := range []string{`standby = ["same.example.com"]`, `standbys.0.url = "sftp://second@two.example.com:2202"`, `standbys.1.identity = ["key"]`} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("%s is not shown:\n%s", want, shown.String())
		}
	}
	if strings.Contains(shown.String()+noted.String(), "secret") {
		t.Errorf("a secret is shown: %s", shown.String())
	}
}
