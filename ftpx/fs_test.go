package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fsTree is what the trees of these tests hold: name and size.
var fsTree = map[string]int{
	"a.txt": 11, "empty": 0, "large.bin": 700_000, "-dash": 3, "two words": 5, "ünï/文字/ελ": 77,
	"d/e/f/deep.bin": 300_000, "d/x": 1, ".hidden/y": 2,
}

func plantTree(t testing.TB, root string, links ...string) {
	t.Helper()
	when := time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)
	for name, n := range fsTree {
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, content(n), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, when, when); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(root, "bare"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, to := range links {
		if err := os.Symlink(to, filepath.Join(root, "link-"+to)); err != nil {
			if runtime.GOOS == "windows" {
				t.Skip(err)
			}
			t.Fatal(err)
		}
	}
}

// conforms runs testing/fstest over the tree, over a part of it, and compares
// what is read in several ways with what is there.
func conforms(t *testing.T, fsys fs.FS) {
	t.Helper()
	if err := fstest.TestFS(fsys, slices.Collect(func(yield func(string) bool) {
		for name := range fsTree {
			if !yield(name) {
				return
			}
		}
	})...); err != nil {
		t.Error(err)
	}
	sub, err := fs.Sub(fsys, "d")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(sub, "e/f/deep.bin", "x"); err != nil {
		t.Errorf("of a part: %v", err)
	}
	for name, n := range fsTree {
		got, err := fs.ReadFile(fsys, name)
		if err != nil || !bytes.Equal(got, content(n)) {
			t.Errorf("ReadFile(%q): %d bytes, %v", name, len(got), err)
		}
	}
	var walked []string
	if err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasPrefix(p, "link") {
			walked = append(walked, p)
		}
		return err
	}); err != nil || len(walked) != len(fsTree) {
		t.Errorf("WalkDir: %q, %v", walked, err)
	}
	if found, err := fs.Glob(fsys, "d/*/f/*.bin"); err != nil || !slices.Equal(found, []string{"d/e/f/deep.bin"}) {
		t.Errorf("Glob: %q, %v", found, err)
	}
	serves(t, fsys)
}

// serves asks net/http for ranges out of a file system.
func serves(t *testing.T, fsys fs.FS) {
	t.Helper()
	srv := httptest.NewServer(http.FileServerFS(fsys))
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	data := content(fsTree["large.bin"])
	for _, c := range []struct {
		ask  string
		code int
		want []byte
	}{
		{"", 200, data}, {"bytes=0-9", 206, data[:10]}, {"bytes=300000-600000", 206, data[300_000:600_001]},
		{"bytes=-7", 206, data[len(data)-7:]}, {"bytes=900000-", 416, nil},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", srv.URL+"/large.bin", nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.ask != "" {
			req.Header.Set("Range", c.ask)
		}
		res, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.code || c.want != nil && !bytes.Equal(got, c.want) {
			t.Errorf("range %q: %s, %d bytes, %v", c.ask, res.Status, len(got), err)
		}
	}
}

func TestFSConforms(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		plantTree(t, trio.Root)
		conforms(t, c.FS(t.Context()))
		if _, err := fs.Stat(c.FS(t.Context()), "no/such"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, want not exist", err)
		}
	})
}

