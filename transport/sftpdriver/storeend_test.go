package sftpdriver

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// TestStoreCloseFailsOnAChannel: a file that went over several sessions is only there when
// each of them has closed it: network file systems say there that they could not keep what
// they had acknowledged.
func TestStoreCloseFailsOnAChannel(t *testing.T) {
	r := newChannelRig(t, firstChannels-1)
	var closes atomic.Int32
	r.onClose = func(s *fakeSession, id uint32) bool {
		last := closes.Add(1) == firstChannels-1
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
	if n := closes.Load(); n != firstChannels-1 {
		t.Errorf("%d channels were closed", n)
	}
}

// TestTrap8CutFollowsTheChannels: the file is cut back to what was acknowledged without a gap
// when every channel has closed it, which a session answers behind its writes: what one
// writes after the cut would be behind a hole.
func TestTrap8CutFollowsTheChannels(t *testing.T) {
	r := newChannelRig(t, firstChannels-1)
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
		if n := ended.Load(); n != firstChannels-1 {
			t.Errorf("cut when %d channels of %d had closed the file", n, firstChannels-1)
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
