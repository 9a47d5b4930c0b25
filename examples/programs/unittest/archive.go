// Package unittest is code that uses a client, with a test that needs no server: it moves
// what has been processed out of the way, and leaves alone what it cannot move.
package unittest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// Archive moves a file into the folder archive beside it. One that is gone has been moved.
func Archive(ctx context.Context, c ftpx.Files, name string) error {
	dir, base := path.Split(name)
	to := path.Join(dir, "archive", base)
	if err := c.MkdirAll(ctx, path.Dir(to)); err != nil {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	if err := c.Rename(ctx, name, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("archive %s: %w", name, err)
	}
	return nil
}