// TestFSLinks: they are followed where they are named, and shown as links where
// they are listed, over SFTP; MLSD of ftpserverlib shows them as files.
func TestFSLinks(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		plantTree(t, trio.Root, "a.txt", "d", "missing")
		fsys := c.FS(t.Context())
		if got, err := fs.ReadFile(fsys, "link-a.txt"); err != nil || !bytes.Equal(got, content(11)) {
			t.Errorf("%q, %v", got, err)
		}
		if got, err := fs.ReadFile(fsys, "link-d/e/f/deep.bin"); err != nil || !bytes.Equal(got, content(300_000)) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if list, err := fs.ReadDir(fsys, "link-d"); err != nil || len(list) != 2 {
			t.Errorf("%v, %v", list, err)
		}
		if _, err := fsys.Open("link-missing"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, want not exist", err)
		}
		list, err := fs.ReadDir(fsys, ".")
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if link := d.Type()&fs.ModeSymlink != 0; strings.Contains(t.Name(), "sftp") && link != strings.HasPrefix(d.Name(), "link-") {
				t.Errorf("%v", d)
			}
		}
		if !strings.Contains(t.Name(), "sftp") {
			return
		}
		if err := os.Remove(filepath.Join(trio.Root, "link-missing")); err != nil {
			t.Fatal(err)
		}
		if err := fstest.TestFS(fsys, "link-a.txt", "link-d"); err != nil {
			t.Error(err)
		}
	})
}

func TestFSStartsFromBase(t *testing.T) {
	trio := startTrio(t)
	plantTree(t, trio.Root)
	for _, base := range []string{"d/e", "/d/e"} {
		c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: trio.User, Base: base, Options: optionsFor(trio, ftpx.SFTP)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := fstest.TestFS(c.FS(t.Context()), "f/deep.bin"); err != nil {
			t.Error(err)
		}
	}
}

// mem is a client of a server in memory, which tells what was asked of it.
type mem struct {
	ftpx.Client
	*memconn.Server
	fsys fs.FS

	mu   sync.Mutex // guards asks
	asks map[string]int
}

// since returns how often each request was sent since the last call.
func (m *mem) since() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	asks := m.asks
	m.asks = map[string]int{}
	return asks
}

func newMem(t testing.TB, p ftpx.Protocol, mo memconn.Options, o ftpx.Options, wrap func(transport.Conn) transport.Conn) *mem {
	t.Helper()
	m := &mem{Server: memconn.New(mo), asks: map[string]int{}}
	o.Protocols, o.AllowPlaintext = []ftpx.Protocol{p}, true
	o.Hooks = &ftpx.Hooks{Command: func(_ context.Context, i ftpx.CommandInfo) {
		m.mu.Lock()
		defer m.mu.Unlock()
		verb, _, _ := strings.Cut(i.Line, " ")
		m.asks[verb]++
	}}
	ftpx.SetConnect(&o, func(ctx context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		conn, err := m.Dial(ctx, ep)
		if err == nil && wrap != nil {
			conn = wrap(conn)
		}
		return conn, err
	})
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: o})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	m.Client, m.fsys = c, c.FS(t.Context())
	return m
}

var fsWhen = time.Date(2025, 5, 6, 7, 8, 9, 0, time.UTC)

func TestFSRefusesInvalidPaths(t *testing.T) {
	m := newMem(t, ftpx.SFTP, memconn.Options{}, ftpx.Options{}, nil)
	m.since()
	for _, name := range []string{"", "/", "/a", "a/", "..", "../a", "a/../b", "./a", "a//b", "\xff", "a\rb", "a\nb", "a\x00b"} {
		_, open := m.fsys.Open(name)
		_, stat := fs.Stat(m.fsys, name)
		_, dir := fs.ReadDir(m.fsys, name)
		_, file := fs.ReadFile(m.fsys, name)
		_, sub := m.fsys.(fs.SubFS).Sub(name)
		for op, err := range map[string]error{"open": open, "stat": stat, "readdir": dir, "readfile": file, "sub": sub} {
			var pe *fs.PathError
			if !errors.As(err, &pe) || !errors.Is(err, fs.ErrInvalid) || pe.Path != name {
				t.Errorf("%s(%q): %v, want a PathError with ErrInvalid", op, name, err)
			}
		}
	}
	if asks := m.since(); len(asks) > 0 {
		t.Errorf("the server was asked: %v", asks)
	}
}

// odd is a server that lists what it likes, tells no sizes, or resumes at no offset.
type odd struct {
	entries   []transport.Entry
	noSize    bool
	noRestart *atomic.Int64 // counts refusals
}

