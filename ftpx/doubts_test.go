package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// cutAtClose ends every session once, when all of a file has been written and it is to be
// closed: it is complete, and whether the lost session has it open nobody knows.
func cutAtClose(trio *testserver.Trio) *ftpx.Hooks {
	var once sync.Once
	return &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
		if i.Line == "CLOSE" {
			once.Do(func() { trio.SFTP.CutSessions() })
		}
	}}
}

// TestLastLook: a file whose session was lost in the middle may be replaced by the server
// after Upload has returned. Close and Recheck find out.
func TestLastLook(t *testing.T) {
	data := content(1_100_000)
	other := bytes.Clone(data)
	other[len(other)-1]++
	src := localFile(t, data)
	for name, tt := range map[string]struct {
		change   func(ftpx.Client, *testserver.Trio) error
		replaced string // what is named, "" for no error
	}{
		"nothing": {func(ftpx.Client, *testserver.Trio) error { return nil }, ""},
		"shorter": {func(_ ftpx.Client, trio *testserver.Trio) error {
			return os.WriteFile(filepath.Join(trio.Root, "f"), nil, 0o600)
		}, "f"},
		"other bytes": {func(_ ftpx.Client, trio *testserver.Trio) error {
			return os.WriteFile(filepath.Join(trio.Root, "f"), other, 0o600)
		}, "f"},
		"taken away": {func(_ ftpx.Client, trio *testserver.Trio) error { return os.Remove(filepath.Join(trio.Root, "f")) }, ""},
		"renamed": {func(c ftpx.Client, trio *testserver.Trio) error {
			return errors.Join(c.Rename(t.Context(), "f", "g"), os.WriteFile(filepath.Join(trio.Root, "g"), other, 0o600))
		}, "g"},
		"left as it was": {func(c ftpx.Client, trio *testserver.Trio) error {
			res, err := c.Upload(t.Context(), src, "f", nil)
			if !res.Unchanged {
				t.Errorf("it was sent again: %+v", res)
			}
			return errors.Join(err, os.WriteFile(filepath.Join(trio.Root, "f"), nil, 0o600))
		}, "f"},
		"replaced by a rename": {func(c ftpx.Client, trio *testserver.Trio) error {
			if err := os.WriteFile(filepath.Join(trio.Root, "g"), other, 0o600); err != nil {
				return err
			}
			return c.Rename(t.Context(), "g", "f")
		}, ""},
		"uploaded again": {func(c ftpx.Client, trio *testserver.Trio) error {
			_, err := c.Upload(t.Context(), localFile(t, other), "f", nil)
			return errors.Join(err, os.WriteFile(filepath.Join(trio.Root, "f"), nil, 0o600))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, by := range []string{"Close", "Recheck"} {
				trio := startTrio(t)
				opts := optionsFor(trio, ftpx.SFTP)
				opts.Hooks = cutAtClose(trio)
				c := connect(t, trio, opts)
				r := c.(ftpx.Rechecker)
				if res, err := c.Upload(t.Context(), src, "f", nil); err != nil || res.Attempts < 2 {
					t.Fatal(res, err)
				}
				wantFile(t, filepath.Join(trio.Root, "f"), data)
				if !r.Doubtful("f") {
					t.Fatal("there is no doubt")
				}
				if err := tt.change(c, trio); err != nil {
					t.Fatal(err)
				}
				look := c.Close
				if by == "Recheck" {
					look = func() error {
						return errors.Join(r.Recheck(t.Context(), "f"), r.Recheck(t.Context(), "g"))
					}
				}
				err := look()
				var e *ftpx.Error
				switch {
				case tt.replaced == "":
					if err != nil {
						t.Errorf("%s: %v", by, err)
					}
				case !errors.Is(err, ftpx.ErrReplaced) || !errors.As(err, &e) || e.Remote != tt.replaced:
					t.Errorf("%s: %v, want that %s was replaced", by, err, tt.replaced)
				}
				if r.Doubtful("f") || r.Doubtful("g") {
					t.Errorf("%s: it is still in doubt", by)
				}
				if err := c.Close(); err != nil {
					t.Errorf("%s: told twice: %v", by, err)
				}
			}
		})
	}
}

