package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// short is a source that ends too early.
type short struct{ fixed }

func (s short) Open(int64) (io.Reader, error) { return bytes.NewReader(make([]byte, 5)), nil }

// What is not well with a partial keeps it from its name, although all went out at once.
func TestNotRenamed(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 2<<10)
	for name, c := range map[string]struct {
		set    func(u *upload, d *disk)
		before func(u *upload, d *disk, r transport.Request) error
		kind   transport.Kind
		err    error
	}{
		"too few bytes": {before: func(u *upload, d *disk, r transport.Request) error {
			if _, ok := r.(*transport.Stat); ok {
				d.files[u.part.name] = d.files[u.part.name][:100]
			}
			return nil
		}, kind: transport.KindTruncated},
		"too many bytes": {before: func(u *upload, d *disk, r transport.Request) error {
			if _, ok := r.(*transport.Stat); ok {
				d.files[u.part.name] = append(bytes.Clone(data), 1)
			}
			return nil
		}, kind: transport.KindTruncated},
		"other content": {set: func(u *upload, _ *disk) { u.spec.Verify = transfer.VerifyFull }, before: func(u *upload, d *disk, r transport.Request) error {
			if _, ok := r.(*transport.Stat); ok {
				d.files[u.part.name][1000] = 0
			}
			return nil
		}, kind: transport.KindTruncated, err: transfer.ErrMismatch},
		"another digest": {set: func(_ *upload, d *disk) { d.caps.Hashes = []string{"sha256"} }, before: func(_ *upload, _ *disk, r transport.Request) error {
			if h, ok := r.(*transport.Hash); ok {
				h.Sum = []byte("no digest")
			}
			return nil
		}, kind: transport.KindTruncated, err: transfer.ErrMismatch},
		"the name is taken": {set: func(u *upload, d *disk) { u.spec.NoReplace, u.part.known, d.files["dest"] = true, true, []byte("old") }, kind: transport.KindExist},
		"a changed source": {set: func(u *upload, _ *disk) {
			left, id := 0, "id"
			u.src = changing{fixed{bytes.NewReader(data)}, &left, &id}
			u.env.Progress = func(*session.Lease, session.Task, transfer.Position) { left = 9 }
		}, kind: transport.KindLocal, err: transfer.ErrSourceChanged},
		"a short source": {set: func(u *upload, _ *disk) { u.src = short{fixed{bytes.NewReader(data)}} }, kind: transport.KindLocal, err: transfer.ErrSourceChanged},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUpload(t, data, nil)
				d := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
				if c.set != nil {
					c.set(u, d)
				}
				if c.before != nil {
					d.before = func(r transport.Request) error { return c.before(u, d, r) }
				}
				old := d.files["dest"]
				on(t, d, func(ctx context.Context, l *session.Lease) {
					err := u.attempt(ctx, l)
					if transport.KindOf(err) != c.kind || c.err != nil && !errors.Is(err, c.err) {
						t.Errorf("%v (%v)", err, transport.KindOf(err))
					}
				})
				if !bytes.Equal(d.files["dest"], old) || u.commit.done || u.commit.begun || d.gone.Load() {
					t.Errorf("it has its name: %+v", u.commit)
				}
			})
		})
	}
}

// A digest that is right, and a time, come with the batch; the time is that of this batch.
func TestDigestAndTimeInOneBatch(t *testing.T) {
	for _, size := range []int{10, hashTogether + 1} {
		synctest.Test(t, func(t *testing.T) {
			data := bytes.Repeat([]byte("x"), size)
			u := newUpload(t, data, func(s *Spec) { s.KeepTime = true })
			u.src = dated{u.src}
			refuse := true
			conn := &disk{proto: transport.FTP, caps: transport.Caps{SetTime: true, Hashes: []string{"sha256"}}, files: map[string][]byte{}}
			conn.before = func(r transport.Request) error {
				switch r := r.(type) {
				case *transport.Hash:
					h := transfer.NewHash(r.Algo)
					h.Write(conn.files[r.Path])
					r.Sum = h.Sum(nil)
				case *transport.SetTime:
					if refuse {
						return &transport.Error{Op: "MFMT", Kind: transport.KindRefused}
					}
				}
				return nil
			}
			u.res.TimeKept = true // of an attempt before
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				if err := u.attempt(ctx, l); err != nil || u.res.TimeKept || u.res.Verified.Hash != "sha256" || len(conn.batches) != 1 {
					t.Errorf("%v, %+v, %d batches", err, u.res, len(conn.batches))
				}
				refuse, u.commit, u.checked, u.part = false, commit{}, false, u.newPartial(0)
				if err := u.attempt(ctx, l); err != nil || !u.res.TimeKept {
					t.Errorf("%v, %+v", err, u.res)
				}
			})
		})
	}
}

