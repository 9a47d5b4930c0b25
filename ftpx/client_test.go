package ftpx_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var allProtocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit, ftpx.FTP}

func startTrio(t *testing.T, change ...func(*testserver.TrioOptions)) *testserver.Trio {
	t.Helper()
	opts := testserver.TrioOptions{Root: t.TempDir()}
	for _, f := range change {
		f(&opts)
	}
	trio, err := testserver.StartTrio(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trio.Close() })
	return trio
}

func optionsFor(trio *testserver.Trio, p ...ftpx.Protocol) ftpx.Options {
	return ftpx.Options{
		Password: ftpx.Secret(trio.Password), Protocols: p, AllowPlaintext: slices.Contains(p, ftpx.FTP),
		Ports: ftpx.Ports{SFTP: trio.SFTP.Port(), FTP: trio.FTP.Port(), FTPSImplicit: trio.FTPS.Port()},
		SSH:   transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}},
		TLS:   transport.TLS{Config: &tls.Config{RootCAs: trio.CA.Pool()}},
		Retry: retry.Policy{InitialDelay: time.Millisecond, BusyDelay: time.Millisecond},
	}
}

func connect(t *testing.T, trio *testserver.Trio, opts ftpx.Options) ftpx.Client {
	t.Helper()
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: trio.User, Options: opts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// overEach runs a test over each protocol, each on servers of its own.
func overEach(t *testing.T, f func(t *testing.T, c ftpx.Client, trio *testserver.Trio)) {
	for _, p := range allProtocols {
		t.Run(p.String(), func(t *testing.T) {
			trio := startTrio(t)
			f(t, connect(t, trio, optionsFor(trio, p)), trio)
		})
	}
}

// content makes n bytes that no part of resembles another.
func content(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	return b
}

func localFile(t *testing.T, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "source.bin")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2025, 11, 3, 4, 5, 6, 0, time.UTC)
	if err := os.Chtimes(name, when, when); err != nil {
		t.Fatal(err)
	}
	return name
}

func wantFile(t *testing.T, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s holds %d bytes that differ from the %d expected", name, len(got), len(want))
	}
}

// wantNames checks what is in a folder on disk: nothing else may be left behind.
func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%s holds %q, want %q", dir, got, want)
	}
}

func TestRoundTrip(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		for _, n := range []int{0, 1, 64<<10 + 1, 3 << 20} {
			data := content(n)
			local := localFile(t, data)
			res, err := c.Upload(t.Context(), local, "dir/ünï code.bin", &ftpx.UploadOptions{CreateDirs: true})
			if err != nil {
				t.Fatal(err)
			}
			if res.Outcome != ftpx.Done || res.Size != int64(n) || res.Moved != int64(n) || !res.Verified.Size || !res.TimeKept {
				t.Errorf("%d bytes: %+v", n, res)
			}
			wantFile(t, filepath.Join(trio.Root, "dir", "ünï code.bin"), data)
			wantNames(t, filepath.Join(trio.Root, "dir"), "ünï code.bin")
			back := filepath.Join(t.TempDir(), "back.bin")
			res, err = c.Download(t.Context(), "dir/ünï code.bin", back, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.Outcome != ftpx.Done || res.Moved != int64(n) || !res.TimeKept {
				t.Errorf("%d bytes: %+v", n, res)
			}
			wantFile(t, back, data)
			wantNames(t, filepath.Dir(back), "back.bin")
			a, _ := os.Stat(local)
			b, _ := os.Stat(back)
			if !a.ModTime().Equal(b.ModTime()) {
				t.Errorf("time %v became %v", a.ModTime(), b.ModTime())
			}
		}
	})
}

func TestUnchangedIsNotSentAgain(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		local := localFile(t, content(2<<20))
		for i := range 2 {
			res, err := c.Upload(t.Context(), local, "a", nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.Unchanged != (i == 1) || (res.Moved == 0) != (i == 1) {
				t.Errorf("upload %d: %+v", i+1, res)
			}
		}
		// Same size and time, other content: it must be sent.
		data := content(2<<20 + 1)[1:]
		other := localFile(t, data)
		if _, err := c.Upload(t.Context(), other, "a", nil); err != nil {
			t.Fatal(err)
		}
		wantFile(t, filepath.Join(trio.Root, "a"), data)
	})
}

