package job

import (
	"context"
	"errors"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// underway remembers how far transfers have come, for those that an interruption cuts off: the
// error of one tells no more than what the server has confirmed. Several goroutines may use it.
type underway struct {
	mu     sync.Mutex                   // guards what follows
	now    map[uint64]ftpx.ProgressInfo // by operation
	failed map[string]ftpx.ProgressInfo // by remote path
}

func newUnderway() *underway {
	return &underway{now: map[uint64]ftpx.ProgressInfo{}, failed: map[string]ftpx.ProgressInfo{}}
}

func (u *underway) hooks() *ftpx.Hooks {
	return &ftpx.Hooks{
		Progress: func(_ context.Context, i ftpx.ProgressInfo) {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.now[i.ID] = i
		},
		Operation: func(_ context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
			return nil, func(e ftpx.OperationEnd) { u.end(i.ID, e.Err) }
		},
	}
}

func (u *underway) end(id uint64, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	at, ok := u.now[id]
	delete(u.now, id)
	if ok && ftpx.KindOf(err) == ftpx.KindCanceled {
		u.failed[at.Remote] = at
	}
}

// cutAt is how far the transfer had come that an error is about.
func (u *underway) cutAt(err error) ftpx.ProgressInfo {
	var e *ftpx.Error
	if !errors.As(err, &e) {
		return ftpx.ProgressInfo{}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if at, ok := u.failed[e.Remote]; ok && at.Offset > e.Offset {
		return at
	}
	return ftpx.ProgressInfo{Op: e.Op, Local: e.Local, Remote: e.Remote, Offset: e.Offset, Size: e.Size}
}
