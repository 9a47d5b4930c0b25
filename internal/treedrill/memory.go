package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

const (
	// maxMemory bounds the resident size of a process that mirrors 200,000
	// entries, the Go runtime and the drivers included.
	maxMemory = 96 << 20
	perFolder = 1000
)

// measureMemory mirrors a tree that is there already, from a process of its own.
// The server serves the very folder: nothing has to be copied first.
func measureMemory(ctx context.Context, out io.Writer, entries int) (err error) {
	l, err := startEmbedded(ctx, ftpx.SFTP, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	tree := filepath.Join(l.root, remoteName)
	files := 0
	for i := 0; files+i < entries; i++ {
		dir := filepath.Join(tree, fmt.Sprintf("folder-%04d", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for j := 0; j < perFolder && files+i+1 < entries; j++ {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("a file with a name of usual length %06d.dat", j)), nil, 0o644); err != nil {
				return err
			}
			files++
		}
	}
	o := l.order
	o.Up, o.Local, o.Remote = true, tree, remoteName
	begin := time.Now()
	e, err := runChild(ctx, &o, -1)
	if err != nil {
		return fmt.Errorf("the mirror of %d entries: %w", entries, err)
	}
	fmt.Fprintf(out, "mirror of %d entries with nothing to do: %d unchanged, %v, peak memory %.1f MiB, bound %d MiB\n",
		entries, e.report.Unchanged, time.Since(begin).Round(10*time.Millisecond), float64(e.memory)/(1<<20), maxMemory>>20)
	if e.report.Unchanged != files || e.report.Bytes != 0 {
		return fmt.Errorf("the mirror of %d files: %+v", files, e.report)
	}
	if e.memory > maxMemory {
		return fmt.Errorf("peak memory is %d bytes, bound %d", e.memory, maxMemory)
	}
	return nil
}