func (o *odd) wrap(c transport.Conn) transport.Conn {
	return memconn.Wrap(c, func(_ context.Context, r transport.Request, next func() error) error {
		switch r := r.(type) {
		case *transport.List:
			for _, e := range o.entries {
				if !r.Yield(e) {
					break
				}
			}
			return nil
		case *transport.Stat:
			err := next()
			if o.noSize {
				r.Entry.Size = -1
			}
			return err
		case *transport.Retrieve:
			if r.Offset > 0 && o.noRestart != nil {
				o.noRestart.Add(1)
				return &transport.Error{Op: "RETR", Path: r.Path, Kind: transport.KindRestart, Err: errors.New("no REST here")}
			}
		}
		return next()
	})
}

func TestFSLeavesHostileNamesOut(t *testing.T) {
	o := &odd{}
	for _, name := range []string{"z", "..", ".", "", "/etc/passwd", "a/b", "../up", "bad\xffutf8", "nul\x00", "cr\r", "lf\n", "esc\x1b[2J", "del\x7f", "c1\u0085", "a", "z", "ünï"} {
		o.entries = append(o.entries, transport.Entry{Type: transport.TypeFile, Name: name, Size: 1, ModTime: fsWhen, TimeExact: true})
	}
	m := newMem(t, ftpx.SFTP, memconn.Options{}, ftpx.Options{}, o.wrap)
	list, err := fs.ReadDir(m.fsys, ".")
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	if err != nil || !slices.Equal(names, []string{"a", "z", "ünï"}) {
		t.Errorf("%q, %v", names, err)
	}
	n := 0
	for _, err := range m.List(t.Context(), ".") {
		if n++; err != nil {
			t.Error(err)
		}
	}
	if n != len(o.entries) {
		t.Errorf("List shows %d of %d", n, len(o.entries))
	}
}

// TestFSInfoCostsNoRoundTrip: Info is the listing's, unless that was not exact.
func TestFSInfoCostsNoRoundTrip(t *testing.T) {
	var stats int
	hook := &ftpx.Hooks{Attempt: func(_ context.Context, i ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
		if i.Op == "stat" {
			stats++
		}
		return nil, nil
	}}
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		o.FTP = func(o *testserver.FTPOptions) {
			if o.TLS == testserver.ExplicitTLS {
				o.Disable = []string{"MLSD", "MLST"}
			}
		}
	})
	plantTree(t, trio.Root)
	for p, want := range map[ftpx.Protocol]int{ftpx.SFTP: 0, ftpx.FTPSImplicit: 0, ftpx.FTPS: 9} {
		opts := optionsFor(trio, p)
		opts.Hooks = hook
		c := connect(t, trio, opts)
		list, err := fs.ReadDir(c.FS(t.Context()), ".")
		if err != nil {
			t.Fatal(err)
		}
		stats = 0
		n := 0
		for _, d := range list {
			info, err := d.Info()
			if err != nil || info.Name() != d.Name() {
				t.Errorf("%v: %v, %v", p, info, err)
			}
			if d.Type().IsRegular() {
				n++
				if !info.ModTime().Equal(time.Date(2025, 3, 4, 5, 6, 7, 0, time.UTC)) || info.Size() != int64(fsTree[d.Name()]) {
					t.Errorf("%v: %v", p, info)
				}
			}
		}
		if stats != want {
			t.Errorf("%v: %d entries of %d were asked about, want %d", p, stats, len(list), want)
		}
	}
}

