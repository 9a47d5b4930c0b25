package fleet

import (
	"context"
	"slices"
	"time"
)

// loan is a connection that one job needs besides its own, and that another holder of the
// same worker lends between two jobs: a file that is copied goes over both partners' lines,
// and where all of their connections are in use none would ever be free.
type loan struct {
	got  chan *holder  // the lender; it holds one
	back chan struct{} // closed when the lender may go on
}

// borrow waits for a holder of a target. It is nil if there was none within a time, which is
// bounded because two jobs that copy in both directions may wait for each other.
func (w *Worker) borrow(ctx context.Context, target string, within time.Duration) *loan {
	l := &loan{got: make(chan *holder, 1), back: make(chan struct{})}
	w.mu.Lock()
	w.loans[target] = append(w.loans[target], l)
	w.mu.Unlock()
	w.nudge(target) // who waits for work is to look
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case h := <-l.got:
		l.got <- h
		return l
	case <-timer.C:
	case <-ctx.Done():
	}
	w.mu.Lock()
	at := slices.Index(w.loans[target], l)
	if at >= 0 {
		w.loans[target] = slices.Delete(w.loans[target], at, at+1)
	}
	w.mu.Unlock()
	if at < 0 { // a holder has just taken it up
		close(l.back)
	}
	return nil
}

// lend gives the connection to a job that waits for one, and returns when it is back.
func (h *holder) lend() {
	if h.client == nil {
		return
	}
	h.w.mu.Lock()
	var l *loan
	if waiting := h.w.loans[h.t.Name]; len(waiting) > 0 {
		l, h.w.loans[h.t.Name] = waiting[0], waiting[1:]
	}
	h.w.mu.Unlock()
	if l != nil {
		h.busy.Wait()
		l.got <- h
		<-l.back
	}
}
