package upload

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What was read back of a partial before it is written to says nothing of it afterwards:
// a server may have emptied it, or filled it with zeros, up to where the rest was put.
func TestWritingToAPartialForgetsWhatWasReadBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
		const has = 200 << 10
		u := newUpload(t, data, nil)
		u.part.known = true
		u.part.verified = transfer.Set{}.With(transfer.Range{From: has - tailLength, To: has}) // of an attempt that was cut off
		conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{u.part.name: bytes.Clone(data[:has])}}
		conn.before = func(r transport.Request) error {
			if st, ok := r.(*transport.Store); ok { // it forgets what was there
				clear(conn.files[st.Path])
			}
			return nil
		}
		on(t, conn, func(ctx context.Context, l *session.Lease) {
			if done, err := u.resume(ctx, l, has); done || !errors.Is(err, transfer.ErrMismatch) {
				t.Errorf("%v, %v", done, err)
			}
		})
		if _, ok := conn.files["dest"]; ok {
			t.Error("it has its name")
		}
	})
}

// The server's word that it has closed the partial stands until the next Store to it.
func TestClosedIsOfTheLastStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
		const has = 200 << 10
		u := newUpload(t, data, nil)
		u.part.known, u.part.closed = true, true
		conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{u.part.name: bytes.Clone(data[:has])}}
		conn.before = func(r transport.Request) error {
			if st, ok := r.(*transport.Stat); ok && len(conn.files[st.Path]) == len(data) {
				return conn.lose(false)
			}
			return nil
		}
		on(t, conn, func(ctx context.Context, l *session.Lease) {
			if done, err := u.resume(ctx, l, has); done || err == nil {
				t.Errorf("%v, %v", done, err)
			}
		})
		if u.part.closed {
			t.Error("the session that was lost may still have it")
		}
	})
}

// Hosts that share their storage: a rename whose reply was lost on one is found on the
// other, also where nothing may be replaced.
func TestRenameFoundOnAnotherHost(t *testing.T) {
	for _, noReplace := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			data := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
			u := newUpload(t, data, func(s *Spec) { s.NoReplace = noReplace })
			files := map[string][]byte{}
			first := &disk{proto: transport.FTP, caps: ftp, files: files}
			second := &disk{proto: transport.FTP, caps: ftp, files: files}
			first.before = func(r transport.Request) error {
				if n, ok := r.(*transport.Rename); ok {
					files[n.To] = files[n.From]
					delete(files, n.From)
					first.down = true
					return first.lose(true)
				}
				return nil
			}
			s := sessionOf(t, first, second)
			u.env.Session = s
			err := s.Run(t.Context(), session.Task{}, func(ctx context.Context, l *session.Lease) error {
				return u.attempt(ctx, l)
			})
			if err != nil || !u.commit.done || u.commit.begun || !bytes.Equal(files["dest"], data) || second.looks == 0 {
				t.Errorf("NoReplace %v: %v, %+v", noReplace, err, u.commit)
			}
		})
	}
}

// Where the storage is shared, what another host's session joined is still to be checked.
func TestJoinsSurviveAnotherHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUpload(t, make([]byte, 1<<20), nil)
		u.part.known, u.part.joins, u.part.acked, u.part.confirmed = true, []int64{300 << 10, 600 << 10}, 5, 5
		u.part.blocked, u.part.closed, u.part.window = 1, true, 7
		u.part.verified = transfer.Set{}.With(transfer.Range{From: 0, To: 5})
		u.most = most{5, 5}
		u.checked = true
		u.where.host = new(session.Host)
		on(t, &disk{proto: transport.FTP, caps: ftp}, func(ctx context.Context, l *session.Lease) {
			if err := u.arrive(ctx, l); err != nil {
				t.Error(err)
			}
			want := partial{name: u.part.name, joins: []int64{300 << 10, 600 << 10}}
			if got := u.part; !slices.Equal(got.joins, want.joins) || got.known || got.acked != 0 || got.confirmed != 0 || got.closed ||
				got.blocked != 0 || got.window != 0 || !got.verified.Empty() || u.most != (most{}) || u.checked || !u.where.arrived || u.where.moved || u.where.host != l.Host {
				t.Errorf("%+v, %+v", u.part, u.where)
			}
		})
	})
}

// A partial that cannot be asked for is no matter where the file is there already.
func TestSameFileWhateverThePartialSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := bytes.Repeat([]byte("0123456789abcdef"), sameWorth/16)
		u := newUpload(t, data, func(s *Spec) { s.SkipSame = true })
		conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{"dest": bytes.Clone(data)}, exact: true}
		conn.before = func(r transport.Request) error {
			if st, ok := r.(*transport.Stat); ok && st.Path == u.part.name {
				return &transport.Error{Op: "MLST", Kind: transport.KindPermission, Err: fs.ErrPermission}
			}
			return nil
		}
		on(t, conn, func(ctx context.Context, l *session.Lease) {
			if err := u.attempt(ctx, l); err != nil || !u.res.Unchanged {
				t.Errorf("%v, %+v", err, u.res)
			}
			conn.files["dest"][5000+len(data)-tailLength] ^= 1
			u.res.Unchanged = false
			if err := u.attempt(ctx, l); !errors.Is(err, fs.ErrPermission) || u.res.Unchanged {
				t.Errorf("another file: %v, %+v", err, u.res)
			}
		})
	})
}
