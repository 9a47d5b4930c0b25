package upload

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/transfer"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var ftp = transport.Caps{ReplaceOnRename: true}

// gets counts the reads in each batch.
func gets(d *disk) (each []int) {
	for _, b := range d.batches {
		n := 0
		for _, r := range b {
			if _, ok := r.(*transport.Retrieve); ok {
				n++
			}
		}
		if n > 0 {
			each = append(each, n)
		}
	}
	return each
}

// Where a closed partial proves itself nothing is waited for: the server has ended the
// transfer itself, and the proof shows that it no longer grows; where it grows all the
// same, and in all other cases, it is waited for.
func TestClosedPartialIsNotWaitedFor(t *testing.T) {
	src := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
	const has, more = 200 << 10, 10 << 10
	// Reading back what surrounds the join takes as long again.
	const check = 100 * time.Millisecond
	for name, c := range map[string]struct {
		closed, first, grows bool
		rtt                  time.Duration
		took                 time.Duration
		looks                int
		at                   int64
	}{
		"closed":            {closed: true, rtt: 20 * time.Millisecond, took: 100 * time.Millisecond, looks: 0, at: has},
		"on a short line":   {closed: true, rtt: 5 * time.Millisecond, took: 115 * time.Millisecond, looks: 0, at: has},
		"not closed":        {took: 125 * time.Millisecond, looks: 1, at: has},
		"of another call":   {closed: true, first: true, took: 125 * time.Millisecond, looks: 1, at: has},
		"closed, and grows": {closed: true, grows: true, rtt: time.Second, took: 100*time.Millisecond + 75*time.Millisecond + 100*time.Millisecond, looks: 2, at: has + more},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := newUpload(t, src, nil)
				conn := &disk{proto: transport.FTP, caps: ftp, rtt: c.rtt, files: map[string][]byte{u.part.name: bytes.Clone(src[:has])}}
				if c.grows {
					conn.grown = src[has:][:more]
				}
				at := int64(-1)
				u.env.Resumed = func(_ *session.Lease, _ session.Task, p transfer.Position, _ string) { at = p.Offset }
				u.part.known, u.part.closed = !c.first, c.closed
				on(t, conn, func(ctx context.Context, l *session.Lease) {
					l.Host.Moves(l.Proto).Store(true) // else the new name is looked at too
					begin := time.Now()
					done, err := u.resume(ctx, l, has)
					took := time.Since(begin)
					if err != nil || !done || at != c.at || took != c.took+check || conn.looks != c.looks+1 {
						t.Errorf("at %d after %v and %d looks, %v, %v; want %d, %v, %d", at, took, conn.looks, done, err, c.at, c.took+check, c.looks+1)
					}
				})
				if !bytes.Equal(conn.files["dest"], src) {
					t.Error("the file is not the source")
				}
			})
		})
	}
}

// What is to be read back goes out as one batch, and a range that differs is found.
func TestJoinsAreReadBackTogether(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 80<<10)
	wrong := bytes.Clone(data)
	wrong[300<<10] ^= 1
	for name, has := range map[string][]byte{"same": data, "wrong": wrong} {
		synctest.Test(t, func(t *testing.T) {
			u := newUpload(t, data, nil)
			u.part.joins = []int64{100 << 10, 300 << 10, 500 << 10, 700 << 10}
			conn := &disk{proto: transport.FTP, caps: ftp, files: map[string][]byte{u.part.name: has}}
			on(t, conn, func(ctx context.Context, l *session.Lease) {
				var v transfer.Verified
				err := u.checkContent(ctx, l, int64(len(data)), &v)
				if same := name == "same"; same != (err == nil) || !same && !errors.Is(err, transfer.ErrMismatch) {
					t.Errorf("%s: %v", name, err)
				}
				if want := int64(joinLength + 4*2*joinLength); err == nil && v.ReadBack != want {
					t.Errorf("%d bytes were read back, want %d", v.ReadBack, want)
				}
				if got := gets(conn); !slices.Equal(got, []int{5}) {
					t.Errorf("%s: reads in batches of %v", name, got)
				}
				if name == "wrong" && (!u.part.restart || !u.part.known || u.part.confirmed != 0 || len(u.part.joins) > 0 || !u.part.verified.Empty()) {
					t.Errorf("it does not begin anew: %+v", u.part)
				}
			})
		})
	}
}

