package folder_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestFindings: an item tells a program how it compares with its counterpart, in a dry run as
// in another, and also where files wait to be stable.
func TestFindings(t *testing.T) {
	for _, w := range ways {
		for _, ready := range []folder.Ready{{}, {Stable: time.Millisecond}} {
			world := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := w.sides(world, local)
			write(t, src, map[string]string{"d/new": "1", "same": "1", "size": "12", "time": "1", "left.tmp": "1"})
			write(t, dst, map[string]string{"same": "1", "size": "1", "time": "2", "extra": "1"})
			must(t, os.Chtimes(filepath.Join(dst, "time"), when, when.Add(time.Hour)))
			o := &folder.Options{Delete: true, MaxDelete: 1, DryRun: true, Exclude: []string{"*.tmp"}, Ready: ready}
			want := map[string]folder.Finding{"d": folder.Missing, "d/new": folder.Missing, "same": folder.Same, "size": folder.Differs, "time": folder.Differs,
				"extra": folder.Extra, "left.tmp": folder.FindingNone}
			for range 2 {
				got := map[string]folder.Finding{}
				for _, i := range w.run(t.Context(), world, local, o).ok(t).items {
					got[i.Path] = i.Finding
				}
				if !maps.Equal(got, want) {
					t.Errorf("%s, %+v: %v, want %v", w.name, ready, got, want)
				}
				o.DryRun = false
			}
		}
	}
	var f folder.Finding
	for known := folder.FindingNone; known <= folder.Extra; known++ {
		if err := f.UnmarshalText([]byte(known.String())); err != nil || f != known {
			t.Errorf("%v: %v, %v", known, f, err)
		}
	}
	if err := f.UnmarshalText([]byte("new")); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Error(err)
	}
}

// TestUnfinishedToo: what is called like an unfinished transfer is skipped, and with
// Options.Unfinished copied like anything else, whichever names the transfers themselves use.
func TestUnfinishedToo(t *testing.T) {
	files := map[string]string{"a": strings.Repeat("a", 1<<16), "a.part": "part", "a.part.state": "state", "a.part.part": "part of part", ".b.ftpx-0123456789abcdef.part": "b"}
	for _, w := range ways {
		world := start(t, ftpx.SFTP)
		local := t.TempDir()
		src, dst := w.sides(world, local)
		write(t, src, files)
		s := w.run(t.Context(), world, local, &folder.Options{DryRun: true})
		wantPaths(t, w.name, s.of(folder.Skip), "a.part", "a.part.state", ".b.ftpx-0123456789abcdef.part")
		for range 2 {
			w.run(t.Context(), world, local, &folder.Options{Unfinished: true, Compare: folder.CompareNothing}).ok(t)
			holds(t, dst, files)
		}
	}
}

// TestDirectUnseen: files that are delivered directly need no listing of where they go; others
// do, and so does what is to be deleted.
func TestDirectUnseen(t *testing.T) {
	world := start(t, ftpx.SFTP, func(o *testserver.TrioOptions, _ *ftpx.Options) {
		o.Access = func(op testserver.Op, name string) error {
			if (op == testserver.OpStat || op == testserver.OpList || op == testserver.OpRead) && strings.HasPrefix(name, "/tree") {
				return os.ErrPermission
			}
			return nil
		}
	})
	w := ways[0]
	local := t.TempDir()
	src, dst := w.sides(world, local)
	write(t, src, map[string]string{"a": "a"})
	must(t, os.Mkdir(dst, 0o777))
	for _, o := range []folder.Options{{}, {Delivery: ftpx.DeliverDirect, Delete: true}} {
		if s := w.run(t.Context(), world, local, &o); ftpx.KindOf(s.err) != ftpx.KindPermission {
			t.Errorf("%+v: %v", o, s.err)
		}
	}
	s := w.run(t.Context(), world, local, &folder.Options{Delivery: ftpx.DeliverDirect}).ok(t)
	if len(s.items) != 1 || s.items[0].Finding != folder.FindingNone || s.items[0].Reason != "what is there cannot be listed" {
		t.Errorf("%s", s)
	}
	holds(t, dst, map[string]string{"a": "a"})
}
