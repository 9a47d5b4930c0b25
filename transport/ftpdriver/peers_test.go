package ftpdriver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// peersFile says what other clients do with each habit. TestPeersOfHabits, with the tag
// realserver and -update, asks them.
const peersFile = "testdata/peers.json"

// peersData is what it holds.
type peersData struct {
	// Versions are those of the clients, as they name them.
	Versions map[string]string
	// Delivered are the clients that did it, by the habit and the operation.
	Delivered map[string]map[string][]string
}

// The operations.
const (
	peerUpload   = "upload"
	peerDownload = "download"
	peerList     = "list"
)

func readPeers(t *testing.T) (d peersData) {
	t.Helper()
	text, err := os.ReadFile(peersFile)
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// peerTarget is what the operations are about.
func peerTarget(f *fake) []byte {
	data := random(100 << 10)
	f.files["/home/in/there"] = data
	return data
}

// TestDeliversWhereAPeerDoes: what curl or lftp do with a server, we do.
func TestDeliversWhereAPeerDoes(t *testing.T) {
	d := readPeers(t)
	for name := range habits {
		if d.Delivered[name] == nil {
			t.Errorf("%q has not been shown to other clients: go test -tags realserver -run TestPeersOfHabits ./transport/ftpdriver -update", name)
		}
	}
	done := 0
	for name, ops := range d.Delivered {
		h, known := habits[name]
		if !known {
			t.Errorf("there is no habit %q any more", name)
			continue
		}
		for op, peers := range ops {
			if len(peers) == 0 {
				continue
			}
			done++
			t.Run(name+"/"+op, func(t *testing.T) {
				t.Parallel()
				var want []byte
				ep, f := startFake(t, transport.FTP, func(f *fake) {
					allround(f)
					h(f)
					want = peerTarget(f)
				})
				retried(t, ep, func(c *tconn) error { return peerOp(t, c, f, op, want) })
			})
		}
	}
	if done < 2*len(habits) {
		t.Errorf("%d operations of %d habits: the peers were not asked in earnest", done, len(habits))
	}
	t.Logf("%d operations of %d habits, with %v", done, len(habits), d.Versions)
}

func peerOp(t *testing.T, c *tconn, f *fake, op string, want []byte) error {
	switch op {
	case peerUpload:
		_, err := c.Store(t.Context(), "in/sent", 0, bytes.NewReader(want), nil)
		if err == nil && !bytes.Equal(f.file("/home/in/sent"), want) {
			t.Error("it is not what was sent")
		}
		return err
	case peerDownload:
		var got bytes.Buffer
		_, err := c.Retrieve(t.Context(), "in/there", 0, &got, nil)
		if err == nil && !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d bytes came", got.Len())
		}
		return err
	}
	var names []string
	err := c.List(t.Context(), "in", func(e transport.Entry) bool {
		names = append(names, e.Name)
		return true
	})
	if err == nil && !slices.Contains(names, "there") {
		t.Errorf("listed: %s", fmt.Sprint(strings.Join(names, ", ")))
	}
	return err
}
