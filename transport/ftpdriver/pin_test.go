package ftpdriver

import (
	"crypto/tls"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestPinIsMetByTheLeafAlone: certificates are public. A server that shows the pinned one
// behind its own leaf has not proven that it holds its key, and is not told who we are,
// neither where certificates are not looked at nor where a trusted CA has signed the leaf.
func TestPinIsMetByTheLeafAlone(t *testing.T) {
	pinned, err := ca().ServerFor("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := pki.NewCA("another")
	if err != nil {
		t.Fatal(err)
	}
	own := func(issuer *pki.CA) tls.Certificate {
		cert, err := issuer.ServerFor("127.0.0.1")
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	for name, tt := range map[string]struct {
		leaf  tls.Certificate
		loose bool
	}{
		"nothing is looked at": {own(stranger), true},
		"a trusted leaf":       {own(ca()), false},
	} {
		for _, p := range []transport.Protocol{transport.FTPS, transport.FTPSImplicit} {
			t.Run(name+" "+p.String(), func(t *testing.T) {
				ep, f := startFake(t, p, func(f *fake) {
					f.config.Certificates = []tls.Certificate{withBehind(tt.leaf, pinned)}
				})
				ep.TLS.InsecureSkipVerify = tt.loose
				ep.TLS.PinnedPublicKeys = []string{pinOf(t, pinned)}
				wantKind(t, refused(t, ep, f), transport.KindCertificate, 0)
				if got := f.got(); slices.ContainsFunc(got, func(line string) bool { return verbOf(line) != "AUTH" }) {
					t.Errorf("sent %q", got)
				}
				// And the same chain is good for who has pinned its leaf.
				ep.TLS.PinnedPublicKeys = []string{pinOf(t, tt.leaf)}
				dial(t, ep)
			})
		}
	}
}

// withBehind is a leaf that is shown with another certificate behind it.
func withBehind(leaf, behind tls.Certificate) tls.Certificate {
	leaf.Certificate = append(slices.Clone(leaf.Certificate), behind.Certificate...)
	return leaf
}

// pinOf is how a public key is pinned.
func pinOf(t *testing.T, cert tls.Certificate) string {
	t.Helper()
	sum, err := pki.PublicKeyPin(cert)
	if err != nil {
		t.Fatal(err)
	}
	return "SHA256:" + base64.StdEncoding.EncodeToString(sum[:])
}
