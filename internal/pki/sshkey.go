package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// KeyType selects the algorithm of an SSH key.
type KeyType int

// The algorithms that OpenSSH offers for host and user keys today.
const (
	Ed25519 KeyType = iota
	ECDSA           // NIST P-256
	RSA             // 2048 bits: what everyone accepts, and made in reasonable time
)

// SSHKey is a key pair for a host or a user.
type SSHKey struct {
	// Signer signs with the key; it is what ssh.ServerConfig.AddHostKey and
	// ssh.PublicKeys take.
	Signer ssh.Signer

	private crypto.Signer
}

// NewSSHKey makes an ed25519 key.
func NewSSHKey() (*SSHKey, error) { return NewSSHKeyOf(Ed25519) }

// NewSSHKeyOf makes a key of the given type. RSA takes a few hundred
// milliseconds, the others none worth counting.
func NewSSHKeyOf(kind KeyType) (*SSHKey, error) {
	private, err := generate(kind)
	if err != nil {
		return nil, fmt.Errorf("pki: SSH key: %w", err)
	}
	signer, err := ssh.NewSignerFromSigner(private)
	if err != nil {
		return nil, fmt.Errorf("pki: SSH key: %w", err)
	}
	return &SSHKey{Signer: signer, private: private}, nil
}

func generate(kind KeyType) (crypto.Signer, error) {
	switch kind {
	case Ed25519:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case ECDSA:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RSA:
		return rsa.GenerateKey(rand.Reader, 2048)
	default:
		return nil, fmt.Errorf("unknown key type %d", kind)
	}
}

// Public returns the public half.
func (k *SSHKey) Public() ssh.PublicKey { return k.Signer.PublicKey() }

// Fingerprint returns the SHA256:... fingerprint that ssh-keygen -l prints.
func (k *SSHKey) Fingerprint() string { return ssh.FingerprintSHA256(k.Public()) }

// AuthorizedKey returns the authorized_keys line, newline included.
func (k *SSHKey) AuthorizedKey() []byte { return ssh.MarshalAuthorizedKey(k.Public()) }

// PrivatePEM returns the private key in OpenSSH's own format, encrypted when
// passphrase is not empty.
func (k *SSHKey) PrivatePEM(comment, passphrase string) ([]byte, error) {
	var block *pem.Block
	var err error
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(k.private, comment)
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(k.private, comment, []byte(passphrase))
	}
	if err != nil {
		return nil, fmt.Errorf("pki: SSH private key: %w", err)
	}
	return pem.EncodeToMemory(block), nil
}

// WriteFiles writes the private key to path, encrypted when passphrase is not
// empty, and the public key to path + ".pub", as ssh-keygen does.
func (k *SSHKey) WriteFiles(path, passphrase string) error {
	private, err := k.PrivatePEM("", passphrase)
	if err != nil {
		return err
	}
	if err := writeFile(path, private, privateMode); err != nil {
		return err
	}
	return writeFile(path+".pub", k.AuthorizedKey(), publicMode)
}
