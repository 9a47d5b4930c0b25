//go:build linux && realserver

package conformance

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/internal/realserver"
)

var update = flag.Bool("update", false, "write docs/servers.md")

// TestServersDoc: docs/servers.md is made of the tables that the tests go by.
func TestServersDoc(t *testing.T) {
	const path = "../../docs/servers.md"
	if *update {
		if err := os.WriteFile(path, []byte(serversDoc()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != serversDoc() {
		t.Errorf("%s is not what the tables say (%v): go test -tags realserver -run TestServersDoc ./internal/conformance -update", path, err)
	}
}

func serversDoc() string {
	var b strings.Builder
	b.WriteString(`# Servers

This page is made of the tables that the tests go by:
` + "`go test -tags realserver -run TestServersDoc ./internal/conformance -update`" + `.
` + "`bash .ci/run servers real`" + ` starts all of these servers and runs the tests; one that is missing is a failure.

On each of them folders are sent and fetched byte for byte, mirrored twice, killed and gone on with, and moved over a line that resets
connections (` + "`internal/trustdrill`" + `). "Contract" is the suite of ` + "`internal/conformance`" + `: what a driver promises of each request, and
that a batch means what its requests mean one after the other. What a server cannot do there is in the second table.

| server | setup | contract |
|---|---|---|
`)
	kinds := map[realserver.Kind]bool{}
	for _, s := range realSetups() {
		kinds[s.options.Kind] = true
		contract := "kept"
		switch n := len(habitsOf(s)); {
		case unfit[s.name] != "":
			contract = "not run: " + unfit[s.name]
		case n == 1:
			contract = "kept, but for one habit"
		case n > 1:
			contract = fmt.Sprintf("kept, but for %d habits", n)
		}
		_, setup, _ := strings.Cut(s.name, "/")
		if setup == "" {
			setup = s.protocol.String()
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s.options.Kind, setup, contract)
	}
	b.WriteString("| ftp-srv | ftps | not run: it begins TLS a moment after its 234, and reads what comes before that as a command |\n")
	b.WriteString("| Erlang/OTP ssh_sftpd | sftp | tests of its own: it gives the handle of an open file away again |\n")
	b.WriteString("| rclone serve sftp | sftp | tests of its own: it stores whole objects when a file is closed |\n")
	b.WriteString("\n## Habits\n\nWhat a server does, by the case of the suite that shows it.\n\n| server | case | what it does |\n|---|---|---|\n")
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		for _, name := range slices.Sorted(maps.Keys(realHabits[kind])) {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", kind, name, strings.ReplaceAll(realHabits[kind][name], "|", "\\|"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tlsHabits)) {
		for _, c := range slices.Sorted(maps.Keys(tlsHabits[name])) {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", name, c, tlsHabits[name][c])
		}
	}
	b.WriteString(`
## Servers that are not here

Habits of servers that are not run are switches of scripted ones, each alone and in seeded pairs: ` + "`TestHabits`" + ` and
` + "`TestPairsOfHabits`" + ` in ` + "`transport/ftpdriver`" + ` for FTP, ` + "`internal/sftpdrill`" + ` for SFTP. What curl, lftp and sftp really do
with each of them is in their ` + "`testdata/peers.json`" + `, with the versions, and ` + "`TestDeliversWhereAPeerDoes`" + ` demands as much of us. Folders that show nothing, rename nothing or
are emptied as files come are in [trust.md](trust.md#delivery), ` + "`TestDelivery`" + ` in ` + "`ftpx`" + `.
`)
	return b.String()
}
