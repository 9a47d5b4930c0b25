package folder_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// replacer is a client beside which somebody changes the local file.
type replacer struct {
	ftpx.Client
	before, after func(local string)
}

func (m replacer) Upload(ctx context.Context, local, remote string, o *ftpx.UploadOptions) (ftpx.Result, error) {
	if m.before != nil {
		m.before(local)
	}
	res, err := m.Client.Upload(ctx, local, remote, o)
	if m.after != nil {
		m.after(local)
	}
	return res, err
}

// TestLedgerOfAReplacedSource: the source gives way to another file of the same size
// between the look at it and the transfer, or when that is over. The ledger has no entry
// then, or one of what was sent: the next run believes it.
func TestLedgerOfAReplacedSource(t *testing.T) {
	first, second := content(1000), content(1001)[:1000]
	replaces := func(t *testing.T, when time.Time, over bool) func(string) {
		return func(local string) {
			name := local
			if !over {
				name = filepath.Join(t.TempDir(), "new")
			}
			for _, err := range []error{os.WriteFile(name, []byte(second), 0o644), os.Chtimes(name, when, when), os.Rename(name, local)} {
				if err != nil {
					t.Error(err)
				}
			}
		}
	}
	for name, c := range map[string]struct {
		time  time.Time
		after bool
		over  bool // it is written over
		sent  string
	}{
		"before, newer":              {time: when.Add(time.Hour), sent: second},
		"before, older":              {time: when.Add(-time.Hour), sent: second},
		"before, a little newer":     {time: when.Add(time.Millisecond), sent: second},
		"before, with its time kept": {time: when, sent: second},
		"before, written over":       {time: when.Add(time.Hour), over: true, sent: second},
		"before, a moment newer":     {time: when.Add(time.Millisecond), over: true, sent: second},
		"afterwards, written over":   {time: when.Add(time.Hour), over: true, after: true, sent: first},
		"afterwards":                 {time: when.Add(time.Hour), after: true, sent: first},
		"afterwards, with its time":  {time: when, after: true, sent: first},
		"afterwards, a little newer": {time: when.Add(time.Millisecond), after: true, sent: first},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, ftpx.SFTP)
			m := replacer{Client: w.client, before: replaces(t, c.time, c.over)}
			if c.after {
				m.before, m.after = nil, m.before
			}
			w.client = m
			local := t.TempDir()
			write(t, local, map[string]string{"a": first})
			l := openLedger(t, filepath.Join(t.TempDir(), "l"))
			way{up: true}.run(t.Context(), w, local, &folder.Options{Ledger: l, Job: "j", Once: true}).ok(t)
			holds(t, filepath.Join(w.Root, "tree"), map[string]string{"a": c.sent})

			hash, err := ledger.Hash(strings.NewReader(c.sent), 1000, false)
			must(t, err)
			e, found, err := l.Lookup("j", "a")
			must(t, err)
			if found && e.Source.Hash != hash {
				t.Errorf("the ledger has another file than the one that was sent: %+v", e.Source)
			}
			if info, err := os.Stat(filepath.Join(w.Root, "tree", "a")); found && (err != nil || !e.Source.ModTime.Truncate(time.Second).Equal(info.ModTime())) {
				t.Errorf("the ledger has another time than that of what was sent: %+v, %v", e.Source, err)
			}
			// And what is in the source now is there after the next run.
			w.client = m.Client
			way{up: true}.run(t.Context(), w, local, &folder.Options{Ledger: l, Job: "j", Once: true}).ok(t)
			if !c.after || c.time.Sub(when) > folder.DefaultTolerance { // else no run could see it
				holds(t, filepath.Join(w.Root, "tree"), map[string]string{"a": second})
			}
		})
	}
}