// readers are ways to read a whole file.
var readers = map[string]func(fs.FS, string) ([]byte, error){
	"ReadFile": fs.ReadFile,
	"Read": func(fsys fs.FS, name string) ([]byte, error) {
		return opened(fsys, name, func(f fs.File) ([]byte, error) { return io.ReadAll(onlyReader{f}) })
	},
	"large Read": func(fsys fs.FS, name string) ([]byte, error) {
		return opened(fsys, name, func(f fs.File) ([]byte, error) {
			var all []byte
			for buf := make([]byte, 1<<20); ; {
				n, err := f.Read(buf)
				if all = append(all, buf[:n]...); err == io.EOF {
					return all, nil
				} else if err != nil {
					return all, err
				}
			}
		})
	},
	"WriteTo": func(fsys fs.FS, name string) ([]byte, error) {
		return opened(fsys, name, func(f fs.File) ([]byte, error) {
			var b bytes.Buffer
			_, err := f.(io.WriterTo).WriteTo(&b)
			return b.Bytes(), err
		})
	},
	"ReadAt": func(fsys fs.FS, name string) ([]byte, error) {
		return opened(fsys, name, func(f fs.File) ([]byte, error) {
			info, err := f.Stat()
			if err != nil {
				return nil, err
			}
			all := make([]byte, info.Size())
			var g group
			for off := 0; off < len(all); off += 200_000 {
				g.Go(func() error {
					p := all[off:min(off+200_000, len(all))]
					n, err := f.(io.ReaderAt).ReadAt(p, int64(off))
					if n < len(p) {
						return fmt.Errorf("%d of %d bytes: %w", n, len(p), err)
					}
					return nil
				})
			}
			return all, g.Wait()
		})
	},
}

type onlyReader struct{ io.Reader }

func opened(fsys fs.FS, name string, f func(fs.File) ([]byte, error)) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return f(file)
}

// TestFSReadsThroughFaults breaks each I/O operation in turn: between pieces, in
// them, and in the looks after them.
func TestFSReadsThroughFaults(t *testing.T) {
	data := content(700_001)
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		for name, read := range readers {
			for _, do := range []memconn.Action{memconn.LostBefore, memconn.ShortWrite, memconn.Garbage, memconn.CutShort, memconn.Stall} {
				t.Run(fmt.Sprintf("%v/%s/%v", p, name, do), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						m := newMem(t, p, memconn.Options{Chunk: 128 << 10}, ftpx.Options{}, nil)
						m.Files().Write("f", data, fsWhen)
						for n := 0; ; n++ {
							var hit atomic.Bool
							begin := m.Server.Stats().Ops
							m.Inject(func(op memconn.OpInfo) memconn.Fault {
								if op.N-begin != n {
									return memconn.Fault{}
								}
								hit.Store(true)
								if op.Step == memconn.StepDial {
									return memconn.Fault{Do: memconn.LostBefore} // what answers garbage is no server
								}
								return memconn.Fault{Do: do}
							})
							got, err := read(m.fsys, "f")
							if err != nil || !bytes.Equal(got, data) {
								t.Fatalf("operation %d: %d bytes, %v", n, len(got), err)
							}
							if !hit.Load() {
								if n < 10 {
									t.Errorf("only %d operations", n)
								}
								return
							}
						}
					})
				})
			}
		}
	}
}

