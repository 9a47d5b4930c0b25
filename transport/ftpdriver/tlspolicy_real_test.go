//go:build linux && realserver

package ftpdriver

import (
	"bytes"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
	"github.com/seed01fc2e40/go-ftpx/internal/realserver/realtest"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestRealPostQuantum: a server whose OpenSSL has a hybrid key exchange (3.5 and
// later) is taken, data connections included; one that has none is refused before
// the login, and taken as soon as it is not asked for.
func TestRealPostQuantum(t *testing.T) {
	for _, kind := range realserver.FTPKinds() {
		t.Run(string(kind), func(t *testing.T) {
			srv := realtest.Start(t, realserver.Options{Kind: kind, TLS: realserver.TLSRequired, RequireReuse: kind != realserver.PureFTPd})
			ep := realEndpoint(srv, transport.FTPS)
			able := dial(t, ep).Info().Security.PostQuantum
			ep.RequirePostQuantum = true
			if !able {
				_, err := Dial(t.Context(), ep)
				if te := wantKind(t, err, transport.KindInsecure, 0); !strings.Contains(te.Error(), "RequirePostQuantum") {
					t.Error(te)
				}
				t.Log("refused:", err)
				return
			}
			c := dial(t, ep)
			data, got := random(1<<20), bytes.Buffer{}
			if _, err := c.Store(t.Context(), "f", 0, bytes.NewReader(data), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Retrieve(t.Context(), "f", 0, &got, nil); err != nil || !bytes.Equal(got.Bytes(), data) {
				t.Fatal(err)
			}
			t.Logf("taken: %+v", c.Info().Security)
		})
	}
}
