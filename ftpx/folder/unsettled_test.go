package folder_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ledger"
)

// TestSingleInDoubt: a file whose session was lost while it was sent keeps its source,
// and is not in the ledger, until a look at it has shown that it is still what was sent.
func TestSingleInDoubt(t *testing.T) {
	deleted := folder.Options{After: folder.After{Source: folder.SourceDelete}}
	for name, tt := range map[string]struct {
		opts   folder.Options
		ledger bool
		change func(source, there string) error // between the two tries
		text   string                           // of the destination at the end, "" for the first
		sent   int                              // how often
		atOnce bool                             // done at the first try
	}{
		"as it was":          {opts: deleted, sent: 1},
		"marked":             {opts: folder.Options{After: folder.After{MarkSource: ".sent"}}, sent: 1},
		"marked there":       {opts: folder.Options{After: folder.After{MarkTarget: ".done"}}, sent: 1},
		"with a ledger":      {ledger: true, sent: 1},
		"nothing depends on": {sent: 1, atOnce: true},
		"replaced": {opts: deleted, sent: 2, change: func(_, there string) error {
			return os.WriteFile(there, []byte("what a lost session had sent"), 0o600)
		}},
		"replaced, with a ledger": {ledger: true, sent: 2, change: func(_, there string) error {
			return os.WriteFile(there, nil, 0o600)
		}},
		"another source": {opts: deleted, sent: 2, text: "a newer one", change: func(source, _ string) error {
			return os.WriteFile(source, []byte("a newer one"), 0o600)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			sent := 0
			var cut sync.Once
			w := start(t, ftpx.SFTP)
			w.hook = func(i ftpx.CommandInfo) {
				if i.Line == "CLOSE" {
					cut.Do(func() { w.SFTP.CutSessions() })
				}
			}
			src := t.TempDir()
			text := content(100_000)
			write(t, src, map[string]string{"f": text})
			source, there := filepath.Join(src, "f"), filepath.Join(w.Root, "in", "f")
			o := tt.opts
			if tt.ledger {
				l, err := ledger.Open(filepath.Join(t.TempDir(), "l"), nil)
				must(t, err)
				defer l.Close()
				o.Ledger, o.Job = l, "job"
			}
			known := func() bool {
				if o.Ledger == nil {
					return false
				}
				_, found, err := o.Ledger.Lookup("job", "f")
				must(t, err)
				return found
			}
			o.OnItem = func(i folder.Item) {
				mu.Lock()
				defer mu.Unlock()
				if i.Result.Moved > 0 {
					sent++
				}
			}
			s, err := folder.NewUpload(w.client, src, "in", &o)
			must(t, err)
			defer s.Close()
			item := s.Copy(t.Context(), "f", false)
			if tt.atOnce {
				if item.Err != nil || len(s.Held()) != 0 {
					t.Fatal(item, s.Held())
				}
				return
			}
			if !errors.Is(item.Err, folder.ErrUnsettled) || item.Own() || item.Doubtful() || item.After != "" {
				t.Fatalf("%v, after %q, own fault %v", item, item.After, item.Own())
			}
			if _, err := os.Stat(source); err != nil || known() {
				t.Fatalf("before it is known to have arrived: source %v, in the ledger %v", err, known())
			}
			if _, err := os.Stat(there + ".done"); err == nil {
				t.Error("its receiver is told that it is whole")
			}
			if got := s.Held(); len(got) != 1 || got[0] != "f" {
				t.Errorf("held: %q", got)
			}
			if tt.change != nil {
				must(t, tt.change(source, there))
			}
			// A try that cannot look leaves it as it is.
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if item = s.Copy(ended, "f", false); !errors.Is(item.Err, context.Canceled) || known() {
				t.Fatal(item, known())
			}
			item = s.Copy(t.Context(), "f", true)
			if item.Err != nil || item.Action != folder.Send || len(s.Held()) != 0 {
				t.Fatalf("%v; held %q", item, s.Held())
			}
			if tt.text != "" {
				text = tt.text
			}
			want := map[string]string{"f": text}
			if o.After.MarkTarget != "" {
				want["f.done"] = ""
			}
			holds(t, filepath.Join(w.Root, "in"), want)
			if _, err := os.Stat(source); (err == nil) != (o.After.Source == folder.SourceKeep) {
				t.Errorf("the source at the end: %v", err)
			}
			if known() != tt.ledger {
				t.Errorf("in the ledger: %v", known())
			}
			if mu.Lock(); sent != tt.sent {
				t.Errorf("sent %d times, want %d", sent, tt.sent)
			}
			mu.Unlock()
			if r := s.Report(); r.Copied != 1 || r.Failed != 2 {
				t.Errorf("%+v", r)
			}
		})
	}
}
