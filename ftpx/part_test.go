package ftpx_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Two downloads to one local path, named in two ways: each waits for the other,
// and the file is the one or the other, whole.
func TestTwoDownloadsToOnePath(t *testing.T) {
	slow := func(o *memconn.Options, _ *transport.Caps) {
		o.RoundTrip = 10 * time.Millisecond
		o.Chunk = 4 << 10
		o.Rate = 1 << 20
	}
	inMemory(t, slow, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		one, other := bytes.Repeat([]byte("1"), 300<<10), bytes.Repeat([]byte("2"), 300<<10)
		when := time.Now()
		s.Files().Write("one", one, when)
		s.Files().Write("other", other, when)
		dir := t.TempDir()
		var wg sync.WaitGroup
		for remote, local := range map[string]string{"one": filepath.Join(dir, "f"), "other": dir + "/./f"} {
			wg.Go(func() {
				if res, err := c.Download(t.Context(), remote, local, nil); err != nil || res.Outcome != ftpx.Done {
					t.Errorf("%s: %+v %v", remote, res, err)
				}
			})
		}
		wg.Wait()
		got, err := os.ReadFile(filepath.Join(dir, "f"))
		if err != nil || !bytes.Equal(got, one) && !bytes.Equal(got, other) {
			t.Errorf("a mixture of both: %d bytes, %d of them of the first, %v", len(got), bytes.Count(got, []byte("1")), err)
		}
		wantNames(t, dir, "f")
	})
}

// Two names for the folder are one: the second download waits for the first, and has its turn
// at once, which costs it no attempt.
func TestTwoDownloadsByALink(t *testing.T) {
	slow := func(o *memconn.Options, _ *transport.Caps) { o.RoundTrip, o.Rate = 10*time.Millisecond, 1<<20 }
	inMemory(t, slow, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("f", content(300<<10), time.Now())
		dir := t.TempDir()
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(dir, link); err != nil {
			if runtime.GOOS != "windows" { // where it takes a privilege
				t.Fatal(err)
			}
			return
		}
		var wg sync.WaitGroup
		for _, d := range []string{dir, link} {
			wg.Go(func() {
				if res, err := c.Download(t.Context(), "f", filepath.Join(d, "f"), nil); err != nil || res.Attempts != 1 {
					t.Errorf("%s: %+v %v", d, res, err)
				}
			})
		}
		wg.Wait()
		wantNames(t, dir, "f")
	})
}

// With NoReplace, the one that waited finds a file there.
func TestTwoDownloadsWithNoReplace(t *testing.T) {
	slow := func(o *memconn.Options, _ *transport.Caps) { o.RoundTrip = 10 * time.Millisecond }
	inMemory(t, slow, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("f", content(1000), time.Now())
		local := filepath.Join(t.TempDir(), "f")
		errs := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := c.Download(t.Context(), "f", local, &ftpx.DownloadOptions{NoReplace: true})
				errs <- err
			}()
		}
		a, b := <-errs, <-errs
		if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), fs.ErrExist) {
			t.Errorf("%v; %v", a, b)
		}
	})
}

// Another process has the part: it is waited for as long as the policy allows,
// and then the error says so. What it has is not touched.
func TestPartThatAnotherProcessHolds(t *testing.T) {
	for _, forever := range []bool{false, true} {
		inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			data := content(100 << 10)
			s.Files().Write("f", data, time.Now())
			local := filepath.Join(t.TempDir(), "f")
			f, err := ftpx.OpenPart(local + ".part")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteString("theirs"); err != nil {
				t.Fatal(err)
			}
			state := []byte(`{"remote":"f","size":102400,"mtime":"2020-01-01T00:00:00Z","durable":0,"call":"theirs"}`)
			if err := os.WriteFile(local+".part.state", state, 0o600); err != nil {
				t.Fatal(err)
			}
			if !forever {
				go func() {
					time.Sleep(2 * time.Second)
					f.Close()
				}()
			}
			res, err := c.Download(t.Context(), "f", local, nil)
			if !forever {
				if err != nil || res.Attempts < 2 {
					t.Errorf("%+v %v", res, err)
				}
				wantFile(t, local, data)
				wantNames(t, filepath.Dir(local), "f")
				return
			}
			if ftpx.KindOf(err) != transport.KindLocked || !strings.Contains(err.Error(), "another download") {
				t.Errorf("%v", err)
			}
			wantFile(t, local+".part", []byte("theirs"))
			wantFile(t, local+".part.state", state)
		})
	}
}

// The other process finishes between our look and our lock: what we hold then is
// its finished file, which must not be written to.
func TestPartThatGetsItsNameMeanwhile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open part cannot be opened again there")
	}
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		s.Files().Write("f", data, time.Now())
		local := filepath.Join(t.TempDir(), "f")
		f, err := ftpx.OpenPart(local + ".part")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(time.Second)
			if _, err := f.Write(content(50)); err != nil {
				t.Error(err)
			}
			if err := os.Rename(local+".part", local+".theirs"); err != nil {
				t.Error(err)
			}
			f.Close()
		}()
		if res, err := c.Download(t.Context(), "f", local, nil); err != nil {
			t.Errorf("%+v %v", res, err)
		}
		wantFile(t, local, data)
		wantFile(t, local+".theirs", content(50))
	})
}

