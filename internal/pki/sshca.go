package pki

import (
	"crypto/rand"
	"fmt"
	"time"

	"golang.org/x/crypto/ssh"
)

// SSHCA signs OpenSSH certificates. One authority may sign for hosts and users;
// OpenSSH recommends two and accepts one.
type SSHCA struct {
	key *SSHKey
}

// NewSSHCA makes an authority with an ed25519 key.
func NewSSHCA() (*SSHCA, error) {
	key, err := NewSSHKey()
	if err != nil {
		return nil, err
	}
	return &SSHCA{key: key}, nil
}

// Public returns the key to trust: in TrustedUserCAKeys for users, in a
// @cert-authority line for hosts.
func (ca *SSHCA) Public() ssh.PublicKey { return ca.key.Public() }

// SSHCertOptions describes an SSH certificate.
type SSHCertOptions struct {
	// KeyID is the text that sshd logs for the certificate.
	KeyID string
	// Principals are the user names, or host names without ports, that the
	// certificate is good for. OpenSSH takes an empty list to mean every name.
	Principals []string
	// NotBefore and NotAfter bound the validity; a zero time takes the default,
	// from an hour ago until tomorrow.
	NotBefore, NotAfter time.Time
	// CriticalOptions such as source-address or force-command; nil for none.
	CriticalOptions map[string]string
}

// SignUser certifies key for logging in.
func (ca *SSHCA) SignUser(key ssh.PublicKey, opts SSHCertOptions) (*ssh.Certificate, error) {
	return ca.sign(key, ssh.UserCert, opts)
}

// SignHost certifies key as a host's.
func (ca *SSHCA) SignHost(key ssh.PublicKey, opts SSHCertOptions) (*ssh.Certificate, error) {
	return ca.sign(key, ssh.HostCert, opts)
}

func (ca *SSHCA) sign(key ssh.PublicKey, kind uint32, opts SSHCertOptions) (*ssh.Certificate, error) {
	now := time.Now()
	if opts.NotBefore.IsZero() {
		opts.NotBefore = now.Add(-backdate)
	}
	if opts.NotAfter.IsZero() {
		opts.NotAfter = now.Add(lifetime)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	cert := &ssh.Certificate{
		Key:             key,
		Serial:          serial.Uint64(),
		CertType:        kind,
		KeyId:           opts.KeyID,
		ValidPrincipals: opts.Principals,
		ValidAfter:      uint64(opts.NotBefore.Unix()),
		ValidBefore:     uint64(opts.NotAfter.Unix()),
		Permissions:     ssh.Permissions{CriticalOptions: opts.CriticalOptions},
	}
	if err := cert.SignCert(rand.Reader, ca.key.Signer); err != nil {
		return nil, fmt.Errorf("pki: SSH certificate: %w", err)
	}
	return cert, nil
}

// CertSigner returns a signer that presents cert and signs with key.
func (k *SSHKey) CertSigner(cert *ssh.Certificate) (ssh.Signer, error) {
	signer, err := ssh.NewCertSigner(cert, k.Signer)
	if err != nil {
		return nil, fmt.Errorf("pki: SSH certificate: %w", err)
	}
	return signer, nil
}

// WriteSSHCert writes cert to keyPath + "-cert.pub", where ssh looks for the
// certificate of the key in keyPath.
func WriteSSHCert(cert *ssh.Certificate, keyPath string) error {
	return writeFile(keyPath+"-cert.pub", ssh.MarshalAuthorizedKey(cert), publicMode)
}
