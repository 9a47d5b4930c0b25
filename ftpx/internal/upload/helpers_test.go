package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// disk is a connection to a server with some files, and that server. Reading takes a
// tenth of a second each time.
type disk struct {
	proto   transport.Protocol
	also    transport.Protocol // another that may be used, and is not offered
	caps    transport.Caps
	rtt     time.Duration
	files   map[string][]byte
	grown   []byte // what is added to a file when it is read
	batches [][]transport.Request
	looks   int
	gone    atomic.Bool
	down    bool // it cannot be dialled
	exact   bool // times are: all are the zero time of a fixed source
	// before may answer a request by itself, with an error or errAnswered, or lose the
	// connection.
	before func(transport.Request) error
}

// errAnswered: before has carried the request out.
var errAnswered = errors.New("answered")

func (d *disk) Info() transport.Info {
	return transport.Info{Protocol: d.proto, Addr: "h:1", Caps: d.caps, RoundTrip: d.rtt}
}
func (d *disk) Usable() bool { return !d.gone.Load() }
func (d *disk) Close() error { d.gone.Store(true); return nil }
func (d *disk) Do(ctx context.Context, b *transport.Batch) error {
	d.batches = append(d.batches, b.Requests)
	return transport.InTurn(ctx, b, d.Usable, d.one)
}

// lose loses the connection.
func (d *disk) lose(acted bool) error {
	d.gone.Store(true)
	return &transport.Error{Op: "disk", Kind: transport.KindLost, MayHaveActed: acted, Err: errors.New("reset")}
}

func (d *disk) one(_ context.Context, r transport.Request) error {
	if d.gone.Load() {
		return d.lose(false)
	}
	if d.before != nil {
		if err := d.before(r); errors.Is(err, errAnswered) {
			return nil
		} else if err != nil {
			return err
		}
	}
	missing := &transport.Error{Op: "disk", Kind: transport.KindNotExist, Err: fs.ErrNotExist}
	switch r := r.(type) {
	case *transport.Stat:
		d.looks++
		data, ok := d.files[r.Path]
		if !ok {
			return missing
		}
		r.Entry = transport.Entry{Name: r.Path, Type: transport.TypeFile, Size: int64(len(data)), TimeExact: d.exact}
		if !d.exact {
			r.Entry.ModTime = time.Unix(1700000000, 0)
		}
	case *transport.Store:
		b, err := io.ReadAll(r.Src)
		d.files[r.Path] = append(bytes.Clone(d.files[r.Path][:r.Offset]), b...)
		r.Stored = int64(len(b))
		if r.Progress != nil {
			r.Progress(r.Stored)
		}
		return err
	case *transport.Retrieve:
		time.Sleep(100 * time.Millisecond)
		d.files[r.Path] = append(d.files[r.Path], d.grown...)
		d.grown = nil
		data := d.files[r.Path][r.Offset:]
		if r.Limit > 0 && r.Limit < int64(len(data)) {
			data, r.Beyond = data[:r.Limit], r.Last
		}
		n, err := r.Dst.Write(data)
		r.Received = int64(n)
		return err
	case *transport.Rename:
		data, ok := d.files[r.From]
		if !ok {
			return missing
		}
		d.files[r.To] = data
		delete(d.files, r.From)
	case *transport.Remove:
		delete(d.files, r.Path)
	}
	return nil
}

// fixed is a source in memory.
type fixed struct{ *bytes.Reader }

func (s fixed) Size() int64               { return s.Reader.Size() }
func (s fixed) ModTime() time.Time        { return time.Time{} }
func (s fixed) Identity() (string, error) { return "id", nil }
func (s fixed) Check() error              { return nil }
func (s fixed) Close()                    {}
func (s fixed) Open(offset int64) (io.Reader, error) {
	return io.NewSectionReader(s.Reader, offset, s.Size()-offset), nil
}

// newUpload is an upload of data to "dest", ready for an attempt.
func newUpload(t *testing.T, data []byte, change func(*Spec)) *upload {
	t.Helper()
	spec := &Spec{Dest: "dest", Writers: &Writers{}, Open: func() (Source, error) { return fixed{bytes.NewReader(data)}, nil }}
	if change != nil {
		change(spec)
	}
	u := &upload{spec: spec, env: &transfer.Env{
		Sent: func(int64) {}, Received: func(int64) {},
		Resumed:  func(*session.Lease, session.Task, transfer.Position, string) {},
		Progress: func(*session.Lease, session.Task, transfer.Position) {},
		Verified: func(*session.Lease, session.Task, transfer.Check) {},
	}}
	if err := u.prepare(); err != nil {
		t.Fatal(err)
	}
	return u
}

// sessionOf is a session whose dials get the connections in turn, one for each host.
func sessionOf(t *testing.T, conns ...*disk) *session.Session {
	t.Helper()
	protocols := []transport.Protocol{conns[0].proto}
	if conns[0].also != 0 {
		protocols = append(protocols, conns[0].also)
	}
	o := session.Options{Protocols: protocols, Plaintext: true, MaxConns: 1,
		Retry: retry.Policy{MaxAttempts: 9, InitialDelay: time.Millisecond},
		Dial: func(_ context.Context, t session.Target, _ *session.Link, _ func()) (transport.Conn, error) {
			if conns[t.Host].down || t.Protocol != conns[t.Host].proto {
				return nil, &transport.Error{Op: "dial", Kind: transport.KindUnreachable, Err: errors.New("down")}
			}
			conns[t.Host].gone.Store(false)
			return conns[t.Host], nil
		},
	}
	for range conns {
		o.Hosts = append(o.Hosts, "h")
	}
	s := session.New(o)
	t.Cleanup(s.Close)
	return s
}

// on has f work on a lease of the connection, once.
func on(t *testing.T, conn *disk, f func(ctx context.Context, l *session.Lease)) {
	t.Helper()
	err := sessionOf(t, conn).Run(t.Context(), session.Task{}, func(ctx context.Context, l *session.Lease) error {
		f(ctx, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
