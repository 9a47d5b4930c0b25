package folder_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// receiver takes each file away as it is closed.
type receiver struct {
	root string
	mu   sync.Mutex
	got  []string
}

func (r *receiver) take(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := os.ReadFile(filepath.Join(r.root, name))
	if err == nil && os.Remove(filepath.Join(r.root, name)) == nil {
		r.got = append(r.got, string(b))
	}
}

// since returns what was taken since the last call, sorted.
func (r *receiver) since() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := slices.Sorted(slices.Values(r.got))
	r.got = nil
	return got
}

// TestDeliveredOnce: where a receiver takes files away as they are closed, each is sent
// once, by however many runs with a ledger, until it is another or ResendUnknown is set.
func TestDeliveredOnce(t *testing.T) {
	t.Parallel()
	for p, once := range map[ftpx.Protocol]bool{ftpx.SFTP: true, ftpx.FTP: false} {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			r := &receiver{}
			w := start(t, p, func(o *testserver.TrioOptions, _ *ftpx.Options) {
				r.root = o.Root
				o.SFTP = func(s *testserver.SFTPOptions) { s.OnStored = r.take }
				o.FTP = func(s *testserver.FTPOptions) { s.OnStored = r.take }
			})
			src := t.TempDir()
			write(t, src, map[string]string{"a": "first", "sub/b": "second"})
			name := filepath.Join(t.TempDir(), "l")
			run := func(change func(*folder.Options)) (folder.Report, []folder.Item, error) {
				t.Helper()
				l, err := ledger.Open(name, nil)
				must(t, err)
				defer l.Close()
				var items []folder.Item
				o := &folder.Options{Ledger: l, Once: once, OnItem: func(i folder.Item) {
					if i.Err != nil {
						items = append(items, i)
					}
				}}
				if change != nil {
					change(o)
				}
				report, err := folder.Upload(t.Context(), w.client, src, "in", o)
				return report, items, err
			}
			unknown := func(what string, n int, items []folder.Item, err error) {
				t.Helper()
				if !errors.Is(err, folder.ErrIncomplete) || len(items) != n {
					t.Errorf("%s: %v, %v", what, items, err)
				}
				for _, i := range items {
					var e *ftpx.Error
					if !errors.As(i.Err, &e) || e.Outcome != ftpx.Unknown || !e.Acknowledged || !i.Doubtful() {
						t.Errorf("%s: %v", what, i)
					}
				}
			}
			taken := func(what string, want ...string) {
				t.Helper()
				if got := r.since(); !slices.Equal(got, want) {
					t.Errorf("%s: delivered %q, want %q", what, got, want)
				}
			}
			_, items, err := run(nil)
			unknown("first", 2, items, err)
			taken("first", "first", "second")
			for _, dry := range []bool{true, false} {
				_, items, err = run(func(o *folder.Options) { o.DryRun = dry })
				unknown("again", 2, items, err)
				for _, i := range items {
					if !errors.Is(i.Err, folder.ErrMaybeDelivered) {
						t.Error(i)
					}
				}
			}
			_, items, err = run(func(o *folder.Options) { o.After.Source = folder.SourceDelete })
			unknown("with deletion", 2, items, err)
			taken("again")

			write(t, src, map[string]string{"a": "another first"})
			_, items, err = run(nil)
			unknown("changed", 2, items, err)
			taken("changed", "another first")

			_, items, err = run(func(o *folder.Options) { o.ResendUnknown = true })
			unknown("on demand", 2, items, err)
			taken("on demand", "another first", "second")

			// What shows up at the other side after all has been copied.
			write(t, filepath.Join(w.Root, "in"), map[string]string{"a": "another first", "sub/b": "second"})
			if report, items, err := run(nil); err != nil {
				t.Errorf("found there: %+v, %v, %v", report, items, err)
			}
			taken("found there")
		})
	}
}
