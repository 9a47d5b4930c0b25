package folder_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// untold lists some names without saying what they are.
type untold struct{ ftpx.Client }

func (c untold) List(ctx context.Context, dir string) iter.Seq2[ftpx.Entry, error] {
	return func(yield func(ftpx.Entry, error) bool) {
		for e, err := range c.Client.List(ctx, dir) {
			if e.Name == "x" {
				e.Type, e.Size = transport.TypeUnknown, -1
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// TestUntold: what the server tells nothing of is a failure, not left out, and as it may
// be a folder, nothing is deleted.
func TestUntold(t *testing.T) {
	for _, include := range [][]string{nil, {"*.txt"}} {
		w := start(t, ftpx.SFTP)
		local := t.TempDir()
		write(t, w.Root, map[string]string{"a.txt": "1", "x/b.txt": "2"})
		write(t, local, map[string]string{"old.txt": "o"})
		var failed []string
		report, err := folder.Download(t.Context(), untold{w.client}, ".", local, &folder.Options{Include: include, Delete: true, MaxDelete: 1, OnItem: func(i folder.Item) {
			if errors.Is(i.Err, folder.ErrUnknownType) {
				failed = append(failed, i.Path)
			}
		}})
		if !errors.Is(err, folder.ErrIncomplete) || !errors.Is(err, folder.ErrSourceIncomplete) || report.Copied != 1 {
			t.Errorf("%+v, %v", report, err)
		}
		wantPaths(t, "failed", failed, "x")
		holds(t, local, map[string]string{"a.txt": "1", "old.txt": "o"})
	}
}
