package ftpx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What is added lies behind what was there, which stays; a file that is missing is made.
func TestAppend(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		name := filepath.Join(trio.Root, "logs/day/log")
		var want []byte
		for i, n := range []int{700, 0, 1, 40_000, 3 << 20} {
			data := content(n)
			want = append(want, data...)
			opts := &ftpx.PutOptions{Append: true, CreateDirs: true}
			var source io.Reader = bytes.NewReader(data)
			switch i % 3 {
			case 1:
				opts.Verify = ftpx.VerifyFull
			case 2:
				source = io.MultiReader(source) // a stream
				opts.Mode = 0o640
			}
			res, err := c.Put(t.Context(), "logs/day/log", source, opts)
			if err != nil || res.Size != int64(n) || res.Moved != int64(n) || !res.Verified.Size || res.Attempts != 1 {
				t.Fatalf("%+v, %v", res, err)
			}
			wantFile(t, name, want)
			if opts.Verify == ftpx.VerifyFull && n > 0 && res.Verified.Hash == "" && res.Verified.ReadBack != int64(n) {
				t.Errorf("%d bytes: %v", n, res.Verified)
			}
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o640 {
			t.Error(info.Mode(), err)
		}
	})
}

func TestAppendOptions(t *testing.T) {
	overEach(t, func(t *testing.T, c ftpx.Client, trio *testserver.Trio) {
		for field, opts := range map[string]*ftpx.PutOptions{
			"NoReplace": {NoReplace: true}, "Delivery": {Delivery: ftpx.DeliverDirect}, "PartialName": {PartialName: "in.{name}"},
		} {
			opts.Append = true
			_, err := c.Put(t.Context(), "f", strings.NewReader("x"), opts)
			if ftpx.KindOf(err) != transport.KindInvalid || !strings.Contains(err.Error(), "Append") || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		}
		if err := os.Mkdir(filepath.Join(trio.Root, "box"), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Put(t.Context(), "box", strings.NewReader("x"), &ftpx.PutOptions{Append: true}); ftpx.KindOf(err) != transport.KindExist {
			t.Errorf("a folder: %v", err)
		}
		if _, err := c.Put(t.Context(), "nowhere/f", strings.NewReader("x"), &ftpx.PutOptions{Append: true}); err == nil {
			t.Error("a missing folder was made without CreateDirs")
		}
	})
}

// TestAppendSweep: whatever happens to whichever operation, the bytes are there once, or the
// outcome says how much of them may be, and it is the truth.
func TestAppendSweep(t *testing.T) {
	const chunk, had = 1000, 2500
	old, data := content(had), content(5*chunk+77)
	for _, p := range []ftpx.Protocol{ftpx.SFTP, ftpx.FTP} {
		t.Run(p.String(), func(t *testing.T) {
			ends := map[string]int{}
			for _, do := range memconn.Actions() {
				for n := 0; ; n++ {
					var more bool
					synctest.Test(t, func(t *testing.T) { more = appendOnce(t, p, do, n, old, data, ends) })
					if !more {
						break
					}
					if n > 200 {
						t.Fatal("it never runs unbroken")
					}
				}
			}
			t.Log(ends)
			if p == ftpx.FTP && ends["unknown"] == 0 || ends["done"] == 0 {
				t.Errorf("nothing is shown: %v", ends)
			}
		})
	}
}

// appendOnce breaks operation n, and reports whether there is one.
func appendOnce(t *testing.T, p ftpx.Protocol, do memconn.Action, n int, old, data []byte, ends map[string]int) bool {
	s := memconn.New(memconn.Options{Chunk: 1000})
	s.Files().Write("log", old, time.Now())
	opts := ftpx.Options{Protocols: []ftpx.Protocol{p}, AllowPlaintext: true}
	ftpx.SetConnect(&opts, s.Dial)
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	first := s.Stats().Ops
	s.Inject(memconn.FailNth(first+n, memconn.Fault{Do: do}))
	res, err := c.Put(t.Context(), "log", bytes.NewReader(data), &ftpx.PutOptions{Append: true, Verify: ftpx.VerifyFull})
	time.Sleep(time.Minute) // what is late has arrived
	got, _ := s.Files().Read("log")
	what := fmt.Sprintf("%v at operation %d: %v, %v", do, n, res.Outcome, err)
	ends[res.Outcome.String()]++
	if p == ftpx.SFTP && do != memconn.Corrupt && do != memconn.Refuse && err != nil {
		t.Errorf("%s: over SFTP a lost connection is no reason to give up", what)
	}
	var e *ftpx.Error
	switch {
	case !bytes.HasPrefix(got, old):
		t.Errorf("%s: what was there is gone", what)
	case err == nil:
		if !bytes.Equal(got[len(old):], data) {
			t.Errorf("%s: %d bytes were added that are not the %d", what, len(got)-len(old), len(data))
		}
	case !errors.As(err, &e), res.Outcome != ftpx.Unknown && res.Outcome != ftpx.NotDone:
		t.Errorf("%s", what)
	case res.Outcome == ftpx.NotDone:
		if len(got) != len(old) {
			t.Errorf("%s: %d bytes were added", what, len(got)-len(old))
		}
	default:
		added := got[len(old):]
		if do != memconn.Corrupt && !bytes.HasPrefix(data, added) {
			t.Errorf("%s: what was added is not the source's beginning: %d bytes", what, len(added))
		}
		if e.Offset > int64(len(added)) {
			t.Errorf("%s: %d bytes are said to be there, of %d", what, e.Offset, len(added))
		}
	}
	return s.Stats().Ops > first+n
}

// A server without APPE is asked to store from the file's end on.
func TestAppendWithoutAPPE(t *testing.T) {
	for _, reply := range []string{"502 not implemented", "500 what?"} {
		trio := startTrio(t, func(o *testserver.TrioOptions) {
			o.FTP = func(o *testserver.FTPOptions) {
				o.OnCommand = func(verb, _ string) string {
					if verb == "APPE" {
						return reply
					}
					return ""
				}
			}
		})
		c := connect(t, trio, optionsFor(trio, ftpx.FTP))
		for i := range 3 {
			res, err := c.Put(t.Context(), "log", strings.NewReader("line\n"), &ftpx.PutOptions{Append: true})
			if err != nil || res.Attempts != 1 {
				t.Fatalf("%+v, %v", res, err)
			}
			wantFile(t, filepath.Join(trio.Root, "log"), []byte(strings.Repeat("line\n", i+1)))
		}
	}
}

// A server that empties the file at APPE is not believed.
func TestAppendThatReplaces(t *testing.T) {
	var root string
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		root = o.Root
		o.FTP = func(o *testserver.FTPOptions) {
			o.OnCommand = func(verb, name string) string {
				if verb == "APPE" {
					if err := os.Truncate(filepath.Join(root, name), 0); err != nil {
						t.Error(err)
					}
				}
				return ""
			}
		}
	})
	c := connect(t, trio, optionsFor(trio, ftpx.FTP))
	if err := os.WriteFile(filepath.Join(root, "log"), content(5000), 0o644); err != nil {
		t.Fatal(err)
	}
	res, err := c.Put(t.Context(), "log", bytes.NewReader(content(100)), &ftpx.PutOptions{Append: true})
	if res.Outcome != ftpx.Unknown || !errors.Is(err, ftpx.ErrMismatch) || res.Attempts != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}

// A server that hides what is in a folder says that it is missing: it is not written over.
func TestAppendToAHiddenFile(t *testing.T) {
	const noSuchFile = 2
	trio := startTrio(t, func(o *testserver.TrioOptions) {
		o.SFTP = func(o *testserver.SFTPOptions) {
			o.Habits = &testserver.SFTPHabits{Stat: noSuchFile, Lstat: noSuchFile, Opendir: noSuchFile}
		}
	})
	old := content(5000)
	name := filepath.Join(trio.Root, "log")
	if err := os.WriteFile(name, old, 0o644); err != nil {
		t.Fatal(err)
	}
	c := connect(t, trio, optionsFor(trio, ftpx.SFTP))
	res, err := c.Put(t.Context(), "log", strings.NewReader("line\n"), &ftpx.PutOptions{Append: true})
	if err == nil || res.Outcome != ftpx.NotDone || !strings.Contains(err.Error(), "hidden") {
		t.Errorf("%+v, %v", res, err)
	}
	wantFile(t, name, old)
}