func TestReplace(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		for i, n := range []int{1000, 10, 2000} {
			data := content(n)
			_, err := c.Upload(t.Context(), localFile(t, data), "f", &ftpx.UploadOptions{NoReplace: i == 2})
			if i == 2 {
				if !errors.Is(err, fs.ErrExist) {
					t.Errorf("NoReplace: %v", err)
				}
				data = content(10)
			} else if err != nil {
				t.Fatal(err)
			}
			wantFile(t, filepath.Join(trio.Root, "f"), data)
			wantNames(t, trio.Root, "f")
		}
	})
}

// A server that refuses RNTO onto an existing file gets it by backup, rename,
// remove; one that has no name for the file gives the old one back.
func TestReplaceByBackup(t *testing.T) {
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		o.FTP = func(f *testserver.FTPOptions) { f.RefuseOverwrite = true }
	})
	c := connect(t, trio, optionsFor(trio, ftpx.FTPS))
	for _, n := range []int{10, 20, 30} {
		if _, err := c.Upload(t.Context(), localFile(t, content(n)), "f", nil); err != nil {
			t.Fatal(err)
		}
		wantFile(t, filepath.Join(trio.Root, "f"), content(n))
		wantNames(t, trio.Root, "f")
	}
}

func TestMissingFolder(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		local := localFile(t, content(100))
		_, err := c.Upload(t.Context(), local, "no/such/f", nil)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "CreateDirs") {
			t.Errorf("error %v", err)
		}
		wantNames(t, trio.Root)
		if _, err := c.Upload(t.Context(), local, "no/such/f", &ftpx.UploadOptions{CreateDirs: true}); err != nil {
			t.Fatal(err)
		}
		wantNames(t, filepath.Join(trio.Root, "no", "such"), "f")
	})
}

// Uploads into one new folder at the same time find it missing, and there when
// they look again.
func TestManyIntoOneNewFolder(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		local := localFile(t, content(10))
		for round := range 10 {
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					if _, err := c.Upload(t.Context(), local, fmt.Sprintf("new-%d/er/%d", round, i), &ftpx.UploadOptions{CreateDirs: true}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
	})
}

func TestBadInput(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		ctx, local := t.Context(), localFile(t, content(10))
		_, err1 := c.Upload(ctx, local+".missing", "f", nil)
		_, err2 := c.Upload(ctx, filepath.Dir(local), "f", nil)
		_, err3 := c.Upload(ctx, local, "f\r\nDELE x", nil)
		_, err4 := c.Upload(ctx, local, "dir/", nil)
		_, err5 := c.Upload(ctx, local, "a\x00b", nil)
		_, err6 := c.Upload(ctx, local, "", nil)
		_, err7 := c.Download(ctx, "missing", local+".new", nil)
		_, err8 := c.Download(ctx, "missing", filepath.Join(local+".nodir", "x"), nil)
		for _, tt := range []struct {
			err  error
			want string
		}{
			{err1, "no such file"}, {err2, "a folder"}, {err3, "CR, LF or NUL"}, {err4, "slash"}, {err5, "CR, LF or NUL"},
			{err6, "empty"}, {err7, "not found"}, {err8, "no such file"},
		} {
			if tt.err == nil || !strings.Contains(tt.err.Error(), tt.want) {
				t.Errorf("error %v does not say %q", tt.err, tt.want)
			}
			var e *ftpx.Error
			if !errors.As(tt.err, &e) || e.Outcome != ftpx.NotDone {
				t.Errorf("%v is no *ftpx.Error with outcome not done", tt.err)
			}
		}
		if !errors.Is(err1, fs.ErrNotExist) || !errors.Is(err7, fs.ErrNotExist) {
			t.Errorf("not fs.ErrNotExist: %v, %v", err1, err7)
		}
		wantNames(t, trio.Root)
		wantNames(t, filepath.Dir(local), "source.bin")
	})
}

