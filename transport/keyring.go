package transport

import (
	"context"
	"sync"

	"golang.org/x/crypto/ssh"
)

// maxKeys bounds a keyring. A program that goes through more keys than this
// begins anew, which costs a passphrase more and no memory.
const maxKeys = 256

// Keyring remembers unlocked private keys for as long as the program keeps it,
// so that a person is asked once. It holds keys and no passphrase, and finds them
// by the content of their files: a file that is replaced is asked for again. The
// zero value is ready for use; its methods are safe for concurrent use.
type Keyring struct {
	mu   sync.Mutex // guards keys
	keys map[[32]byte]*unlocking
}

// unlocking is a key, or a question for its passphrase that is being answered.
type unlocking struct {
	done   chan struct{}
	signer ssh.Signer // valid when done is closed, as err
	err    error
}

// Unlock returns the key that is remembered under id, or that unlock returns.
// Callers that come while unlock runs wait for it and share what it brings; a
// failure is not remembered. Ending ctx ends the wait alone: somebody may be
// typing, and who asks next gets that answer.
func (k *Keyring) Unlock(ctx context.Context, id [32]byte, unlock func() (ssh.Signer, error)) (ssh.Signer, error) {
	k.mu.Lock()
	u := k.keys[id]
	if u == nil {
		if k.keys == nil || len(k.keys) >= maxKeys {
			k.keys = make(map[[32]byte]*unlocking)
		}
		u = &unlocking{done: make(chan struct{})}
		k.keys[id] = u
		go func() {
			u.signer, u.err = unlock()
			if u.err != nil {
				k.mu.Lock()
				if k.keys[id] == u {
					delete(k.keys, id)
				}
				k.mu.Unlock()
			}
			close(u.done)
		}()
	}
	k.mu.Unlock()
	select {
	case <-u.done:
		return u.signer, u.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
