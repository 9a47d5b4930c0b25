package sshconfig

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/sftpdriver"
)

// What systems install, in short: files of the same directives in the same places, below
// ETC.
var installed = map[string]map[string]string{
	"fedora": {
		"ssh/ssh_config": "# system-wide\n#\n# Host *\n#   Port 22\n\nInclude ETC/ssh/ssh_config.d/*.conf\n",
		"ssh/ssh_config.d/50-redhat.conf": `# at the end, so that what users write comes first
Match final all
	# the policy of the system
	Include ETC/crypto-policies/back-ends/openssh.config

	GSSAPIAuthentication yes
	ForwardX11Trusted yes
`,
		"ssh/ssh_config.d/20-systemd-ssh-proxy.conf": `Host unix/* vsock/* machine/*
        ProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p
        ProxyUseFdpass yes
        CheckHostIP no

Host .host machine/.host
        ProxyCommand /usr/lib/systemd/systemd-ssh-proxy unix/run/ssh-unix-local/socket %p
        ProxyUseFdpass yes
        CheckHostIP no
`,
		"crypto-policies/back-ends/openssh.config": `Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes128-gcm@openssh.com,aes128-ctr
MACs hmac-sha2-256-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha1,umac-128@openssh.com,hmac-sha2-512
GSSAPIKeyExchange no
GSSAPIKexAlgorithms gss-curve25519-sha256-,gss-nistp256-sha256-,gss-group14-sha256-
KexAlgorithms mlkem768x25519-sha256,sntrup761x25519-sha512,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256
HostKeyAlgorithms ecdsa-sha2-nistp256,ecdsa-sha2-nistp256-cert-v01@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,ssh-ed25519,ssh-ed25519-cert-v01@openssh.com,rsa-sha2-256,rsa-sha2-256-cert-v01@openssh.com,rsa-sha2-512,rsa-sha2-512-cert-v01@openssh.com
PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256,ecdsa-sha2-nistp256-cert-v01@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,ssh-ed25519,ssh-ed25519-cert-v01@openssh.com,sk-ssh-ed25519@openssh.com,rsa-sha2-256,rsa-sha2-256-cert-v01@openssh.com,rsa-sha2-512,rsa-sha2-512-cert-v01@openssh.com
HostbasedAcceptedAlgorithms ssh-ed25519,rsa-sha2-512
CASignatureAlgorithms ecdsa-sha2-nistp256,sk-ecdsa-sha2-nistp256@openssh.com,ssh-ed25519,sk-ssh-ed25519@openssh.com,rsa-sha2-256,rsa-sha2-512
RequiredRSASize 2048
`,
	},
	"rhel": {
		"ssh/ssh_config": "Include ETC/ssh/ssh_config.d/*.conf\n",
		"ssh/ssh_config.d/05-redhat.conf": `Match final all
	Include ETC/crypto-policies/back-ends/openssh.config
	GSSAPIAuthentication yes
	ForwardX11Trusted yes
	SendEnv LANG LC_CTYPE LC_NUMERIC LC_TIME LC_COLLATE LC_MONETARY LC_MESSAGES
	SendEnv XMODIFIERS
`,
		"crypto-policies/back-ends/openssh.config": `Ciphers aes256-gcm@openssh.com,aes256-ctr
MACs hmac-sha2-256,hmac-sha1
KexAlgorithms curve25519-sha256,ecdh-sha2-nistp256
PubkeyAcceptedKeyTypes ecdsa-sha2-nistp256,ssh-ed25519,rsa-sha2-256,rsa-sha2-512
CASignatureAlgorithms ecdsa-sha2-nistp256,ssh-ed25519,rsa-sha2-256,rsa-sha2-512
RSAMinSize 2048
`,
	},
	"ubuntu": {
		"ssh/ssh_config": "Include ETC/ssh/ssh_config.d/*.conf\n\nHost *\n    SendEnv LANG LC_* COLORTERM NO_COLOR\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n",
		"ssh/ssh_config.d/20-systemd-ssh-proxy.conf": "Host unix/* vsock/*\n\tProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p\n\tProxyUseFdpass yes\n",
	},
	"debian": {
		"ssh/ssh_config": "Include ETC/ssh/ssh_config.d/*.conf\n\nHost *\n#   ForwardAgent no\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n",
	},
	"macos": {
		"ssh/ssh_config":                  "Include ETC/ssh/ssh_config.d/*\n\n# Host *\n#   ForwardAgent no\n",
		"ssh/ssh_config.d/100-macos.conf": "Include ETC/ssh/crypto.conf\n\nHost *\n    SendEnv LANG LC_*\n",
		"ssh/crypto.conf":                 "Include ETC/ssh/crypto/apple.conf\n",
		"ssh/crypto/apple.conf":           "# nothing is changed\n",
	},
	"macos, fips": {
		"ssh/ssh_config":                  "Include ETC/ssh/ssh_config.d/*\n",
		"ssh/ssh_config.d/100-macos.conf": "Include ETC/ssh/crypto.conf\n\nHost *\n    SendEnv LANG LC_*\n    UseKeychain yes\n    AddKeysToAgent yes\n",
		"ssh/crypto.conf": `Ciphers aes128-gcm@openssh.com
HostKeyAlgorithms ecdsa-sha2-nistp256-cert-v01@openssh.com,ecdsa-sha2-nistp256
KexAlgorithms ecdh-sha2-nistp256
MACs hmac-sha2-256
PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256,ecdsa-sha2-nistp256-cert-v01@openssh.com
CASignatureAlgorithms ecdsa-sha2-nistp256
`,
	},
}

