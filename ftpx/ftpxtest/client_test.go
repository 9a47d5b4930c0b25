package ftpxtest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/ftpxtest"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var when = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestClientIsAClient(t *testing.T) {
	for _, p := range protocols {
		c := ftpxtest.NewClient(ftpxtest.WithOptions(ftpx.Options{Protocols: []ftpx.Protocol{p}}))
		defer c.Close()
		ctx := t.Context()
		local := filepath.Join(t.TempDir(), "local")
		if err := os.WriteFile(local, content(300_000), 0o600); err != nil {
			t.Fatal(err)
		}
		if res, err := c.Upload(ctx, local, "d/f", &ftpx.UploadOptions{CreateDirs: true}); err != nil || res.Protocol != p {
			t.Errorf("%+v, %v", res, err)
		}
		if got, ok := c.ReadFile("d/f"); !ok || !bytes.Equal(got, content(300_000)) {
			t.Errorf("%d bytes on the server", len(got))
		}
		c.WriteFile("d/g", []byte("hello"), when)
		var b strings.Builder
		if _, err := c.Get(ctx, "d/g", &b, nil); err != nil || b.String() != "hello" {
			t.Errorf("%q, %v", b.String(), err)
		}
		if e, err := c.Stat(ctx, "d/g"); err != nil || !e.ModTime.Equal(when) {
			t.Errorf("%+v, %v", e, err)
		}
		if err := c.Rename(ctx, "d/g", "d/h"); err != nil {
			t.Error(err)
		}
		if _, err := c.Stat(ctx, "d/g"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, want not exist", err)
		}
		if err := fstest.TestFS(c.FS(ctx), "d/f", "d/h"); err != nil {
			t.Error(err)
		}
		if err := c.RemoveAll(ctx, "d"); err != nil {
			t.Error(err)
		}
		for op, n := range map[string]int{"upload": 1, "get": 1, "rename": 1, "remove": 1, "put": 0} {
			if c.Calls(op) != n {
				t.Errorf("%d calls of %q, want %d", c.Calls(op), op, n)
			}
		}
	}
}

var errDemand = errors.New("on demand")

// TestFailNext goes through all operations: each fails once, as a client's would,
// and not a second time.
func TestFailNext(t *testing.T) {
	c := ftpxtest.NewClient()
	defer c.Close()
	ctx := t.Context()
	c.WriteFile("f", []byte("x"), when)
	c.WriteFile("d/f", []byte("x"), when)
	local := filepath.Join(t.TempDir(), "local")
	if err := os.WriteFile(local, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	sub, err := fs.Sub(c.FS(ctx), "d")
	if err != nil {
		t.Fatal(err)
	}
	file, err := sub.Open("f")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dir, err := sub.Open(".")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	list := func(p string) (err error) {
		for _, err = range c.List(ctx, p) {
		}
		return err
	}
	for _, k := range []struct {
		name, op string
		call     func() error
	}{
		{"Upload", "upload", func() error { _, err := c.Upload(ctx, local, "u", nil); return err }},
		{"Put", "put", func() error { _, err := c.Put(ctx, "p", strings.NewReader("x"), nil); return err }},
		{"Download", "download", func() error { _, err := c.Download(ctx, "f", local+"2", nil); return err }},
		{"Get", "get", func() error { _, err := c.Get(ctx, "f", io.Discard, nil); return err }},
		{"Stat", "stat", func() error { _, err := c.Stat(ctx, "f"); return err }},
		{"List", "list", func() error { return list("d") }},
		{"Walk", "list", func() error {
			return c.Walk(ctx, ".", func(_ string, _ ftpx.Entry, err error) error { return err })
		}},
		{"Rename", "rename", func() error { return c.Rename(ctx, "p", "q") }},
		{"MkdirAll", "mkdir", func() error { return c.MkdirAll(ctx, "a/b") }},
		{"Chtimes", "chtimes", func() error { return c.Chtimes(ctx, "q", when) }},
		{"Chmod", "chmod", func() error { return c.Chmod(ctx, "q", 0o640) }},
		{"Symlink", "symlink", func() error { return c.Symlink(ctx, "q", "l") }},
		{"ReadLink", "readlink", func() error { _, err := c.ReadLink(ctx, "l"); return err }},
		{"Space", "space", func() error { _, err := c.Space(ctx, "."); return err }},
		{"Raw", "raw", func() error { _, err := c.Raw(ctx, "NOOP"); return err }},
		{"Remove", "remove", func() error { return c.Remove(ctx, "q") }},
		{"RemoveAll", "remove", func() error { return c.RemoveAll(ctx, "a") }},
		{"Open", "stat", func() error { _, err := c.Open(ctx, "f"); return err }},
		{"Create", "put", func() error {
			w, err := c.Create(ctx, "w", nil)
			if err != nil {
				return err
			}
			return w.Close()
		}},
		{"Ping", "ping", func() error { return c.Ping(ctx) }},
		{"FS.Open", "stat", func() error { _, err := sub.Open("f"); return err }},
		{"FS.Stat", "stat", func() error { _, err := fs.Stat(sub, "f"); return err }},
		{"FS.ReadDir", "list", func() error { _, err := fs.ReadDir(sub, "."); return err }},
		{"FS.ReadFile", "read", func() error { _, err := fs.ReadFile(sub, "f"); return err }},
		{"File.Read", "read", func() error { _, err := file.Read(make([]byte, 1)); return err }},
		{"File.ReadAt", "read", func() error { _, err := file.(io.ReaderAt).ReadAt(make([]byte, 1), 0); return err }},
		{"File.WriteTo", "read", func() error { _, err := file.(io.WriterTo).WriteTo(io.Discard); return err }},
		{"Dir.ReadDir", "list", func() error { _, err := dir.(fs.ReadDirFile).ReadDir(-1); return err }},
	} {
		before := c.Calls(k.op)
		c.FailNext(k.op, errDemand)
		err := k.call()
		var e *ftpx.Error
		if !errors.Is(err, errDemand) || !errors.As(err, &e) || e.Op != k.op {
			t.Errorf("%s: %v, want the error of a failed %q", k.name, err, k.op)
		}
		var pe *fs.PathError
		if strings.Contains(k.name, ".") && !errors.As(err, &pe) {
			t.Errorf("%s: %v, want an fs.PathError", k.name, err)
		}
		none := slices.Contains([]string{"symlink", "readlink", "space", "raw"}, k.op) // on the server in memory
		if err := k.call(); errors.Is(err, errors.ErrUnsupported) != none || err != nil && !none {
			t.Errorf("%s, the second time: %v", k.name, err)
		}
		if n := c.Calls(k.op) - before; n != 2 {
			t.Errorf("%s: %d calls, want 2", k.name, n)
		}
	}
	// An error of one's own passes as it is; two in a row come in order.
	c.FailNext("put", &ftpx.Error{Op: "put", Outcome: ftpx.Unknown, Err: errDemand})
	c.FailNext("put", fs.ErrPermission)
	res, err := c.Put(ctx, "x", strings.NewReader("x"), nil)
	var e *ftpx.Error
	if !errors.As(err, &e) || e.Outcome != ftpx.Unknown || res.Outcome != ftpx.Unknown {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := c.Put(ctx, "x", strings.NewReader("x"), nil); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
}

// TestClientInSimulatedTime: a transfer of two minutes over a line that is cut
// twice and down for ten minutes takes no time at all.
func TestClientInSimulatedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var retries int
		c := ftpxtest.NewClient(ftpxtest.WithRate(100_000), ftpxtest.WithRoundTrip(50*time.Millisecond),
			ftpxtest.WithOptions(ftpx.Options{
				Retry: retry.Policy{MaxElapsed: time.Hour, MaxAttempts: 1 << 20, InitialDelay: time.Second},
				Hooks: &ftpx.Hooks{Retry: func(context.Context, ftpx.RetryInfo) { retries++ }},
			}))
		defer c.Close()
		for _, at := range []time.Duration{20 * time.Second, 50 * time.Second} {
			time.AfterFunc(at, func() { c.Cut() })
		}
		time.AfterFunc(80*time.Second, c.Down)
		time.AfterFunc(80*time.Second+10*time.Minute, c.Up)
		begin := time.Now()
		data := content(12_000_000)
		res, err := c.Put(t.Context(), "f", bytes.NewReader(data), nil)
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(begin)
		if got, _ := c.ReadFile("f"); !bytes.Equal(got, data) {
			t.Error("it differs")
		}
		if took < 12*time.Minute || took > 20*time.Minute || res.Resumes < 3 || retries < 3 {
			t.Errorf("%v, %d retries, %+v", took, retries, res)
		}
	})
}

