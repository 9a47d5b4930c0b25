//go:build linux && realserver

package trustdrill

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

// replacedSetups is one server a protocol.
func replacedSetups() []setup { return []setup{sshd, vsftpd13, vsftpd, proftpdS, pureftpd} }

// interrupted starts a mover, stops the line at the given share of its payload,
// kills it, and lets what was under way go on.
func (r *rig) interrupted(t *testing.T, o order, dir faultproxy.Dir, n int64) {
	t.Helper()
	stalls := r.proxy.Stats(r.payloadRole()).Stalls
	r.planPayload(faultproxy.Always(faultproxy.StallAt(dir, n)))
	m := startMover(t, o)
	r.await(t, "the middle of the file", func(s faultproxy.Stats) bool { return s.Stalls > stalls }, r.payloadRole())
	m.kill()
	r.planPayload(nil)
	r.proxy.Lift()
}

// change returns a copy of data with other bytes from a place on.
func change(data []byte, at, n int) []byte {
	out := append([]byte(nil), data...)
	copy(out[at:at+n], content(99, n))
	return out
}

// TestSourceReplacedBetweenKillAndRestart puts another source in the place of
// the one whose transfer was killed. Whatever of the old one is on the other
// side, the result is the new content: curl -C - and sftp reput glue the two
// together.
func TestSourceReplacedBetweenKillAndRestart(t *testing.T) {
	const size = 8 * mib
	old := content(1, size)
	when := time.Now().Add(-time.Hour).Truncate(time.Second)
	cases := []struct {
		name string
		data []byte
		time time.Time
	}{
		{"same size", content(2, size), when.Add(time.Minute)},
		{"larger", content(3, size+mib), when.Add(time.Minute)},
		{"larger, the old one being its beginning", append(append([]byte(nil), old...), content(4, mib)...), when.Add(time.Minute)},
		{"smaller", content(5, size/4), when.Add(time.Minute)},
		{"same size and time, other head", change(old, 100, 10), when},
		{"same size and time, other tail", change(old, size-100, 10), when},
		{"same size, other middle", change(old, size/4, 10), when.Add(time.Minute)},
	}
	if testing.Short() {
		cases = append(cases[:2:2], cases[6])
	}
	for _, s := range replacedSetups() {
		t.Run(s.name+"/upload", func(t *testing.T) {
			r := newRig(t, s)
			for _, tt := range cases {
				source := local(t, old)
				setTime(t, source, when)
				o := order{Op: "upload", Local: source, Remote: "f", Account: r.access()}
				r.interrupted(t, o, faultproxy.Up, size/2)
				setTime(t, write(t, source, tt.data), tt.time)
				v := startMover(t, o).verdict(t)
				if v.Outcome != "done" || !same(t, r.on("f"), tt.data) {
					t.Errorf("%s: %+v", tt.name, v)
				}
				t.Logf("%s: done, %s of the old partial kept, %s sent", tt.name, inMiB(v.Kept), inMiB(v.Sent))
				r.empty(t)
			}
		})
		t.Run(s.name+"/download", func(t *testing.T) {
			r := newRig(t, s)
			for _, tt := range cases {
				if tt.time.Equal(when) {
					continue // what a server says of a file is its size and its time
				}
				r.put(t, "f", old)
				setTime(t, r.on("f"), when)
				o := order{Op: "download", Local: filepath.Join(t.TempDir(), "f"), Remote: "f", Account: r.access()}
				r.interrupted(t, o, faultproxy.Down, size/2)
				r.put(t, "f", tt.data)
				setTime(t, r.on("f"), tt.time)
				v := startMover(t, o).verdict(t)
				if v.Outcome != "done" || !same(t, o.Local, tt.data) {
					t.Errorf("%s: %+v", tt.name, v)
				}
				t.Logf("%s: done, %s of the old part kept, %s received", tt.name, inMiB(v.Kept), inMiB(v.Received))
				r.empty(t)
			}
		})
	}
}

// TestSourceReplacedWithinACall changes the source while it is being sent, from
// the progress of the upload itself.
func TestSourceReplacedWithinACall(t *testing.T) {
	const size = 8 * mib
	for _, s := range replacedSetups() {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, s)
			c := r.client(t)
			source, next := local(t, content(1, size)), content(2, size+mib)
			changed := false
			res, err := c.Upload(t.Context(), source, "f", &ftpx.UploadOptions{
				OnSourceChange: ftpx.SourceChangeRestart,
				Progress: func(i ftpx.ProgressInfo) {
					if !changed && i.Offset > size/2 {
						changed = true
						write(t, source, next)
					}
				},
			})
			if err != nil || !changed || !same(t, r.on("f"), next) {
				t.Fatalf("%+v, %v", res, err)
			}
		})
	}
}

func setTime(t *testing.T, path string, when time.Time) {
	t.Helper()
	if err := os.Chtimes(path, when, when); err != nil {
		t.Fatal(err)
	}
}

// empty empties the server's folder.
func (r *rig) empty(t *testing.T) {
	t.Helper()
	entries, err := os.ReadDir(r.srv.Root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(r.on(e.Name())); err != nil {
			t.Fatal(err)
		}
	}
}
