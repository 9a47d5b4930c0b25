package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit is far beyond what any step takes here; a test that meets it hangs.
const limit = 20 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// serve accepts on a loopback port until the test ends and waits for its handlers.
func serve(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newServing(l, handle)
	t.Cleanup(s.close)
	return l.Addr().String()
}

// serveUntil is serve with a context that ends with the test.
func serveUntil(t *testing.T, handle func(context.Context, net.Conn)) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr := serve(t, func(c net.Conn) { handle(ctx, c) })
	t.Cleanup(cancel)
	return addr
}

// echo sends back what comes, and then ends its side.
func echo(t *testing.T) string {
	return serve(t, func(c net.Conn) {
		_, _ = io.Copy(c, c)
		_ = c.(*net.TCPConn).CloseWrite()
	})
}

// refused is a loopback address on which nobody listens.
func refused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func open(t *testing.T, urls ...string) *Tunnel {
	t.Helper()
	hops := make([]Hop, len(urls))
	for i, u := range urls {
		var err error
		if hops[i], err = ParseHop(u); err != nil {
			t.Fatal(err)
		}
		hops[i].SSH = transport.SSH{InsecureIgnoreHostKey: true}
	}
	return openHops(t, hops...)
}

func openHops(t *testing.T, hops ...Hop) *Tunnel {
	t.Helper()
	tun, err := New(hops...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tun.Close(); err != nil {
			t.Error(err)
		}
	})
	return tun
}

// roundTrip sends data through, ends its side, and wants the same back and then
// the end.
func roundTrip(t *testing.T, conn net.Conn, data string) {
	t.Helper()
	defer conn.Close()
	wrote := make(chan error, 1)
	go func() {
		_, err := io.WriteString(conn, data)
		if err == nil {
			err = conn.(interface{ CloseWrite() error }).CloseWrite()
		}
		wrote <- err
	}()
	back, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-wrote; err != nil {
		t.Fatal(err)
	}
	if string(back) != data {
		t.Fatalf("%d bytes came back, not the %d that were sent", len(back), len(data))
	}
}

// fails dials and wants a kind and words in the error, and none of the secrets.
func fails(t *testing.T, tun *Tunnel, address string, kind transport.Kind, words ...string) error {
	t.Helper()
	conn, err := tun.Dial(within(t), "tcp", address)
	if err == nil {
		conn.Close()
		t.Fatalf("the dial to %s succeeded", address)
	}
	wantKind(t, err, kind, words...)
	return err
}

func wantKind(t *testing.T, err error, kind transport.Kind, words ...string) {
	t.Helper()
	var te *transport.Error
	if !errors.As(err, &te) {
		t.Fatalf("%T is no *transport.Error: %v", err, err)
	}
	if got := transport.KindOf(err); got != kind {
		t.Fatalf("kind %v, want %v: %v", got, kind, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Fatalf("%q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Fatalf("%q holds the password", err)
	}
}

const secret = "s3cr3t-w0rd"