func TestClientDown(t *testing.T) {
	c := ftpxtest.NewClient(ftpxtest.WithOptions(ftpx.Options{Retry: retry.Policy{MaxAttempts: 2}}))
	defer c.Close()
	c.WriteFile("f", []byte("x"), when)
	c.Down()
	if _, err := c.Stat(t.Context(), "f"); ftpx.KindOf(err) != transport.KindUnreachable {
		t.Errorf("%v, want an unreachable server", err)
	}
	c.Up()
	if _, err := c.Stat(t.Context(), "f"); err != nil {
		t.Error(err)
	}
}

func TestBadOptionsPanic(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "Options.Limits.Conns") {
			t.Errorf("%v, want a panic that names Limits.Conns", r)
		}
	}()
	ftpxtest.NewClient(ftpxtest.WithOptions(ftpx.Options{Limits: ftpx.Limits{Conns: -1}}))
}

// TestUnknownOperationPanics: a name that no operation has is a mistake of the test's.
func TestUnknownOperationPanics(t *testing.T) {
	c := ftpxtest.NewClient()
	defer c.Close()
	for name, call := range map[string]func(){"FailNext": func() { c.FailNext("Put", fs.ErrPermission) }, "Calls": func() { c.Calls("puts") }} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(r.(string), "use one of") {
					t.Errorf("%s: %v, want a panic that names the operations", name, r)
				}
			}()
			call()
		}()
	}
}

// TestFaultsHaveKinds: what is made to fail fails as it does with a server.
func TestFaultsHaveKinds(t *testing.T) {
	c := ftpxtest.NewClient()
	defer c.Close()
	for _, fault := range []struct {
		err  error
		kind ftpx.Kind
	}{
		{fs.ErrPermission, ftpx.KindPermission}, {fs.ErrNotExist, ftpx.KindNotExist}, {context.Canceled, ftpx.KindCanceled},
		{ftpxtest.Fault(ftpx.KindNoSpace), ftpx.KindNoSpace}, {ftpxtest.Fault(ftpx.KindBusy), ftpx.KindBusy},
	} {
		c.FailNext("put", fault.err)
		res, err := c.Put(t.Context(), "f", strings.NewReader("x"), nil)
		if ftpx.KindOf(err) != fault.kind || res.Outcome != ftpx.NotDone {
			t.Errorf("%v: %v, %v", fault.err, ftpx.KindOf(err), res.Outcome)
		}
	}
	c.FailNext("stat", fs.ErrNotExist)
	if _, err := fs.Stat(c.FS(t.Context()), "f"); ftpx.KindOf(err) != ftpx.KindNotExist {
		t.Errorf("%v: %v", err, ftpx.KindOf(err))
	}
	if err := ftpxtest.Fault(ftpx.KindExist); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
}
