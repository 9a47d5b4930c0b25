package sftpdriver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// loadCertificates reads user certificates that must be there.
func loadCertificates(files []string) ([]*ssh.Certificate, error) {
	var out []*ssh.Certificate
	for _, file := range files {
		cert, err := readCertificate(file)
		if err == nil && cert == nil {
			err = &identityError{transport.KindInvalid, fmt.Sprintf("certificate %q does not exist: correct CertificateFiles", file), nil}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, cert)
	}
	return out, nil
}

// loadCertificate reads the certificate beside a key; nil if there is none.
func loadCertificate(file string, key ssh.PublicKey) (*ssh.Certificate, error) {
	cert, err := readCertificate(file)
	if err == nil && cert != nil && !sameKey(cert.Key, key) {
		err = &identityError{transport.KindInvalid, fmt.Sprintf("certificate %q does not belong to the key beside it: sign the key again", file), nil}
	}
	if err != nil {
		return nil, err
	}
	return cert, nil
}

// readCertificate reads a user certificate; nil if there is no such file.
func readCertificate(file string) (*ssh.Certificate, error) {
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
	return cert, nil
}
