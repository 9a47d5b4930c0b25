package sshconfig

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// home makes a home folder with files in .ssh.
func home(t testing.TB, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("USERPROFILE", dir)
	t.Setenv("SSH_AUTH_SOCK", "")
	if err := os.Mkdir(filepath.Join(dir, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(files); i += 2 {
		put(t, filepath.Join(dir, ".ssh", files[i]), files[i+1])
	}
	return dir
}

func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func resolve(t *testing.T, text, alias string) Settings {
	t.Helper()
	c, err := Parse("config", text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Resolve(alias)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fails(t *testing.T, text, alias string, says ...string) {
	t.Helper()
	c, err := Parse("config", text)
	if err == nil {
		_, err = c.Resolve(alias)
	}
	if err == nil {
		t.Errorf("%q: no error", text)
		return
	}
	for _, w := range says {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q: %q does not say %q", text, err, w)
		}
	}
}

func TestSettings(t *testing.T) {
	dir := home(t, "key one", "x", "known", "", "id_ed25519", "x", "cert.pub", "x")
	ssh := filepath.Join(dir, ".ssh")
	s := resolve(t, `
Host backup other
	HostName %h.example.net
	User alice
	Port = 2222
	IdentityFile "~/.ssh/key one"
	IdentityFile ~/.ssh/missing_%n_%r_%p_%h
	CertificateFile %d/.ssh/cert.pub
	IdentitiesOnly yes
	IdentityAgent /run/%u-agent
	UserKnownHostsFile ~/.ssh/known ~/.ssh/none
	GlobalKnownHostsFile none
	StrictHostKeyChecking accept-new
	HostKeyAlias cluster # a comment
	ConnectTimeout 1m30s
	ServerAliveInterval 20
	PasswordAuthentication no
	AddressFamily inet6
	Ciphers aes256-ctr,no-such-cipher,aes128-gcm@openssh.com
	MACs -*sha2-256*
	KexAlgorithms ^ecdh-sha2-nistp256
	HostKeyAlgorithms +ssh-rsa
	ForwardAgent yes
Host *
	User bob
	Port 22
`, "backup")
	c, _ := Parse("", "")
	want := Settings{
		Alias: "backup", HostName: "backup.example.net", User: "alice", Port: 2222, AddressFamily: "inet6",
		ConnectTimeout: 90 * time.Second, ServerAliveInterval: 20 * time.Second, ServerAliveCountMax: 3,
		Missing: []string{filepath.Join(ssh, "missing_backup_alice_2222_backup.example.net")},
		Ignored: []string{"config:23 ForwardAgent"},
		SSH: transport.SSH{
			IdentityFiles: []string{filepath.Join(ssh, "key one")}, CertificateFiles: []string{filepath.Join(ssh, "cert.pub")},
			IdentitiesOnly: true, Agent: "/run/" + c.local + "-agent", HostKeyAlias: "cluster",
			KnownHosts: []string{filepath.Join(ssh, "known")}, TrustOnFirstUse: filepath.Join(ssh, "known"),
			AuthMethods:       []string{"publickey", "keyboard-interactive"},
			Ciphers:           []string{"aes256-ctr", "aes128-gcm@openssh.com"},
			MACs:              []string{"hmac-sha2-512-etm@openssh.com", "hmac-sha2-512"},
			KeyExchanges:      s.SSH.KeyExchanges,
			HostKeyAlgorithms: s.SSH.HostKeyAlgorithms,
		},
	}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("\n%+v, want\n%+v", s, want)
	}
	if k := s.SSH.KeyExchanges; k[0] != "ecdh-sha2-nistp256" || k[1] != "mlkem768x25519-sha256" || slices.Index(k[1:], "ecdh-sha2-nistp256") >= 0 {
		t.Error(k)
	}
	if h := s.SSH.HostKeyAlgorithms; h[len(h)-1] != "ssh-rsa" || len(h) < 7 {
		t.Error(h)
	}
	s = resolve(t, "", "carol@plain.example")
	if s.User != "carol" || s.HostName != "plain.example" || s.Port != 22 || !slices.Equal(s.SSH.IdentityFiles, []string{filepath.Join(ssh, "id_ed25519")}) ||
		s.SSH.Agent != "auto" || s.SSH.TrustOnFirstUse != "" || s.SSH.AuthMethods != nil || s.SSH.Ciphers != nil {
		t.Errorf("%+v", s)
	}
	if s := resolve(t, "IdentityFile none", "x"); len(s.SSH.IdentityFiles) != 0 || s.defaultKeys {
		t.Errorf("%+v", s)
	}
}

func TestMatch(t *testing.T) {
	home(t)
	for _, c := range []struct{ text, alias, user string }{
		{"Match all\nUser u", "h", "u"},
		{"Match host h\nUser u", "h", "u"},
		{"Match host a,h*\nUser u", "host", "u"},
		{"Match host a,!host,h*\nUser u\nMatch all\nUser v", "host", "v"},
		{"Match !host a\nUser u", "host", "u"},
		{"HostName real\nMatch host real\nUser u", "h", "u"},
		{"HostName real\nMatch originalhost h host real\nUser u", "h", "u"},
		{"HostName real\nMatch host h\nUser u\nMatch all\nUser v", "h", "v"},
		{"Match user alice\nHostName x\nMatch host x\nUser u", "alice@h", "alice"},
		{"Match host=h\nUser u", "h", "u"},
		{"Match host = h\nUser u", "h", "u"},
		{"Match host \"h\" user * \nUser u", "h", "u"},
		{"Match host x exec \"touch /nowhere\"\nUser u\nMatch all\nUser v", "h", "v"},
		{"Match final\nUser u\n", "h", "u"},
		{"Match final host real\nUser u\nHost h\nHostName real\nUser v", "h", "v"},
		{"Match final host real\nUser u\nHost h\nHostName real", "h", "u"},
		{"Match final all\nUser u", "h", "u"},
		{"Match canonical\nUser u\nMatch all\nUser v", "h", "v"},
		{"Host real\nUser u\nHost h\nHostName real\nMatch final\nPort 1", "h", "u"},
	} {
		if s := resolve(t, c.text, c.alias); s.User != c.user {
			t.Errorf("%q: user %q, want %q", c.text, s.User, c.user)
		}
	}
}

func TestHostPatterns(t *testing.T) {
	home(t)
	for _, c := range []struct {
		patterns, alias string
		want            bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"*", "x", true}, {"a*c", "abbc", true}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"* !b", "b", false}, {"!b *", "b", false}, {"!b", "a", false}, {"a b", "b", true}, {`"a" "b"`, "b", true},
		{"*.example.net", "x.example.net", true}, {"*.example.net", "example.net", false}, {"a**b", "ab", true},
	} {
		if got := resolve(t, "Host "+c.patterns+"\nPort 99", c.alias).Port == 99; got != c.want {
			t.Errorf("%s %s: %v", c.patterns, c.alias, got)
		}
	}
	// No pattern takes more time than its length.
	evil := strings.Repeat("*a", 5000) + "b"
	begin := time.Now()
	resolve(t, "Host "+evil+"\nPort 99", strings.Repeat("a", 5000))
	if d := time.Since(begin); d > 10*time.Second {
		t.Error("took", d)
	}
}

