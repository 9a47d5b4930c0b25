package ftpx_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Clients over a server that is scripted request by request.

// scripted is a client over SFTP of which every request is answered by one.
func scripted(t *testing.T, opts ftpx.Options, one func(c *stubConn, r transport.Request) error) ftpx.Client {
	t.Helper()
	opts.Protocols = []ftpx.Protocol{ftpx.SFTP}
	opts.Connect = func(_ context.Context, ep *transport.Endpoint) (transport.Conn, error) {
		conn := newStub(ep.Protocol)
		conn.one = func(_ context.Context, r transport.Request) error { return one(conn, r) }
		return conn, nil
	}
	c, err := ftpx.New(t.Context(), ftpx.Config{Host: "h", User: "u", Options: opts})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// lostAt is the loss of a connection in a request.
func lostAt(op string, acted bool) error {
	return &transport.Error{Op: op, Kind: transport.KindLost, MayHaveActed: acted, Err: errors.New("reset")}
}

// A file whose size the server does not tell may have grown when it is asked for again,
// after it had come whole and the look after it was lost.
func TestUnknownSizeThatHasGrown(t *testing.T) {
	gets, stats := 0, 0
	c := scripted(t, ftpx.Options{Limits: ftpx.Limits{Conns: 1}}, func(_ *stubConn, r transport.Request) error {
		switch r := r.(type) {
		case *transport.Stat:
			if stats++; stats == 3 { // the look after a resume
				return lostAt("MLST", false)
			}
			r.Entry = ftpx.Entry{Name: r.Path, Type: ftpx.TypeFile, Size: -1}
		case *transport.Retrieve:
			gets++
			content, err := "0123456789abcdef+grown", error(nil)
			switch gets {
			case 1:
				content, err = content[:10], lostAt("RETR", false)
			case 2:
				content = content[:16]
			}
			n, werr := io.WriteString(r.Dst, content[r.Offset:])
			r.Received = int64(n)
			return errors.Join(err, werr)
		}
		return nil
	})
	local := filepath.Join(t.TempDir(), "f")
	res, err := c.Download(t.Context(), "f", local, nil)
	b, _ := os.ReadFile(local)
	if err != nil || string(b) != "0123456789abcdef+grown" || gets < 3 {
		t.Errorf("%+v %v %q, %d requests", res, err, b, gets)
	}
}

// A Get that begins again, of a file of no known size, and is told that this was all before it
// has come to where it was: what has been written is not taken for the file.
func TestGetThatEndsBeforeWhereItResumes(t *testing.T) {
	gets := 0
	c := scripted(t, ftpx.Options{Retry: retry.Policy{MaxAttempts: 3, InitialDelay: time.Millisecond}}, func(_ *stubConn, r transport.Request) error {
		switch r := r.(type) {
		case *transport.Stat:
			r.Entry = ftpx.Entry{Name: r.Path, Type: ftpx.TypeFile, Size: -1}
		case *transport.Retrieve:
			gets++
			content, err := "0123456789", error(nil)
			switch {
			case r.Offset > 0:
				return &transport.Error{Op: "RETR", Kind: transport.KindRestart, Err: errors.New("no offsets")}
			case gets == 1:
				err = lostAt("RETR", false)
			default:
				content = content[:5]
			}
			n, werr := io.WriteString(r.Dst, content)
			r.Received = int64(n)
			return errors.Join(err, werr)
		}
		return nil
	})
	var b strings.Builder
	res, err := c.Get(t.Context(), "f", &b, nil)
	if ftpx.KindOf(err) != transport.KindTruncated || res.Outcome == ftpx.Done || b.String() != "0123456789" {
		t.Errorf("%+v %v %q", res, err, &b)
	}
}

// While a download is synced and renamed, which takes a disk its time, others have its
// connection.
func TestPublishHoldsNoConnection(t *testing.T) {
	local := filepath.Join(t.TempDir(), "f")
	var c ftpx.Client
	pinged := false
	hooks := &ftpx.Hooks{Attempt: func(ctx context.Context, i ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
		if i.Op != "download" {
			return ctx, nil
		}
		return ctx, func(ftpx.AttemptEnd) { // all is there, and none of it was published
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
	}}
	c = scripted(t, ftpx.Options{Limits: ftpx.Limits{Conns: 1}, Hooks: hooks}, func(_ *stubConn, r transport.Request) error {
		switch r := r.(type) {
		case *transport.Stat:
			r.Entry = ftpx.Entry{Name: r.Path, Type: ftpx.TypeFile, Size: int64(len("content"))}
		case *transport.Retrieve:
			n, err := io.WriteString(r.Dst, "content"[r.Offset:])
			r.Received = int64(n)
			return err
		}
		return nil
	})
	if _, err := c.Download(t.Context(), "f", local, nil); err != nil || !pinged {
		t.Fatal(err, pinged)
	}
	if got, err := os.ReadFile(local); err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}

// lateServer loses the first upload's connection before the reply to its opening, and
// carries the opening out later: when the next file is about to be renamed, which is the
// worst moment.
type lateServer struct {
	mu    sync.Mutex
	files map[string]string
	late  string // the name that is still to be opened, and emptied
	lost  bool
}

func (s *lateServer) one(c *stubConn, r transport.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r := r.(type) {
	case *transport.Store:
		if !s.lost {
			s.lost, s.late = true, r.Path
			c.gone.Store(true)
			return lostAt("SSH_FXP_OPEN", true)
		}
		b, err := io.ReadAll(r.Src)
		s.files[r.Path], r.Stored = string(b), int64(len(b))
		return err
	case *transport.Stat:
		content, ok := s.files[r.Path]
		if !ok {
			return &transport.Error{Op: "stat", Path: r.Path, Kind: transport.KindNotExist, Err: fs.ErrNotExist}
		}
		r.Entry = ftpx.Entry{Name: r.Path, Type: ftpx.TypeFile, Size: int64(len(content))}
	case *transport.Rename:
		if s.late != "" {
			s.files[s.late], s.late = "", "" // O_CREAT and O_TRUNC
		}
		s.files[r.To] = s.files[r.From]
		delete(s.files, r.From)
	case *transport.Remove:
		delete(s.files, r.Path)
	}
	return nil
}

// A retry starts at once on another connection, and what the server still does for the
// one that was lost must not reach its file.
func TestLateOpeningEmptiesNothing(t *testing.T) {
	for _, content := range []string{"small", strings.Repeat("large", 50_000)} {
		s := &lateServer{files: map[string]string{}}
		c := scripted(t, ftpx.Options{Retry: retry.Policy{MaxAttempts: 3, InitialDelay: time.Millisecond}}, s.one)
		res, err := c.Put(t.Context(), "f", strings.NewReader(content), nil)
		c.Close()
		if err != nil || res.Outcome != ftpx.Done || s.files["f"] != content || !s.lost {
			t.Errorf("%d bytes: %+v, %v; the file holds %d", len(content), res, err, len(s.files["f"]))
		}
		if len(s.files) != 1 {
			t.Errorf("left behind: %d names", len(s.files))
		}
	}
}
