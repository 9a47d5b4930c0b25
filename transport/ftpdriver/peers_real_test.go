//go:build realserver

package ftpdriver

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

var update = flag.Bool("update", false, "write "+peersFile)

// peers are other clients, as the command for an operation.
var peers = map[string]func(ep *transport.Endpoint, op, local string) []string{
	"curl": func(ep *transport.Endpoint, op, local string) []string {
		url := "ftp://" + ep.Addr() + "/in/"
		all := []string{"curl", "-sS", "--max-time", "8", "--user", ep.User + ":" + ep.Password.Reveal()}
		switch op {
		case peerUpload:
			return append(all, "-T", local, url+"sent")
		case peerDownload:
			return append(all, "-o", local, url+"there")
		}
		return append(all, "-o", local, url)
	},
	"lftp": func(ep *transport.Endpoint, op, local string) []string {
		do := "cls -1 in > " + local
		switch op {
		case peerUpload:
			do = "put " + local + " -o in/sent"
		case peerDownload:
			do = "get in/there -o " + local
		}
		return []string{"lftp", "--norc", "-c", fmt.Sprintf("set net:max-retries 2; set net:timeout 3; set net:reconnect-interval-base 1; set ftp:ssl-allow no; "+
			"open -u %s,%s ftp://%s && %s", ep.User, ep.Password.Reveal(), ep.Addr(), do)}
	},
}

// TestPeersOfHabits: what curl and lftp really do with each habit. A client of another version
// may do other things: the file is of those that it names.
func TestPeersOfHabits(t *testing.T) {
	if !*update {
		t.Skip("the data is read by TestDeliversWhereAPeerDoes; -update asks the clients again")
	}
	d := peersData{map[string]string{}, map[string]map[string][]string{}}
	for name := range peers {
		out, err := exec.Command(name, "--version").Output()
		if err != nil {
			t.Fatal(err)
		}
		d.Versions[name] = strings.Join(strings.Fields(string(out))[:4], " ")
	}
	for name, h := range habits {
		d.Delivered[name] = map[string][]string{}
		for _, op := range []string{peerUpload, peerDownload, peerList} {
			d.Delivered[name][op] = []string{}
			for _, peer := range []string{"curl", "lftp"} {
				if peerDelivers(t, peer, op, h) {
					d.Delivered[name][op] = append(d.Delivered[name][op], peer)
				}
			}
		}
	}
	text, err := json.MarshalIndent(d, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(peersFile, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := readPeers(t); !reflect.DeepEqual(got, d) {
		t.Error("it is not read as it was written")
	}
}

// peerDelivers reports whether a client did what it was told, whatever it says.
func peerDelivers(t *testing.T, peer, op string, h habit) bool {
	t.Helper()
	var want []byte
	ep, f := startFake(t, transport.FTP, func(f *fake) {
		allround(f)
		h(f)
		want = peerTarget(f)
	})
	defer f.stop()
	local := filepath.Join(t.TempDir(), "local")
	if op == peerUpload {
		if err := os.WriteFile(local, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	args := peers[peer](ep, op, local)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	got, _ := os.ReadFile(local)
	switch op {
	case peerUpload:
		got = f.file("/home/in/sent")
	case peerList:
		if bytes.Contains(got, []byte("there")) {
			got = want
		}
	}
	ok := err == nil && bytes.Equal(got, want)
	if !ok {
		t.Logf("%s %s: %v: %s", peer, op, err, transport.Printable(string(out)))
	}
	return ok
}