type dated struct{ Source }

func (dated) ModTime() time.Time { return time.Unix(1700000000, 0) }

// A rename that has not gone out before the session ended has not happened; one whose
// reply was lost may have.
func TestRenameThatWasNotSent(t *testing.T) {
	for _, sent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			u := newUpload(t, []byte("content"), nil)
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
			conn.before = func(r transport.Request) error {
				if _, ok := r.(*transport.Rename); !ok {
					return nil
				}
				err := conn.lose(true)
				if !sent {
					return transport.ErrUnsent
				}
				return err
			}
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				if err := u.attempt(ctx, l); err == nil || u.commit.begun != sent || !u.checked || u.commit.done {
					t.Errorf("sent %v: %v, %+v", sent, err, u.commit)
				}
			})
		})
	}
}

// TestNewcomerIsKept: the old file has been moved aside, the new one is refused its name, and
// another file has come there meanwhile. The old file's way back would be over that one, on a
// server that replaces without being asked to.
func TestNewcomerIsKept(t *testing.T) {
	for _, what := range []string{"upload", "rename"} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUpload(t, []byte("content"), nil)
				d := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{"dest": []byte("old"), "from": []byte("content")}}
				renames := 0
				d.before = func(r transport.Request) error {
					if _, ok := r.(*transport.Rename); !ok {
						return nil
					}
					switch renames++; renames {
					case 1:
						return &transport.Error{Op: "RNTO", Kind: transport.KindExist}
					case 3:
						d.files["dest"] = []byte("newcomer")
						return &transport.Error{Op: "RNTO", Kind: transport.KindPermission}
					}
					return nil
				}
				m := &move{from: "from", to: "dest", backup: "backup"}
				c, backup := &m.commit, "backup"
				if what == "upload" {
					c, backup = &u.commit, backupName("dest", u.identity)
				}
				on(t, d, func(ctx context.Context, l *session.Lease) {
					once := u.attempt
					if what == "rename" {
						once = m.once
					}
					if err := once(ctx, l); transport.KindOf(err) != transport.KindPermission {
						t.Errorf("%v (%v)", err, transport.KindOf(err))
					}
				})
				if string(d.files["dest"]) != "newcomer" || string(d.files[backup]) != "old" || !c.backedUp || c.done {
					t.Errorf("%d renames, on the disk: %q, %+v", renames, d.files, *c)
				}
			})
		})
	}
}

// TestNewcomerAfterALoss: the reply to moving the old file aside was lost, and before the next
// attempt another file has come to its name. A Rename leaves both, and says where they are.
func TestNewcomerAfterALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{"dest": []byte("old"), "from": []byte("content")}}
		renames := 0
		d.before = func(r transport.Request) error {
			rename, ok := r.(*transport.Rename)
			if !ok {
				return nil
			}
			switch renames++; renames {
			case 2:
				d.files[rename.To], d.files["dest"] = d.files["dest"], []byte("newcomer")
				return d.lose(true)
			default:
				return &transport.Error{Op: "RNTO", Kind: transport.KindExist}
			}
		}
		err := Rename(t.Context(), sessionOf(t, d), session.Task{}, "from", "dest")
		var f *Failure
		if !errors.As(err, &f) || !f.Unknown || renames != 3 {
			t.Errorf("%d renames: %v", renames, err)
		}
		old := 0
		for _, data := range d.files {
			if string(data) == "old" {
				old++
			}
		}
		if old != 1 || string(d.files["dest"]) != "newcomer" || string(d.files["from"]) != "content" {
			t.Errorf("on the disk: %q", d.files)
		}
	})
}

// A file that appears when the rename is on its way is not replaced with NoReplace: the rename
// itself says so.
func TestFileThatAppearsAtTheRename(t *testing.T) {
	for _, keep := range []bool{true, false} {
		u := newUpload(t, []byte("content"), func(s *Spec) { s.NoReplace = keep })
		conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
		conn.before = func(r transport.Request) error {
			rename, ok := r.(*transport.Rename)
			if !ok {
				return nil
			}
			conn.files["dest"] = []byte("another's")
			if !rename.Replace {
				return &transport.Error{Op: "RNTO", Kind: transport.KindExist, Err: fs.ErrExist}
			}
			return nil
		}
		want := "content"
		if keep {
			want = "another's"
		}
		on(t, conn, func(ctx context.Context, l *session.Lease) {
			if err := u.attempt(ctx, l); errors.Is(err, fs.ErrExist) != keep || string(conn.files["dest"]) != want {
				t.Errorf("NoReplace %v: %v, and it is %q", keep, err, conn.files["dest"])
			}
		})
	}
}