// TestFSSurvivesAResetBetweenReads on a file that is being read.
func TestFSSurvivesAResetBetweenReads(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		data := content(3 << 20)
		if err := os.WriteFile(filepath.Join(trio.Root, "f"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := c.FS(t.Context()).Open("f")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var got []byte
		for buf := make([]byte, 200_000); ; {
			cut := trio.SFTP.CutSessions() + trio.FTP.CutSessions() + trio.FTPS.CutSessions()
			n, err := f.Read(buf)
			got = append(got, buf[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("after %d bytes, %d sessions cut: %v", len(got), cut, err)
			}
		}
		if !bytes.Equal(got, data) {
			t.Errorf("%d bytes differ", len(got))
		}
	})
}

// TestFSNeverMixes: a file that changes while it is open fails, whatever way it is
// read, and what was handed out before is of the old one.
func TestFSNeverMixes(t *testing.T) {
	old, changed := content(2<<20), content(2<<20 + 1)[1:]
	changes := map[string]func(m *mem){
		"rewritten":        func(m *mem) { m.Files().Write("f", changed, fsWhen.Add(time.Second)) },
		"rewritten, older": func(m *mem) { m.Files().Write("f", changed, fsWhen.Add(-time.Hour)) },
		"shorter":          func(m *mem) { m.Files().Write("f", changed[:100], fsWhen) },
		"longer":           func(m *mem) { m.Files().Write("f", append(slices.Clone(old), 'x'), fsWhen) },
		"now a folder":     func(m *mem) { m.Files().Remove("f"); m.Files().MkdirAll("f/g") },
	}
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		for what, change := range changes {
			t.Run(fmt.Sprintf("%v/%s", p, what), func(t *testing.T) {
				m := newMem(t, p, memconn.Options{}, ftpx.Options{Retry: retry.Policy{MaxAttempts: 3, InitialDelay: time.Millisecond}}, nil)
				m.Files().Write("f", old, fsWhen)
				f, err := m.fsys.Open("f")
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				first := make([]byte, 100_000)
				if _, err := io.ReadFull(f, first); err != nil {
					t.Fatal(err)
				}
				change(m)
				rest, err := io.ReadAll(onlyReader{f})
				if !errors.Is(err, ftpx.ErrSourceChanged) {
					t.Errorf("Read: %v, want ErrSourceChanged", err)
				}
				if got := append(first, rest...); !bytes.HasPrefix(old, got) {
					t.Errorf("%d bytes handed out are not the old file's", len(got))
				}
				var pe *fs.PathError
				if _, err := f.(io.ReaderAt).ReadAt(make([]byte, 10), 1<<20); !errors.Is(err, ftpx.ErrSourceChanged) || !errors.As(err, &pe) || pe.Path != "f" {
					t.Errorf("ReadAt: %v, want ErrSourceChanged", err)
				}
			})
		}
	}
	// In the middle of a fetch.
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		for name, read := range readers {
			for _, n := range []int{0, 1, 2, 4, 8} {
				m := newMem(t, p, memconn.Options{Chunk: 256 << 10}, ftpx.Options{Retry: retry.Policy{MaxAttempts: 3, InitialDelay: time.Millisecond}}, nil)
				m.Files().Write("f", old, fsWhen)
				var data atomic.Int64
				m.Inject(func(op memconn.OpInfo) memconn.Fault {
					if op.Step == memconn.StepData && data.Add(1) == int64(n) {
						m.Files().Write("f", changed, fsWhen.Add(time.Second))
					}
					return memconn.Fault{}
				})
				got, err := read(m.fsys, "f")
				if err == nil && !bytes.Equal(got, old) || err != nil && !errors.Is(err, ftpx.ErrSourceChanged) {
					t.Errorf("%v %s, changed at chunk %d: %d bytes, %v", p, name, n, len(got), err)
				}
				if data.Load() >= int64(n) && n > 0 && err == nil {
					t.Errorf("%v %s, changed at chunk %d: no error", p, name, n)
				}
			}
		}
	}
}

func TestFSFileRemoved(t *testing.T) {
	m := newMem(t, ftpx.FTPS, memconn.Options{}, ftpx.Options{}, nil)
	m.Files().Write("f", content(100), fsWhen)
	f, err := m.fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m.Files().Remove("f")
	if _, err := f.Read(make([]byte, 10)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, want not exist", err)
	}
}

