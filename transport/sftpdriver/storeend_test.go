package sftpdriver

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestStoreCloseFailsOnALane: a file that went over several sessions is only there when
// each of them has closed it: network file systems say there that they could not keep what
// they had acknowledged.
func TestStoreCloseFailsOnALane(t *testing.T) {
	r := newLaneRig(t, firstLanes-1)
	var closes atomic.Int32
	r.onClose = func(s *fakeSession, id uint32) bool {
		last := closes.Add(1) == firstLanes-1
		if last {
			s.status(id, fxFailure, "Disk quota exceeded")
		}
		return last
	}
	data := randomBytes(18 << 20)
	n, err := r.c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))})
	if te := wantKind(t, err, transport.KindQuota); n != 0 || te.Op != "SSH_FXP_CLOSE" {
		t.Error(n, te)
	}
	if n := closes.Load(); n != firstLanes-1 {
		t.Errorf("%d lanes were closed", n)
	}
}

// TestTrap8CutFollowsTheLanes: the file is cut back to what was acknowledged without a gap
// when every lane has closed it, which a session answers behind its writes: what one
// writes after the cut would be behind a hole.
func TestTrap8CutFollowsTheLanes(t *testing.T) {
	r := newLaneRig(t, firstLanes-1)
	var refused, ended atomic.Int32
	cut := make(chan struct{})
	r.onWrite = func(s *fakeSession, id uint32, _ uint64) bool {
		if refused.Add(1) > 1 {
			return false
		}
		s.status(id, fxFailure, "Failure")
		return true
	}
	r.onCut = sync.OnceFunc(func() {
		if n := ended.Load(); n != firstLanes-1 {
			t.Errorf("cut when %d lanes of %d had closed the file", n, firstLanes-1)
		}
		close(cut)
	})
	r.onClose = func(*fakeSession, uint32) bool {
		select {
		case <-cut: // it was not waited for
		case <-time.After(100 * time.Millisecond): // that nothing comes takes time to see
		}
		ended.Add(1)
		return false
	}
	data := randomBytes(18 << 20)
	n, err := r.c.Store(t.Context(), "f", 0, bytes.NewReader(data), &transport.IO{Size: int64(len(data))})
	wantKind(t, err, transport.KindTemporary)
	select {
	case <-cut:
	default:
		t.Error("it was not cut, so that nothing is shown")
	}
	if got := r.f.get("f"); !bytes.Equal(got, data[:n]) {
		t.Errorf("the file holds %d bytes, %d were acknowledged", len(got), n)
	}
}

// TestTimeThatIsNotSet: a server that acknowledges a time and does not set it is found out
// by the look that follows.
func TestTimeThatIsNotSet(t *testing.T) {
	for _, size := range []int{100, 3 << 20} {
		f := newFake(t, nil) // of which every file is of 2017
		c := f.dial(nil)
		fin := &transport.Finish{ModTime: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)}
		_, err := c.Store(t.Context(), "f", 0, bytes.NewReader(randomBytes(size)), &transport.IO{Size: int64(size), Finish: fin})
		if err != nil || f.packets("FSETSTAT") == 0 {
			t.Fatal(err, "or no time was asked for, so that nothing is shown")
		}
		if fin.TimeSet || fin.Entry == nil {
			t.Errorf("%d bytes: the time is taken for set: %+v, and the server says %+v", size, fin, fin.Entry)
		}
		fin = &transport.Finish{ModTime: time.Unix(1_500_000_000, 0)} // and where it is the same it is set
		if _, err := c.Store(t.Context(), "g", 0, bytes.NewReader(randomBytes(size)), &transport.IO{Size: int64(size), Finish: fin}); err != nil || !fin.TimeSet {
			t.Errorf("%d bytes: %+v, %v", size, fin, err)
		}
	}
}
