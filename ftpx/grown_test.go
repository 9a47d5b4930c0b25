package ftpx

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// growConn is a connection to a server that tells no size, with a file that grows.
type growConn struct {
	stubConn
	n     *int
	stats *int
}

func (c *growConn) Stat(_ context.Context, name string) (Entry, error) {
	*c.stats++
	if *c.stats == 3 { // the look after a resume
		return Entry{}, &transport.Error{Op: "MLST", Kind: transport.KindLost, Err: errors.New("lost")}
	}
	return Entry{Name: name, Size: -1}, nil
}

func (c *growConn) Retrieve(_ context.Context, _ string, offset int64, dst io.Writer, _ *transport.IO) (int64, error) {
	*c.n++
	switch *c.n {
	case 1:
		n, _ := io.WriteString(dst, "0123456789")
		return int64(n), &transport.Error{Op: "RETR", Kind: transport.KindLost, Err: errors.New("lost")}
	case 2:
		n, err := io.WriteString(dst, "0123456789abcdef"[offset:])
		return int64(n), err
	}
	n, err := io.WriteString(dst, "0123456789abcdef+grown"[offset:])
	return int64(n), err
}

// A file whose size the server does not tell may have grown when it is asked for again,
// after it had come whole and the look after it was lost.
func TestUnknownSizeThatHasGrown(t *testing.T) {
	o := Options{MaxConns: 1, Protocols: []Protocol{SFTP}}
	var n, st int
	o.Connect = func(_ context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		return &growConn{stubConn{proto: ep.Protocol, closed: make(chan struct{})}, &n, &st}, nil
	}
	c, err := New(t.Context(), Config{Host: "h", Options: o})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	local := filepath.Join(t.TempDir(), "f")
	res, err := c.Download(t.Context(), "f", local, nil)
	b, _ := os.ReadFile(local)
	if err != nil || string(b) != "0123456789abcdef+grown" {
		t.Errorf("%+v %v %q", res, err, b)
	}
}
