package turns

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
)

const (
	remoteName  = "turns.bin"
	smallSize   = 4 << 10
	largeSize   = 4 << 20
	resetPoint  = 2 << 20
	folderFiles = 40
)

// A kind is one case of the matrix.
type kind struct {
	name string
	up   bool
}

func (k kind) String() string {
	if k.name == "login" {
		return k.name
	}
	return k.name + map[bool]string{true: " up", false: " down"}[k.up]
}

// kinds is the matrix.
func kinds() []kind {
	all := []kind{{name: "login"}}
	for _, name := range []string{"small", "large", "resumed", "reset", "folder"} {
		all = append(all, kind{name, true}, kind{name, false})
	}
	return all
}

func (k kind) size() int {
	if k.name == "small" || k.name == "folder" {
		return smallSize
	}
	return largeSize
}

// content is the same for the same size.
func content(size int) []byte {
	b := make([]byte, size)
	r := rand.New(rand.NewPCG(uint64(size), 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// A job is one transfer: its two ends, one of which is there.
type job struct {
	kind
	remote string // a path for the client, within a folder of the job's own
	dir    string // that folder on the server's disk
	local  string
	data   []byte
}

// newJob makes the source of a transfer, in new folders at both ends.
func newJob(t testing.TB, s *server, k kind) *job {
	t.Helper()
	dir, err := os.MkdirTemp(s.root, "job")
	check(t, err)
	check(t, os.Chmod(dir, 0o755))
	check(t, s.own(dir))
	j := &job{kind: k, dir: dir, remote: filepath.Base(dir) + "/" + remoteName, data: content(k.size())}
	j.local = filepath.Join(t.TempDir(), remoteName)
	from := filepath.Dir(j.local)
	if !k.up {
		from = dir
	}
	if k.name != "folder" {
		write(t, s, filepath.Join(from, remoteName), j.data)
		return j
	}
	for i := range folderFiles {
		write(t, s, filepath.Join(from, fmt.Sprintf("file%02d", i)), j.data)
	}
	return j
}

func write(t testing.TB, s *server, path string, data []byte) {
	t.Helper()
	check(t, os.WriteFile(path, data, 0o644))
	check(t, s.own(path))
}

// run does the transfer, wants it to be what its case says, and returns how long the
// call took.
func (j *job) run(t testing.TB, ctx context.Context, c ftpx.Client) time.Duration {
	t.Helper()
	begin := time.Now()
	if j.name == "folder" {
		var r folder.Report
		var err error
		if j.up {
			r, err = folder.Upload(ctx, c, filepath.Dir(j.local), filepath.Base(j.dir), nil)
		} else {
			r, err = folder.Download(ctx, c, filepath.Base(j.dir), filepath.Dir(j.local), nil)
		}
		if err != nil || r.Copied != folderFiles {
			t.Fatalf("%+v, %v", r, err)
		}
		return time.Since(begin)
	}
	res, err := j.transfer(ctx, c)
	took := time.Since(begin)
	check(t, err)
	if resumed := j.name == "resumed"; resumed != (res.Kept > 0) || (j.name == "reset" || resumed) != (res.Resumes == 1) {
		t.Fatalf("this is no %v transfer: %+v", j.kind, res)
	}
	got, err := os.ReadFile(j.target())
	check(t, err)
	if !bytes.Equal(got, j.data) {
		t.Fatal("what arrived is not what was sent")
	}
	return took
}

func (j *job) transfer(ctx context.Context, c ftpx.Client) (ftpx.Result, error) {
	if j.up {
		return c.Upload(ctx, j.local, j.remote, nil)
	}
	return c.Download(ctx, j.remote, j.local, nil)
}

func (j *job) target() string {
	if j.up {
		return filepath.Join(j.dir, remoteName)
	}
	return j.local
}

// prepare leaves the beginning of the file where a former client has got to.
func (j *job) prepare(t testing.TB, s *server, ch choice) {
	t.Helper()
	if j.name != "resumed" {
		return
	}
	ch.once = true
	x := s.open(t, ch)
	x.resetAfter(j.up, resetPoint)
	if res, err := j.transfer(x.ctx, x.client); err == nil {
		t.Fatalf("nothing was reset: %+v", res)
	}
	_ = x.client.Close()
}

// ready waits until nothing that was sent before is under way any more. Not all of it
// is waited for: SFTP's question for limits after the login, and CLOSE at the end.
func ready(t testing.TB, c ftpx.Client) {
	t.Helper()
	for range 2 { // the first finds that the login was proof enough
		check(t, c.Ping(t.Context()))
	}
}

// count does a case once, with a client of its own, and returns its turns.
func (k kind) count(t testing.TB, s *server, ch choice) []turn {
	t.Helper()
	ch.single = k.name == "folder"
	if k.name == "login" {
		x := s.open(t, ch)
		defer x.client.Close()
		return x.end(func() {}) // a login is waited for
	}
	j := newJob(t, s, k)
	j.prepare(t, s, ch)
	x := s.open(t, ch)
	defer x.client.Close()
	if k.name == "reset" {
		x.resetAfter(k.up, resetPoint)
	}
	ready(t, x.client)
	x.begin()
	j.run(t, x.ctx, x.client)
	return x.end(func() { ready(t, x.client) })
}

// number is what the golden file has of the turns of a case.
func (k kind) number(turns []turn) float64 {
	if k.name == "folder" {
		return hundredth(float64(len(turns)) / folderFiles)
	}
	return float64(len(turns))
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
