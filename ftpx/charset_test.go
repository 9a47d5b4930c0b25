//go:build linux

// Only there does every file system take names that are no Unicode.

package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// names lists a local folder.
func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func listed(t *testing.T, c ftpx.Client, dir string) (names []string) {
	t.Helper()
	for e, err := range c.List(t.Context(), dir) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, e.Name)
	}
	slices.Sort(names)
	return names
}

// Names are in UTF-8 here and in Shift-JIS on the server, in every protocol and
// every operation. The second bytes of 能 and ポ are "\" and "|" alone.
func TestCharset(t *testing.T) {
	trio := startTrio(t)
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			opts := optionsFor(trio, p)
			opts.Charset = japanese.ShiftJIS
			var mu sync.Mutex
			var commands []string
			opts.Hooks = &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
				mu.Lock()
				commands = append(commands, i.Line)
				mu.Unlock()
			}}
			c := connect(t, trio, opts)
			ctx := t.Context()
			const dir, name = "表示", "ソース能ポ.txt"
			local := filepath.Join(t.TempDir(), "local")
			data := []byte("content of " + p.String())
			if err := os.WriteFile(local, data, 0o600); err != nil {
				t.Fatal(err)
			}
			res, err := c.Upload(ctx, local, dir+"/"+name, &ftpx.UploadOptions{CreateDirs: true})
			if err != nil || res.Outcome != ftpx.Done {
				t.Fatal(res, err)
			}
			rawDir := filepath.Join(trio.Root, "\x95\x5c\x8e\xa6")
			if got := namesIn(t, rawDir); !slices.Equal(got, []string{"\x83\x5c\x81\x5b\x83\x58\x94\x5c\x83\x7c.txt"}) {
				t.Errorf("on disk: %q", got)
			}
			// Somebody else has put in what Shift-JIS does not know.
			if err := os.WriteFile(filepath.Join(rawDir, "\x83\x5c\xfd.txt"), []byte("raw"), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := listed(t, c, dir); !slices.Equal(got, []string{"ソース能ポ.txt", "ソ\xfd.txt"}) {
				t.Errorf("listed: %q", got)
			}
			if e, err := c.Stat(ctx, dir+"/"+name); err != nil || e.Name != name || e.Size != int64(len(data)) {
				t.Errorf("%+v, %v", e, err)
			}
			for from, want := range map[string]string{name: string(data), "ソ\xfd.txt": "raw"} {
				var got bytes.Buffer
				if _, err := c.Get(ctx, dir+"/"+from, &got, nil); err != nil || got.String() != want {
					t.Errorf("%q: %q, %v", from, &got, err)
				}
			}
			into := filepath.Join(t.TempDir(), name)
			if _, err := c.Download(ctx, dir+"/"+name, into, nil); err != nil {
				t.Error(err)
			}
			var walked []string
			if err := c.Walk(ctx, dir, func(p string, _ ftpx.Entry, err error) error { walked = append(walked, p); return err }); err != nil ||
				!slices.Equal(walked, []string{dir, dir + "/" + name, dir + "/ソ\xfd.txt"}) {
				t.Errorf("%q, %v", walked, err)
			}
			when := time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC)
			if err := c.Chtimes(ctx, dir+"/"+name, when); err != nil {
				t.Error(err)
			}
			if err := c.Rename(ctx, dir+"/"+name, dir+"/カ"); err != nil {
				t.Error(err)
			}
			if info, err := os.Stat(filepath.Join(rawDir, "\x83\x4a")); err != nil || !info.ModTime().Equal(when) {
				t.Error(info, err)
			}
			if err := c.Remove(ctx, dir+"/カ"); err != nil {
				t.Error(err)
			}
			if err := c.RemoveAll(ctx, dir); err != nil {
				t.Error(err)
			}
			if got := namesIn(t, trio.Root); len(got) > 0 {
				t.Errorf("left: %q", got)
			}

			// What is missing is told of by the name that was given.
			_, err = c.Stat(ctx, "無い")
			var te *transport.Error
			if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &te) || te.Path != "無い" {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all := strings.Join(commands, "\n")
			if strings.Contains(all, "UTF8") || !strings.Contains(all, name) {
				t.Errorf("sent:\n%s", all)
			}
		})
	}
}

// A name that the set does not have is refused before anything is sent.
func TestCharsetRefusesNames(t *testing.T) {
	trio := startTrio(t)
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			opts := optionsFor(trio, p)
			opts.Charset = charmap.Windows1252
			var mu sync.Mutex
			var commands []string
			opts.Hooks = &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
				mu.Lock()
				commands = append(commands, i.Line)
				mu.Unlock()
			}}
			c := connect(t, trio, opts)
			commands = nil
			ctx := t.Context()
			local := filepath.Join(t.TempDir(), "local")
			if err := os.WriteFile(local, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			_, upload := c.Upload(ctx, local, "日本", nil)
			_, stat := c.Stat(ctx, "日本")
			for what, err := range map[string]error{"upload": upload, "stat": stat, "remove": c.Remove(ctx, "日本"), "mkdir": c.MkdirAll(ctx, "日本"),
				"rename": c.Rename(ctx, "a", "日本"), "bytes": c.Remove(ctx, "\xe9")} {
				if ftpx.KindOf(err) != transport.KindName || !strings.Contains(err.Error(), "Windows 1252") {
					t.Errorf("%s: %v", what, err)
				}
			}
			t.Log(upload)
			mu.Lock()
			defer mu.Unlock()
			if what := strings.Join(commands, "\n"); strings.Contains(what, "?") || strings.Contains(what, "\xe9") || strings.Contains(what, "日") {
				t.Errorf("sent: %q", what)
			}
		})
	}
}

func TestCharsetThatNoServerHas(t *testing.T) {
	_, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: "u", Options: ftpx.Options{Charset: simplifiedchinese.HZGB2312}})
	if ftpx.KindOf(err) != transport.KindInvalid || !strings.Contains(err.Error(), "Options.Charset") {
		t.Error(err)
	}
}

// Without a character set names are UTF-8, and what is not passes as it is.
func TestNamesThatAreNotUTF8(t *testing.T) {
	trio := startTrio(t)
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			opts := optionsFor(trio, p)
			var mu sync.Mutex
			var commands []string
			opts.Hooks = &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
				mu.Lock()
				commands = append(commands, i.Line)
				mu.Unlock()
			}}
			c := connect(t, trio, opts)
			ctx := t.Context()
			names := []string{"Gr\xfc\xdfe", "Grüße", "\x83\x5c\x94\x5c", "яя"}
			slices.Sort(names)
			for _, name := range names {
				if _, err := c.Put(ctx, name, strings.NewReader(name), nil); err != nil {
					t.Fatalf("%q: %v", name, err)
				}
			}
			if got := namesIn(t, trio.Root); !slices.Equal(got, names) {
				t.Errorf("on disk: %q", got)
			}
			if got := listed(t, c, "."); !slices.Equal(got, names) {
				t.Errorf("listed: %q", got)
			}
			for _, name := range names {
				var got bytes.Buffer
				if _, err := c.Get(ctx, name, &got, nil); err != nil || got.String() != name {
					t.Errorf("%q: %q, %v", name, &got, err)
				}
				if err := c.Remove(ctx, name); err != nil {
					t.Error(err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if all := strings.Join(commands, "\n"); p != ftpx.SFTP && !strings.Contains(all, "OPTS UTF8 ON") {
				t.Errorf("sent: %q", all)
			}
		})
	}
}
