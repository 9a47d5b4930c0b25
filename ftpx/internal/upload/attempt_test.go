package upload

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// What a Store that failed leaves known.
func TestFailedStore(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 2<<10)
	for name, c := range map[string]struct {
		kind       transport.Kind
		large      bool
		moved      int64
		lost       bool
		closed     bool
		generation int
		held       int64
		noRestart  bool
	}{
		"refused at once":          {kind: transport.KindPermission},
		"ended by the host":        {kind: transport.KindTemporary, moved: 100, closed: true},
		"lost":                     {kind: transport.KindLost, moved: 100, lost: true, generation: 1},
		"lost, and worth resuming": {kind: transport.KindLost, large: true, moved: resumeWorth, lost: true},
		"no room":                  {kind: transport.KindNoSpace, moved: 100, closed: true, held: 100},
		"no quota":                 {kind: transport.KindQuota, moved: 100, closed: true, held: 100},
		"held by a session":        {kind: transport.KindLocked, generation: 1},
		"does not continue":        {kind: transport.KindRestart, noRestart: true, generation: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data := data
				if c.large {
					data = bytes.Repeat(data, 4)
				}
				u := newUpload(t, data, nil)
				u.part.held, u.where.arrived = 5, true
				conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
				conn.before = func(r transport.Request) error {
					st, ok := r.(*transport.Store)
					if !ok {
						return nil
					}
					if c.moved > 0 {
						conn.files[st.Path] = bytes.Clone(data[:c.moved])
						st.Progress(c.moved)
					}
					if c.lost {
						conn.gone.Store(true)
					}
					return &transport.Error{Op: "STOR", Kind: c.kind}
				}
				on(t, conn, func(ctx context.Context, l *session.Lease) {
					err := u.attempt(ctx, l)
					if transport.KindOf(err) != c.kind || u.part.closed != c.closed || u.part.generation != c.generation || u.part.held != c.held ||
						l.Host.Offsets(l.Proto).Refused.Load() != c.noRestart || u.res.Moved != c.moved || u.where.arrived || u.commit != (commit{}) {
						t.Errorf("%v: %+v, %+v", err, u.part, u.where)
					}
					f, _ := u.failure(err).(*Failure)
					if f.Offset != c.held || f.Unknown || (f.Partial != "") != (c.moved > 0 && c.generation == 0) {
						t.Errorf("%+v", f)
					}
				})
			})
		})
	}
}

// A file of the same size and content is sent again where the server's time is not exact.
func TestSameNeedsAnExactTime(t *testing.T) {
	for _, exact := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			data := make([]byte, sameWorth)
			u := newUpload(t, data, func(s *Spec) { s.SkipSame = true })
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{"dest": bytes.Clone(data)}, exact: exact}
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				if err := u.attempt(ctx, l); err != nil || u.res.Unchanged != exact || (u.res.Moved == 0) != exact {
					t.Errorf("exact %v: %v, %+v", exact, err, u.res)
				}
			})
		})
	}
}

// A size counts once it has stayed the same, whichever way it changed.
func TestSettle(t *testing.T) {
	for _, sizes := range [][]int64{{100, 100}, {100, 90, 90}, {100, 110, 120, 120}} {
		synctest.Test(t, func(t *testing.T) {
			u := newUpload(t, nil, nil)
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
			next := 1
			conn.before = func(transport.Request) error {
				conn.files[u.part.name] = make([]byte, sizes[next])
				next++
				return nil
			}
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				if got, err := u.settle(ctx, l, sizes[0]); err != nil || got != sizes[len(sizes)-1] || next != len(sizes) {
					t.Errorf("%v: %d after %d looks, %v", sizes, got, next-1, err)
				}
			})
		})
	}
}

// What grows for longer than a session may take to die has another writer.
func TestSettleGivesUp(t *testing.T) {
	for _, fail := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			u := newUpload(t, nil, func(s *Spec) { s.FailOnOther = fail })
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
			conn.before = func(transport.Request) error {
				conn.files[u.part.name] = append(conn.files[u.part.name], 1)
				return nil
			}
			begin := time.Now()
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				if _, err := u.settle(ctx, l, 0); transport.KindOf(err) != transport.KindLocked || time.Since(begin) > settleMax+2*time.Second {
					t.Errorf("%v after %v", err, time.Since(begin))
				}
			})
		})
	}
}

// Only a definite refusal, with the old file in its place, leaves no doubt.
func TestRefusedRename(t *testing.T) {
	no, lost := &transport.Error{Kind: transport.KindRefused}, &transport.Error{Kind: transport.KindLost, MayHaveActed: true}
	for _, c := range []struct {
		backedUp bool
		err      error
		want     bool
	}{{false, no, false}, {true, no, true}, {false, lost, true}, {false, errors.New("other"), true}} {
		got := commit{begun: true, backedUp: c.backedUp}
		if got.refused(c.err); got.begun != c.want {
			t.Errorf("%+v: in doubt %v", c, got.begun)
		}
	}
}

// Where the partial is there still, a lost rename has not happened; while the old file may
// lie under its backup's name, what is at the destination remains in doubt.
func TestReconcileWithThePartialThere(t *testing.T) {
	for _, backedUp := range []bool{false, true} {
		u := newUpload(t, nil, nil)
		u.commit = commit{begun: true, backedUp: backedUp}
		on(t, &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{u.part.name: nil}}, func(ctx context.Context, l *session.Lease) {
			if done, err := u.reconcile(ctx, l); done || err != nil || u.commit != (commit{begun: backedUp, backedUp: backedUp}) {
				t.Errorf("%v, %v, %+v", done, err, u.commit)
			}
		})
	}
}

