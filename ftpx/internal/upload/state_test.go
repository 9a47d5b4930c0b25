package upload

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// begun is an upload about whose partial everything is known.
func begun(t *testing.T, data []byte) *upload {
	t.Helper()
	u := newUpload(t, data, nil)
	u.part.known, u.part.confirmed, u.part.acked, u.part.window = true, 100, 90, 80
	u.part.held, u.part.blocked, u.part.joins = 70, 1, []int64{60}
	u.part.verified = transfer.Set{}.With(transfer.Range{From: 0, To: 50})
	u.part.closed = true
	u.most = most{200, 300}
	return u
}

// anew reports whether nothing is left of what was known, but that it was looked for.
func anew(p partial) bool {
	return p.known && p.confirmed == 0 && p.acked == 0 && p.window == 0 && p.held == 0 && p.blocked == 0 && len(p.joins) == 0 &&
		p.verified.Empty() && !p.closed
}

// What an older session holds is waited for if that is worth it, a while; then the upload
// continues under another name. To get as far again is progress, but not for ever.
func TestLocked(t *testing.T) {
	u := begun(t, nil)
	first := u.part.name
	for i := 1; i < lockedTries-1; i++ {
		u.locked(lockedWorth + 1)
		if u.part.name != first || u.part.confirmed != 100 || u.part.blocked != 1+i {
			t.Fatalf("%d: %+v", i, u.part)
		}
	}
	u.locked(lockedWorth + 1)
	if u.part.generation != 1 || u.part.name != partialName("dest", u.identity, 1, false) || !anew(u.part) || u.most != (most{0, 300}) {
		t.Errorf("%+v, %+v", u.part, u.most)
	}
	for g := 2; g <= transfer.MaxRestarts+1; g++ {
		u.most.confirmed = 10
		u.locked(lockedWorth)
		if u.part.generation != g || (u.most.confirmed == 0) != (g <= transfer.MaxRestarts) {
			t.Errorf("%d: %+v, %+v", g, u.part, u.most)
		}
	}
}

// What is wrong begins again, three times.
func TestMismatch(t *testing.T) {
	u := begun(t, nil)
	name := u.part.name
	tries := 0
	err := sessionOf(t, &disk{proto: transport.FTP, caps: ftp}).Run(t.Context(), session.Task{}, func(context.Context, *session.Lease) error {
		tries++
		u.part.confirmed, u.most.confirmed = 5, 5
		err := u.mismatch(transfer.ErrMismatch)
		if !anew(u.part) || !u.part.restart || u.part.name != name || u.most != (most{0, 300}) {
			t.Errorf("%+v, %+v", u.part, u.most)
		}
		return err
	})
	if !errors.Is(err, transfer.ErrMismatch) || transport.KindOf(err) != transport.KindTruncated || tries != transfer.MaxRestarts {
		t.Errorf("%v, after %d", err, tries)
	}
}

// changing is a source that changes as often as told.
type changing struct {
	fixed
	left *int
	id   *string
}

func (s changing) Identity() (string, error) { return *s.id, nil }
func (s changing) Check() error {
	if *s.left > 0 {
		*s.left--
		return &transport.LocalError{Err: transfer.ErrSourceChanged}
	}
	return nil
}

// A source that has changed gets a partial of its own, from the beginning, and to get as
// far with it is progress.
func TestSourceHasChanged(t *testing.T) {
	id, left, opened := "id", 0, 0
	u := begun(t, nil)
	u.spec.Open = func() (Source, error) { opened++; return changing{fixed{bytes.NewReader(nil)}, &left, &id}, nil }
	if err := u.prepare(); err != nil {
		t.Fatal(err)
	}
	old := u.part.name
	u.part = begun(t, nil).part
	u.part.generation = 2
	left, id = 1, "another"
	if err := u.checkSource(); !errors.Is(err, transfer.ErrSourceChanged) || opened != 1 {
		t.Errorf("%v: it was not to begin again", err)
	}
	u.spec.RestartOnChange = true
	left = 1
	err := u.checkSource()
	if transport.KindOf(err) != transport.KindTemporary || opened != 2 || u.most != (most{}) || u.part.generation != 0 || u.part.name == old || u.part.known {
		t.Errorf("%v, opened %d times; %+v, %+v", err, opened, u.part, u.most)
	}
	left, u.checked = 1, true
	if err := u.checkSource(); err != nil || opened != 2 {
		t.Errorf("what was sent is the content as it was: %v", err)
	}
	u.checked = false
	for range transfer.MaxRestarts {
		left = 1
		err = u.checkSource()
	}
	if left = 1; !errors.Is(err, transfer.ErrSourceChanged) || opened != 1+transfer.MaxRestarts {
		t.Errorf("%v, opened %d times", err, opened)
	}
}