// install writes the files of a system and returns its ssh_config.
func install(t *testing.T, files map[string]string) string {
	etc := t.TempDir()
	for name, text := range files {
		put(t, filepath.Join(etc, name), strings.ReplaceAll(text, "ETC", etc))
	}
	return filepath.Join(etc, "ssh", "ssh_config")
}

// TestInstalled: what systems install is understood, what it restricts is kept to, and a
// connection can be made with it.
func TestInstalled(t *testing.T) {
	key := map[pki.KeyType]*pki.SSHKey{}
	for _, typ := range []pki.KeyType{pki.Ed25519, pki.ECDSA, pki.RSA} {
		k, err := pki.NewSSHKeyOf(typ)
		if err != nil {
			t.Fatal(err)
		}
		key[typ] = k
	}
	srv, err := testserver.StartSFTP(testserver.SFTPOptions{Root: t.TempDir(), HostKeys: []ssh.Signer{key[pki.Ed25519].Signer, key[pki.ECDSA].Signer, key[pki.RSA].Signer}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	for name, files := range installed {
		t.Run(name, func(t *testing.T) {
			home(t)
			system := install(t, files)
			for _, users := range []string{"", "Host backup\n\tUser alice\n\tPort 2222\n", "Host backup\n\tHostName 127.0.0.1\nInclude " + system + "\n"} {
				mine := filepath.Join(t.TempDir(), "config")
				put(t, mine, users)
				c, err := Load(mine, system)
				if err != nil {
					t.Fatal(err)
				}
				s, err := c.Resolve("backup")
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(users, "alice") && (s.User != "alice" || s.Port != 2222) {
					t.Errorf("%+v", s)
				}
				ep := &transport.Endpoint{Protocol: transport.SFTP, Host: "127.0.0.1", Port: srv.Port(), User: "user", Password: "password", SSH: s.SSH}
				for _, k := range key {
					ep.SSH.HostKeyFingerprints = append(ep.SSH.HostKeyFingerprints, k.Fingerprint())
				}
				conn, err := sftpdriver.Dial(context.Background(), ep)
				if err != nil {
					t.Fatal(err)
				}
				conn.Close()
				policy := strings.HasPrefix(name, "fedora") || strings.HasPrefix(name, "rhel")
				if policy != (s.SSH.MinRSABits == 2048) || slices.Contains(s.SSH.MACs, "hmac-sha1") {
					t.Errorf("%+v", s.SSH)
				}
				restricted := policy || strings.HasSuffix(name, "fips")
				if restricted != (s.SSH.PublicKeyAlgorithms != nil) || restricted != (s.SSH.CASignatureAlgorithms != nil) ||
					slices.Contains(s.SSH.PublicKeyAlgorithms, "ecdsa-sha2-nistp521") || slices.Contains(s.SSH.CASignatureAlgorithms, "ecdsa-sha2-nistp521") {
					t.Errorf("%q, %q", s.SSH.PublicKeyAlgorithms, s.SSH.CASignatureAlgorithms)
				}
			}
		})
	}
}

// TestKeyAlgorithms: what may sign is put together as the other lists are.
func TestKeyAlgorithms(t *testing.T) {
	home(t)
	all := resolve(t, "PubkeyAcceptedAlgorithms +ssh-rsa", "h").SSH.PublicKeyAlgorithms
	for _, n := range []string{"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com", "rsa-sha2-512", "rsa-sha2-512-cert-v01@openssh.com", "ssh-rsa"} {
		if !slices.Contains(all, n) {
			t.Errorf("%s is not among %q", n, all)
		}
	}
	for text, want := range map[string][]string{
		"PubkeyAcceptedAlgorithms ssh-ed25519,no-such":        {"ssh-ed25519"},
		"PubkeyAcceptedKeyTypes rsa-sha2-512,ssh-rsa":         {"rsa-sha2-512"},
		"PubkeyAcceptedAlgorithms ssh-ed25519*":               {"ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"},
		"PubkeyAcceptedAlgorithms -*rsa*,*ecdsa*,*cert*,sk-*": {"ssh-ed25519"},
	} {
		got := slices.DeleteFunc(resolve(t, text, "h").SSH.PublicKeyAlgorithms, func(n string) bool { return strings.Contains(n, "mldsa") })
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := resolve(t, "CASignatureAlgorithms ssh-ed25519,rsa-sha2-512", "h").SSH.CASignatureAlgorithms; !slices.Equal(got, []string{"ssh-ed25519", "rsa-sha2-512"}) {
		t.Errorf("%q", got)
	}
	if n := resolve(t, "RequiredRSASize 3072", "h").SSH.MinRSABits; n != 3072 {
		t.Error(n)
	}
	for text, says := range map[string]string{
		"PubkeyAcceptedAlgorithms nothing-we-know": "ssh-ed25519",
		"CASignatureAlgorithms -*":                 "ssh-ed25519",
		"RequiredRSASize many":                     "no number",
		"RequiredRSASize -1":                       "no number",
	} {
		fails(t, text, "h", says, "config:1")
	}
}
