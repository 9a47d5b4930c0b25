package ftpx

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// lateServer loses the first upload's connection before the reply to its opening,
// and carries the opening out later: when the next file is about to be renamed,
// which is the worst moment.
type lateServer struct {
	mu    sync.Mutex
	files map[string]string
	late  string // the name that is still to be opened, and emptied
	lost  bool
}

type lateConn struct {
	stubConn
	s    *lateServer
	gone bool
}

func (c *lateConn) Usable() bool { return !c.gone }

func (c *lateConn) Store(_ context.Context, p string, _ int64, src io.Reader, _ *transport.IO) (int64, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if !c.s.lost {
		c.s.lost, c.s.late, c.gone = true, p, true
		return 0, &transport.Error{Op: "SSH_FXP_OPEN", Path: p, Kind: transport.KindLost, MayHaveActed: true, Err: errors.New("reset")}
	}
	b, err := io.ReadAll(src)
	c.s.files[p] = string(b)
	return int64(len(b)), err
}

func (c *lateConn) Stat(_ context.Context, p string) (Entry, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	content, ok := c.s.files[p]
	if !ok {
		return Entry{}, &transport.Error{Op: "stat", Path: p, Kind: transport.KindNotExist, Err: fs.ErrNotExist}
	}
	return Entry{Name: p, Size: int64(len(content))}, nil
}

func (c *lateConn) Rename(_ context.Context, from, to string, _ bool) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.late != "" {
		c.s.files[c.s.late] = "" // O_CREAT and O_TRUNC
		c.s.late = ""
	}
	c.s.files[to] = c.s.files[from]
	delete(c.s.files, from)
	return nil
}

func (c *lateConn) Remove(_ context.Context, p string) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	delete(c.s.files, p)
	return nil
}

// TestLateOpeningEmptiesNothing: a retry starts at once on another connection, and
// what the server still does for the one that was lost must not reach its file.
func TestLateOpeningEmptiesNothing(t *testing.T) {
	for _, content := range []string{"small", strings.Repeat("large", 50_000)} {
		s := &lateServer{files: map[string]string{}}
		c, err := New(t.Context(), Config{Host: "h", User: "u", Options: Options{Protocols: []Protocol{SFTP},
			Retry: retry.Policy{MaxAttempts: 3, InitialDelay: time.Millisecond},
			Connect: func(context.Context, *transport.Endpoint) (transport.Conn, error) {
				return &lateConn{stubConn: stubConn{proto: SFTP, closed: make(chan struct{})}, s: s}, nil
			}}})
		if err != nil {
			t.Fatal(err)
		}
		res, err := c.Put(t.Context(), "f", strings.NewReader(content), nil)
		c.Close()
		if err != nil || res.Outcome != Done || s.files["f"] != content || !s.lost {
			t.Errorf("%d bytes: %+v, %v; the file holds %d", len(content), res, err, len(s.files["f"]))
		}
		if len(s.files) != 1 {
			t.Errorf("left behind: %d names", len(s.files))
		}
	}
}