// Under which name a lost opening is followed by another attempt.
func TestMayArriveLate(t *testing.T) {
	for _, c := range []struct {
		size          int
		offset, moved int64
		lost, want    bool
	}{
		{10, 0, 0, true, true},
		{10, 0, 5, true, true},
		{resumeWorth, 0, 0, true, true},
		{resumeWorth, 0, 5, true, false}, // it is worth resuming
		{resumeWorth - 1, 0, 5, true, true},
		{resumeWorth, 5, 0, true, false},
		{10, 0, 0, false, false},
	} {
		u := newUpload(t, make([]byte, c.size), nil)
		conn := &disk{proto: transport.FTP, caps: ftp}
		on(t, conn, func(_ context.Context, l *session.Lease) {
			conn.gone.Store(c.lost)
			if got := u.mayArriveLate(l, c.offset, c.moved); got != c.want {
				t.Errorf("%+v: %v", c, got)
			}
		})
	}
}

// What has to be shown of a partial depends on who wrote it, how, and what was shown
// before.
func TestClaims(t *testing.T) {
	const mib = 1 << 20
	window := transport.Caps{WriteWindow: 2 * mib, Truncate: true}
	for name, c := range map[string]struct {
		caps  transport.Caps
		dest  bool
		part  partial
		size  int64
		sure  int64
		from  int64
		algo  string
		acked bool
	}{
		"of another call":       {size: 30 * mib, from: 30*mib - nearLeast - tailLength},
		"of one far away":       {part: partial{reach: reach{far: true}}, size: 30 * mib, from: 30*mib - farLeast - tailLength},
		"small, of another":     {size: nearLeast, from: 0},
		"FTP":                   {part: partial{known: true}, size: 30 * mib, from: 30*mib - tailLength},
		"proven before":         {part: partial{known: true, confirmed: 20 * mib}, size: 30 * mib, sure: 20 * mib, from: 30*mib - tailLength},
		"a destination":         {dest: true, part: partial{confirmed: 20 * mib, window: 5, acked: 5}, size: 30 * mib, from: 30*mib - tailLength},
		"acknowledged":          {caps: window, part: partial{known: true, window: 1, acked: 9 * mib, confirmed: 8 * mib}, size: 10 * mib, sure: 9 * mib, from: 9 * mib, acked: true},
		"acknowledged, all":     {caps: window, part: partial{known: true, window: 1, acked: 9 * mib}, size: 9 * mib, sure: 9 * mib, from: 9 * mib, acked: true},
		"cut back since":        {caps: window, part: partial{known: true, window: 1, acked: 9 * mib}, size: 8 * mib, from: 8*mib - tailLength},
		"more was proven since": {caps: window, part: partial{known: true, window: 1, acked: 7 * mib, confirmed: 8 * mib}, size: 10 * mib, sure: 8 * mib, from: 7 * mib},
		"nothing acknowledged":  {caps: window, part: partial{known: true, window: 1}, size: 10 * mib, from: 0},
		"written over SFTP":     {part: partial{known: true, window: 1, acked: 7 * mib}, size: 10 * mib, from: 7 * mib},
		"a range by digest":     {caps: transport.Caps{Hashes: []string{"md5"}, HashRanges: true}, part: partial{known: true, confirmed: 5}, size: 10 * mib, sure: 5, from: 10*mib - tailLength, algo: "md5"},
		"the whole by digest":   {caps: transport.Caps{Hashes: []string{"md5"}}, part: partial{known: true}, size: 40 * mib, from: 40*mib - tailLength, algo: "md5"},
		"not the whole":         {caps: transport.Caps{Hashes: []string{"md5"}}, part: partial{known: true}, size: 30 * mib, from: 30*mib - tailLength},
		"all proven before":     {caps: transport.Caps{Hashes: []string{"md5"}, HashRanges: true}, part: partial{known: true, confirmed: 30 * mib}, size: 30 * mib, sure: 30 * mib, from: 30*mib - tailLength},
	} {
		u := newUpload(t, nil, nil)
		u.src = sized{u.src, 40 * mib}
		c.part.name = u.part.name
		u.part = c.part
		at := u.part.name
		if c.dest {
			at = "dest"
		}
		on(t, &disk{proto: transport.FTP, caps: c.caps}, func(_ context.Context, l *session.Lease) {
			got := u.claimOf(l, at, c.size)
			if got.size != c.size || got.sure != c.sure || got.read != (transfer.Range{From: c.from, To: c.size}) || got.algo != c.algo || got.acked != c.acked {
				t.Errorf("%s: %+v", name, got)
			}
		})
	}
}

