package ftpx_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// breakDisk has this process hold a device instead of a file that it has open: it takes
// what is written to it, and fsync fails, as on a disk that is about to die.
func breakDisk(t *testing.T, name string) {
	t.Helper()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if null.Sync() == nil {
		t.Fatal("fsync of the device does not fail")
	}
	if name, err = filepath.EvalSymlinks(name); err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range open {
		if link, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || link != name {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Dup3(int(null.Fd()), fd, syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("%s is not open", name)
}

// The last fsync fails: the file may be lost with the next power cut, so that it does not
// get its name. What had it keeps it, and the part stays for the next call.
func TestLastSyncFails(t *testing.T) {
	for _, old := range [][]byte{nil, []byte("old")} {
		inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
			data := content(300 << 10)
			s.Files().Write("f", data, time.Now())
			local := filepath.Join(t.TempDir(), "f")
			names := []string{"f.part", "f.part.state"}
			if old != nil {
				if err := os.WriteFile(local, old, 0o600); err != nil {
					t.Fatal(err)
				}
				names = append(names, "f")
			}
			broken := false
			res, err := c.Download(t.Context(), "f", local, &ftpx.DownloadOptions{Progress: func(p ftpx.ProgressInfo) {
				if p.Offset == p.Size {
					breakDisk(t, local+".part")
					broken = true
				}
			}})
			if !broken {
				t.Fatal("the end was not told")
			}
			var e *ftpx.Error
			if !errors.As(err, &e) || ftpx.KindOf(err) != transport.KindLocal || res.Outcome != ftpx.NotDone || e.Partial != local+".part" {
				t.Errorf("%+v, %v", res, err)
			}
			wantNames(t, filepath.Dir(local), names...)
			wantFile(t, local+".part", data)
			if old != nil {
				wantFile(t, local, old)
			}
			res, err = c.Download(t.Context(), "f", local, nil)
			if err != nil || res.Kept != int64(len(data)) {
				t.Errorf("the next call: %+v, %v", res, err)
			}
			wantFile(t, local, data)
			wantNames(t, filepath.Dir(local), "f")
		})
	}
}

// What the state names as durable has reached the disk before. Where it does not reach it
// the state names no more than what had, during the download and at its end.
func TestStateNamesWhatIsSynced(t *testing.T) {
	const size, rate = 33 << 20, 4 << 20
	data := content(size)
	for name, broken := range map[string]bool{"a good disk": false, "a bad disk": true} {
		t.Run(name, func(t *testing.T) {
			local := filepath.Join(t.TempDir(), "f")
			synctest.Test(t, func(t *testing.T) {
				s := memconn.New(memconn.Options{Rate: rate, Chunk: 256 << 10})
				s.Files().Write("f", data, time.Now())
				c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u",
					Options: ftpx.Options{Protocols: []ftpx.Protocol{ftpx.FTPS}, Connect: s.Dial}})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done, during := false, int64(-1)
				_, err = c.Download(ctx, "f", local, &ftpx.DownloadOptions{Progress: func(p ftpx.ProgressInfo) {
					if broken && !done && p.Offset >= 1<<20 { // before the first sync
						breakDisk(t, local+".part")
						done = true
					}
					if p.Offset >= 7*rate { // after the third
						during = durable(t, local)
						cancel()
					}
				}})
				if !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				after := durable(t, local)
				switch {
				case broken && (during != 0 || after != 0):
					t.Errorf("%d bytes are named as durable, and %d afterwards, that never reached the disk", during, after)
				case !broken && (during < 4*rate || during > 7*rate || after < 7*rate):
					t.Errorf("%d bytes are named as durable, and %d afterwards", during, after)
				}
			})
		})
	}
}

// durable is what the state of a local file's part says has reached the disk.
func durable(t *testing.T, local string) int64 {
	t.Helper()
	b, err := os.ReadFile(local + ".part.state")
	var state struct{ Durable int64 }
	if err == nil {
		err = json.Unmarshal(b, &state)
	}
	if err != nil {
		t.Error(err)
	}
	return state.Durable
}
