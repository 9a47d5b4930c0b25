//go:build linux && realserver

package sshconfig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// askSSH returns what the real client makes of a configuration.
func askSSH(t *testing.T, file, alias string) (map[string][]string, error) {
	t.Helper()
	program, err := exec.LookPath("ssh")
	if err != nil {
		if os.Getenv(realtest.RequireEnv) == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.Command(program, "-G", "-F", file, alias)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, err.(*exec.ExitError).Stderr)
	}
	got := map[string][]string{}
	for l := range strings.Lines(string(out)) {
		k, v, _ := strings.Cut(strings.TrimSpace(l), " ")
		got[k] = append(got[k], v)
	}
	return got, nil
}

// TestRealSSHResolves compares with ssh -G: a table of configurations, each with
// several hosts.
func TestRealSSHResolves(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "inc", "1"), "Host one\nUser inc-one\n")
	put(t, filepath.Join(dir, "inc", "2"), "Port 77\nHost two\nUser inc-two\n")
	configs := []string{
		"",
		"Host a\nHostName real.example\nUser u\nPort 2222\nHost *\nUser v\nPort 1",
		"Host a b !c\nUser u\nHost c*\nUser v\n",
		"Host * !one\nUser u\n",
		"Host !one *\nUser u\n",
		"Host A\nUser upper\nHost a\nUser lower",
		"Host a?c *.example ??\nUser u",
		"HostName %h.example.net\nMatch host a.example.net\nUser u\nMatch host a\nUser v",
		"Host a\nHostName REAL.Example\nMatch host real.example\nUser u\n",
		"Match originalhost a\nUser u\nMatch host b,c\nUser v\nMatch all\nPort 9",
		"Match host *,!one\nUser u\n",
		"Match user root host a\nPort 5\nMatch !user root\nPort 6\nMatch localuser root\nConnectTimeout 7",
		"Match final\nUser fin\nHost a\nUser first\n",
		"Match final host real\nUser fin\nPort 4\nHost a\nHostName real\n",
		"Host real\nPort 8\nHost a\nHostName real\nMatch final\nConnectTimeout 3\n",
		"Match canonical\nUser u\nMatch all\nPort 2",
		"Match final all\nUser u\n",
		"Host a\nMatch host b\nUser no\nHost *\nUser yes\n",
		"User=eq\nPort = 33\n  ConnectTimeout\t12\n",
		"User \"quoted\" # comment\nHostName a#b\n",
		"USER upper\nhostname LOWER\n",
		"IdentitiesOnly yes\nIdentityFile ~/.ssh/a\nIdentityFile ~/.ssh/b\nIdentityFile ~/.ssh/a\nHost a\nIdentityFile /c",
		"UserKnownHostsFile /x /y\nUserKnownHostsFile /z\nGlobalKnownHostsFile none\n",
		"StrictHostKeyChecking accept-new\nStrictHostKeyChecking no\n",
		"StrictHostKeyChecking yes\nHostKeyAlias other\n",
		"ConnectTimeout 1m30s\nServerAliveInterval 2m\nServerAliveCountMax 5\n",
		"ConnectTimeout 1h\n",
		"ProxyJump none\nHost a\nProxyJump b\n",
		"Host a\nProxyJump u@b:99\nHost one\nProxyJump x,y@z\n",
		"Host a b\nProxyCommand none\nHost *\nProxyJump b",
		"AddressFamily inet6\nHost a\nAddressFamily inet",
		"PasswordAuthentication no\nPubkeyAuthentication yes\nKbdInteractiveAuthentication no\n",
		"ChallengeResponseAuthentication no\n",
		"PreferredAuthentications password,publickey\n",
		"Ciphers aes256-ctr,aes128-gcm@openssh.com\nMACs hmac-sha2-512\nKexAlgorithms curve25519-sha256,ecdh-sha2-nistp384\nHostKeyAlgorithms rsa-sha2-512,ssh-ed25519\n",
		"Ciphers -aes*\nMACs -*etm*\nKexAlgorithms ^diffie-hellman-group16-sha512,ecdh-sha2-nistp521\nHostKeyAlgorithms -*cert*,ecdsa*",
		"Ciphers +aes128-cbc\nMACs +hmac-sha2-256\nKexAlgorithms +diffie-hellman-group14-sha1\nHostKeyAlgorithms ^rsa-sha2-256\n",
		"PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-512\nCASignatureAlgorithms ssh-ed25519,rsa-sha2-256\nRequiredRSASize 2048\n",
		"PubkeyAcceptedAlgorithms -*cert*,rsa*\nCASignatureAlgorithms -rsa*\nMatch final all\nRequiredRSASize 3072\n",
		"PubkeyAcceptedKeyTypes ^rsa-sha2-256\nMatch final host a\nCASignatureAlgorithms ssh-ed25519\n",
		"IgnoreUnknown Foo*\nFooBar yes\nUser u\n",
		"Include " + dir + "/inc/*\nUser outer\nPort 1\n",
		"Host one\nInclude " + dir + "/inc/*\nUser outer\nHost two\nUser t\n",
		"Host one\nInclude " + dir + "/inc/1\nPort 3\nHost *\nPort 4\n",
		"Include " + dir + "/none\nUser u\n",
		"IdentityAgent none\nForwardAgent yes\nGSSAPIAuthentication yes\nHashKnownHosts yes\n",
		// What ssh refuses too.
		"NoSuchDirective yes\n", "Port 0\n", "Port x\n", "User a b\n", "User \"a\n", "ConnectTimeout 5x\n", "Match host\n", "Match wifi x\n", "Match all host a\n",
		"IdentitiesOnly maybe\n", "User\n", "HostName %q\n", "StrictHostKeyChecking perhaps\n", "AddressFamily ipx\n", "Include\n", "ProxyJump a:b\n", "Ciphers nosuch\n",
	}
	compared, refusedByBoth := 0, 0
	for i, text := range configs {
		file := filepath.Join(dir, fmt.Sprint("config", i))
		put(t, file, text)
		for _, alias := range []string{"a", "b", "c", "one", "two", "x.example", "abc", "A"} {
			theirs, theirErr := askSSH(t, file, alias)
			c, err := Load(file)
			var s Settings
			if err == nil {
				s, err = c.Resolve(alias)
			}
			if (err == nil) != (theirErr == nil) {
				t.Errorf("%q %s: ours %v, theirs %v", text, alias, err, theirErr)
				continue
			}
			if err != nil {
				refusedByBoth++
				continue
			}
			compared++
			for _, d := range differences(c, s, theirs) {
				t.Errorf("%q %s: %s", text, alias, d)
			}
		}
	}
	t.Logf("%d resolved alike, %d refused by both", compared, refusedByBoth)
	if compared < 200 || refusedByBoth < 80 {
		t.Error("too few")
	}
}

