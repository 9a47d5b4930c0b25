package sftpdriver

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// identityError says which key could not be used and what to do about it.
type identityError struct {
	kind transport.Kind
	text string
	err  error
}

func (e *identityError) Error() string {
	if e.err == nil {
		return e.text
	}
	return e.text + ": " + e.err.Error()
}

func (e *identityError) Unwrap() error { return e.err }

// loadIdentities returns the signers of the caller and of the identity files,
// each certificate before its bare key, as ssh(1) offers them. It runs before
// anything is dialled: a missing file is told at once, and a passphrase may be
// asked of a person without the connect timeout running.
func loadIdentities(ctx context.Context, s *transport.SSH) ([]ssh.Signer, error) {
	var out []ssh.Signer
	for _, signer := range s.Signers {
		strong, err := strongSigner(signer)
		if err != nil {
			return nil, &identityError{transport.KindInvalid, "a key in Signers cannot be used", err}
		}
		out = append(out, strong)
	}
	for _, file := range s.IdentityFiles {
		signer, err := loadKey(ctx, file, s.Passphrase)
		if err != nil {
			return nil, err
		}
		if signer, err = strongSigner(signer); err != nil {
			return nil, &identityError{transport.KindInvalid, fmt.Sprintf("private key %q cannot be used", file), err}
		}
		cert, err := loadCertificate(file+"-cert.pub", signer)
		if err != nil {
			return nil, err
		}
		if cert != nil {
			out = append(out, cert)
		}
		out = append(out, signer)
	}
	return out, nil
}

// strongSigner keeps RSA keys from signing with SHA-1, which x/crypto falls
// back to on servers that do not list their algorithms (RFC 8332).
func strongSigner(s ssh.Signer) (ssh.Signer, error) {
	pub := s.PublicKey()
	if plainKey(pub).Type() != ssh.KeyAlgoRSA {
		return s, nil
	}
	as, ok := s.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("an RSA key must be able to sign with SHA-2: implement ssh.AlgorithmSigner")
	}
	algorithms := algorithmsOfKey(ssh.KeyAlgoRSA)
	if m, ok := s.(ssh.MultiAlgorithmSigner); ok {
		var both []string
		for _, a := range m.Algorithms() {
			if a != ssh.KeyAlgoRSA {
				both = append(both, a)
			}
		}
		algorithms = both
	}
	if len(algorithms) == 0 {
		return nil, errors.New("an RSA key must sign with rsa-sha2-256 or rsa-sha2-512")
	}
	return ssh.NewSignerWithAlgorithms(as, algorithms)
}

func loadKey(ctx context.Context, file string, ask func(string) (transport.Secret, error)) (ssh.Signer, error) {
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &identityError{transport.KindInvalid, fmt.Sprintf("private key %q does not exist: correct IdentityFiles, or make one with ssh-keygen", file), nil}
	case errors.Is(err, fs.ErrPermission):
		return nil, &identityError{transport.KindInvalid, fmt.Sprintf("private key %q is not readable by this user: give it the file (chown) and mode 0600", file), nil}
	case err != nil:
		return nil, &identityError{transport.KindInvalid, fmt.Sprintf("private key %q", file), err}
	}
	signer, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		return unlock(ctx, file, data, ask)
	}
	if err != nil {
		return nil, &identityError{transport.KindInvalid, fmt.Sprintf("private key %q is not an OpenSSH, PKCS #8 or PEM private key "+
			"(a .pub file is the public half; convert others with ssh-keygen -i)", file), err}
	}
	return signer, nil
}

// unlocked holds keys by the hash of their file and passphrase. Deriving a key
// from a passphrase takes a tenth of a second by design (bcrypt_pbkdf); without
// this each reconnection after a reset would pay for it.
var unlocked struct {
	sync.Mutex
	signers map[[32]byte]ssh.Signer
}

const maxUnlocked = 64

func unlock(ctx context.Context, file string, data []byte, ask func(string) (transport.Secret, error)) (ssh.Signer, error) {
	if ask == nil {
		return nil, &identityError{transport.KindAuth, fmt.Sprintf("private key %q needs a passphrase: give one in Passphrase, or load the key into an agent (ssh-add)", file), nil}
	}
	secret, err := within(ctx, func() (transport.Secret, error) { return ask(file) })
	if err != nil {
		return nil, &identityError{transport.KindAuth, fmt.Sprintf("passphrase of private key %q", file), err}
	}
	h := sha256.New()
	_ = binary.Write(h, binary.BigEndian, uint64(len(data)))
	h.Write(data)
	h.Write([]byte(secret.Reveal()))
	id := [32]byte(h.Sum(nil))
	unlocked.Lock()
	signer := unlocked.signers[id]
	unlocked.Unlock()
	if signer != nil {
		return signer, nil
	}
	signer, err = ssh.ParsePrivateKeyWithPassphrase(data, []byte(secret.Reveal()))
	if err != nil {
		return nil, &identityError{transport.KindAuth, fmt.Sprintf("private key %q: the passphrase is wrong, or the file is damaged", file), err}
	}
	unlocked.Lock()
	if unlocked.signers == nil || len(unlocked.signers) >= maxUnlocked {
		unlocked.signers = make(map[[32]byte]ssh.Signer)
	}
	unlocked.signers[id] = signer
	unlocked.Unlock()
	return signer, nil
}

// loadCertificate reads the certificate beside a key; nil if there is none.
func loadCertificate(file string, signer ssh.Signer) (ssh.Signer, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	fail := func(why string, err error) error {
		return &identityError{transport.KindInvalid, fmt.Sprintf("certificate %q %s", file, why), err}
	}
	if err != nil {
		return nil, fail("cannot be read", err)
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil, fail("cannot be parsed", err)
	}
	cert, ok := pub.(*ssh.Certificate)
	if !ok || cert.CertType != ssh.UserCert {
		return nil, fail("is not a user certificate: sign the key with ssh-keygen -s CA -I NAME -n USER", nil)
	}
	out, err := ssh.NewCertSigner(cert, signer)
	if err != nil {
		return nil, fail("does not belong to the key beside it: sign the key again", err)
	}
	return out, nil
}

// within runs f, a call of the caller's own code that may wait for a person,
// and gives up when ctx ends; f then ends when it likes.
func within[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}
