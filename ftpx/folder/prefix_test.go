package folder_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// sizeless is a client of a server that tells no size.
type sizeless struct{ ftpx.Client }

func (c sizeless) List(ctx context.Context, dir string) iter.Seq2[ftpx.Entry, error] {
	return func(yield func(ftpx.Entry, error) bool) {
		for e, err := range c.Client.List(ctx, dir) {
			if e.Size = -1; !yield(e, err) {
				return
			}
		}
	}
}

func (c sizeless) Stat(ctx context.Context, p string) (ftpx.Entry, error) {
	e, err := c.Client.Stat(ctx, p)
	e.Size = -1
	return e, err
}

// TestPrefixIsNotTheFile: where a file seems to be at the other side already, and is read
// to prove that, all that comes is what is here, and is not all: the remote file is the
// beginning of the local one. It is copied, is not called unchanged, and its marker and
// what becomes of the source come after that.
func TestPrefixIsNotTheFile(t *testing.T) {
	whole := content(300_000)
	for _, short := range []int{0, 299_999} {
		for _, way := range ways {
			for _, tells := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s %d size=%v", way.name, short, tells), func(t *testing.T) {
					w := start(t, ftpx.SFTP)
					if !tells {
						w.client = sizeless{w.client}
					}
					local := t.TempDir()
					src, dst := way.sides(w, local)
					prefix := whole[:short]
					source, other := whole, prefix
					if !way.up {
						source, other = prefix, whole
					}
					write(t, src, map[string]string{"a": source})
					opts := &folder.Options{Job: "j", Once: true, Ledger: openLedger(t, filepath.Join(t.TempDir(), "l"))}
					if !way.up && !tells {
						opts.Compare = folder.CompareProof // else it is not looked at
					}
					way.run(t.Context(), w, local, opts).ok(t)
					// The entry is for the file, and not surely for this version of it.
					near := when.Add(time.Second)
					must(t, os.Chtimes(filepath.Join(src, "a"), near, near))
					must(t, os.WriteFile(filepath.Join(dst, "a"), []byte(other), 0o644))
					opts.After = folder.After{MarkTarget: ".done", Source: folder.SourceDelete}
					opts.OnItem = func(i folder.Item) {
						if i.Path == "a" && (i.Result.Unchanged || i.Action == folder.Skip) {
							t.Errorf("unchanged: %+v", i)
						}
					}
					s := way.run(t.Context(), w, local, opts).ok(t)
					wantPaths(t, "copied", s.of(folder.Send, folder.Fetch), "a")
					if s.report.Copied != 1 || s.report.Unchanged != 0 {
						t.Errorf("%+v\n%s", s.report, s)
					}
					holds(t, dst, map[string]string{"a": source, "a.done": ""})
					left := map[string]string{}
					if !way.up && !tells {
						left["a"] = source // whether all of it has come is not known
					}
					holds(t, src, left)
				})
			}
		}
	}
}

// TestSizesThatAreNotTold: a listing without sizes leaves nothing out, unless sizes are
// asked for.
func TestSizesThatAreNotTold(t *testing.T) {
	w := start(t, ftpx.SFTP)
	w.client = sizeless{w.client}
	files := map[string]string{"a": "1", "d/b": "22", "empty": ""}
	write(t, filepath.Join(w.Root, "tree"), files)
	local := t.TempDir()
	s := way{}.run(t.Context(), w, local, &folder.Options{}).ok(t)
	if s.report.Copied != 3 || s.report.Left != 0 {
		t.Errorf("%+v\n%s", s.report, s)
	}
	holds(t, local, files)
	s = way{}.run(t.Context(), w, t.TempDir(), &folder.Options{MinSize: 1}).ok(t)
	if s.report.Copied != 0 || s.report.Left != 3 || !strings.Contains(s.String(), "its size is not known") {
		t.Errorf("%+v\n%s", s.report, s)
	}
}