// TestFSOpenFilesHoldNoConnection: with one connection, fifty files are open and
// read in turns, while files are written.
func TestFSOpenFilesHoldNoConnection(t *testing.T) {
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		t.Run(p.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // which ends in a deadlock if there is one
				m := newMem(t, p, memconn.Options{RoundTrip: time.Millisecond}, ftpx.Options{Limits: ftpx.Limits{Conns: 1}}, nil)
				const files, size = 50, 700_000
				var open []fs.File
				for i := range files {
					m.Files().Write(fmt.Sprint("f", i), content(size+i), fsWhen)
					f, err := m.fsys.Open(fmt.Sprint("f", i))
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					open = append(open, f)
				}
				got := make([]bytes.Buffer, files)
				for round := 0; ; round++ {
					left := 0
					for i, f := range open {
						n, err := io.CopyN(&got[i], onlyReader{f}, 100_000)
						if err != nil && err != io.EOF {
							t.Fatal(err)
						}
						if n > 0 {
							left++
						}
					}
					if _, err := m.Put(t.Context(), fmt.Sprint("put", round), strings.NewReader("x"), nil); err != nil {
						t.Fatal(err)
					}
					if left == 0 {
						break
					}
				}
				for i := range got {
					if !bytes.Equal(got[i].Bytes(), content(size+i)) {
						t.Errorf("file %d differs", i)
					}
				}
				// And all at once, from one file too.
				var g group
				for i, f := range open {
					g.Go(func() error {
						b := make([]byte, size+i)
						if n, err := f.(io.ReaderAt).ReadAt(b, 0); n < len(b) {
							return err
						}
						if !bytes.Equal(b, content(size+i)) {
							return fmt.Errorf("file %d differs", i)
						}
						_, err := m.Stat(t.Context(), "f0")
						return err
					})
				}
				if err := g.Wait(); err != nil {
					t.Error(err)
				}
				if s := m.Server.Stats(); s.MostOpen != 1 {
					t.Errorf("%d connections were open", s.MostOpen)
				}
			})
		})
	}
}

// TestFSReadsAhead: a file that is read in small steps costs few operations.
func TestFSReadsAhead(t *testing.T) {
	m := newMem(t, ftpx.SFTP, memconn.Options{}, ftpx.Options{}, nil)
	const size = 40 << 20
	data := content(size)
	m.Files().Write("f", data, fsWhen)
	var opens atomic.Int64
	m.Inject(func(op memconn.OpInfo) memconn.Fault {
		if op.Step == memconn.StepRequest && op.Request == "SSH_FXP_OPEN" {
			opens.Add(1)
		}
		return memconn.Fault{}
	})
	f, err := m.fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	if opens.Load() != 0 {
		t.Error("Open has fetched")
	}
	got := make([]byte, 0, size)
	for buf := make([]byte, 4096); ; {
		n, err := f.Read(buf)
		got = append(got, buf[:n]...)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, data) {
		t.Error("it differs")
	}
	// 256 KiB, 512 KiB, and so on to 8 MiB: 15.75 MiB in six windows, then three of 8.
	if n := opens.Load(); n < 8 || n > 10 {
		t.Errorf("%d windows for 40 MiB", n)
	}
	if moved := m.Server.Stats().Sent; moved != size {
		t.Errorf("%d bytes were sent for %d", moved, size)
	}
	f.Close()
	if n := ftpx.ReservedChunks(m.Client); n != 0 {
		t.Errorf("%d chunks are not given back", n)
	}
}

// TestFSReadsAheadOfASectionReader, whose calls of ReadAt follow one another.
func TestFSReadsAheadOfASectionReader(t *testing.T) {
	m := newMem(t, ftpx.SFTP, memconn.Options{}, ftpx.Options{}, nil)
	data := content(8 << 20)
	m.Files().Write("f", data, fsWhen)
	f, err := m.fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got bytes.Buffer
	before := m.Server.Stats().Ops
	r := struct{ io.Reader }{io.NewSectionReader(f.(io.ReaderAt), 1<<20, 6<<20)}
	if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, r, make([]byte, 4096)); err != nil || !bytes.Equal(got.Bytes(), data[1<<20:7<<20]) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
	if n := m.Server.Stats().Ops - before; n > 300 { // 192 and more are chunks of payload
		t.Errorf("%d operations", n)
	}
}