func TestInclude(t *testing.T) {
	dir := home(t, "config.d/1", "Host one\nUser from-one\n", "config.d/2", "Host two\nUser from-two\n", "plain", "Port 99\n",
		"never", "Match exec true\nUser x\n")
	text := "Include config.d/* none\nHost one\nInclude plain\nUser late\nHost three\nInclude plain never\nUser three\n"
	for alias, want := range map[string]string{"one": "from-one 99", "two": "from-two 22", "three": ""} {
		if want == "" {
			fails(t, text, alias, "exec", filepath.Join(dir, ".ssh", "never")+":1")
			continue
		}
		s := resolve(t, text, alias)
		if got := s.User + " " + map[int]string{22: "22", 99: "99"}[s.Port]; got != want {
			t.Errorf("%s: %s, want %s", alias, got, want)
		}
	}
	put(t, filepath.Join(dir, ".ssh", "loop"), "Include loop\n")
	fails(t, "Include loop", "x", "deep")
	put(t, filepath.Join(dir, ".ssh", "bad"), "\nUser \"x\n")
	fails(t, "Host no\nInclude ~/.ssh/bad", "x", "config:2", "bad:2")
}

func TestRefused(t *testing.T) {
	home(t)
	for text, says := range map[string]string{
		"ProxyCommand nc %h %p":                                          "ProxyJump",
		"KnownHostsCommand /bin/true":                                    "UserKnownHostsFile",
		"RevokedHostKeys ~/.ssh/revoked":                                 "@revoked",
		"PKCS11Provider /lib/x.so":                                       "agent",
		"CanonicalizeHostname yes":                                       "HostName",
		"BindAddress 10.0.0.1":                                           "Dial",
		"RefuseConnection \"not from here\"":                             "forbids",
		"Match exec \"test -f x\"\nUser u":                               "exec",
		"Match localnetwork 10.0.0.0/8\nUser u":                          "localnetwork",
		"Match wifi home\nUser u":                                        "unknown criterion",
		"Match host\nUser u":                                             "needs a pattern",
		"Match all host x\nUser u":                                       "alone",
		"StrictHostKeyChecking no":                                       "accept-new",
		"StrictHostKeyChecking off":                                      "AllowUnchecked",
		"StrictHostKeyChecking maybe":                                    "ask",
		"StrictHostKeyChecking accept-new\nUserKnownHostsFile /dev/null": "forgets",
		"StrictHostKeyChecking accept-new\nUserKnownHostsFile none":      "forgets",
		"Port 0":                              "between",
		"Port 70000":                          "between",
		"Port 22 23":                          "more than one",
		"Port":                                "missing",
		"User \"x":                            "not closed",
		"User \"\"":                           "empty",
		"IdentitiesOnly perhaps":              "neither",
		"ConnectTimeout 5x":                   "no time",
		"ConnectTimeout 99999999w":            "too long",
		"IdentityFile ~/%q":                   "%q",
		"IdentityFile ~/%C":                   "%C",
		"IdentityFile ${FTPX_NOT_SET}/x":      "FTPX_NOT_SET",
		"IdentityFile ~nobody-of-that-name/x": "nobody-of-that-name",
		"HostName %p":                         "%p",
		"Ciphers no-such-cipher":              "aes128-gcm@openssh.com",
		"PreferredAuthentications gssapi-with-mic": "publickey",
		"NoSuchDirective yes":                      "IgnoreUnknown",
		"AddressFamily ipx":                        "inet6",
	} {
		fails(t, "# comment\n"+text, "h", says, "config:")
		// What does not apply to a host does it no harm.
		if strings.HasPrefix(text, "Match") || says == "missing" || says == "not closed" {
			continue
		}
		resolve(t, "Host other\n"+text, "h")
	}
	for _, text := range []string{"ProxyCommand none", "CanonicalizeHostname no", "PubkeyAcceptedAlgorithms +ssh-rsa", "RevokedHostKeys none",
		"IgnoreUnknown Use*,X*\nUseSomething yes", "GSSAPIAuthentication yes\nHashKnownHosts yes\nSendEnv LANG LC_*"} {
		resolve(t, text, "h")
	}
	for _, alias := range []string{"", "-oProxyCommand=x", "a b", "u@"} {
		fails(t, "", alias, "no host name")
	}
	c, err := Parse("config", "StrictHostKeyChecking no")
	if err != nil {
		t.Fatal(err)
	}
	c.AllowUnchecked = true
	if s, err := c.Resolve("h"); err != nil || s.SSH.TrustOnFirstUse == "" || s.SSH.InsecureIgnoreHostKey {
		t.Errorf("%v %+v", err, s)
	}
}

