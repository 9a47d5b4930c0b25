// Upload sends files to a folder of a host as the user's ssh would reach it: an example of
// a program that uses the library.
//
//	upload HOST:FOLDER FILE...
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/sshconfig"
	"github.com/seed01fc2e40/go-ftpx/retry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: upload HOST:FOLDER FILE...")
		os.Exit(2)
	}
	if err := upload(ctx, os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "upload:", err)
		os.Exit(1)
	}
}

// upload sends the files. One that cannot be read does not stop the others.
func upload(ctx context.Context, to string, files []string) (err error) {
	c, err := sshconfig.Open(ctx, to, &ftpx.Options{
		Retry: retry.Policy{MaxElapsed: 15 * time.Minute}, // without progress
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }() // which looks once more at what is in doubt
	var failed error
	for _, file := range files {
		res, err := c.Upload(ctx, file, filepath.Base(file), &ftpx.UploadOptions{CreateDirs: true})
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			failed = errors.Join(failed, err)
			continue
		}
		if err != nil {
			return errors.Join(failed, err)
		}
		fmt.Printf("%s: %d bytes, checked by %v, after %d attempts\n", file, res.Size, res.Verified, res.Attempts)
	}
	return failed
}
