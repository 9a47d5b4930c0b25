package faultproxy_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/internal/faultproxy"
)

func TestSYNHole(t *testing.T) {
	hole, err := faultproxy.ListenSYNHole("127.0.0.1:0")
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		conn, err := net.DialTimeout("tcp", hole.Addr().String(), 150*time.Millisecond)
		if err == nil {
			_ = conn.Close()
		}
		var netErr net.Error
		if !errors.As(err, &netErr) || !netErr.Timeout() {
			t.Errorf("dial = %v, want a timeout", err)
		}
	}
	if err := hole.Close(); err != nil {
		t.Error(err)
	}
}