// differences compares what both say.
func differences(c *Config, s Settings, theirs map[string][]string) (out []string) {
	is := func(key, ours string) {
		if t := strings.Join(theirs[key], " "); t != ours {
			out = append(out, fmt.Sprintf("%s: ours %q, theirs %q", key, ours, t))
		}
	}
	is("hostname", s.HostName)
	is("user", s.User)
	is("port", fmt.Sprint(s.Port))
	is("addressfamily", s.AddressFamily)
	is("identitiesonly", yes(s.SSH.IdentitiesOnly))
	is("hostkeyalias", s.SSH.HostKeyAlias)
	timeout := "none"
	if s.ConnectTimeout > 0 {
		timeout = fmt.Sprint(int(s.ConnectTimeout / time.Second))
	}
	is("connecttimeout", timeout)
	is("serveraliveinterval", fmt.Sprint(int(s.ServerAliveInterval/time.Second)))
	is("serveralivecountmax", fmt.Sprint(s.ServerAliveCountMax))
	if strict := theirs["stricthostkeychecking"][0]; (strict == "accept-new") != (s.SSH.TrustOnFirstUse != "") || strict == "false" {
		out = append(out, "stricthostkeychecking: "+strict)
	}
	if bits := theirs["requiredrsasize"]; bits != nil && s.SSH.MinRSABits > 0 {
		is("requiredrsasize", fmt.Sprint(s.SSH.MinRSABits))
	}
	methods := s.SSH.AuthMethods
	for key, method := range map[string]string{"passwordauthentication": "password", "pubkeyauthentication": "publickey", "kbdinteractiveauthentication": "keyboard-interactive"} {
		if methods != nil && theirs["preferredauthentications"] == nil && (theirs[key][0] == "no" || theirs[key][0] == "false") == slices.Contains(methods, method) {
			out = append(out, fmt.Sprintf("%s: ours %q, theirs %q", key, methods, theirs[key]))
		}
	}
	if p := theirs["preferredauthentications"]; p != nil && p[0] != strings.Join(methods, ",") {
		out = append(out, fmt.Sprintf("preferredauthentications: ours %q, theirs %q", methods, p))
	}
	if !s.defaultKeys {
		var files []string
		for _, f := range theirs["identityfile"] {
			path, _ := tilde(f, c.home)
			files = append(files, path)
		}
		ours := slices.Concat(s.SSH.IdentityFiles, s.Missing)
		if !slices.Equal(files, ours) {
			out = append(out, fmt.Sprintf("identityfile: ours %q, theirs %q", ours, files))
		}
	}
	// The last hop's alias is not in Jumps, so compare how many there are.
	jumps := 0
	if j := strings.Join(theirs["proxyjump"], ""); j != "" && j != "none" {
		jumps = strings.Count(j, ",") + 1
	}
	if len(s.Jumps) != jumps {
		out = append(out, fmt.Sprintf("proxyjump: ours %d, theirs %q", len(s.Jumps), theirs["proxyjump"]))
	}
	// Each side has algorithms that the other lacks. Where the files name any, ours
	// must be among theirs, and theirs among ours as far as they are strong.
	strong := sftpdriver.DefaultAlgorithms()
	for key, l := range map[string]struct{ ours, known []string }{
		"ciphers": {s.SSH.Ciphers, strong.Ciphers}, "macs": {s.SSH.MACs, strong.MACs},
		"kexalgorithms": {s.SSH.KeyExchanges, strong.KeyExchanges}, "hostkeyalgorithms": {s.SSH.HostKeyAlgorithms, strong.HostKeys},
		"pubkeyacceptedalgorithms": {s.SSH.PublicKeyAlgorithms, strong.PublicKeyAuths}, "casignaturealgorithms": {s.SSH.CASignatureAlgorithms, keysOf(strong.PublicKeyAuths)},
	} {
		list := strings.Split(theirs[key][0], ",")
		for _, n := range l.ours {
			if !slices.Contains(list, n) && !strings.HasPrefix(n, "mlkem") && !strings.HasPrefix(n, "ssh-mldsa") {
				out = append(out, fmt.Sprintf("%s: only ours is %s", key, n))
			}
		}
		for _, n := range list {
			if l.ours != nil && slices.Contains(l.known, n) && !slices.Contains(l.ours, n) {
				out = append(out, fmt.Sprintf("%s: only theirs is %s", key, n))
			}
		}
	}
	return out
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