func TestReplyIsFound(t *testing.T) {
	trio := startTrio(t)
	c := connect(t, trio, optionsFor(trio, ftpx.FTP))
	err := c.Rename(t.Context(), "missing", "other")
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code != 550 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestFiles(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		ctx := t.Context()
		if err := c.MkdirAll(ctx, "a/b/c"); err != nil {
			t.Fatal(err)
		}
		if err := c.MkdirAll(ctx, "a/b/c"); err != nil {
			t.Fatalf("again: %v", err)
		}
		for _, name := range []string{"a/1", "a/b/2", "a/b/c/3", "a/-dash", "a/with space", "a/日本"} {
			if _, err := c.Put(ctx, name, strings.NewReader(name), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.MkdirAll(ctx, "a/1"); err == nil {
			t.Error("MkdirAll over a file succeeded")
		}
		st, err := c.Stat(ctx, "a/b/2")
		if err != nil || st.Size != 5 || st.IsDir() || st.Name != "2" {
			t.Errorf("Stat: %+v %v", st, err)
		}
		if st, err = c.Stat(ctx, "a"); err != nil || !st.IsDir() {
			t.Errorf("Stat of a folder: %+v %v", st, err)
		}
		when := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
		if err := c.Chtimes(ctx, "a/1", when); err != nil {
			t.Error(err)
		}
		if st, _ := c.Stat(ctx, "a/1"); !st.ModTime.Equal(when) {
			t.Errorf("time %v", st.ModTime)
		}
		var walked []string
		err = c.Walk(ctx, "a", func(p string, e ftpx.Entry, err error) error {
			walked = append(walked, p)
			if p == "a/b/c" {
				return fs.SkipDir
			}
			return err
		})
		if want := []string{"a", "a/-dash", "a/1", "a/b", "a/b/2", "a/b/c", "a/with space", "a/日本"}; err != nil || !slices.Equal(walked, want) {
			t.Errorf("Walk: %q %v", walked, err)
		}
		if err := c.Rename(ctx, "a/1", "a/b/one"); err != nil {
			t.Error(err)
		}
		if err := c.Remove(ctx, "a/b/one"); err != nil {
			t.Error(err)
		}
		if err := c.Remove(ctx, "a/b/one"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Remove of a missing file: %v", err)
		}
		if err := c.Remove(ctx, "a"); err == nil {
			t.Error("Remove of a folder that is not empty succeeded")
		}
		if err := c.RemoveAll(ctx, "a"); err != nil {
			t.Error(err)
		}
		if err := c.RemoveAll(ctx, "a"); err != nil {
			t.Errorf("RemoveAll of what is not there: %v", err)
		}
		if err := c.RemoveAll(ctx, "."); err == nil {
			t.Error("RemoveAll of the base succeeded")
		}
		wantNames(t, trio.Root)
		for _, err := range c.List(ctx, "missing") {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("List of a missing folder: %v", err)
			}
		}
	})
}

func TestPutAndGet(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		data := content(300 << 10)
		file, err := os.Open(localFile(t, data))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for name, r := range map[string]io.Reader{
			"bytes": bytes.NewReader(data), "file": file, "stream": io.MultiReader(bytes.NewReader(data)),
		} {
			res, err := c.Put(t.Context(), name, r, nil)
			if err != nil || res.Size != int64(len(data)) {
				t.Fatalf("%s: %+v %v", name, res, err)
			}
			wantFile(t, filepath.Join(trio.Root, name), data)
			var b bytes.Buffer
			if res, err = c.Get(t.Context(), name, &b, nil); err != nil || !bytes.Equal(b.Bytes(), data) || res.Size != int64(len(data)) {
				t.Fatalf("%s: %+v %v", name, res, err)
			}
		}
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			t.Errorf("Put closed the caller's file: %v", err)
		}
	})
}

type failWriter struct{ after int }

func (w *failWriter) Write(p []byte) (int, error) {
	if w.after -= len(p); w.after < 0 {
		return 0, errors.New("my disk is full")
	}
	return len(p), nil
}

