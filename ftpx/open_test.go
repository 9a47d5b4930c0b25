package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
)

// TestOpenAndCreate: a file is written and read as one of package os is, over each protocol.
func TestOpenAndCreate(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		data := content(1<<20 + 17)
		w, err := c.Create(t.Context(), "new/f", &ftpx.PutOptions{CreateDirs: true})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(w, iotest.HalfReader(bytes.NewReader(data))); n != int64(len(data)) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		if res := w.Result(); res != (ftpx.Result{}) {
			t.Errorf("before Close: %+v", res)
		}
		for range 2 {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		w.Abort(nil)
		if res := w.Result(); res.Outcome != ftpx.Done || res.Size != int64(len(data)) {
			t.Errorf("%+v", res)
		}
		wantFile(t, filepath.Join(trio.Root, "new/f"), data)

		f, err := c.Open(t.Context(), "new/f")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if st, err := f.Stat(); err != nil || st.Size() != int64(len(data)) || st.Name() != "f" || !st.Mode().IsRegular() {
			t.Errorf("%v, %v", st, err)
		}
		if err := iotest.TestReader(f, data); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if _, err := f.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		for p, kind := range map[string]ftpx.Kind{"new": ftpx.KindInvalid, "no": ftpx.KindNotExist, "new/": ftpx.KindInvalid, "a\nb": ftpx.KindInvalid} {
			var e *ftpx.Error
			if _, err := c.Open(t.Context(), p); !errors.As(err, &e) || e.Op != "open" || e.Remote != p || ftpx.KindOf(err) != kind || strings.Count(err.Error(), "stat") > 1 {
				t.Errorf("%q: %v", p, err)
			}
		}
	})
}

// TestWriterThatFails: nothing is there until Close has returned nil, and what Close returns
// says how it ended.
func TestWriterThatFails(t *testing.T) {
	c := ftpxtest.NewClient()
	defer c.Close()
	why := errors.New("the report could not be computed")
	ctx, cancel := context.WithCancelCause(t.Context())
	for name, end := range map[string]func(w *ftpx.Writer) error{
		"Abort":   func(w *ftpx.Writer) error { w.Abort(why); return w.Close() },
		"context": func(w *ftpx.Writer) error { cancel(why); return w.Close() },
	} {
		with := t.Context()
		if name == "context" {
			with = ctx
		}
		w, err := c.Create(with, "f", nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content(1 << 10)); err != nil {
			t.Fatal(err)
		}
		err = end(w)
		var e *ftpx.Error
		if !errors.As(err, &e) || e.Outcome != ftpx.NotDone || !errors.Is(err, why) || ftpx.KindOf(err) != ftpx.KindCanceled {
			t.Errorf("%s: %v (%v)", name, err, ftpx.KindOf(err))
		}
		if _, err := w.Write([]byte("x")); err == nil {
			t.Errorf("%s: it takes more", name)
		}
		if _, ok := c.ReadFile("f"); ok {
			t.Errorf("%s: the file is there", name)
		}
	}
	c.FailNext("put", &ftpx.Error{Op: "put", Remote: "f", Outcome: ftpx.Unknown, Err: ftpxtest.Fault(ftpx.KindLost)})
	w, err := c.Create(t.Context(), "f", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(content(1<<10))); ftpx.KindOf(err) != ftpx.KindLost {
		t.Errorf("a write to an upload that has failed: %v", err)
	}
	var e *ftpx.Error
	if err := w.Close(); !errors.As(err, &e) || e.Outcome != ftpx.Unknown || w.Result().Outcome != ftpx.Unknown {
		t.Errorf("%v, %+v", err, w.Result())
	}
	if _, err := c.Create(t.Context(), "d/", nil); ftpx.KindOf(err) != ftpx.KindInvalid {
		t.Error(err)
	}
}

// TestGetPart: a part of a file comes whole and alone, whatever is lost on the way.
func TestGetPart(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		data := content(1 << 20)
		if _, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil); err != nil {
			t.Fatal(err)
		}
		size := int64(len(data))
		for _, p := range []struct{ offset, length, want int64 }{{0, 10, 10}, {5, 0, size - 5}, {size - 3, 100, 3}, {size, 5, 0}, {300_000, 400_000, 400_000}} {
			var b bytes.Buffer
			var last ftpx.ProgressInfo
			res, err := c.Get(t.Context(), "f", &b, &ftpx.GetOptions{Offset: p.offset, Length: p.length, Progress: func(i ftpx.ProgressInfo) { last = i }})
			if err != nil || !bytes.Equal(b.Bytes(), data[p.offset:p.offset+p.want]) || res.Outcome != ftpx.Done || res.Size != p.want || !res.Verified.Size {
				t.Fatalf("%+v: %d bytes, %+v, %v", p, b.Len(), res, err)
			}
			if p.want > 0 && (last.Offset != p.offset+p.want || last.Size != size) {
				t.Errorf("%+v: the progress ends at %+v", p, last)
			}
		}
		for _, o := range []ftpx.GetOptions{{Offset: -1}, {Length: -1}, {Offset: size + 1}} {
			if res, err := c.Get(t.Context(), "f", io.Discard, &o); ftpx.KindOf(err) != ftpx.KindInvalid || res.Attempts != 0 || !strings.Contains(err.Error(), "GetOptions.Offset") {
				t.Errorf("%+v: %+v, %v", o, res, err)
			}
		}
	})
}

