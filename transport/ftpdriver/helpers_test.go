package ftpdriver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/internal/pki"
	"github.com/seed01fc2e40/go-ftpx/internal/testmain"
	"github.com/seed01fc2e40/go-ftpx/internal/testserver"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testmain.Parallel(testmain.InMemory(m), 8)) }

// ca is the authority of all tests.
var ca = sync.OnceValue(func() *pki.CA {
	ca, err := pki.NewCA("ftpdriver test authority")
	if err != nil {
		panic(err)
	}
	return ca
})

func serverTLS(t testing.TB, hosts ...string) *tls.Config {
	t.Helper()
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1"}
	}
	cert, err := ca().ServerFor(hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

// start starts an embedded server and returns an endpoint for it.
func start(t testing.TB, p transport.Protocol, opts testserver.FTPOptions) (*transport.Endpoint, *testserver.FTPServer) {
	t.Helper()
	if opts.Root == "" {
		opts.Root = t.TempDir()
	}
	switch p {
	case transport.FTPS:
		opts.TLS = max(opts.TLS, testserver.ExplicitTLS)
	case transport.FTPSImplicit:
		opts.TLS = testserver.ImplicitTLS
	}
	if opts.TLS != testserver.NoTLS && opts.TLSConfig == nil {
		opts.TLSConfig = serverTLS(t)
	}
	srv, err := testserver.StartFTP(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return endpoint(p, srv.Addr()), srv
}

func endpoint(p transport.Protocol, addr net.Addr) *transport.Endpoint {
	a := addr.(*net.TCPAddr)
	return &transport.Endpoint{
		Protocol: p, Host: a.IP.String(), Port: a.Port, User: "user", Password: "password",
		TLS: transport.TLS{Config: &tls.Config{RootCAs: ca().Pool()}}, Stall: 10 * time.Second, ConnectTimeout: 10 * time.Second,
		Learned: new(transport.Learned),
	}
}

// tconn is a connection with its requests as methods.
type tconn struct {
	*Conn
	transport.Calls
}

// Command carries out a [transport.Raw].
func (c *tconn) Command(ctx context.Context, line string) (code int, text string, err error) {
	r := &transport.Raw{Line: line}
	err = c.Do(ctx, transport.NewBatch(r))
	if r.Err != nil && r.Err != transport.ErrUnsent {
		err = r.Err
	}
	return r.Code, r.Text, err
}

// do carries out a batch and returns its error, or else the first of a request that is
// none of the transport package's own.
func (c *tconn) do(ctx context.Context, reqs ...transport.Request) error {
	if err := c.Do(ctx, transport.NewBatch(reqs...)); err != nil {
		return err
	}
	for _, r := range reqs {
		if err := r.Common().Err; err != nil {
			return err
		}
	}
	return nil
}

// followed is the condition of the first request of a batch: it begins another batch,
// and is met when that waits for the session. The result of that comes from the channel.
func (c *tconn) followed(t testing.TB, next ...transport.Request) (func() bool, <-chan error) {
	done := make(chan error, 1)
	return func() bool {
		go func() { done <- c.do(context.Background(), next...) }()
		for begin := time.Now(); ; time.Sleep(time.Millisecond) { // nothing else tells that it waits
			c.mu.Lock()
			waits := c.next != nil
			c.mu.Unlock()
			if waits {
				return true
			}
			if time.Since(begin) > 10*time.Second {
				t.Error("nobody waits")
				return true
			}
		}
	}, done
}

func dial(t testing.TB, ep *transport.Endpoint) *tconn {
	t.Helper()
	own, err := Dial(context.Background(), ep)
	if err != nil {
		t.Fatal(err)
	}
	c := &tconn{own, transport.Calls{Conn: own}}
	c.ctl.grace = max(c.ctl.grace, 10*replyGrace) // for machines under load
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// wantKind checks kind, code and that the error says so portably.
func wantKind(t testing.TB, err error, kind transport.Kind, code int) *transport.Error {
	t.Helper()
	var te *transport.Error
	if !errors.As(err, &te) {
		t.Fatalf("%v (%T) is no *transport.Error", err, err)
	}
	if te.Kind != kind || te.Code != code {
		t.Fatalf("kind %q, code %d, want %q, %d: %v", te.Kind, te.Code, kind, code, err)
	}
	var reply *textproto.Error
	if code != 0 && (!errors.As(err, &reply) || reply.Code != code) {
		t.Errorf("no reply in %v", err)
	}
	return te
}

func random(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(n)})
	_, _ = r.Read(b)
	return b
}

func write(t testing.TB, file string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func sameFile(t testing.TB, file string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s has %d bytes, want %d, or differs", file, len(got), len(want))
	}
}

// log collects what a trace says.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) trace() *transport.Trace {
	add := func(s string) { l.mu.Lock(); l.lines = append(l.lines, s); l.mu.Unlock() }
	return &transport.Trace{
		Command: func(_ context.Context, c transport.TraceCommand) { add("> " + c.Line) },
		Reply:   func(_ context.Context, r transport.TraceReply) { add("< " + r.Text) },
	}
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// commands returns the commands in order, from the nth line on.
func (l *log) commands() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, line := range l.lines {
		if s, ok := strings.CutPrefix(line, "> "); ok {
			out = append(out, s)
		}
	}
	return out
}