func TestLocalErrorsAreNotRetried(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		if _, err := c.Put(t.Context(), "f", bytes.NewReader(content(1<<20)), nil); err != nil {
			t.Fatal(err)
		}
		res, err := c.Get(t.Context(), "f", &failWriter{after: 300 << 10}, nil)
		if err == nil || !strings.Contains(err.Error(), "my disk is full") || res.Attempts != 1 || ftpx.KindOf(err) != transport.KindLocal {
			t.Errorf("%d attempts, %v", res.Attempts, err)
		}
		broken := io.MultiReader(bytes.NewReader(content(100<<10)), errReader{errors.New("my source broke")})
		res, err = c.Put(t.Context(), "g", broken, nil)
		if err == nil || !strings.Contains(err.Error(), "my source broke") || res.Attempts != 1 {
			t.Errorf("%d attempts, %v", res.Attempts, err)
		}
		if _, err := os.Stat(filepath.Join(trio.Root, "g")); err == nil {
			t.Error("a file whose source broke is there under its name")
		}
	})
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestCancelKeepsThePartial(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		ctx, cancel := context.WithCancelCause(t.Context())
		data := content(8 << 20)
		local := localFile(t, data)
		why := errors.New("the user pressed Ctrl-C")
		_, err := c.Upload(ctx, local, "f", &ftpx.UploadOptions{Progress: func(p ftpx.ProgressInfo) {
			if p.Offset > 4<<20 {
				cancel(why)
			}
		}})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || ftpx.KindOf(err) != transport.KindCanceled {
			t.Fatalf("%v", err)
		}
		if _, err := os.Stat(filepath.Join(trio.Root, "f")); err == nil {
			t.Fatal("a cancelled upload is there under its name")
		}
		res, err := c.Upload(t.Context(), local, "f", nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.Kept == 0 || res.Kept+res.Moved != int64(len(data)) {
			t.Errorf("kept %d, moved %d of %d", res.Kept, res.Moved, len(data))
		}
		wantFile(t, filepath.Join(trio.Root, "f"), data)
		wantNames(t, trio.Root, "f")
	})
}

func TestClose(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		r, w := io.Pipe()
		failed := make(chan error, 1)
		go func() {
			_, err := c.Put(context.Background(), "f", r, nil)
			failed <- err
		}()
		w.Write([]byte("the transfer is under way"))
		c.Close()
		w.Close()
		if err := <-failed; !errors.Is(err, ftpx.ErrClosed) {
			t.Errorf("in flight: %v", err)
		}
		if err := c.Ping(t.Context()); !errors.Is(err, ftpx.ErrClosed) {
			t.Errorf("afterwards: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("twice: %v", err)
		}
	})
}

// Nothing a client is given or says shows the password.
func TestPasswordStaysSecret(t *testing.T) {
	trio := startTrio(t, func(o *testserver.TrioOptions) { o.Password = "correct-horse" })
	for _, p := range allProtocols {
		var seen strings.Builder
		opts := optionsFor(trio, p)
		opts.Hooks = &ftpx.Hooks{
			Command: func(_ context.Context, i ftpx.CommandInfo) { seen.WriteString(i.Line + "\n") },
			Reply:   func(_ context.Context, i ftpx.ReplyInfo) { seen.WriteString(i.Text + "\n") },
			Dial: func(context.Context, ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
				return nil, func(e ftpx.DialEnd) {
					if e.Err != nil {
						seen.WriteString(e.Err.Error() + "\n")
					}
				}
			},
		}
		connect(t, trio, opts)
		opts.Password = "wrong-horse"
		_, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: trio.User, Options: opts})
		if ftpx.KindOf(err) != transport.KindAuth {
			t.Errorf("%v: wrong password: %v (%v)", p, err, ftpx.KindOf(err))
		}
		seen.WriteString(err.Error())
		if strings.Contains(seen.String(), "horse") {
			t.Errorf("%v shows a password:\n%s", p, seen.String())
		}
	}
}
