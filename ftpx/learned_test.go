package ftpx_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestLearnedIsGivenOn: a server that announces MLST and refuses it is asked once by a
// client, and not at all by the next that is given what the first has learned.
func TestLearnedIsGivenOn(t *testing.T) {
	var asked atomic.Int64
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		o.FTP = func(f *testserver.FTPOptions) {
			f.OnCommand = func(verb, _ string) string {
				if verb == "MLST" {
					asked.Add(1)
					return "502 not implemented"
				}
				return ""
			}
		}
	})
	if err := os.WriteFile(filepath.Join(trio.Root, "f"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	look := func(learned []byte) (c ftpx.Client) {
		opts := optionsFor(trio, ftpx.FTP)
		opts.Learned = learned
		c = connect(t, trio, opts)
		if e, err := c.Stat(t.Context(), "f"); err != nil || e.Size != 4 {
			t.Fatal(e, err)
		}
		return c
	}

	first := look(nil)
	if asked.Load() == 0 {
		t.Fatal("the server was not asked: the test shows nothing")
	}
	learned, err := first.Learned()
	if err != nil {
		t.Fatal(err)
	}
	asked.Store(0)
	if look(learned); asked.Load() != 0 {
		t.Errorf("asked %d times again", asked.Load())
	}
	if look(nil); asked.Load() == 0 {
		t.Error("a client that was given nothing does not ask")
	}
	if strings.Contains(string(learned), trio.Password) {
		t.Error("it holds the password")
	}
}

func TestLearnedThatCannotBeRead(t *testing.T) {
	for _, data := range []string{"{", `{"version":99}`, `[]`, `{"version":1,"hosts":{"a":7}}`} {
		_, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", Options: ftpx.Options{Password: "p", AllowPlaintext: true, Learned: []byte(data)}})
		var e *transport.Error
		if !errors.As(err, &e) || e.Kind != transport.KindInvalid || !strings.Contains(err.Error(), "Options.Learned") {
			t.Errorf("%s: %v", data, err)
		}
	}
}