// A file that happens to have the part's name, or the state's, is not ours: it is
// left as it is, and the download takes another name.
func TestForeignPartIsLeftAlone(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"part":              {"f.part": "precious"},
		"state":             {"f.part.state": "precious"},
		"part and bad JSON": {"f.part": "precious", "f.part.state": "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				data := content(200 << 10)
				s.Files().Write("f", data, time.Now())
				local := filepath.Join(t.TempDir(), "f")
				names := []string{"f"}
				for n, text := range files {
					names = append(names, n)
					if err := os.WriteFile(filepath.Join(filepath.Dir(local), n), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				// It breaks in the middle for good; the next call goes on.
				s.Inject(func(op memconn.OpInfo) memconn.Fault {
					if op.Step == memconn.StepData && op.Offset >= 96<<10 {
						return memconn.Fault{Do: memconn.Refuse, Kind: transport.KindPermission}
					}
					return memconn.Fault{}
				})
				_, err := c.Download(t.Context(), "f", local, nil)
				var e *ftpx.Error
				if !errors.As(err, &e) || e.Partial == "" || e.Partial == local+".part" {
					t.Fatalf("%+v", err)
				}
				if _, err := os.Stat(e.Partial); err != nil {
					t.Error(err)
				}
				s.Inject(nil)
				res, err := c.Download(t.Context(), "f", local, nil)
				if err != nil || res.Kept != 96<<10 {
					t.Errorf("%+v %v", res, err)
				}
				wantFile(t, local, data)
				for n, text := range files {
					wantFile(t, filepath.Join(filepath.Dir(local), n), []byte(text))
				}
				wantNames(t, filepath.Dir(local), names...)
			})
		})
	}
}

// What is no file (a pipe would be waited for) is not opened; where no name is
// left, the error says what to do.
func TestNoNameLeftForThePart(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		s.Files().Write("f", content(100), time.Now())
		local := filepath.Join(t.TempDir(), "f")
		for _, n := range ftpx.PartNames(local) {
			if err := os.Mkdir(n, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		res, err := c.Download(t.Context(), "f", local, nil)
		if !errors.Is(err, fs.ErrExist) || res.Attempts != 1 || !strings.Contains(err.Error(), "move it or remove it") {
			t.Errorf("%+v %v", res, err)
		}
	})
}

// Names up to the longest that there are can be fetched to, at the same time, and
// go on after a failure.
func TestDownloadToLongNames(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		dir := t.TempDir()
		for _, n := range []int{200, 232, 233, 234, 240, 250, 255} {
			var wg sync.WaitGroup
			for _, last := range []string{"a", "b"} {
				wg.Go(func() {
					base := strings.Repeat("x", n-1) + last
					data := content(100<<10 + int(last[0]))
					s.Files().Write(base, data, time.Now())
					local := filepath.Join(dir, base)
					if _, err := c.Download(t.Context(), base, local, nil); err != nil {
						t.Errorf("%d bytes: %v", n, err)
						return
					}
					wantFile(t, local, data)
				})
			}
			wg.Wait()
		}
		for range 1 {
			base := strings.Repeat("ü", 127)
			s.Files().Write(base, content(200<<10), time.Now())
			ctx, cancel := context.WithCancel(t.Context())
			s.Inject(func(op memconn.OpInfo) memconn.Fault {
				if op.Step == memconn.StepData && op.Offset >= 96<<10 {
					cancel()
				}
				return memconn.Fault{}
			})
			if _, err := c.Download(ctx, base, filepath.Join(dir, base), nil); err == nil {
				t.Fatal("it was not cancelled")
			}
			s.Inject(nil)
			if res, err := c.Download(t.Context(), base, filepath.Join(dir, base), nil); err != nil || res.Kept == 0 {
				t.Errorf("%+v %v", res, err)
			}
		}
		_, err := c.Download(t.Context(), strings.Repeat("x", 199)+"a", filepath.Join(dir, strings.Repeat("x", 256)), nil)
		if err == nil || ftpx.KindOf(err) != transport.KindLocal {
			t.Errorf("a name that no file can have: %v", err)
		}
	})
}

// A server with a hash of ranges shows that the middle of what is there is not
// what it was, although size, time and tail are.
func TestPartIsProvenByHash(t *testing.T) {
	for _, ranges := range []bool{true, false} {
		inMemory(t, func(_ *memconn.Options, caps *transport.Caps) {
			if ranges {
				caps.Hashes, caps.HashRanges = []string{"sha256"}, true
			}
		}, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			data, when := content(200<<10), time.Now()
			s.Files().Write("f", data, when)
			local := filepath.Join(t.TempDir(), "f")
			s.Inject(nth(1, memconn.Fault{Do: memconn.Refuse, Kind: transport.KindPermission}, func(op memconn.OpInfo) bool {
				return op.Step == memconn.StepData && op.Offset >= 96<<10
			}))
			if _, err := c.Download(t.Context(), "f", local, nil); err == nil {
				t.Fatal("it was not refused")
			}
			other := bytes.Clone(data)
			other[1000] ^= 1
			s.Files().Write("f", other, when)
			res, err := c.Download(t.Context(), "f", local, &ftpx.DownloadOptions{Verify: ftpx.VerifySize})
			if err != nil {
				t.Fatal(err)
			}
			if !ranges {
				other[1000] ^= 1 // the documented limit: see VerifyAuto
			}
			wantFile(t, local, other)
			if (res.Kept == 0) != ranges {
				t.Errorf("%+v", res)
			}
		})
	}
}

// What a killed process left of a state file is taken away, and not written
// through where somebody has put a link in its place.
func TestStateThatWasBeingWritten(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		s.Files().Write("f", data, time.Now())
		dir := t.TempDir()
		local, victim := filepath.Join(dir, "f"), filepath.Join(t.TempDir(), "victim")
		if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(victim, local+".part.state.0"); err != nil {
			if runtime.GOOS == "windows" {
				t.Skip(err)
			}
			t.Fatal(err)
		}
		if _, err := c.Download(t.Context(), "f", local, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(victim); err != nil || string(got) != "mine" {
			t.Errorf("%q, %v", got, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}