// A destination is compared twice before it is believed to differ, and then the outcome is
// unknown for good.
func TestReconcileLooksTwice(t *testing.T) {
	for wrong := range 3 { // of the first looks
		synctest.Test(t, func(t *testing.T) {
			data := []byte("content")
			u := newUpload(t, data, nil)
			u.commit.begun, u.checked, u.part.confirmed = true, true, int64(len(data))
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{"dest": []byte("garbled")}}
			reads := 0
			conn.before = func(r transport.Request) error {
				if _, ok := r.(*transport.Retrieve); ok {
					if reads++; reads > wrong {
						conn.files["dest"] = bytes.Clone(data)
					}
				}
				return nil
			}
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				err := u.attempt(ctx, l)
				if want := wrong < maxLooks; (err == nil) != want || u.commit.done != want || u.commit.begun == want || reads != min(wrong+1, maxLooks) {
					t.Errorf("%d looks garbled: %v after %d, %+v", wrong, err, reads, u.commit)
				}
			})
		})
	}
}

// After a rename whose reply was lost, a file that is shorter than what was sent is not it,
// although it begins like it.
func TestReconcileWithAPrefix(t *testing.T) {
	data := []byte("content")
	u := newUpload(t, data, nil)
	u.commit.begun, u.checked, u.part.confirmed = true, true, int64(len(data))
	on(t, &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{"dest": data[:4]}}, func(ctx context.Context, l *session.Lease) {
		if err := u.attempt(ctx, l); !errors.Is(err, errGone) || u.commit.done || !u.commit.begun {
			t.Errorf("%v, %+v", err, u.commit)
		}
	})
}

// A host shows that it writes at offsets by continuing a file, not by taking one.
func TestOffsetsAreShownByAResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := bytes.Repeat([]byte("0123456789abcdef"), resumeWorth/8)
		for _, there := range []int{0, len(data) / 2} {
			u := newUpload(t, data, nil)
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
			if there > 0 {
				conn.files[u.part.name] = bytes.Clone(data[:there])
			}
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				err := u.attempt(ctx, l)
				if taken := l.Host.Offsets(l.Proto).Taken.Load(); err != nil || taken != (there > 0) || !bytes.Equal(conn.files["dest"], data) {
					t.Errorf("%d bytes were there: offsets are taken: %v, %v", there, taken, err)
				}
			})
		}
	})
}

// The partials of earlier generations, and the backup, are removed when the file is there.
func TestCleanUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUpload(t, []byte("content"), nil)
		conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{backupName("dest", u.identity): nil}}
		for range 2 {
			conn.files[u.part.name] = []byte("old")
			u.nextGeneration()
		}
		u.commit.backedUp = true
		on(t, conn, func(ctx context.Context, l *session.Lease) {
			if err := u.attempt(ctx, l); err != nil || len(conn.files) != 1 || string(conn.files["dest"]) != "content" {
				t.Errorf("%v: %q", err, conn.files)
			}
		})
	})
}

// Of a stream that is to be compared, the content is compared before it has its name.
func TestStreamIsCompared(t *testing.T) {
	for _, wrong := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			u := newUpload(t, nil, func(s *Spec) {
				s.Verify = transfer.VerifyFull
				s.Open = func() (Source, error) {
					return newSpool(io.MultiReader(bytes.NewReader([]byte("content"))), time.Time{}, 0), nil
				}
			})
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{}}
			conn.before = func(r transport.Request) error {
				if st, ok := r.(*transport.Stat); ok && wrong {
					conn.files[st.Path] = []byte("garbled")
				}
				return nil
			}
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				err := u.attempt(ctx, l)
				if _, named := conn.files["dest"]; errors.Is(err, transfer.ErrMismatch) != wrong || named == wrong || !wrong && u.res.Verified.ReadBack != 7 {
					t.Errorf("%v, named %v, %+v", err, named, u.res)
				}
			})
			u.src.Close()
		})
	}
}

// Partials of other versions are removed when they are old enough. One of which the server
// tells no time may be under way, and stays.
func TestStalePartials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUpload(t, []byte("content"), func(s *Spec) { s.RemoveStale = time.Hour })
		old, young, ageless := partialName("dest", "1", 0, false), partialName("dest", "2", 0, false), partialName("dest", "3", 0, false)
		another := partialName("other", "1", 0, false)
		conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{old: nil, young: nil, ageless: nil, another: nil}}
		conn.before = func(r transport.Request) error {
			list, ok := r.(*transport.List)
			if !ok {
				return nil
			}
			for name, age := range map[string]time.Duration{old: time.Hour + time.Second, young: time.Hour - time.Second, another: 24 * time.Hour} {
				list.Yield(transport.Entry{Name: name, ModTime: time.Now().Add(-age)})
			}
			list.Yield(transport.Entry{Name: ageless})
			return errAnswered
		}
		on(t, conn, func(ctx context.Context, l *session.Lease) {
			if err := u.attempt(ctx, l); err != nil {
				t.Error(err)
			}
		})
		left := slices.Sorted(maps.Keys(conn.files))
		want := []string{young, ageless, another, "dest"}
		if slices.Sort(want); !slices.Equal(left, want) {
			t.Errorf("left are %q, want %q", left, want)
		}
	})
}
