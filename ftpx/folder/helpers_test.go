package folder_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) {
	if args := os.Getenv("FOLDER_TEST_CHILD"); args != "" {
		child(strings.Split(args, "\n"))
		return
	}
	if args := os.Getenv("FOLDER_AFTER_CHILD"); args != "" {
		afterChild(strings.Split(args, "\n"))
		return
	}
	goleak.VerifyTestMain(testmain.Parallel(testmain.InMemory(m), 8))
}

var protocols = []ftpx.Protocol{ftpx.SFTP, ftpx.FTPS, ftpx.FTPSImplicit, ftpx.FTP}

// when is the time of all files that write makes.
var when = time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)

// world is the servers, and a client that counts what it does.
type world struct {
	*testserver.Trio
	client ftpx.Client
	opts   *ftpx.Options

	mu        sync.Mutex
	transfers []ftpx.OperationEnd
	commands  map[string]int
	hook      func(ftpx.CommandInfo) // told of each command besides; set before the first
}

func start(t testing.TB, p ftpx.Protocol, change ...func(*testserver.TrioOptions, *ftpx.Options)) *world {
	t.Helper()
	w := &world{commands: map[string]int{}}
	server := testserver.TrioOptions{Root: t.TempDir()}
	opts := &ftpx.Options{Protocols: []ftpx.Protocol{p}, AllowPlaintext: p == ftpx.FTP}
	for _, f := range change {
		f(&server, opts)
	}
	trio, err := testserver.StartTrio(server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { trio.Close() })
	w.Trio = trio
	w.opts = opts
	w.connect(t, ftpx.Ports{SFTP: trio.SFTP.Port(), FTP: trio.FTP.Port(), FTPSImplicit: trio.FTPS.Port()})
	return w
}

// connect opens the client, in place of one that was open.
func (w *world) connect(t testing.TB, ports ftpx.Ports) {
	t.Helper()
	if w.client != nil {
		w.client.Close()
	}
	opts := *w.opts
	opts.Password, opts.Ports = ftpx.Secret(w.Password), ports
	opts.SSH = transport.SSH{HostKeyFingerprints: []string{w.fingerprint()}}
	opts.TLS = transport.TLS{Config: &tls.Config{RootCAs: w.CA.Pool()}}
	if opts.Retry.MaxElapsed == 0 {
		opts.Retry = retry.Policy{MaxAttempts: 30, InitialDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond}
	}
	opts.Hooks = &ftpx.Hooks{
		Operation: func(_ context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
			if i.Op != "upload" && i.Op != "put" && i.Op != "download" && i.Op != "get" {
				return nil, nil
			}
			return nil, func(e ftpx.OperationEnd) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.transfers = append(w.transfers, e)
			}
		},
		Command: func(_ context.Context, i ftpx.CommandInfo) {
			w.mu.Lock()
			defer w.mu.Unlock()
			verb, _, _ := strings.Cut(i.Line, " ")
			w.commands[verb]++
			if w.hook != nil {
				w.hook(i)
			}
		},
	}
	client, err := ftpx.Open(t.Context(), "ftpx://"+w.User+"@127.0.0.1/", &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	w.client = client
}

// fingerprint is that of the SFTP server.
func (w *world) fingerprint() string { return ssh.FingerprintSHA256(w.SFTP.HostKey()) }

// since returns what was transferred, and which commands were given, since the last call.
func (w *world) since() ([]ftpx.OperationEnd, map[string]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	transfers, commands := w.transfers, w.commands
	w.transfers, w.commands = nil, map[string]int{}
	return transfers, commands
}

// content is so many bytes that look like no others.
func content(n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	_, _ = r.Read(b)
	return string(b)
}

// write makes files, and folders for names that end in a slash.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(p, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		must(t, os.WriteFile(p, []byte(text), 0o644))
		must(t, os.Chtimes(p, when, when))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holds fails the test unless a folder holds these files, with folders that hold
// nothing, and no other.
func holds(t testing.TB, dir string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	must(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == dir {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir():
			if entries, err := os.ReadDir(p); err == nil && len(entries) == 0 {
				got[rel+"/"] = ""
			}
		case d.Type()&fs.ModeSymlink != 0:
			to, _ := os.Readlink(p)
			got[rel] = "-> " + to
		default:
			b, err := os.ReadFile(p)
			must(t, err)
			got[rel] = string(b)
		}
		return nil
	}))
	for name, text := range want {
		if have, ok := got[name]; !ok {
			t.Errorf("%q is missing", name)
		} else if have != text {
			t.Errorf("%q holds %d bytes, want %d", name, len(have), len(text))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%q should not be there", name)
		}
	}
}

// seen is what a run told.
type seen struct {
	items  []folder.Item
	report folder.Report
	err    error
}

type way struct {
	name string
	up   bool
}

var ways = []way{{"upload", true}, {"download", false}}

// run copies between a local folder and the server's folder "tree".
func (w way) run(ctx context.Context, world *world, local string, opts *folder.Options) seen {
	var s seen
	o := *opts
	o.OnItem = func(i folder.Item) {
		s.items = append(s.items, i) // one at a time, or the race detector speaks
		if opts.OnItem != nil {
			opts.OnItem(i)
		}
	}
	if w.up {
		s.report, s.err = folder.Upload(ctx, world.client, local, "tree", &o)
	} else {
		s.report, s.err = folder.Download(ctx, world.client, "tree", local, &o)
	}
	return s
}

// sides returns the folders that are copied from and to.
func (w way) sides(world *world, local string) (src, dst string) {
	there := filepath.Join(world.Root, "tree")
	if w.up {
		return local, there
	}
	return there, local
}

// plan is what the items say, but for the client's results.
func (s seen) plan() []string {
	var lines []string
	for _, i := range s.items {
		lines = append(lines, fmt.Sprintf("%v %q %d %v %s", i.Action, i.Path, i.Size, i.Dir, i.Reason))
	}
	slices.Sort(lines)
	return lines
}

// of returns the paths of the items with an action.
func (s seen) of(actions ...folder.Action) []string {
	paths := []string{}
	for _, i := range s.items {
		if slices.Contains(actions, i.Action) && i.Err == nil {
			paths = append(paths, i.Path)
		}
	}
	slices.Sort(paths)
	return paths
}

// failed returns the error of a path, nil for none.
func (s seen) failed(path string) error {
	for _, i := range s.items {
		if i.Path == path && i.Err != nil {
			return i.Err
		}
	}
	return nil
}

func (s seen) ok(t testing.TB) seen {
	t.Helper()
	if s.err != nil {
		t.Fatalf("%v\n%s", s.err, s)
	}
	return s
}

func (s seen) String() string {
	var b strings.Builder
	for _, i := range s.items {
		b.WriteString(i.String() + "\n")
	}
	return b.String()
}

// wantPaths compares sorted paths.
func wantPaths(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// wantError checks the error of an item.
func (s seen) wantError(t testing.TB, path string, is error, words string) {
	t.Helper()
	err := s.failed(path)
	if err == nil || is != nil && !errors.Is(err, is) || !strings.Contains(err.Error(), words) {
		t.Errorf("%q: error %v, want %v with %q", path, err, is, words)
	}
}

// symlink makes a link. Windows lets only some users do so; elsewhere it must work.
func symlink(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		if runtime.GOOS == "windows" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
}