func TestJumps(t *testing.T) {
	home(t)
	text := `
Host target
	ProxyJump first,carol@second:2200
Host first
	HostName first.example
	ProxyJump gate
	User f
Host second
	HostName second.example
	ProxyCommand nc %h %p
	Port 22
Host gate
	User g
	Port 443
Host direct
	ProxyJump none
Host loop1
	ProxyJump loop2
Host loop2
	ProxyJump loop1
Host self
	ProxyJump self
Host six
	ProxyJump ssh://u@[::1]:23
Host command
	ProxyCommand none
	ProxyJump gate
Host bad1
	ProxyJump a,,b
Host bad2
	ProxyJump a:b
`
	var got []string
	s := resolve(t, text, "target")
	for _, j := range s.Jumps {
		got = append(got, key(j.User, j.HostName, j.Port))
		if len(j.Jumps) > 0 {
			t.Error("a hop has hops:", j)
		}
	}
	if want := []string{"g@gate:443", "f@first.example:22", "carol@second.example:2200"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, alias := range []string{"direct", "command"} {
		if s := resolve(t, text, alias); len(s.Jumps) > 0 {
			t.Error(alias, s.Jumps)
		}
	}
	if s := resolve(t, text, "six"); len(s.Jumps) != 1 || key(s.Jumps[0].User, s.Jumps[0].HostName, s.Jumps[0].Port) != "u@::1:23" {
		t.Errorf("%+v", s.Jumps)
	}
	fails(t, text, "loop1", "through itself")
	fails(t, text, "self", "through itself")
	fails(t, text, "bad1", "no jump host")
	fails(t, text, "bad2", "no jump host")
	fails(t, text, "second", "ProxyCommand")
}

func TestApply(t *testing.T) {
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	locked, err := key.PrivatePEM("", "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	dir := home(t, "id_ed25519", string(locked), "known_hosts", "")
	c, err := Parse("config", "Host b\nHostName real.example\nUser alice\nPort 2222\nServerAliveInterval 10\nConnectTimeout 5\nCiphers aes256-ctr\nHost j\nProxyJump b\nHost six\nAddressFamily inet6\n")
	if err != nil {
		t.Fatal(err)
	}
	cfg := ftpx.Config{Host: "b"}
	if _, err := c.Apply(&cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Host != "real.example" || cfg.User != "alice" || cfg.Ports.SFTP != 2222 || cfg.Timeouts.Stall != 30*time.Second || cfg.Timeouts.Connect != 5*time.Second ||
		cfg.Dial != nil || !slices.Equal(cfg.SSH.Ciphers, []string{"aes256-ctr"}) || len(cfg.SSH.IdentityFiles) != 0 ||
		!slices.Equal(cfg.SSH.KnownHosts[:1], []string{filepath.Join(dir, ".ssh", "known_hosts")}) {
		t.Errorf("%+v", cfg)
	}
	// What is set wins, and counts in the lookup.
	cfg = ftpx.Config{Host: "b", User: "bob"}
	cfg.Ports.SFTP, cfg.Timeouts.Stall, cfg.Timeouts.Connect = 1, time.Second, time.Second
	cfg.SSH = transport.SSH{KnownHosts: []string{"mine"}, Ciphers: []string{"aes128-ctr"}, IdentityFiles: []string{}, Agent: "sock",
		Passphrase: func(string) (transport.Secret, error) { return "", nil }}
	if s, err := c.Apply(&cfg); err != nil || s.User != "bob" || s.Port != 1 {
		t.Fatal(s, err)
	}
	if cfg.User != "bob" || cfg.Ports.SFTP != 1 || cfg.Timeouts.Stall != time.Second || cfg.Timeouts.Connect != time.Second || cfg.SSH.Ciphers[0] != "aes128-ctr" ||
		cfg.SSH.KnownHosts[0] != "mine" || cfg.SSH.Agent != "sock" || len(cfg.SSH.IdentityFiles) != 0 {
		t.Errorf("%+v", cfg)
	}
	// With somebody to ask, the locked key is used.
	cfg = ftpx.Config{Host: "b"}
	cfg.SSH.Passphrase = func(string) (transport.Secret, error) { return "", nil }
	if _, err := c.Apply(&cfg); err != nil || len(cfg.SSH.IdentityFiles) != 1 {
		t.Errorf("%v %+v", err, cfg)
	}
	cfg = ftpx.Config{Host: "j"}
	s, err := c.Apply(&cfg)
	if err == nil || !strings.Contains(err.Error(), "real.example") || cfg.Host != "j" || cfg.User != "" || len(s.Jumps) != 1 {
		t.Errorf("%v %+v", err, cfg)
	}
	cfg.Dial = dialFamily("tcp4")
	if _, err := c.Apply(&cfg); err != nil || cfg.Host != "j" {
		t.Error(err)
	}
	cfg = ftpx.Config{Host: "six"}
	if _, err := c.Apply(&cfg); err != nil || cfg.Dial == nil {
		t.Error(err)
	}
	if err := s.Apply(&ftpx.Config{Host: "elsewhere"}); err == nil {
		t.Error("settings of another host were applied")
	}
}

func TestLoad(t *testing.T) {
	dir := home(t, "config", "Host a\nUser from-user\nHost *\nPort 99\n")
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if s, err := c.Resolve("a"); err != nil || s.User != "from-user" || s.Port != 99 {
		t.Error(s, err)
	}
	file := filepath.Join(dir, ".ssh", "config")
	if runtime.GOOS != "windows" {
		if err := os.Chmod(file, 0o620); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
			t.Error(err)
		}
		if _, err := Load(file); err != nil { // as ssh -F
			t.Error(err)
		}
	}
	other := filepath.Join(dir, "other")
	put(t, other, "Host *\nUser second\nPort 7\n")
	if c, err = Load(file, other); err != nil {
		t.Fatal(err)
	}
	if s, err := c.Resolve("a"); err != nil || s.User != "from-user" || s.Port != 99 {
		t.Error(s, err)
	}
	if s, err := c.Resolve("b"); err != nil || s.User != "second" {
		t.Error(s, err)
	}
	if _, err := Load(other + "-none"); err == nil {
		t.Error("a named file need not be there")
	}
}

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"":                         nil,
		"  # x":                    nil,
		"Host a b":                 {"host", "a", "b"},
		"Host=a":                   {"host", "a"},
		"Host = a":                 {"host", "a"},
		"  Host\ta  \r":            {"host", "a"},
		`User "a b" # c`:           {"user", "a b"},
		`User 'a "b'`:              {"user", `a "b`},
		`User a\ b`:                {"user", "a b"},
		`User "a\"b"`:              {"user", `a"b`},
		`User a\b`:                 {"user", `a\b`},
		`User a#b`:                 {"user", "a#b"},
		`User "" x`:                {"user", "", "x"},
		`User a"b c"d`:             {"user", "ab cd"},
		`"User" a`:                 {"user", "a"},
		"User ==a":                 {"user", "=a"},
		`IdentityFile C:\\keys\\x`: {"identityfile", `C:\keys\x`},
	} {
		keyword, args, err := split(line)
		got := append([]string{keyword}, args...)
		if want == nil {
			want = []string{""}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q %v", line, got, err)
		}
	}
}
