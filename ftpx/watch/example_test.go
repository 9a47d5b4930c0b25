package watch_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
)

// A worker takes the files that a partner puts on a server. Each is dealt with at least
// once, also when the process is killed in between: the ledger knows what is done.
func ExampleRemote() {
	c := ftpxtest.NewClient() // a program has ftpx.Open
	defer c.Close()
	c.WriteFile("orders/1.xml", []byte("<order/>"), time.Now())
	dir, err := os.MkdirTemp("", "orders-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := ledger.Open(filepath.Join(dir, "done.db"), nil)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	opts := &watch.Options{
		Folder:   folder.Options{Ledger: l, Job: "orders", Ready: folder.Ready{Stable: time.Millisecond}},
		Interval: 10 * time.Millisecond, RetryAfter: 10 * time.Millisecond,
	}
	for e, err := range watch.Remote(ctx, c, "orders", opts) {
		if err != nil {
			log.Print(err) // the watch goes on
			continue
		}
		var order bytes.Buffer
		if _, err = c.Get(ctx, path.Join("orders", e.Path), &order, nil); err == nil && e.Attempt == 1 {
			err = fmt.Errorf("the database is away")
		}
		fmt.Println(e.Path, order.String(), "-", err)
		switch {
		case err == nil:
			err = e.Done()
			stop() // this example has one order
		case e.Attempt < 5:
			err = e.Again()
		default:
			err = e.Dead()
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// 1.xml <order/> - the database is away
	// 1.xml <order/> - <nil>
}

// Files that appear in a folder are sent, and deleted once they are shown to have arrived.
func ExampleUpload() {
	dir, err := os.MkdirTemp("", "outbox-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c := ftpxtest.NewClient()
	defer c.Close()
	if err := os.WriteFile(filepath.Join(dir, "invoice.pdf"), []byte("%PDF"), 0o600); err != nil {
		log.Fatal(err)
	}

	ctx, stop := context.WithCancel(context.Background())
	report, err := watch.Upload(ctx, c, dir, "in", &watch.Options{Folder: folder.Options{
		Ready: folder.Ready{Stable: time.Millisecond},
		After: folder.After{Source: folder.SourceDelete},
		OnItem: func(i folder.Item) {
			if i.Action == folder.Send {
				fmt.Println(i.Path, i.Outcome)
				stop() // a program ends by a signal
			}
		},
	}})
	left, _ := os.ReadDir(dir)
	fmt.Println(report.Copied, len(left), err)
	// Output:
	// invoice.pdf done
	// 1 0 <nil>
}
