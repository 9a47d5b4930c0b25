package ftpdriver

import (
	"bytes"
	"crypto/sha256"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"errors"

	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var protocols = []transport.Protocol{transport.FTP, transport.FTPS, transport.FTPSImplicit}

func each(t *testing.T, opts testserver.FTPOptions, f func(t *testing.T, c *tconn, root string)) {
	for _, p := range protocols {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			o := opts
			o.Root = t.TempDir()
			ep, _ := start(t, p, o)
			f(t, dial(t, ep), o.Root)
		})
	}
}

func TestRoundTrip(t *testing.T) {
	each(t, testserver.FTPOptions{}, func(t *testing.T, c *tconn, root string) {
		for _, size := range []int{0, 1, 100_000, 3 << 20} {
			data := random(size)
			file, err := os.Open(write(t, filepath.Join(t.TempDir(), "src"), data))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			var told int64
			opt := &transport.IO{Progress: func(n int64) { told += n }}
			n, err := c.Store(t.Context(), "f", 0, file, opt)
			if err != nil || n != int64(size) || told != n {
				t.Fatalf("stored %d of %d, told %d: %v", n, size, told, err)
			}
			sameFile(t, filepath.Join(root, "f"), data)
			n, err = c.Store(t.Context(), "g", 0, bytes.NewReader(data), nil)
			if err != nil || n != int64(size) {
				t.Fatalf("stored %d of %d: %v", n, size, err)
			}
			sameFile(t, filepath.Join(root, "g"), data)
			var got bytes.Buffer
			told = 0
			n, err = c.Retrieve(t.Context(), "f", 0, &got, opt)
			if err != nil || n != int64(size) || told != n || !bytes.Equal(got.Bytes(), data) {
				t.Fatalf("retrieved %d of %d, told %d: %v", n, size, told, err)
			}
			e, err := c.Stat(t.Context(), "f")
			if err != nil || e.Size != int64(size) || e.Name != "f" || e.Type != transport.TypeFile || !e.TimeExact {
				t.Fatalf("%+v, %v", e, err)
			}
		}
		if !c.Usable() {
			t.Error("not usable after success")
		}
	})
}

func TestOffsets(t *testing.T) {
	each(t, testserver.FTPOptions{}, func(t *testing.T, c *tconn, root string) {
		data := random(200_000)
		name := filepath.Join(root, "f")
		write(t, name, data[:70_000])
		n, err := c.Store(t.Context(), "f", 70_000, bytes.NewReader(data[70_000:]), nil)
		if err != nil || n != 130_000 {
			t.Fatal(n, err)
		}
		sameFile(t, name, data)
		var got bytes.Buffer
		n, err = c.Retrieve(t.Context(), "f", 150_000, &got, nil)
		if err != nil || n != 50_000 || !bytes.Equal(got.Bytes(), data[150_000:]) {
			t.Fatal(n, err)
		}
		got.Reset()
		n, err = c.Retrieve(t.Context(), "f", 100, &got, &transport.IO{Limit: 1000})
		if err != nil || n != 1000 || !bytes.Equal(got.Bytes(), data[100:1100]) {
			t.Fatal(n, err)
		}
	})
}

func TestLimitAtTheEnd(t *testing.T) {
	each(t, testserver.FTPOptions{}, func(t *testing.T, c *tconn, root string) {
		write(t, filepath.Join(root, "f"), random(5000))
		var got bytes.Buffer
		if n, err := c.Retrieve(t.Context(), "f", 1000, &got, &transport.IO{Limit: 4000}); n != 4000 || err != nil || !c.Usable() {
			t.Fatal(n, err, c.Usable())
		}
	})
}

