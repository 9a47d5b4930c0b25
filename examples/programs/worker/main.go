// Worker processes what a partner puts into a folder on a server: each file at least once,
// over restarts and failures, and what cannot be processed goes to a folder of its own.
//
//	FTPX_PASSWORD=... worker sftp://user@partner.example.com/orders /var/lib/worker.db
package main

import (
	"bytes"
	"context"
	"errors"
	"log"
	"os"
	"os/signal"
	"path"
	"syscall"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := ledger.Open(os.Args[2], nil)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()
	c, err := ftpx.Open(ctx, os.Args[1], &ftpx.Options{Password: ftpx.Secret(os.Getenv("FTPX_PASSWORD"))})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	what := folder.Options{Include: []string{"*.xml"}, Ready: folder.Ready{Stable: time.Second}, Ledger: l, Job: "orders"}
	opts := &watch.Options{Flat: true, Interval: time.Second, Folder: what}
	for e, err := range watch.Remote(ctx, c, "", opts) {
		if err != nil {
			log.Print(err) // the watch goes on
		} else if err := process(ctx, c, e); err != nil {
			log.Print(err)
		}
	}
}

// process may see a file twice.
func process(ctx context.Context, c ftpx.Client, e watch.Event) error {
	var b bytes.Buffer
	_, err := c.Get(ctx, e.Path, &b, nil)
	if log.Printf("%s: %d bytes", e.Path, b.Len()); err == nil {
		return e.Done()
	} else if e.Attempt < 20 {
		return e.Again()
	}
	return errors.Join(err, c.Rename(ctx, e.Path, path.Join("failed", e.Path)), e.Dead())
}
