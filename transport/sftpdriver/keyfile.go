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

// loadKey reads one identity file. Where the agent has the key and the file holds
// its public half alone, or needs a passphrase, there is no signer.
func loadKey(ctx context.Context, s *transport.SSH, file string) (ssh.Signer, ssh.PublicKey, error) {
	fail := func(err error, format string) (ssh.Signer, ssh.PublicKey, error) {
		return nil, nil, &identityError{transport.KindInvalid, fmt.Sprintf(format, file), err}
	}
	data, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail(nil, "private key %q does not exist: correct IdentityFiles, or make one with ssh-keygen")
	case errors.Is(err, fs.ErrPermission):
		return fail(nil, "private key %q is not readable by this user: give it the file (chown) and mode 0600")
	case err != nil:
		return fail(err, "private key %q")
	}
	if s.Agent != "" {
		if public, _, _, _, err := ssh.ParseAuthorizedKey(data); err == nil {
			return nil, plainKey(public), nil
		}
	}
	signer, err := ssh.ParsePrivateKey(data)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		public := locked.PublicKey
		if public == nil { // PEM, which keeps all of the key secret
			public = publicHalf(file)
		}
		if agentHolds(ctx, s, public) {
			return nil, public, nil
		}
		signer, err = unlock(ctx, s, file, data)
		return signer, nil, err
	}
	if err != nil {
		return fail(err, "private key %q is not an OpenSSH, PKCS #8 or PEM private key "+
			"(a .pub file is the public half, and of use only with an Agent; convert others with ssh-keygen -i)")
	}
	return signer, nil, nil
}

// publicHalf reads the public half beside a key, nil if there is none.
func publicHalf(file string) ssh.PublicKey {
	data, err := os.ReadFile(file + ".pub")
	if err != nil {
		return nil
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(data)
	if err != nil {
		return nil
	}
	return plainKey(public)
}

// unlocked holds keys by the hash of their file and passphrase. Deriving a key
// from a passphrase takes a tenth of a second by design (bcrypt_pbkdf); without
// this each reconnection after a reset would pay for it, where the caller has no
// [transport.Keyring].
var unlocked struct {
	sync.Mutex
	signers map[[32]byte]ssh.Signer
}

const maxUnlocked = 64

// unlock asks for the passphrase of a key, once a file where there is a keyring.
func unlock(ctx context.Context, s *transport.SSH, file string, data []byte) (ssh.Signer, error) {
	if s.Keyring == nil {
		if s.Passphrase == nil {
			return nil, noPassphrase(file)
		}
		secret, err := within(ctx, func() (transport.Secret, error) { return s.Passphrase(file) })
		if err != nil {
			return nil, &identityError{transport.KindAuth, fmt.Sprintf("passphrase of private key %q", file), err}
		}
		return decrypt(file, data, secret)
	}
	signer, err := s.Keyring.Unlock(ctx, sha256.Sum256(data), func() (ssh.Signer, error) {
		if s.Passphrase == nil {
			return nil, noPassphrase(file)
		}
		secret, err := s.Passphrase(file)
		if err != nil {
			return nil, &identityError{transport.KindAuth, fmt.Sprintf("passphrase of private key %q", file), err}
		}
		return decrypt(file, data, secret)
	})
	return signer, err
}

func noPassphrase(file string) error {
	return &identityError{transport.KindAuth, fmt.Sprintf("private key %q needs a passphrase: give one in Passphrase, or load the key into an agent (ssh-add)", file), nil}
}

func decrypt(file string, data []byte, secret transport.Secret) (ssh.Signer, error) {
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
	signer, err := ssh.ParsePrivateKeyWithPassphrase(data, []byte(secret.Reveal()))
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