// TestGetPartOverABadLine: what was lost comes once.
func TestGetPartOverABadLine(t *testing.T) {
	s := ftpxtest.NewServer(t, ftpx.SFTP, ftpx.FTPS)
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS} {
		o := s.Options()
		o.Protocols = []ftpx.Protocol{p}
		c, err := ftpx.Open(t.Context(), s.URL(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		data := content(12 << 20)
		if _, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil); err != nil {
			t.Fatal(err)
		}
		s.ResetAfter(3 << 20)
		var b bytes.Buffer
		res, err := c.Get(t.Context(), "f", &b, &ftpx.GetOptions{Offset: 1 << 20, Length: 10 << 20})
		if err != nil || !bytes.Equal(b.Bytes(), data[1<<20:11<<20]) || res.Attempts < 2 || res.Resumes == 0 {
			t.Errorf("%v: %d bytes, %+v, %v", p, b.Len(), res, err)
		}
		if err := s.Up(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTree: Walk as an iterator, which a break ends.
func TestTree(t *testing.T) {
	c := ftpxtest.NewClient()
	defer c.Close()
	for _, name := range []string{"a/b/c", "a/d", "e"} {
		c.WriteFile(name, nil, fsWhen)
	}
	var got []string
	for e, err := range ftpx.Tree(t.Context(), c, ".") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Path+" "+e.Type.String())
	}
	if want := []string{". dir", "a dir", "a/b dir", "a/b/c file", "a/d file", "e file"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	n := 0
	for range ftpx.Tree(t.Context(), c, "a") {
		if n++; n == 2 {
			break
		}
	}
	for e, err := range ftpx.Tree(t.Context(), c, "no") {
		if !errors.Is(err, fs.ErrNotExist) || e.Path != "no" || n == 0 {
			t.Errorf("%+v, %v", e, err)
		}
		n = 0
	}
}

// TestEmptyPathIsTheBase: "" and "." name the folder that relative paths start from.
func TestEmptyPathIsTheBase(t *testing.T) {
	trio := startTrio(t)
	for _, p := range allProtocols {
		for _, base := range []string{"", "base", "/base"} {
			c, err := ftpx.New(t.Context(), ftpx.Config{Host: "127.0.0.1", User: trio.User, Base: base, Options: optionsFor(trio, p)})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.MkdirAll(t.Context(), ""); err != nil {
				t.Errorf("%v, base %q: MkdirAll: %v", p, base, err)
			}
			if _, err := c.Put(t.Context(), "f", strings.NewReader("x"), nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Remove(t.Context(), ""); ftpx.KindOf(err) != ftpx.KindInvalid {
				t.Errorf("%v, base %q: Remove(\"\"): %v", p, base, err)
			}
			for _, name := range []string{"", "."} {
				var names []string
				for e, err := range c.List(t.Context(), name) {
					if err != nil {
						t.Errorf("%v, base %q: %v", p, base, err)
						break
					}
					names = append(names, e.Name)
				}
				if !slices.Contains(names, "f") {
					t.Errorf("%v, base %q: List(%q) is %q", p, base, name, names)
				}
				if e, err := c.Stat(t.Context(), name); err != nil || !e.IsDir() {
					t.Errorf("%v, base %q: Stat(%q) is %+v, %v", p, base, name, e, err)
				}
				if err := c.RemoveAll(t.Context(), name); ftpx.KindOf(err) != ftpx.KindInvalid {
					t.Errorf("%v, base %q: RemoveAll(%q): %v", p, base, name, err)
				}
				if _, err := c.Put(t.Context(), name, strings.NewReader("x"), nil); ftpx.KindOf(err) != ftpx.KindInvalid {
					t.Errorf("%v, base %q: Put(%q): %v", p, base, name, err)
				}
				for e, err := range ftpx.Tree(t.Context(), c, name) {
					if err != nil {
						t.Errorf("%v, base %q: Walk(%q): %+v, %v", p, base, name, e, err)
					}
				}
			}
		}
	}
}
