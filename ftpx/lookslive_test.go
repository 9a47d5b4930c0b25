package ftpx_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// requests records the first words of what a client sends.
type requests struct {
	mu   sync.Mutex
	sent []string
}

func (r *requests) hooks() *ftpx.Hooks {
	return &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
		r.mu.Lock()
		defer r.mu.Unlock()
		verb, _, _ := strings.Cut(i.Line, " ")
		r.sent = append(r.sent, verb)
	}}
}

func (r *requests) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = nil
}

func (r *requests) want(t *testing.T, want ...string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.sent, want) {
		t.Errorf("sent %q, want %q", r.sent, want)
	}
}

func onSFTP(t *testing.T) (c ftpx.Client, trio *testserver.Trio, sent *requests) {
	trio = startTrio(t)
	sent = &requests{}
	opts := optionsFor(trio, ftpx.SFTP)
	opts.Limits.Conns, opts.Hooks = 1, sent.hooks()
	c = connect(t, trio, opts)
	sent.reset()
	return c, trio, sent
}

// TestLargeFileTakesTheConnectionItRodeOn: a download that turns out to be large keeps
// the connection on which that was seen, and the file that was opened.
func TestLargeFileTakesTheConnectionItRodeOn(t *testing.T) {
	c, trio, sent := onSFTP(t)
	data := content(1 << 20)
	if err := os.WriteFile(filepath.Join(trio.Root, "f"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		local := filepath.Join(t.TempDir(), "f")
		res, err := c.Download(t.Context(), "f", local, nil)
		if err != nil || res.Attempts != 1 {
			t.Fatalf("%+v, %v", res, err)
		}
		wantFile(t, local, data)
		sent.want(t, "STAT", "OPEN", "READ")
		sent.reset()
	}
	if s := c.Stats(); s.Open != 1 || s.Idle != 1 || s.Dials != 1 {
		t.Errorf("%+v", s)
	}
	if _, err := c.Download(t.Context(), "none", filepath.Join(t.TempDir(), "f"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestLargeFilesBesideEachOther: where the connection is somebody else's, a file that is
// too large to ride on it waits for it.
func TestLargeFilesBesideEachOther(t *testing.T) {
	c, trio, _ := onSFTP(t)
	data := content(1 << 20)
	if err := os.WriteFile(filepath.Join(trio.Root, "f"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var all sync.WaitGroup
	for _, name := range strings.Split("abcdefgh", "") {
		all.Go(func() {
			local := filepath.Join(dir, name)
			if res, err := c.Download(t.Context(), "f", local, nil); err != nil || res.Attempts != 1 {
				t.Errorf("%+v, %v", res, err)
				return
			}
			wantFile(t, local, data)
		})
	}
	all.Wait()
	if s := c.Stats(); s.Open != 1 || s.Idle != 1 || s.Dials != 1 {
		t.Errorf("%+v", s)
	}
}

// TestSpeculativePartialDoesNotStay: what is made ready for an upload that turns out to be
// needless or unwanted is removed.
func TestSpeculativePartialDoesNotStay(t *testing.T) {
	c, trio, sent := onSFTP(t)
	local := localFile(t, content(2<<20))
	if _, err := c.Upload(t.Context(), local, "f", nil); err != nil {
		t.Fatal(err)
	}
	sent.want(t, "STAT", "STAT", "OPEN", "WRITE", "CLOSE", "SETSTAT", "STAT", "EXTENDED", "STAT")
	wantNames(t, trio.Root, "f")
	if res, err := c.Upload(t.Context(), local, "f", nil); err != nil || !res.Unchanged {
		t.Fatalf("%+v, %v", res, err)
	}
	wantNames(t, trio.Root, "f")
	if _, err := c.Upload(t.Context(), localFile(t, content(3<<20)), "f", &ftpx.UploadOptions{NoReplace: true}); !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	wantNames(t, trio.Root, "f")
	wantFile(t, filepath.Join(trio.Root, "f"), content(2<<20))
}
