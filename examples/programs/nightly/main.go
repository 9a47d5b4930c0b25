// Nightly sends a folder's reports to a partner, each once, and logs in JSON. It is for a
// timer: it ends with 1 if something failed, and the next run does what is left.
//
//	FTPX_PASSWORD=... nightly sftp://user@partner.example.com/in /var/spool/reports /var/lib/nightly.db
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1], os.Args[2], os.Args[3]); err != nil {
		slog.Error("nightly", "err", err, "kind", ftpx.KindOf(err))
		os.Exit(1)
	}
}

func run(ctx context.Context, url, dir, sent string) error {
	l, err := ledger.Open(sent, nil) // a second run of the same job ends here
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := ftpx.Open(ctx, url, &ftpx.Options{Password: ftpx.Secret(os.Getenv("FTPX_PASSWORD"))})
	if err != nil {
		return err
	}
	defer c.Close()
	report, err := folder.Upload(ctx, c, dir, "", &folder.Options{
		Include: []string{"*.csv"}, Ledger: l, Once: true, Job: "nightly",
		OnItem: func(i folder.Item) {
			if i.Err != nil {
				slog.Warn("failed", "item", i)
			} else if i.Action == folder.Send {
				slog.Info("sent", "file", i.Path, "bytes", i.Size, "checked", i.Result.Verified.String())
			}
		},
	})
	slog.Info("summary", "report", report, "stats", c.Stats())
	return err
}
