package sftpdriver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// identities is what a login may be tried with, the agent apart.
type identities struct {
	signers []ssh.Signer       // in the order of their offering
	certs   []*ssh.Certificate // of keys that only the agent has, perhaps
	only    []ssh.PublicKey    // the public halves of what was named, which IdentitiesOnly lets through
}

// offered returns the signers, none where nothing was loaded.
func (id *identities) offered() []ssh.Signer {
	if id == nil {
		return nil
	}
	return id.signers
}

// named returns the public halves of what was named, in that order.
func (id *identities) named() []ssh.PublicKey {
	if id == nil {
		return nil
	}
	return id.only
}

// certified returns the signer with each certificate of its key.
func (id *identities) certified(s ssh.Signer) (out []ssh.Signer) {
	for _, c := range id.certs {
		if sameKey(c.Key, s.PublicKey()) {
			if with, err := ssh.NewCertSigner(c, s); err == nil {
				out = append(out, with)
			}
		}
	}
	return out
}

// Preload reads the identity files of an endpoint and asks for the passphrases
// that they need, into [transport.SSH.Keyring], which must be set. A client that
// measures how long a server is silent calls it before it dials: somebody may be
// typing. It dials nothing but the agent. Errors are those of [Dial]. A file that
// changes later, or was not there, is read by [Dial] as ever.
func Preload(ctx context.Context, ep *transport.Endpoint) error {
	if ep.SSH.Keyring == nil {
		return ep.Fail("login", "", transport.KindInvalid, errors.New("keys cannot be loaded beforehand without SSH.Keyring: set it to new(transport.Keyring)"))
	}
	if _, err := loadIdentities(ctx, &ep.SSH); err != nil {
		return identityFailure(ctx, ep, err)
	}
	return nil
}

// identityFailure names an error of loadIdentities.
func identityFailure(ctx context.Context, ep *transport.Endpoint, err error) *transport.Error {
	kind := transport.KindInvalid
	var ie *identityError
	if errors.As(err, &ie) {
		kind = ie.kind
	}
	if ctx.Err() != nil {
		kind = transport.KindCanceled
	}
	return ep.Fail("login", "", kind, err)
}

// loadIdentities returns the signers of the caller and of the identity files,
// each certificate before its bare key, as ssh(1) offers them. It runs before
// anything is dialled: a missing file is told at once, and a passphrase may be
// asked of a person without the connect timeout running.
func loadIdentities(ctx context.Context, s *transport.SSH) (*identities, error) {
	out := &identities{}
	for _, m := range s.AuthMethods {
		if !slices.Contains(allMethods, m) {
			return nil, &identityError{transport.KindInvalid, fmt.Sprintf("field SSH.AuthMethods names %q: use of %s", m, strings.Join(allMethods, ", ")), nil}
		}
	}
	if err := checkKeyPolicy(s); err != nil {
		return nil, err
	}
	given, err := loadCertificates(s.CertificateFiles)
	if err != nil {
		return nil, err
	}
	out.certs = given
	add := func(signer ssh.Signer) {
		out.only = append(out.only, plainKey(signer.PublicKey()))
		out.signers = append(append(out.signers, out.certified(signer)...), signer)
	}
	for _, signer := range s.Signers {
		strong, err := strongSigner(signer, s.LegacyAlgorithms)
		if err != nil {
			return nil, &identityError{transport.KindInvalid, "a key in Signers cannot be used", err}
		}
		add(strong)
	}
	for _, file := range s.IdentityFiles {
		signer, public, err := loadKey(ctx, s, file)
		if err != nil {
			return nil, err
		}
		if signer != nil {
			if signer, err = strongSigner(signer, s.LegacyAlgorithms); err != nil {
				return nil, &identityError{transport.KindInvalid, fmt.Sprintf("private key %q cannot be used", file), err}
			}
			public = signer.PublicKey()
		}
		found, err := loadCertificate(strings.TrimSuffix(file, ".pub")+"-cert.pub", public)
		if err != nil {
			return nil, err
		}
		if found != nil {
			out.certs = append(out.certs, found)
		}
		if signer == nil {
			out.only = append(out.only, public) // the agent has the key
			continue
		}
		add(signer)
	}
	for i, c := range given {
		out.only = append(out.only, c.Key)
		if s.Agent == "" && !slices.ContainsFunc(out.signers, func(k ssh.Signer) bool { return sameKey(c.Key, plainKey(k.PublicKey())) }) {
			return nil, &identityError{transport.KindInvalid, fmt.Sprintf("certificate %q belongs to no key in IdentityFiles or Signers: "+
				"add its key, or the agent that has it", s.CertificateFiles[i]), nil}
		}
	}
	return out, nil
}

// strongSigner keeps RSA keys from signing with SHA-1, which x/crypto falls
// back to on servers that do not list their algorithms (RFC 8332); with legacy
// that is last.
func strongSigner(s ssh.Signer, legacy bool) (ssh.Signer, error) {
	pub := s.PublicKey()
	if plainKey(pub).Type() != ssh.KeyAlgoRSA {
		return s, nil
	}
	as, ok := s.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("an RSA key must be able to sign with SHA-2: implement ssh.AlgorithmSigner")
	}
	algorithms := algorithmsOfKey(ssh.KeyAlgoRSA, legacy)
	if m, ok := s.(ssh.MultiAlgorithmSigner); ok {
		var both []string
		for _, a := range m.Algorithms() {
			if a != ssh.KeyAlgoRSA || legacy {
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
