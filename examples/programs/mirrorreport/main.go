// Mirrorreport makes a local folder hold what a remote one holds and writes what was done as
// JSON, a line for each file and one for all.
//
//	FTPX_PASSWORD=... mirrorreport sftp://user@files.example.com/out /srv/mirror report.jsonl
package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

func main() {
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url, dir, name string) (err error) {
	c, err := ftpx.Open(ctx, url, &ftpx.Options{Password: ftpx.Secret(os.Getenv("FTPX_PASSWORD"))})
	if err != nil {
		return err
	}
	defer c.Close()
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	lines := json.NewEncoder(f)
	report, err := folder.Download(ctx, c, "", dir, &folder.Options{
		Delete: true, MaxDelete: 0.2, // more than a fifth at once is a mistake
		OnItem: func(i folder.Item) {
			if i.Action != folder.Skip {
				err = errors.Join(err, lines.Encode(i))
			}
		},
	})
	return errors.Join(err, lines.Encode(report))
}
