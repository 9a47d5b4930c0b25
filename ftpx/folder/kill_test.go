package folder_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// child uploads or downloads in a process of its own, and says each file that is done.
func child(args []string) {
	port, _ := strconv.Atoi(args[1])
	ctx := context.Background()
	client, err := ftpx.Open(ctx, "sftp://user@127.0.0.1/", &ftpx.Options{Password: "password", Ports: ftpx.Ports{SFTP: port},
		SSH: transport.SSH{HostKeyFingerprints: []string{args[2]}}})
	if err == nil {
		var l *ledger.Ledger
		if l, err = ledger.Open(args[4], nil); err == nil {
			opts := &folder.Options{Ledger: l, Job: "j", OnItem: func(i folder.Item) {
				if i.Action == folder.Send || i.Action == folder.Fetch {
					fmt.Println(i.Path)
				}
			}}
			if args[0] == "upload" {
				_, err = folder.Upload(ctx, client, args[3], "tree", opts)
			} else {
				_, err = folder.Download(ctx, client, "tree", args[3], opts)
			}
			l.Close()
		}
		client.Close()
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// TestKilled: runs that are killed at any moment are carried on by the next; in the
// end everything is there, whole, and the ledger says nothing that is not so.
func TestKilled(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local, path := t.TempDir(), filepath.Join(t.TempDir(), "l")
			src, dst := way.sides(w, local)
			files := map[string]string{"none/": "", "big": content(3 << 20)}
			for i := range 400 {
				files[fmt.Sprintf("d%d/f%03d", i%9, i)] = content(i * 31)
			}
			write(t, src, files)
			kills := 0
			for round := 0; ; round++ {
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), "FOLDER_TEST_CHILD="+strings.Join([]string{way.name, strconv.Itoa(w.SFTP.Port()), w.fingerprint(), local, path}, "\n"))
				cmd.Stderr = os.Stderr
				out, err := cmd.StdoutPipe()
				must(t, err)
				must(t, cmd.Start())
				lines := bufio.NewScanner(out)
				for range 10 + 37*round {
					if !lines.Scan() {
						break
					}
					if strings.HasPrefix(lines.Text(), "error") {
						t.Error(lines.Text())
					}
				}
				_ = cmd.Process.Kill()
				for lines.Scan() { // to the end of what it said
				}
				err = cmd.Wait()
				if err == nil {
					break // it came to its end
				}
				if kills++; kills > 20 {
					t.Fatal("it never ends")
				}
			}
			if kills < 2 {
				t.Errorf("%d kills show nothing", kills)
			}
			// A kill may leave a file of some bytes behind that no transfer goes on
			// with; deleting them when they are old is Delete's business.
			way.run(t.Context(), w, local, &folder.Options{Delete: true, PartialAge: time.Nanosecond}).ok(t)
			holds(t, dst, files)
			l := openLedger(t, path)
			for e, err := range l.History("j") {
				must(t, err)
				if int64(len(files[e.Path])) != e.Source.Size {
					t.Errorf("%+v", e)
				}
			}
			w.since()
			s := way.run(t.Context(), w, local, &folder.Options{Ledger: l, Job: "j"}).ok(t)
			if transfers, _ := w.since(); len(transfers) != 0 {
				t.Errorf("%d transfers after the end, %+v", len(transfers), s.report)
			}
			t.Logf("%d kills", kills)
		})
	}
}
