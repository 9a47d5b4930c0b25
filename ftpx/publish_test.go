package ftpx

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// fileConn has one file.
type fileConn struct {
	stubConn
	content string
}

func (c *fileConn) Stat(_ context.Context, name string) (Entry, error) {
	return Entry{Name: name, Size: int64(len(c.content))}, nil
}

func (c *fileConn) Retrieve(_ context.Context, _ string, offset int64, dst io.Writer, _ *transport.IO) (int64, error) {
	n, err := io.WriteString(dst, c.content[offset:])
	return int64(n), err
}

// TestPublishHoldsNoConnection: while a download is synced and renamed, which takes a
// disk its time, others have its connection.
func TestPublishHoldsNoConnection(t *testing.T) {
	o := Options{MaxConns: 1, Protocols: []Protocol{SFTP}}
	o.Connect = func(_ context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		return &fileConn{stubConn{proto: ep.Protocol, closed: make(chan struct{})}, "content"}, nil
	}
	c, err := New(t.Context(), Config{Host: "h", Options: o})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	local := filepath.Join(t.TempDir(), "f")
	pinged := false
	defer func(f func()) { testHookPublish = f }(testHookPublish)
	testHookPublish = func() {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := c.Ping(ctx); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(local); err == nil {
			t.Error("it has been published")
		}
		pinged = true
	}
	if _, err := c.Download(t.Context(), "f", local, nil); err != nil || !pinged {
		t.Fatal(err, pinged)
	}
	if got, err := os.ReadFile(local); err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}
