//go:build realserver

package sftpdrill

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var update = flag.Bool("update", false, "write "+peersFile)

// asked is what a client is to do: local is a file, or where the listing goes.
type asked struct {
	op, local, remote string
	key, port         string
}

// peers are other clients, as the command for it, and what it reads.
var peers = map[string]func(a asked) (args []string, input string){
	"sftp": func(a asked) ([]string, string) {
		input := map[string]string{download: "get " + a.remote + " " + a.local, list: "ls -1 in"}[a.op]
		if input == "" {
			input = "put " + a.local + " " + a.remote
		}
		return []string{"sftp", "-q", "-b", "-", "-P", a.port, "-i", a.key, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
			"-o", "UserKnownHostsFile=/dev/null", "user@127.0.0.1"}, input + "\n"
	},
	"curl": func(a asked) ([]string, string) {
		all := []string{"curl", "-sS", "-k", "--max-time", "8", "--user", "user:password"}
		url := "sftp://127.0.0.1:" + a.port + "/"
		switch a.op {
		case download:
			return append(all, "-o", a.local, url+a.remote), ""
		case list:
			return append(all, "-l", url+"in/"), ""
		}
		return append(all, "-T", a.local, url+a.remote), ""
	},
	"lftp": func(a asked) ([]string, string) {
		do := map[string]string{download: "get " + a.remote + " -o " + a.local, list: "cls -1 in"}[a.op]
		if do == "" {
			do = "put " + a.local + " -o " + a.remote
		}
		return []string{"lftp", "--norc", "-c", fmt.Sprintf("set net:max-retries 2; set net:timeout 3; set net:reconnect-interval-base 1; "+
			`set sftp:connect-program "ssh -a -x -i %s -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"; `+
			"open -u user, -p %s sftp://127.0.0.1 && %s", a.key, a.port, do)}, ""
	},
}

// TestPeersOfHabits: what sftp, curl and lftp really do with each habit. A client of another
// version may do other things: the file is of those that it names.
func TestPeersOfHabits(t *testing.T) {
	if !*update {
		t.Skip("the data is read by TestDeliversWhereAPeerDoes; -update asks the clients again")
	}
	d := peersData{map[string]string{}, map[string]map[string][]string{}}
	for name, args := range map[string][]string{"sftp": {"ssh", "-V"}, "curl": {"curl", "--version"}, "lftp": {"lftp", "--version"}} {
		out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		d.Versions[name] = strings.Join(strings.Fields(string(out))[:4], " ")
	}
	key, err := pki.NewSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.PrivatePEM("", "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, h := range table {
		d.Delivered[h.name] = map[string][]string{}
		for _, op := range peerOps {
			d.Delivered[h.name][op] = []string{}
			for _, peer := range []string{"sftp", "curl", "lftp"} {
				set := &habits{}
				h.set(set)
				w := newWorld(t, testserver.SFTPOptions{Habits: set, AuthorizedKeys: []ssh.PublicKey{key.Signer.PublicKey()}})
				if w.delivers(peer, asked{op: op, key: file, port: w.port}) {
					d.Delivered[h.name][op] = append(d.Delivered[h.name][op], peer)
				}
				w.client.Close()
			}
		}
	}
	data, err := json.MarshalIndent(d, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(peersFile, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// delivers reports whether a client did what it was told, whatever it says.
func (w *world) delivers(peer string, a asked) bool {
	w.Helper()
	data := content(1, 1000)
	if a.op == large || a.op == download {
		data = content(4, 500_000)
	}
	a.local, a.remote = filepath.Join(w.local, "local"), "in/f"
	switch a.op {
	case download, list:
		w.must(os.WriteFile(filepath.Join(w.root, a.remote), data, 0o644))
	case replaced:
		w.must(os.WriteFile(filepath.Join(w.root, a.remote), content(2, 2000), 0o644))
		fallthrough
	default:
		w.must(os.WriteFile(a.local, data, 0o600))
	}
	ctx, cancel := context.WithTimeout(w.Context(), 10*time.Second)
	defer cancel()
	args, input := peers[peer](a)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+w.local)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	ok := err == nil
	switch a.op {
	case download:
		got, _ := os.ReadFile(a.local)
		ok = ok && bytes.Equal(got, data)
	case list:
		ok = ok && bytes.Contains(out, []byte("f\n"))
	default:
		ok = ok && w.holds("f", data)
	}
	if !ok {
		w.Logf("%s %s: %v: %s", peer, a.op, err, transport.Printable(string(out)))
	}
	return ok
}