// TestFSOverABadLine: every connection is reset after 2 MiB.
func TestFSOverABadLine(t *testing.T) {
	t.Parallel()
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			srv := ftpxtest.NewServer(t, p)
			data := content(8<<20 + 5)
			if err := os.WriteFile(filepath.Join(srv.Root, "f"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := ftpx.Open(t.Context(), srv.URL(), srv.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			srv.ResetAfter(2 << 20)
			for name, read := range readers {
				if got, err := read(c.FS(t.Context()), "f"); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s: %d bytes, %v", name, len(got), err)
				}
			}
			if n := srv.Stats().Resets; n < 10 {
				t.Errorf("%d resets", n)
			}
		})
	}
}

// TestFSCutThatCostsTheSession is no failure, and nothing is waited for.
func TestFSCutThatCostsTheSession(t *testing.T) {
	m := newMem(t, ftpx.FTPS, memconn.Options{CutCosts: true}, ftpx.Options{}, nil)
	data := content(3 << 20)
	m.Files().Write("f", data, fsWhen)
	got, err := readers["Read"](m.fsys, "f")
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if s := m.Client.Stats(); s.Retries != 0 || s.Dials < 3 {
		t.Errorf("%+v, want no retries, and dials for what the cuts cost", s)
	}
}

// TestFSMemoryIsBounded with many files read in the middle.
func TestFSMemoryIsBounded(t *testing.T) {
	m := newMem(t, ftpx.SFTP, memconn.Options{}, ftpx.Options{}, nil)
	m.Files().Write("f", content(24<<20), fsWhen)
	var open []fs.File
	most := int64(0)
	for range 30 {
		f, err := m.fsys.Open("f")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, f)
		if _, err := io.CopyN(io.Discard, onlyReader{f}, 8<<20); err != nil {
			t.Fatal(err)
		}
		most = max(most, ftpx.ReservedChunks(m.Client))
	}
	if limit := int64(256 + 30); most > limit || most < 200 {
		t.Errorf("%d chunks of 256 KiB for 30 files, want up to %d", most, limit)
	}
	for _, f := range open {
		f.Close()
	}
	if n := ftpx.ReservedChunks(m.Client); n != 0 {
		t.Errorf("%d chunks are not given back", n)
	}
}

// TestFSSlowLine: a Read does not wait for a large window on a slow line.
func TestFSSlowLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMem(t, ftpx.SFTP, memconn.Options{Rate: 400 << 10, RoundTrip: 20 * time.Millisecond}, ftpx.Options{}, nil)
		m.Files().Write("f", content(8<<20), fsWhen)
		f, err := m.fsys.Open("f")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		begin := time.Now()
		for buf := make([]byte, 32<<10); ; {
			before := time.Now()
			if _, err := f.Read(buf); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(before); took > 4*time.Second {
				t.Errorf("a Read took %v", took)
			}
		}
		if took := time.Since(begin); took > 25*time.Second { // 20.5 s are the line's own
			t.Errorf("8 MiB took %v", took)
		}
	})
}

