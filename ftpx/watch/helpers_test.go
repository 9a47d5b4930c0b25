package watch_test

import (
	"context"
	"crypto/tls"
	"errors"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/ftpx/folder"
	"github.com/seed01fc2e40/go-ftpx/ftpx/watch"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testmain.Parallel(testmain.InMemory(m), 8)) }

// connect starts servers and returns a client and the folder that they serve.
func connect(t testing.TB, p ftpx.Protocol) (ftpx.Client, string) {
	t.Helper()
	root := t.TempDir()
	trio, err := testserver.StartTrio(testserver.TrioOptions{Root: root})
	must(t, err)
	t.Cleanup(func() { trio.Close() })
	client, err := ftpx.Open(t.Context(), "ftpx://"+trio.User+"@127.0.0.1/", &ftpx.Options{
		Protocols: []ftpx.Protocol{p}, AllowPlaintext: p == ftpx.FTP, Password: ftpx.Secret(trio.Password),
		Ports: ftpx.Ports{SFTP: trio.SFTP.Port(), FTP: trio.FTP.Port(), FTPSImplicit: trio.FTPS.Port()},
		SSH:   transport.SSH{HostKeyFingerprints: []string{ssh.FingerprintSHA256(trio.SFTP.HostKey())}},
		TLS:   transport.TLS{Config: &tls.Config{RootCAs: trio.CA.Pool()}},
		Retry: retry.Policy{MaxAttempts: 5, InitialDelay: time.Millisecond, MaxDelay: 10 * time.Millisecond},
	})
	must(t, err)
	t.Cleanup(func() { client.Close() })
	return client, root
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, name, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(name), 0o755))
	must(t, os.WriteFile(name, []byte(text), 0o644))
}

func content(n int) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8)})
	_, _ = r.Read(b)
	return string(b)
}

// stream gathers what a stream yields, in a goroutine of its own.
type stream struct {
	t      testing.TB
	mu     sync.Mutex
	events map[string]int
	errs   []error
	moved  chan struct{} // something was yielded
	cancel context.CancelFunc
	ended  chan struct{}
}

func follow(t testing.TB, open func(context.Context) iter.Seq2[watch.Event, error]) *stream {
	ctx, cancel := context.WithCancel(t.Context())
	s := &stream{t: t, events: map[string]int{}, moved: make(chan struct{}, 1), cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		for e, err := range open(ctx) {
			s.mu.Lock()
			if err != nil {
				s.errs = append(s.errs, err)
			} else {
				s.events[e.Path]++
			}
			s.mu.Unlock()
			select {
			case s.moved <- struct{}{}:
			default:
			}
		}
	}()
	t.Cleanup(s.stop)
	return s
}

// stop ends the stream and waits for that.
func (s *stream) stop() {
	s.cancel()
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		s.t.Fatal("the stream does not end")
	}
}

// until waits until what was yielded is enough.
func (s *stream) until(what string, enough func(events map[string]int, errs []error) bool) {
	s.t.Helper()
	limit := time.After(60 * time.Second)
	for {
		s.mu.Lock()
		ok := enough(s.events, s.errs)
		n, errs := len(s.events), errors.Join(s.errs...)
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-s.moved:
		case <-limit:
			s.t.Fatalf("%s: not within a minute; %d events, errors %v", what, n, errs)
		}
	}
}

// has waits for paths.
func (s *stream) has(paths ...string) {
	s.t.Helper()
	s.until(strings.Join(paths, ", "), func(events map[string]int, _ []error) bool {
		for _, p := range paths {
			if events[p] == 0 {
				return false
			}
		}
		return true
	})
}

// once fails the test unless these were yielded, once each, and nothing else.
func (s *stream) once(paths ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range paths {
		if s.events[p] != 1 {
			s.t.Errorf("%q was yielded %d times", p, s.events[p])
		}
	}
	if len(s.events) != len(paths) {
		s.t.Errorf("%v, want %q", s.events, paths)
	}
}

// quick are options under which little time passes. Notices may be lost on some systems,
// so that the folder is looked through often.
func quick(stable time.Duration) *watch.Options {
	return &watch.Options{Interval: 50 * time.Millisecond, MaxInterval: 500 * time.Millisecond, RetryAfter: 20 * time.Millisecond,
		Folder: folder.Options{Ready: folder.Ready{Stable: stable}}}
}
