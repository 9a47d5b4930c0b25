package folder_test

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// without is a fake server that has nothing but what it lists.
type without struct {
	*fake
	asked func(p string) // by Stat, about what it does not have
}

func (w without) Stat(ctx context.Context, p string) (ftpx.Entry, error) {
	if p == "in" {
		return w.fake.Stat(ctx, p)
	}
	w.asked(p)
	return ftpx.Entry{}, fs.ErrNotExist
}

// TestLocalLinkLeadsNowhereElse: a folder of the destination that is exchanged for a
// link while the run goes on does not make it list, delete or create elsewhere. At which
// step it is exchanged is no matter of chance, and that the step was come to is seen: where
// nothing is exchanged it does what it is to do.
func TestLocalLinkLeadsNowhereElse(t *testing.T) {
	dir := func(name string) ftpx.Entry { return ftpx.Entry{Name: name, Type: transport.TypeDir} }
	for _, step := range []string{"none", "list", "delete", "create"} {
		t.Run(step, func(t *testing.T) {
			outer := t.TempDir()
			local, outside := filepath.Join(outer, "local"), filepath.Join(outer, "outside")
			symlink(t, "outside", filepath.Join(outer, "links")) // or skips
			write(t, local, map[string]string{"d/extra": "e", "keep1": "x", "keep2": "x"})
			write(t, outside, map[string]string{"extra": "not ours"})
			at := map[string]int{}
			reach := func(s string) {
				if at[s]++; s != step || at[s] > 1 {
					return
				}
				if err := os.Rename(filepath.Join(local, "d"), filepath.Join(outer, "d")); err != nil {
					t.Error(err)
				}
				symlink(t, "../outside", filepath.Join(local, "d"))
			}
			lists := listing(map[string][]ftpx.Entry{"in": {remoteFile("keep1"), remoteFile("keep2"), dir("d")}, "in/d": {dir("new1"), dir("new2")}})
			c := without{fake: &fake{}, asked: func(p string) {
				if p == "in/d/extra" { // right before it is deleted
					reach("delete")
				}
			}}
			c.lists = func(p string) iter.Seq[ftpx.Entry] {
				if p == "in/d" { // right before the local one is listed
					reach("list")
				}
				return lists(p)
			}
			var s seen
			s.report, s.err = folder.Download(t.Context(), c, "in", local, &folder.Options{Delete: true, Parallel: 1, OnItem: func(i folder.Item) {
				s.items = append(s.items, i)
				if i.Path == "d/new1" { // right before d/new2 is made
					reach("create")
				}
			}})
			if step == "list" { // the others are then never come to
				s.wantError(t, "d", nil, "cannot be read")
			} else if at["list"] != 1 || at["delete"] != 1 || at["create"] != 1 {
				t.Errorf("steps %v", at)
			}
			holds(t, outside, map[string]string{"extra": "not ours"})
			if step == "none" {
				s.ok(t)
				holds(t, filepath.Join(local, "d"), map[string]string{"new1/": "", "new2/": ""})
				return
			}
			if step == "create" {
				s.wantError(t, "d/new2", nil, "")
			}
			if step != "list" {
				s.wantError(t, "d/extra", nil, "")
			}
		})
	}
}