// Joins near each other are read at once.
func TestJoinsNearEachOther(t *testing.T) {
	const mib = 1 << 20
	joins := []int64{mib, mib + joinLength + joinGap, 4 * mib, 6*mib - 3*joinLength}
	want := []transfer.Range{
		{From: mib - joinLength, To: mib + joinLength + joinGap + joinLength},
		{From: 4*mib - joinLength, To: 4*mib + joinLength},
		{From: 6*mib - 4*joinLength, To: 6 * mib},
	}
	if got := joinRanges(joins, 6*mib); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	apart := []int64{mib, mib + 2*joinLength + joinGap + 1}
	if got := joinRanges(apart, 6*mib); len(got) != 3 {
		t.Errorf("%v: a byte too far from each other to be read at once", got)
	}
	if got := joinRanges([]int64{5}, 10); !slices.Equal(got, []transfer.Range{{From: 0, To: 10}}) {
		t.Errorf("of a small file: %v", got)
	}
}

// What is read back is all of the file, what surrounds the joins, or nothing; and the last
// range is where the file is to end.
func TestWhatIsReadBack(t *testing.T) {
	const mib = 1 << 20
	data := make([]byte, 4*mib)
	for _, c := range []struct {
		verify transfer.Verify
		joins  []int64
		at     int64
		want   int
	}{
		{transfer.VerifyAuto, nil, 0, 0},
		{transfer.VerifyAuto, nil, 4 * mib, 0}, // nothing is joined where it was whole
		{transfer.VerifyAuto, nil, mib, 2},
		{transfer.VerifyAuto, []int64{mib}, mib, 2},
		{transfer.VerifyAuto, []int64{mib}, 2 * mib, 3},
		{transfer.VerifyFull, []int64{mib}, 2 * mib, 1},
		{transfer.VerifyFull, nil, 0, 1},
	} {
		u := newUpload(t, data, func(s *Spec) { s.Verify = c.verify })
		u.part.joins = c.joins
		backs := u.readBacks(4*mib, c.at, transfer.Set{})
		if len(backs) != c.want || len(u.part.joins) != len(c.joins) {
			t.Errorf("%+v: %d ranges", c, len(backs))
		}
		for i, b := range backs {
			if last := i == len(backs)-1; b.get.Last != last || last != (b.asked.To == 4*mib) || !b.get.Written {
				t.Errorf("%+v: %+v", c, b.get)
			}
		}
	}
}

// What is known is not read again.
func TestReadBackOfTheRest(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<10)
	u := newUpload(t, data, nil)
	u.part.verified = transfer.Set{}.With(transfer.Range{From: 100, To: 200})
	all := transfer.Range{From: 100, To: 300}
	if b := u.newReadBack(u.part.name, all, u.part.verified, false); b.get.Offset != 200 || b.get.Limit != 100 || b.cmp.At != 200 || b.whole() {
		t.Errorf("%+v", b.get)
	}
	if b := u.newReadBack("dest", all, transfer.Set{}, false); b.get.Offset != 100 || b.get.Limit != 200 || b.get.Written {
		t.Errorf("%+v", b.get)
	}
	b := u.newReadBack(u.part.name, transfer.Range{From: 100, To: 200}, u.part.verified, true)
	if b.get != nil || len(b.requests()) > 0 || !b.whole() || b.same() != 200 || b.err(errors.New("lost")) != nil || b.beyond() {
		t.Errorf("nothing is left to read: %+v", b)
	}
}
