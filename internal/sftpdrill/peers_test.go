package sftpdrill

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
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

// peerOps are the operations.
var peerOps = []string{small, replaced, large, download, list}

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

// TestDeliversWhereAPeerDoes: what sftp, curl or lftp do with a server, we do: TestHabits shows
// what is not named among what a habit makes impossible. Where the default delivery is
// impossible and a peer just writes the file, so can we: with DeliverDrop, as its error says.
func TestDeliversWhereAPeerDoes(t *testing.T) {
	d := readPeers(t)
	done := 0
	for _, h := range table {
		ops := d.Delivered[h.name]
		if ops == nil {
			t.Errorf("%q has not been shown to other clients: go test -tags realserver -run TestPeersOfHabits ./internal/sftpdrill -update", h.name)
		}
		for op, peers := range ops {
			if len(peers) == 0 {
				continue
			}
			done++
			if !slices.Contains(h.cannot, op) {
				continue
			}
			t.Run(h.name+"/"+op, func(t *testing.T) {
				t.Parallel()
				set := &habits{}
				h.set(set)
				w := newWorld(t, testserver.SFTPOptions{Habits: set})
				switch op {
				case download:
					w.download("f", content(6, 300_001))
				case list:
					w.names(peers)
				default:
					w.drop(op)
				}
				if err := w.failed[op]; err != nil {
					t.Errorf("%v deliver it: %v", peers, err)
				}
			})
		}
	}
	if done < 3*len(table) {
		t.Errorf("%d operations of %d habits: the peers were not asked in earnest", done, len(table))
	}
	t.Logf("%d operations of %d habits, with %v", done, len(table), d.Versions)
}

// drop sends a file and asks nothing.
func (w *world) drop(op string) {
	data := content(3, 1000)
	if op == large {
		data = content(4, 500_000)
	}
	if op == replaced {
		w.must(os.WriteFile(filepath.Join(w.root, "in", "f"), content(2, 2000), 0o644))
	}
	_, err := w.client.Upload(w.Context(), w.source("f", data), "in/f", &ftpx.UploadOptions{Delivery: ftpx.DeliverDrop})
	w.told(op, err, !w.holds("f", data))
}

// names lists what there is, of which a peer tells no more than the name.
func (w *world) names(peers []string) {
	w.must(os.WriteFile(filepath.Join(w.root, "in", "f"), nil, 0o644))
	found := false
	for e, err := range w.client.List(w.Context(), "in") {
		w.told(list, err, false)
		found = found || e.Name == "f"
	}
	if !found {
		w.Errorf("%v name the file, and we do not", peers)
	}
}