// TestNoDoubtWhereOffsetsAreTaken: a host that has gone on with a file is not looked at.
func TestNoDoubtWhereOffsetsAreTaken(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		var once sync.Once
		cut := func(i ftpx.ProgressInfo) {
			if i.Offset > 4<<20 {
				once.Do(func() { trio.SFTP.CutSessions(); trio.FTP.CutSessions(); trio.FTPS.CutSessions() })
			}
		}
		res, err := c.Upload(t.Context(), localFile(t, content(24<<20)), "f", &ftpx.UploadOptions{Progress: cut})
		if err != nil || res.Resumes == 0 {
			t.Fatal(res, err)
		}
		if c.(ftpx.Rechecker).Doubtful("f") {
			t.Error("there is doubt about a host that writes at offsets")
		}
	})
}

// TestReplacedAtOnce: a file that was replaced before Upload has looked at it again is sent
// again; one that always is, is an error.
func TestReplacedAtOnce(t *testing.T) {
	for _, always := range []bool{false, true} {
		trio := startTrio(t)
		opts := optionsFor(trio, ftpx.SFTP)
		var mu sync.Mutex
		renamed, replaced := false, 0
		cut := cutAtClose(trio)
		opts.Hooks = &ftpx.Hooks{Command: func(ctx context.Context, i ftpx.CommandInfo) {
			cut.Command(ctx, i)
			mu.Lock()
			defer mu.Unlock()
			renamed = renamed || strings.Contains(i.Line, "rename")
			if i.Line == "STAT f" && renamed && (always || replaced == 0) {
				replaced++
				if err := os.WriteFile(filepath.Join(trio.Root, "f"), []byte("what a lost session had sent"), 0o600); err != nil {
					t.Error(err)
				}
			}
		}}
		c := connect(t, trio, opts)
		data := content(100_000)
		res, err := c.Upload(t.Context(), localFile(t, data), "f", nil)
		switch {
		case always:
			if !errors.Is(err, ftpx.ErrReplaced) {
				t.Error(res, err)
			}
		case err != nil || replaced != 1:
			t.Error(replaced, res, err)
		default:
			wantFile(t, filepath.Join(trio.Root, "f"), data)
		}
	}
}

// TestNoNameIsWrittenTwice: where REST is refused, each attempt after a lost session goes
// to a name of its own, which that session does not have open.
func TestNoNameIsWrittenTwice(t *testing.T) {
	var mu sync.Mutex
	var stored, rests []string
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		o.FTP = func(o *testserver.FTPOptions) {
			o.OnCommand = func(verb, param string) string {
				mu.Lock()
				defer mu.Unlock()
				switch verb {
				case "STOR":
					stored = append(stored, param)
				case "REST":
					rests = append(rests, param)
					return "502 REST: command not implemented"
				}
				return ""
			}
		}
	})
	c := connect(t, trio, optionsFor(trio, ftpx.FTP))
	for n := range 2 {
		stored, rests = nil, nil
		data := content(8<<20 + n)
		cuts := 0
		res, err := c.Upload(t.Context(), localFile(t, data), fmt.Sprint("f", n), &ftpx.UploadOptions{Progress: func(i ftpx.ProgressInfo) {
			if cuts < 3 && i.Offset > int64(2+cuts)<<20 {
				cuts++
				trio.FTP.CutSessions()
			}
		}})
		if err != nil || cuts != 3 {
			t.Fatal(cuts, res, err)
		}
		wantFile(t, filepath.Join(trio.Root, fmt.Sprint("f", n)), data)
		if names := slices.Compact(slices.Sorted(slices.Values(stored))); len(names) != len(stored) || len(stored) < 2 {
			t.Errorf("stored as %q", stored)
		}
		if n > 0 && len(rests) > 0 {
			t.Errorf("the host is known, and was asked %d times", len(rests))
		}
		if left, _ := filepath.Glob(filepath.Join(trio.Root, ".*.part")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}
