package folder_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

// takesNoUnprovenSource runs again with SourceDelete: the source was, or its copy was,
// changed in a way that listings do not show. It may only go once its content is there.
func takesNoUnprovenSource(t *testing.T, way way, w *world, local string, opts *folder.Options, content string) {
	t.Helper()
	opts.After.Source = folder.SourceDelete
	s := way.run(t.Context(), w, local, opts).ok(t)
	src, dst := way.sides(w, local)
	holds(t, dst, map[string]string{"a": content})
	holds(t, src, map[string]string{})
	if s.report.Taken != 1 || s.report.Copied != 1 {
		t.Errorf("%+v\n%s", s.report, s)
	}
}

// TestInexactTimeProvesNoVersion: where a server tells times to the minute or the day, a source that
// was written again within it looks as it did when it was copied.
func TestInexactTimeProvesNoVersion(t *testing.T) {
	w := start(t, ftpx.FTP, disable("MLSD", "MLST", "MDTM", "MFMT"))
	local := t.TempDir()
	way := way{"download", false}
	src, _ := way.sides(w, local)
	write(t, src, map[string]string{"a": "first"})
	opts := &folder.Options{Job: "j", Once: true, Ledger: openLedger(t, filepath.Join(t.TempDir(), "l"))}
	way.run(t.Context(), w, local, opts).ok(t)
	must(t, os.WriteFile(filepath.Join(src, "a"), []byte("again"), 0o644))
	must(t, os.Chtimes(filepath.Join(src, "a"), when, when.Add(10*time.Second)))
	takesNoUnprovenSource(t, way, w, local, opts, "again")
}

// TestChangedCopyProvesNothing: the ledger knows that this version of the source was
// copied, but what is there now is not what was copied then.
func TestChangedCopyProvesNothing(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			local := t.TempDir()
			src, dst := way.sides(w, local)
			write(t, src, map[string]string{"a": "first"})
			opts := &folder.Options{Job: "j", Compare: folder.CompareSize, Ledger: openLedger(t, filepath.Join(t.TempDir(), "l"))}
			way.run(t.Context(), w, local, opts).ok(t)
			must(t, os.WriteFile(filepath.Join(dst, "a"), []byte("other"), 0o644)) // of the same size
			takesNoUnprovenSource(t, way, w, local, opts, "first")
		})
	}
}

// grower is a client beside which the remote file grows before it is fetched.
type grower struct {
	ftpx.Client
	grow func()
}

func (g grower) Download(ctx context.Context, remote, local string, o *ftpx.DownloadOptions) (ftpx.Result, error) {
	g.grow()
	return g.Client.Download(ctx, remote, local, o)
}

// TestLedgerOfAGrownSource: what was fetched is not the version that was listed, and its
// time is not known. The ledger has no entry of a mixture of both.
func TestLedgerOfAGrownSource(t *testing.T) {
	w := start(t, ftpx.SFTP)
	local := t.TempDir()
	way := way{"download", false}
	src, dst := way.sides(w, local)
	write(t, src, map[string]string{"a": "first"})
	plain := w.client
	w.client = grower{plain, func() {
		if err := os.WriteFile(filepath.Join(src, "a"), []byte("first and more"), 0o644); err != nil {
			t.Error(err)
		}
	}}
	l := openLedger(t, filepath.Join(t.TempDir(), "l"))
	way.run(t.Context(), w, local, &folder.Options{Job: "j", Ledger: l}).ok(t)
	holds(t, dst, map[string]string{"a": "first and more"})
	if e, found, err := l.Lookup("j", "a"); found || err != nil {
		t.Errorf("%+v, %v", e, err)
	}
}
