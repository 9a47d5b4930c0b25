//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ftpx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/memconn"
)

// another is another process that downloads to the same local path, one file after the
// other.
type another struct {
	t     *testing.T
	local string
	part  *os.File
}

// begin makes a part, locked, with its state.
func (a *another) begin(data []byte) {
	a.t.Helper()
	var err error
	if a.part, err = ftpx.OpenPart(a.local + ".part"); err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.part.Write(data); err != nil {
		a.t.Fatal(err)
	}
	state := fmt.Sprintf(`{"remote":"theirs","size":%d,"mtime":"2020-01-01T00:00:00Z","durable":0,"call":"theirs"}`, len(data))
	if err := os.WriteFile(a.local+".part.state", []byte(state), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// publish gives the part a final name, and closes it.
func (a *another) publish(name string) {
	a.t.Helper()
	if err := os.Rename(a.local+".part", name); err != nil {
		a.t.Error(err)
	}
	if err := os.Remove(a.local + ".part.state"); err != nil {
		a.t.Error(err)
	}
	a.part.Close()
}

// Between our look at the part and our lock on it another process gives it its final name,
// and makes a new part or leaves that to us: what we have locked then is its published file,
// which stays as it is.
func TestPublishedBetweenLookAndLock(t *testing.T) {
	for _, again := range []bool{true, false} {
		t.Run(fmt.Sprintf("again=%v", again), func(t *testing.T) {
			inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
				data := content(100 << 10)
				s.Files().Write("f", data, time.Now())
				local := filepath.Join(t.TempDir(), "f")
				first, second := local+".first", local+".second"
				other := &another{t: t, local: local}
				other.begin(content(50 << 10))
				opened, begun := 0, make(chan struct{})
				var end func()
				end = ftpx.HookOpened(c, func() {
					opened++
					end()
					other.publish(first)
					if again {
						other.begin(content(60 << 10))
						close(begun)
					}
				})
				defer end()
				if again {
					go func() {
						time.Sleep(2 * time.Second)
						<-begun // long since; that a timer has run says nothing to the race detector
						other.publish(second)
					}()
				}
				res, err := c.Download(t.Context(), "f", local, nil)
				if err != nil || opened != 1 {
					t.Errorf("%+v, %v; opened %d times", res, err, opened)
				}
				names := []string{"f", "f.first"}
				wantFile(t, local, data)
				wantFile(t, first, content(50<<10))
				if again {
					names = append(names, "f.second")
					wantFile(t, second, content(60<<10))
				}
				wantNames(t, filepath.Dir(local), names...)
			})
		})
	}
}

// Between our look at the name of the part, where nothing is, and our lock, another program
// puts a file of its own there: it stays as it is, and the part has its other name.
func TestForeignFileBetweenLookAndLock(t *testing.T) {
	inMemory(t, nil, func(t *testing.T, c ftpx.Client, s *memconn.Server) {
		data := content(100 << 10)
		s.Files().Write("f", data, time.Now())
		local := filepath.Join(t.TempDir(), "f")
		var end func()
		end = ftpx.HookOpened(c, func() {
			end()
			if err := os.WriteFile(local+".part", []byte("precious"), 0o600); err != nil {
				t.Error(err)
			}
		})
		defer end()
		if res, err := c.Download(t.Context(), "f", local, nil); err != nil {
			t.Errorf("%+v, %v", res, err)
		}
		wantFile(t, local, data)
		wantFile(t, local+".part", []byte("precious"))
		wantNames(t, filepath.Dir(local), "f", "f.part")
	})
}
