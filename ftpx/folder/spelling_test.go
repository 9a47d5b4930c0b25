package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
)

// folding is a side that finds names in whatever case, as Windows and macOS do.
type folding struct{ side }

func (f folding) stat(ctx context.Context, rel string) (entry, error) {
	spelled, err := f.spelled(ctx, rel)
	if err != nil {
		return entry{}, err
	}
	return f.side.stat(ctx, spelled)
}

func (f folding) spelled(ctx context.Context, rel string) (string, error) {
	if rel == "." {
		return rel, nil
	}
	dir, err := f.spelled(ctx, path.Dir(rel))
	if err != nil {
		return "", err
	}
	entries, err := f.side.list(ctx, dir)
	for _, e := range entries {
		if strings.EqualFold(e.name, path.Base(rel)) {
			return join(dir, e.name), nil
		}
	}
	return "", errors.Join(err, fs.ErrNotExist)
}

// TestAnotherSpelling: after a rename that changes only the case, a source that finds
// both spellings is no reason to doubt its listing. What bears the old name at the other
// side stays.
func TestAnotherSpelling(t *testing.T) {
	for _, up := range []bool{true, false} {
		c := ftpxtest.NewClient()
		defer c.Close()
		local := t.TempDir()
		here, there := []string{"New", "Dir/x", "Same"}, []string{"New", "new", "Dir/x", "dir/x", "Same"}
		if !up {
			here, there = there, here
		}
		for _, rel := range here {
			name := filepath.Join(local, filepath.FromSlash(rel))
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte("x"), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		if entries, err := os.ReadDir(local); err != nil || !up && len(entries) < 5 {
			t.Skip("this system folds names itself")
		}
		for _, rel := range there {
			if _, err := c.Put(t.Context(), "in/"+rel, strings.NewReader("x"), &ftpx.PutOptions{CreateDirs: true}); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			var left, failed []string
			j, err := newJob(c, local, "in", &Options{Compare: CompareSize, Delete: true, MaxDelete: 1, OnItem: func(i Item) {
				switch {
				case i.Err != nil:
					failed = append(failed, i.String())
				case strings.Contains(i.Reason, "spell"):
					left = append(left, i.Path)
				}
			}}, up)
			if err != nil {
				t.Fatal(err)
			}
			j.src = folding{j.src}
			report, err := j.run(t.Context())
			j.close()
			slices.Sort(left)
			if err != nil || report.Deleted != 0 || len(failed) > 0 || !slices.Equal(left, []string{"dir", "dir/x", "new"}) {
				t.Errorf("up %v: %+v, %v; left %q, failed %q", up, report, err, left, failed)
			}
		}
	}
}
