package ftpx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

type heldSource struct {
	source
	r *bytes.Reader
}

func (s heldSource) size() int64                             { return s.r.Size() }
func (s heldSource) ReadAt(p []byte, off int64) (int, error) { return s.r.ReadAt(p, off) }

// slowReads answers each Retrieve after a tenth of a second.
type slowReads struct {
	sharedConn
	data []byte
}

func (c *slowReads) Retrieve(_ context.Context, _ string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
	time.Sleep(100 * time.Millisecond)
	n, err := dst.Write(c.data[offset:][:opt.LimitOr(0)])
	return int64(n), err
}

// TestSeamsAreReadBackTogether where requests may overlap, and one that differs is found
// all the same.
func TestSeamsAreReadBackTogether(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 64<<10)
	wrong := bytes.Clone(data)
	wrong[300<<10] ^= 1
	for _, c := range []struct {
		overlap int
		has     []byte
		want    time.Duration
	}{{8, data, 100 * time.Millisecond}, {0, data, 500 * time.Millisecond}, {8, wrong, 200 * time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			conn := &slowReads{sharedConn: sharedConn{stubConn: stubConn{proto: SFTP, closed: make(chan struct{})}, s: &shared{overlap: c.overlap}}, data: c.has}
			l := &lease{pooled: &pooled{Conn: conn}, site: &site{}, attempt: &retry.Attempt{}}
			u := &upload{c: &client{}, verify: VerifyAuto, src: heldSource{r: bytes.NewReader(data)}, partial: "p",
				seams: []int64{100 << 10, 300 << 10, 500 << 10, 700 << 10}}
			begin := time.Now()
			var v Verified
			err := u.checkContent(t.Context(), l, int64(len(data)), &v)
			if took := time.Since(begin); took != c.want {
				t.Errorf("with an overlap of %d: %v, want %v", c.overlap, took, c.want)
			}
			if same := bytes.Equal(c.has, data); same != (err == nil) || !same && !errors.Is(err, ErrMismatch) {
				t.Errorf("%v", err)
			}
			if want := int64(seamLength + 4*2*seamLength); err == nil && v.ReadBack != want {
				t.Errorf("%d bytes were read back, want %d", v.ReadBack, want)
			}
		})
	}
}

// TestSeekerIsReadByMany: a caller's io.ReadSeeker is used by one goroutine at a time.
func TestSeekerIsReadByMany(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 4<<10)
	src, err := newSource(struct{ io.ReadSeeker }{bytes.NewReader(data)}, &PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for range 50 {
				got, at := make([]byte, 1000), int64(i*1000)
				if _, err := src.ReadAt(got, at); err != nil || !bytes.Equal(got, data[at:][:1000]) {
					t.Errorf("at %d: %v", at, err)
				}
			}
		})
	}
	all.Wait()
}

// TestSilenceCountsOnce: a host that has fallen silent gets all its time again the next
// time, or one that is slow to answer would never be had.
func TestSilenceCountsOnce(t *testing.T) {
	s := &site{}
	s.hushed.Store(true)
	if first, second := s.patience(), s.patience(); first != hushedPatience || second != hostPatience {
		t.Errorf("%v, %v", first, second)
	}
}
