package sftpdrill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What is done with each server.
const (
	small    = "a small file"
	replaced = "in a file's place"
	shorter  = "direct, over a longer file"
	longer   = "direct, over a shorter file"
	large    = "a large file"
	resumed  = "from the middle"
	download = "download"
	list     = "list"
	stat     = "stat"
	missing  = "what is missing"
	treeUp   = "a tree up"
	treeDown = "a tree down"
)

// TestHabits: each habit alone. What it does not make impossible is done.
func TestHabits(t *testing.T) {
	t.Parallel()
	for _, h := range table {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			for what, err := range drill(t, h.set) {
				if !slices.Contains(h.cannot, what) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

// TestPairs: two habits at a time. Whatever comes of it, nothing that is not done is
// reported as done.
func TestPairs(t *testing.T) {
	t.Parallel()
	const pairs = 24
	rnd := rand.New(rand.NewPCG(1, 0))
	for range pairs {
		a, b := table[1+rnd.IntN(len(table)-1)], table[1+rnd.IntN(len(table)-1)]
		t.Run(a.name+" and "+b.name, func(t *testing.T) {
			t.Parallel()
			for what, err := range drill(t, a.set, b.set) {
				if !slices.Contains(a.cannot, what) && !slices.Contains(b.cannot, what) {
					t.Logf("%s: %v", what, err)
				}
			}
		})
	}
}

// A world is a server and a client of it.
type world struct {
	*testing.T
	root, local string
	client      ftpx.Client
	open        func() ftpx.Client // another
	port        string
	failed      map[string]error
}

// drill does all that there is with a server, and returns what failed. What was reported
// as done and is not fails the test.
func drill(t *testing.T, set ...func(*habits)) map[string]error {
	h := &habits{}
	for _, f := range set {
		f(h)
	}
	w := newWorld(t, testserver.SFTPOptions{Habits: h})
	w.upload(small, "small", content(1, 1000))
	w.replace("old", content(2, 2000), content(3, 1000))
	w.direct(shorter, "direct1", content(7, 300_000), content(8, 50_000))
	w.direct(longer, "direct2", content(9, 2000), content(10, 400_000))
	w.upload(large, "large", content(4, 500_000))
	w.resume("half", content(5, 400_000))
	w.download("there", content(6, 300_001))
	w.list()
	w.stat("there")
	_, err := w.client.Stat(t.Context(), "in/nothing")
	w.told(missing, nil, err == nil)
	w.trees()
	return w.failed
}

// newWorld starts a server, whose root the options need not name, and a client.
func newWorld(t *testing.T, opts testserver.SFTPOptions) *world {
	w := &world{T: t, root: t.TempDir(), local: t.TempDir(), failed: map[string]error{}}
	opts.Root = w.root
	srv, err := testserver.StartSFTP(opts)
	w.must(err)
	t.Cleanup(func() { srv.Close() })
	w.port = strconv.Itoa(srv.Port())
	w.open = func() ftpx.Client {
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: "user", Options: ftpx.Options{
			Password: "password", Protocols: []ftpx.Protocol{ftpx.SFTP}, Ports: ftpx.Ports{SFTP: srv.Port()},
			SSH:   transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(srv.HostKey())}},
			Retry: retry.Policy{InitialDelay: time.Millisecond, BusyDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond, MaxAttempts: 4},
		}})
		w.must(err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	w.client = w.open()
	w.must(os.MkdirAll(filepath.Join(w.root, "in", "dir"), 0o755))
	return w
}

// told takes note of an error. lie says that there is none and should be.
func (w *world) told(what string, err error, lie bool) {
	w.Helper()
	switch {
	case err != nil:
		w.failed[what] = err
	case lie:
		w.Errorf("%s: it is reported as done, and is not", what)
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func content(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

func (w *world) source(name string, data []byte) string {
	file := filepath.Join(w.local, name)
	w.must(os.WriteFile(file, data, 0o644))
	return file
}

// holds reports whether a file on the server holds this.
func (w *world) holds(name string, data []byte) bool {
	got, err := os.ReadFile(filepath.Join(w.root, "in", name))
	return err == nil && bytes.Equal(got, data)
}

func (w *world) upload(what, name string, data []byte) {
	_, err := w.client.Upload(w.Context(), w.source(name, data), "in/"+name, nil)
	w.told(what, err, !w.holds(name, data))
}

// replace uploads in the place of a file, which stays if that fails.
func (w *world) replace(name string, old, data []byte) {
	w.must(os.WriteFile(filepath.Join(w.root, "in", name), old, 0o644))
	w.upload(replaced, name, data)
	var failed *ftpx.Error
	if errors.As(w.failed[replaced], &failed) && failed.Outcome == ftpx.NotDone && !w.holds(name, old) {
		w.Errorf("%s: it is reported as not done, and the old file is gone: %v", replaced, failed)
	}
}

// direct uploads under the name of a file.
func (w *world) direct(what, name string, old, data []byte) {
	w.must(os.WriteFile(filepath.Join(w.root, "in", name), old, 0o644))
	_, err := w.client.Upload(w.Context(), w.source(name, data), "in/"+name, &ftpx.UploadOptions{Delivery: ftpx.DeliverDirect})
	w.told(what, err, !w.holds(name, data))
}

// resume uploads a file that was given up in the middle.
func (w *world) resume(name string, data []byte) {
	source := w.source(name, data)
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	_, _ = w.open().Upload(ctx, source, "in/"+name, &ftpx.UploadOptions{Progress: func(p ftpx.ProgressInfo) {
		if p.Offset > int64(len(data)/2) {
			cancel()
		}
	}})
	w.upload(resumed, name, data)
}

func (w *world) download(name string, data []byte) {
	w.must(os.WriteFile(filepath.Join(w.root, "in", name), data, 0o644))
	file := filepath.Join(w.local, "got")
	_, err := w.client.Download(w.Context(), "in/"+name, file, nil)
	got, _ := os.ReadFile(file)
	w.told(download, err, !bytes.Equal(got, data))
}

// list compares a listing with the folder. What has no type is not told as a file.
func (w *world) list() {
	var got, want []string
	var failed error
	for e, err := range w.client.List(w.Context(), "in") {
		if failed = err; err == nil && e.Type == transport.TypeUnknown {
			failed = fmt.Errorf("%s has no type", e.Name)
		}
		got = append(got, fmt.Sprint(e.Name, e.IsDir()))
	}
	entries, err := os.ReadDir(filepath.Join(w.root, "in"))
	w.must(err)
	for _, e := range entries {
		want = append(want, fmt.Sprint(e.Name(), e.IsDir()))
	}
	slices.Sort(got)
	slices.Sort(want)
	w.told(list, failed, !slices.Equal(got, want))
}

func (w *world) stat(name string) {
	e, err := w.client.Stat(w.Context(), "in/"+name)
	if err == nil && e.Type == transport.TypeUnknown {
		err = errors.New("it has no type")
	}
	info, serr := os.Stat(filepath.Join(w.root, "in", name))
	w.must(serr)
	w.told(stat, err, e.Type != transport.TypeFile || e.Size >= 0 && e.Size != info.Size())
}

// trees takes a folder to the server and one from there.
func (w *world) trees() {
	files := map[string][]byte{}
	for i := range 12 {
		files[fmt.Sprintf("d%d/f%02d", i%3, i)] = content(byte(10+i), 100+i*700)
	}
	files["d0/large"] = content(60, 300_000)
	up, down := filepath.Join(w.local, "up"), filepath.Join(w.local, "down")
	put := func(dir string) {
		for name, data := range files {
			w.must(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
			w.must(os.WriteFile(filepath.Join(dir, name), data, 0o644))
		}
	}
	same := func(dir string) bool {
		for name, data := range files {
			if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, data) {
				w.Log(name, len(got), "bytes of", len(data), err)
				return false
			}
		}
		return true
	}
	put(up)
	_, err := folder.Upload(w.Context(), w.client, up, "up", nil)
	w.told(treeUp, err, err == nil && !same(filepath.Join(w.root, "up")))
	put(filepath.Join(w.root, "down"))
	_, err = folder.Download(w.Context(), w.client, "down", down, nil)
	w.told(treeDown, err, err == nil && !same(down))
	_ = filepath.WalkDir(filepath.Join(w.root, "up"), func(p string, _ fs.DirEntry, _ error) error {
		if strings.HasSuffix(p, ".part") && w.failed[treeUp] == nil {
			w.Errorf("%s was left", p)
		}
		return nil
	})
}
