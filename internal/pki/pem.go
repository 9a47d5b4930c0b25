package pki

import (
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

// Modes of the files written here: sshd, ssh and ProFTPD refuse a private key
// that others can read.
const (
	privateMode os.FileMode = 0o600
	publicMode  os.FileMode = 0o644
)

// CertificatePEM returns the chain of cert in PEM, leaf first.
func CertificatePEM(cert tls.Certificate) []byte {
	var out []byte
	for _, der := range cert.Certificate {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return out
}

// KeyPEM returns the private key of cert in PEM, PKCS #8, unencrypted.
func KeyPEM(cert tls.Certificate) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("pki: private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// PEM returns the authority's certificate in PEM.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw})
}

// WritePEM writes the authority's certificate to path, the file that curl's
// --cacert and the uploader's -ca take.
func (ca *CA) WritePEM(path string) error {
	return writeFile(path, ca.PEM(), publicMode)
}

// WriteKeyPair writes the chain to certPath and the key to keyPath.
func WriteKeyPair(cert tls.Certificate, certPath, keyPath string) error {
	key, err := KeyPEM(cert)
	if err != nil {
		return err
	}
	if err := writeFile(certPath, CertificatePEM(cert), publicMode); err != nil {
		return err
	}
	return writeFile(keyPath, key, privateMode)
}

// WriteCombined writes key and chain into one file, the form Pure-FTPd takes.
func WriteCombined(cert tls.Certificate, path string) error {
	key, err := KeyPEM(cert)
	if err != nil {
		return err
	}
	return writeFile(path, append(key, CertificatePEM(cert)...), privateMode)
}

// PublicKeyPin returns the SHA-256 of the certificate's SubjectPublicKeyInfo,
// the value that HPKP, curl's --pinnedpubkey and this project pin.
func PublicKeyPin(cert tls.Certificate) ([sha256.Size]byte, error) {
	signer, ok := cert.PrivateKey.(crypto.Signer)
	if !ok {
		return [sha256.Size]byte{}, errors.New("pki: certificate without a signing key")
	}
	spki, err := x509.MarshalPKIXPublicKey(signer.Public())
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("pki: public key: %w", err)
	}
	return sha256.Sum256(spki), nil
}

// writeFile replaces path. An existing file keeps its mode under os.WriteFile,
// so the mode is set again: a private key must not inherit 0644.
func writeFile(path string, data []byte, mode os.FileMode) error {
	if err := os.WriteFile(path, data, mode); err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("pki: %w", err)
	}
	return nil
}
