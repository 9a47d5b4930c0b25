package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

// Validity that is used when [CertOptions] names none. The hour before now
// absorbs the clock differences between a container and its host.
const (
	backdate = time.Hour
	lifetime = 24 * time.Hour
)

// CA is a self-signed certificate authority on ECDSA P-256.
type CA struct {
	// Cert is the authority's own certificate.
	Cert *x509.Certificate

	key *ecdsa.PrivateKey
}

// NewCA makes an authority that is valid for ten years, so that an expired leaf
// is refused because of the leaf and never because of its issuer.
func NewCA(commonName string) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("pki: CA key: %w", err)
	}
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: commonName},
		NotBefore:             now.AddDate(-10, 0, 0),
		NotAfter:              now.AddDate(10, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("pki: CA certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("pki: CA certificate: %w", err)
	}
	return &CA{Cert: cert, key: key}, nil
}

// Pool returns a new pool that trusts this authority alone.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return pool
}

// CertOptions describes a leaf certificate. The zero value is a certificate for
// no name at all, valid from an hour ago until tomorrow.
type CertOptions struct {
	// Hosts are the DNS names and IP addresses (without ports, IPv6 without
	// brackets) that the certificate is good for.
	Hosts []string
	// CommonName is the subject's name; the first host when empty.
	CommonName string
	// NotBefore and NotAfter bound the validity; a zero time takes the default.
	NotBefore, NotAfter time.Time
}

// Server issues a server certificate. The chain that is presented is the leaf
// alone: clients are expected to know the authority.
func (ca *CA) Server(opts CertOptions) (tls.Certificate, error) {
	return ca.issue(opts, x509.ExtKeyUsageServerAuth)
}

// ServerFor issues a server certificate for hosts with the default validity.
func (ca *CA) ServerFor(hosts ...string) (tls.Certificate, error) {
	return ca.Server(CertOptions{Hosts: hosts})
}

// Expired issues a server certificate for hosts whose validity ended an hour ago.
func (ca *CA) Expired(hosts ...string) (tls.Certificate, error) {
	now := time.Now()
	return ca.Server(CertOptions{Hosts: hosts, NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(-time.Hour)})
}

// Client issues a certificate for TLS client authentication.
func (ca *CA) Client(opts CertOptions) (tls.Certificate, error) {
	return ca.issue(opts, x509.ExtKeyUsageClientAuth)
}

func (ca *CA) issue(opts CertOptions, usage x509.ExtKeyUsage) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("pki: key: %w", err)
	}
	template, err := leafTemplate(opts, usage)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Cert, &key.PublicKey, ca.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("pki: certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("pki: certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

func leafTemplate(opts CertOptions, usage x509.ExtKeyUsage) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	if opts.CommonName == "" && len(opts.Hosts) > 0 {
		opts.CommonName = opts.Hosts[0]
	}
	now := time.Now()
	if opts.NotBefore.IsZero() {
		opts.NotBefore = now.Add(-backdate)
	}
	if opts.NotAfter.IsZero() {
		opts.NotAfter = now.Add(lifetime)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: opts.CommonName},
		NotBefore:    opts.NotBefore,
		NotAfter:     opts.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{usage},
	}
	for _, host := range opts.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template, nil
}

// newSerial draws 127 random bits: RFC 5280 4.1.2.2 wants serials positive,
// unique for the issuer, and at most 20 octets long.
func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("pki: serial number: %w", err)
	}
	return serial.Add(serial, big.NewInt(1)), nil
}
