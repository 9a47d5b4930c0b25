package upload

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What becomes of an upload whose rename was acknowledged.
func TestSeenUnderItsName(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 1000)
	other := append(bytes.Clone(data[1:]), 'y')
	lie := func(_ *upload, d *disk, _ *transport.Rename) error { return errAnswered }
	for name, c := range map[string]struct {
		old    []byte // what was under the name
		rename func(u *upload, d *disk, r *transport.Rename) error
		lied   bool
		means  bool // the host is believed from then on
		want   []byte
	}{
		"renamed":                                {rename: func(*upload, *disk, *transport.Rename) error { return nil }, means: true, want: data},
		"replaced":                               {old: other, rename: func(*upload, *disk, *transport.Rename) error { return nil }, means: true, want: data},
		"nothing":                                {rename: lie, lied: true},
		"nothing, with an old file of that size": {old: other, rename: lie, lied: true, want: other},
		"taken at once": {rename: func(u *upload, d *disk, r *transport.Rename) error {
			delete(d.files, r.From)
			return errAnswered
		}},
		"copied": {rename: func(u *upload, d *disk, r *transport.Rename) error {
			d.files[r.To] = bytes.Clone(d.files[r.From])
			return errAnswered
		}, want: data},
		"later": {rename: func(u *upload, d *disk, r *transport.Rename) error {
			due := time.Now().Add(200 * time.Millisecond)
			d.before = func(transport.Request) error {
				if data, ok := d.files[r.From]; ok && !time.Now().Before(due) {
					delete(d.files, r.From)
					d.files[r.To] = data
				}
				return nil
			}
			return errAnswered
		}, means: true, want: data},
	} {
		for _, proto := range []transport.Protocol{transport.FTP, transport.SFTP} {
			t.Run(name+" "+proto.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					u := newUpload(t, data, nil)
					d := &disk{proto: proto, files: map[string][]byte{}}
					if c.old != nil {
						d.files["dest"] = c.old
					}
					d.before = func(r transport.Request) error {
						switch r := r.(type) {
						case *transport.Rename:
							return c.rename(u, d, r)
						case *transport.Stat:
							// Each file has a time of its own.
							if b, ok := d.files[r.Path]; ok && (c.old != nil && bytes.Equal(b, c.old) || name == "copied" && r.Path == "dest") {
								r.Entry = transport.Entry{Name: r.Path, Size: int64(len(b)), ModTime: time.Unix(1, 0)}
								return errAnswered
							}
						}
						return nil
					}
					on(t, d, func(ctx context.Context, l *session.Lease) {
						err := u.attempt(ctx, l)
						var refused *Refusal
						if c.lied != (errors.As(err, &refused) && refused.What == "rename" && errors.Is(err, errNotMoved)) || c.lied == (err == nil) {
							t.Errorf("%v", err)
						}
						if u.commit.done == c.lied || u.commit.begun || l.Host.Moves(proto).Load() != c.means {
							t.Errorf("%+v, meant %v", u.commit, l.Host.Moves(proto).Load())
						}
					})
					left := 0
					if c.want != nil {
						left = 1
					}
					if !bytes.Equal(d.files["dest"], c.want) || len(d.files) != left {
						t.Errorf("%d files, at the name %d bytes", len(d.files), len(d.files["dest"]))
					}
				})
			})
		}
	}
}

// The session is lost between the answer to the rename and the look: the next attempt looks.
func TestLostBeforeItWasSeen(t *testing.T) {
	for _, lies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			data := bytes.Repeat([]byte("x"), 1000)
			u := newUpload(t, data, nil)
			d := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
			lost, renamed := false, 0
			d.before = func(r transport.Request) error {
				switch r := r.(type) {
				case *transport.Rename:
					if renamed++; lies {
						return errAnswered
					}
				case *transport.Stat:
					if r.Path == "dest" && renamed == 1 && !lost {
						lost = true
						return d.lose(false)
					}
				}
				return nil
			}
			s := sessionOf(t, d)
			u.env.Session = s
			err := s.Run(t.Context(), u.task, u.attempt)
			if lies != (err != nil) || u.commit.done == lies || !lost {
				t.Errorf("lies %v: %v, %+v", lies, err, u.commit)
			}
			if want := map[bool]int{false: 1, true: 2}[lies]; renamed != want {
				t.Errorf("lies %v: renamed %d times", lies, renamed)
			}
		})
	}
}