func TestFiles(t *testing.T) {
	each(t, testserver.FTPOptions{}, func(t *testing.T, c *tconn, root string) {
		ctx := t.Context()
		if err := c.Mkdir(ctx, "d e"); err != nil {
			t.Fatal(err)
		}
		if err := c.Mkdir(ctx, "d e"); !errors.Is(err, fs.ErrExist) {
			t.Error(err)
		}
		write(t, filepath.Join(root, "d e", "a b"), []byte("x"))
		if err := c.Rename(ctx, "d e/a b", "d e/c", true); err != nil {
			t.Fatal(err)
		}
		err := c.Rename(ctx, "d e/a b", "d e/c", true)
		if te := wantKind(t, err, transport.KindNotExist, 550); te.Op != "RNFR" || te.MayHaveActed {
			t.Error(te)
		}
		when := time.Date(2020, 2, 29, 12, 34, 56, 0, time.UTC)
		if err := c.Chtimes(ctx, "d e/c", when.Add(123*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		e, err := c.Stat(ctx, "d e/c")
		if err != nil || !e.ModTime.Equal(when) || e.Name != "c" {
			t.Error(e, err)
		}
		if e, err := c.Stat(ctx, "d e"); err != nil || !e.IsDir() || e.Size != -1 {
			t.Error(e, err)
		}
		if e, err := c.Stat(ctx, "."); err != nil || !e.IsDir() {
			t.Error(e, err)
		}
		wantKind(t, func() error { _, err := c.Stat(ctx, "no"); return err }(), transport.KindNotExist, 550)
		if err := c.Remove(ctx, "d e/c"); err != nil {
			t.Error(err)
		}
		wantKind(t, c.Remove(ctx, "d e/c"), transport.KindNotExist, 550)
		if err := c.Rmdir(ctx, "d e"); err != nil {
			t.Error(err)
		}
		wantKind(t, c.Rmdir(ctx, "d e"), transport.KindNotExist, 550)
		wantKind(t, c.Truncate(ctx, "x", 1), transport.KindUnsupported, 0)
		_, err = c.Retrieve(ctx, "no", 0, io.Discard, nil)
		if te := wantKind(t, err, transport.KindNotExist, 550); te.Op != "RETR" {
			t.Error(te)
		}
		_, err = c.Store(ctx, "no/f", 0, strings.NewReader("x"), nil)
		if te := wantKind(t, err, transport.KindNotExist, 550); te.Op != "STOR" || te.MayHaveActed {
			t.Error(te)
		}
		if err := c.Ping(ctx); err != nil || !c.Usable() {
			t.Error(err)
		}
	})
}

func TestList(t *testing.T) {
	for name, opts := range map[string]testserver.FTPOptions{
		"all there is": {}, "MLSD only advertised": {OnCommand: refuse("MLSD")}, "plain": {Disable: []string{"MLST", "MLSD", "MFMT"}},
		"no -a": {Disable: []string{"MLST", "MLSD"}, OnCommand: func(verb, arg string) string {
			if verb == "LIST" && arg != "" {
				return "550 -a: No such file or directory"
			}
			return ""
		}},
		"no EPSV": {Disable: []string{"EPSV"}},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, opts, func(t *testing.T, c *tconn, root string) {
				want := []string{".hidden", "a b", "c", "sub"}
				for _, n := range want[:3] {
					write(t, filepath.Join(root, "d", n), []byte(n))
				}
				_ = os.Mkdir(filepath.Join(root, "d", "sub"), 0o755)
				_ = os.Mkdir(filepath.Join(root, "empty"), 0o755)
				var got []string
				err := c.List(t.Context(), "d", func(e transport.Entry) bool {
					got = append(got, e.Name)
					if e.IsDir() != (e.Name == "sub") || !e.IsDir() && e.Size != int64(len(e.Name)) || e.ModTime.IsZero() {
						t.Errorf("%+v", e)
					}
					return true
				})
				slices.Sort(got)
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%q, %v", got, err)
				}
				if err := c.List(t.Context(), "empty", func(e transport.Entry) bool { t.Error(e); return true }); err != nil {
					t.Error(err)
				}
				err = c.List(t.Context(), "no", func(e transport.Entry) bool { t.Error(e); return true })
				wantKind(t, err, transport.KindNotExist, 550)
				if !c.Usable() {
					t.Fatal("not usable")
				}
				// In the login folder again.
				if e, err := c.Stat(t.Context(), "d/c"); err != nil || e.Size != 1 {
					t.Error(e, err)
				}
				n := 0
				if err := c.List(t.Context(), "d", func(transport.Entry) bool { n++; return false }); err != nil || n != 1 {
					t.Error(n, err)
				}
			})
		})
	}
}

func refuse(verb string) func(verb, arg string) string {
	return func(v, _ string) string {
		if v == verb {
			return "500 " + v + " not understood"
		}
		return ""
	}
}

func TestStatWithoutMLST(t *testing.T) {
	each(t, testserver.FTPOptions{Disable: []string{"MLST", "MLSD"}}, func(t *testing.T, c *tconn, root string) {
		write(t, filepath.Join(root, "d", "f"), []byte("123"))
		if e, err := c.Stat(t.Context(), "d/f"); err != nil || e.Size != 3 || !e.TimeExact || e.Type != transport.TypeFile {
			t.Error(e, err)
		}
		if e, err := c.Stat(t.Context(), "d"); err != nil || !e.IsDir() {
			t.Error(e, err)
		}
		_, err := c.Stat(t.Context(), "no")
		wantKind(t, err, transport.KindNotExist, 550)
		if e, err := c.Stat(t.Context(), "d/f"); err != nil || e.Size != 3 {
			t.Error(e, err)
		}
	})
}

func TestHash(t *testing.T) {
	each(t, testserver.FTPOptions{EnableHASH: true}, func(t *testing.T, c *tconn, root string) {
		if caps := c.Info().Caps; !slices.Equal(caps.Hashes, []string{"sha512", "sha256", "sha1", "md5", "crc32"}) || !caps.HashRanges {
			t.Fatalf("%+v", caps)
		}
		data := random(1000)
		write(t, filepath.Join(root, "a b"), data)
		for _, part := range [][2]int64{{0, -1}, {0, 1000}, {0, 10}, {100, 50}, {100, -1}, {0, 1}} {
			end := part[0] + part[1]
			if part[1] < 0 {
				end = 1000
			}
			want := sha256.Sum256(data[part[0]:end])
			got, err := c.Hash(t.Context(), "a b", "sha256", part[0], part[1])
			if err != nil || !bytes.Equal(got, want[:]) {
				t.Errorf("%v: %x, %v", part, got, err)
			}
		}
		for _, algo := range c.Info().Caps.Hashes {
			if _, err := c.Hash(t.Context(), "/a b", algo, 0, -1); err != nil {
				t.Error(algo, err)
			}
		}
		_, err := c.Hash(t.Context(), "no", "md5", 0, -1)
		wantKind(t, err, transport.KindNotExist, 550)
		_, err = c.Hash(t.Context(), "a b", "sha3", 0, -1)
		wantKind(t, err, transport.KindUnsupported, 0)
	})
}