// sized is a source of another size.
type sized struct {
	Source
	n int64
}

func (s sized) Size() int64 { return s.n }

// How much counts of what was shown.
func TestClaimsUpTo(t *testing.T) {
	c := claim{size: 100, read: transfer.Range{From: 40, To: 100}}
	cut, not := transport.Caps{Truncate: true}, transport.Caps{}
	for _, tt := range []struct {
		acked bool
		caps  transport.Caps
		same  int64
		want  int64
	}{
		{false, not, 100, 100}, {false, cut, 70, 70}, {false, not, 70, 0}, {false, cut, 40, 0}, {true, not, 70, 70}, {true, cut, 40, 40},
	} {
		c.acked = tt.acked
		if got := c.upTo(tt.same, tt.caps); got != tt.want {
			t.Errorf("%+v: %d", tt, got)
		}
	}
}

// A digest of what was proven before is not asked for again, and where it was written to
// at the place where attempts joined, that is noted; of a whole partial it is not.
func TestResumed(t *testing.T) {
	u := newUpload(t, make([]byte, 100), nil)
	on(t, &disk{proto: transport.FTP, caps: ftp}, func(_ context.Context, l *session.Lease) {
		u.resumed(l, 40, "tail")
		u.resumed(l, 0, "")
		u.resumed(l, 60, "tail")
		u.resumed(l, 100, "tail")
	})
	if !slices.Equal(u.part.joins, []int64{40, 60}) || u.res.Resumes != 3 || u.res.Kept != 40 || !u.part.known || u.part.confirmed != 100 || u.most.confirmed != 100 {
		t.Errorf("%+v, %+v", u.part, u.res)
	}
}

// Only more than ever before is progress.
func TestProgress(t *testing.T) {
	u := newUpload(t, nil, nil)
	for i, c := range []struct {
		f    func(l *session.Lease)
		want bool
	}{
		{func(l *session.Lease) { u.confirm(l, 10) }, true},
		{func(l *session.Lease) { u.confirm(l, 10) }, false},
		{func(l *session.Lease) { u.confirm(l, 5) }, false},
		{func(l *session.Lease) { u.confirm(l, 11) }, true},
		{func(l *session.Lease) { u.verifiedRange(l, transfer.Range{From: 0, To: 10}) }, true},
		{func(l *session.Lease) { u.verifiedRange(l, transfer.Range{From: 5, To: 10}) }, false},
		{func(l *session.Lease) { u.part.verified = transfer.Set{} }, false},
		{func(l *session.Lease) { u.verifiedRange(l, transfer.Range{From: 5, To: 15}) }, false}, // as much as before
		{func(l *session.Lease) { u.whole(); u.verifiedRange(l, transfer.Range{From: 15, To: 16}) }, true},
		{func(l *session.Lease) {
			u.part.verified = transfer.Set{}
			u.whole() // what is read back from here on is to check it
			u.verifiedRange(l, transfer.Range{From: 0, To: 1})
		}, true},
	} {
		on(t, &disk{proto: transport.FTP, caps: ftp}, func(_ context.Context, l *session.Lease) {
			if c.f(l); l.Attempt.Progressed() != c.want {
				t.Errorf("step %d: progress %v", i, !c.want)
			}
		})
	}
}
