package ftpx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// ftpStub is a connection over FTP on which a read takes a tenth of a second.
type ftpStub struct {
	stubConn
	data  []byte // of the file
	grown []byte // what is added to it when it has been read
	dead  bool   // nothing is answered
	rtt   time.Duration
	looks int
	reads int
	more  bool // what the last Store was told of what follows
}

func newFTPStub(data []byte) *ftpStub {
	return &ftpStub{stubConn: stubConn{proto: FTP, closed: make(chan struct{})}, data: data}
}

func (c *ftpStub) Info() transport.Info {
	i := c.stubConn.Info()
	i.RoundTrip = c.rtt
	return i
}

func (c *ftpStub) Usable() bool {
	select {
	case <-c.closed:
		return false
	default:
		return true
	}
}

func (c *ftpStub) Stat(context.Context, string) (Entry, error) {
	c.looks++
	if c.data == nil {
		return Entry{}, &transport.Error{Op: "stat", Kind: transport.KindNotExist, Err: fs.ErrNotExist}
	}
	return Entry{Size: int64(len(c.data))}, nil
}

func (c *ftpStub) Retrieve(ctx context.Context, _ string, offset int64, dst io.Writer, opt *transport.IO) (int64, error) {
	c.reads++
	if c.dead {
		<-ctx.Done()
		c.Close()
		return 0, &transport.Error{Op: "RETR", Kind: transport.KindCanceled, Err: context.Cause(ctx)}
	}
	time.Sleep(100 * time.Millisecond)
	c.data = append(c.data, c.grown...)
	c.grown = nil
	part := c.data[offset:]
	if limit := opt.LimitOr(0); limit < int64(len(part)) {
		part = part[:limit]
		opt.Parting().Beyond = opt.Parting().Last
	}
	n, err := dst.Write(part)
	return int64(n), err
}

// TestClosedPartialIsNotWaitedFor: where the server has ended the transfer itself, the
// proof shows that the partial no longer grows; where it grows all the same, and in all
// other cases, it is waited for.
func TestClosedPartialIsNotWaitedFor(t *testing.T) {
	src := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
	const has, more = 200 << 10, 10 << 10
	for name, c := range map[string]struct {
		closed, first, grows bool
		rtt                  time.Duration
		took                 time.Duration
		looks                int
		at                   int64
	}{
		"closed":            {closed: true, rtt: 20 * time.Millisecond, took: 100 * time.Millisecond, looks: 1, at: has},
		"on a short line":   {closed: true, rtt: 5 * time.Millisecond, took: 115 * time.Millisecond, looks: 1, at: has},
		"not closed":        {took: 125 * time.Millisecond, looks: 2, at: has},
		"of another call":   {closed: true, first: true, took: 125 * time.Millisecond, looks: 2, at: has},
		"closed, and grows": {closed: true, grows: true, rtt: time.Second, took: 100*time.Millisecond + 75*time.Millisecond + 100*time.Millisecond, looks: 3, at: has + more},
	} {
		synctest.Test(t, func(t *testing.T) {
			conn := newFTPStub(slices.Clone(src[:has]))
			if conn.rtt = c.rtt; c.grows {
				conn.grown = src[has:][:more]
			}
			l := &lease{pooled: &pooled{Conn: conn, proto: FTP}, site: &site{}, attempt: &retry.Attempt{}}
			u := &upload{c: &client{}, src: heldSource{r: bytes.NewReader(src)}, partial: "p", looked: !c.first, closed: c.closed}
			begin := time.Now()
			at, err := u.resumeAt(t.Context(), l)
			if took := time.Since(begin); err != nil || at != c.at || took != c.took || conn.looks != c.looks {
				t.Errorf("%s: at %d after %v and %d looks, %v; want %d, %v, %d", name, at, took, conn.looks, err, c.at, c.took, c.looks)
			}
		})
	}
}