func TestFSSeek(t *testing.T) {
	m := newMem(t, ftpx.SFTP, memconn.Options{}, ftpx.Options{}, nil)
	data := content(1 << 20)
	m.Files().Write("f", data, fsWhen)
	f, err := m.fsys.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := f.(io.ReadSeeker)
	for _, c := range []struct {
		off    int64
		whence int
		at     int64
	}{{500_000, io.SeekStart, 500_000}, {-100, io.SeekEnd, 1<<20 - 100}, {0, io.SeekStart, 0}, {10, io.SeekCurrent, 20}, {5 << 20, io.SeekStart, 5 << 20}} {
		at, err := s.Seek(c.off, c.whence)
		if err != nil || at != c.at {
			t.Fatalf("Seek(%d, %d) = %d, %v", c.off, c.whence, at, err)
		}
		b := make([]byte, 10)
		n, err := io.ReadFull(s, b)
		if at >= 1<<20 {
			if err != io.EOF {
				t.Errorf("behind the end: %v", err)
			}
		} else if err != nil || !bytes.Equal(b[:n], data[at:at+10]) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	if _, err := s.Seek(-1, io.SeekStart); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}

// TestFSOddServers: one tells no size, one does not go on from an offset.
func TestFSOddServers(t *testing.T) {
	data := content(1<<20 + 77)
	refused := new(atomic.Int64)
	for name, wrap := range map[string]func(transport.Conn) transport.Conn{
		"no size":    (&odd{noSize: true}).wrap,
		"no restart": (&odd{noRestart: refused}).wrap,
		"neither":    (&odd{noSize: true, noRestart: refused}).wrap,
	} {
		t.Run(name, func(t *testing.T) {
			m := newMem(t, ftpx.FTPS, memconn.Options{}, ftpx.Options{}, wrap)
			m.Files().Write("f", data, fsWhen)
			for way, read := range readers {
				if way == "ReadAt" && name != "no restart" {
					continue // it asks for the size
				}
				got, err := read(m.fsys, "f")
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("%s: %d bytes, %v", way, len(got), err)
				}
			}
			f, err := m.fsys.Open("f")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			b := make([]byte, 100)
			if n, err := f.(io.ReaderAt).ReadAt(b, int64(len(data)-40)); n != 40 || err != io.EOF || !bytes.Equal(b[:40], data[len(data)-40:]) {
				t.Errorf("at the end: %d bytes, %v", n, err)
			}
		})
	}
	if refused.Load() == 0 {
		t.Error("nothing was refused")
	}
}

// TestFSContext: the context of the file system ends a Read under way, and so does
// closing the file.
func TestFSContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMem(t, ftpx.SFTP, memconn.Options{Rate: 1000}, ftpx.Options{}, nil)
		m.Files().Write("f", content(1<<20), fsWhen)
		ctx, cancel := context.WithCancel(t.Context())
		fsys := m.Client.FS(ctx)
		reading := func() (fs.File, chan error) {
			f, err := fsys.Open("f")
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				_, err := f.Read(make([]byte, 10))
				done <- err
			}()
			synctest.Wait()
			return f, done
		}
		f, done := reading()
		f.Close()
		if err := <-done; !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
		for what, err := range map[string]error{"Close": f.Close(), "Read": errOf(f.Read(make([]byte, 1))), "Stat": errOf(f.Stat()), "ReadAt": errOf(f.(io.ReaderAt).ReadAt(make([]byte, 1), 0)), "Seek": errOf(f.(io.Seeker).Seek(0, 0))} {
			if !errors.Is(err, fs.ErrClosed) {
				t.Errorf("%s of a closed file: %v", what, err)
			}
		}
		f, done = reading()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want Canceled", err)
		}
		f.Close()
		if _, err := fsys.Open("f"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want Canceled", err)
		}
		if n := ftpx.ReservedChunks(m.Client); n != 0 {
			t.Errorf("%d chunks are not given back", n)
		}
		if got, err := fs.ReadFile(m.fsys, path.Base("f")); err == nil {
			_ = got // another context, and an hour and a half of simulated time
		} else {
			t.Error(err)
		}
	})
}

func errOf[A any](_ A, err error) error { return err }

// group runs functions at the same time and joins their errors.
type group struct {
	wg   sync.WaitGroup
	mu   sync.Mutex // guards errs
	errs []error
}

func (g *group) Go(f func() error) {
	g.wg.Go(func() {
		err := f()
		g.mu.Lock()
		defer g.mu.Unlock()
		g.errs = append(g.errs, err)
	})
}

func (g *group) Wait() error {
	g.wg.Wait()
	return errors.Join(g.errs...)
}