// TestIdleConnectionsReadSeams: what lies idle helps, what is wrong is found by whomever,
// and a connection that has died unseen holds nothing up for long.
func TestIdleConnectionsReadSeams(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 80<<10)
	wrong := bytes.Clone(data)
	wrong[300<<10] ^= 1
	for name, c := range map[string]struct {
		idle int
		has  []byte
		dead bool
		want time.Duration
	}{
		"none idle":  {0, data, false, 500 * time.Millisecond},
		"one idle":   {1, data, false, 300 * time.Millisecond},
		"many idle":  {9, data, false, 100 * time.Millisecond},
		"a mismatch": {9, wrong, false, 200 * time.Millisecond},
		// 4 by its own, the patience, and the one that the dead one had
		"dead": {1, data, true, 400*time.Millisecond + heldPatience + 100*time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPool(t.Context(), 10)
			p.hold()
			var helpers []*ftpStub
			for range c.idle {
				conn := newFTPStub(c.has)
				conn.dead = c.dead
				helpers = append(helpers, conn)
				p.put(&pooled{Conn: conn, proto: FTP})
			}
			stale := newFTPStub(c.has)
			old := &pooled{Conn: stale, proto: FTP}
			p.put(old)
			old.idleFrom = time.Now().Add(-pingAfter)
			p.put(&pooled{Conn: &ftpStub{stubConn: stubConn{proto: SFTP, closed: make(chan struct{})}}, proto: SFTP})
			l := &lease{pooled: &pooled{Conn: newFTPStub(c.has), proto: FTP}, site: &site{pool: p}, attempt: &retry.Attempt{}}
			u := &upload{c: &client{}, verify: VerifyAuto, src: heldSource{r: bytes.NewReader(data)}, partial: "p",
				seams: []int64{100 << 10, 300 << 10, 500 << 10, 700 << 10}}
			begin := time.Now()
			var v Verified
			err := u.checkContent(t.Context(), l, int64(len(data)), &v)
			if took := time.Since(begin); took != c.want {
				t.Errorf("%s: %v, want %v", name, took, c.want)
			}
			if same := bytes.Equal(c.has, data); same != (err == nil) || !same && !errors.Is(err, ErrMismatch) {
				t.Errorf("%s: %v", name, err)
			}
			if want := int64(seamLength + 4*2*seamLength); err == nil && v.ReadBack != want {
				t.Errorf("%s: %d bytes were read back, want %d", name, v.ReadBack, want)
			}
			open, idle := p.counts()
			if want := c.idle + 2; !c.dead && (idle != want || open != want) || c.dead && (idle != 2 || helpers[0].Usable()) {
				t.Errorf("%s: %d connections are idle of %d", name, idle, open)
			}
			if stale.reads > 0 {
				t.Errorf("%s: one that had lain idle for long was read from", name)
			}
			var slots sync.WaitGroup
			for range 9 { // all but the upload's own are free again
				slots.Go(func() {
					if _, err := p.enter(t.Context(), false); err != nil {
						t.Error(err)
					}
				})
			}
			slots.Wait()
			p.close()
		})
	}
}

// TestSeamsNearEachOther are read at once.
func TestSeamsNearEachOther(t *testing.T) {
	const mib = 1 << 20
	u := &upload{seams: []int64{mib, mib + seamLength + seamGap, 4 * mib, 6*mib - 3*seamLength}}
	want := []byteRange{
		{mib - seamLength, mib + seamLength + seamGap + seamLength},
		{4*mib - seamLength, 4*mib + seamLength},
		{6*mib - 4*seamLength, 6 * mib},
	}
	if got := u.seamRanges(6 * mib); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func (c *ftpStub) Store(_ context.Context, _ string, _ int64, src io.Reader, opt *transport.IO) (int64, error) {
	c.more = opt.Finish.More
	return io.Copy(io.Discard, src)
}

type openSource struct{ heldSource }

func (s openSource) open(offset int64) (io.Reader, error) {
	return io.NewSectionReader(s.r, offset, s.size()-offset), nil
}

// TestSeamsWantAPort: an upload whose seams are to be read back asks for the port for
// that at the end of the file.
func TestSeamsWantAPort(t *testing.T) {
	for _, seams := range [][]int64{nil, {5}} {
		conn := newFTPStub(nil)
		l := &lease{pooled: &pooled{Conn: conn, proto: FTP}, site: &site{pool: newPool(t.Context(), 1)}, attempt: &retry.Attempt{}}
		u := &upload{c: &client{}, src: openSource{heldSource{r: bytes.NewReader(make([]byte, 10))}}, seams: seams}
		if err := u.storeAt(t.Context(), l, 5); err != nil || conn.more != (len(seams) > 0) {
			t.Errorf("seams %v: another transfer follows: %v, %v", seams, conn.more, err)
		}
	}
}
