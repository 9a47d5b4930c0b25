package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// errElsewhere: another worker is trying to log in, or the target is paused or down.
var errElsewhere = errors.New("the target is not to be connected to now")

// connect opens a client for a target. Where no login is known to have worked a moment ago,
// one worker tries and the others wait for what comes of it: a password that was changed is
// refused once, and not by as many workers as there are.
func (w *Worker) connect(ctx context.Context, t *Target) (ftpx.Client, error) {
	if err := w.mayLogIn(ctx, t.Name); err != nil {
		return nil, err
	}
	w.count(func(s *Stats) { s.Logins++ })
	c, err := t.Open(ctx, tuning(w.know.bytes(learnedKey(t.Name)), w.f.time.settle/2))
	w.loggedIn(ctx, t.Name, err)
	return c, err
}

// mayLogIn waits until it is known that logins work, or until it is this worker's turn to
// find out.
func (w *Worker) mayLogIn(ctx context.Context, target string) error {
	until := time.NewTimer(w.f.time.ackWait)
	defer until.Stop()
	for {
		if w.know.closed(target, time.Now()) != "" {
			return errElsewhere
		}
		var l login
		rev, found, next := w.know.get(loginKey(target), &l)
		age := w.know.age(loginKey(target))
		if found && l.OK && age < w.f.time.proven {
			return nil
		}
		if !found || l.OK || age >= w.f.time.ackWait { // nobody is at it, or it has died
			ok, err := w.turn(ctx, target, rev, found)
			if ok || err != nil {
				return err
			}
		}
		select {
		case <-next:
		case <-until.C:
			return errElsewhere
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// turn makes it this worker's turn, unless another has been faster.
func (w *Worker) turn(ctx context.Context, target string, rev uint64, found bool) (bool, error) {
	b, err := json.Marshal(login{At: time.Now().UTC(), Worker: w.o.Name})
	if err != nil {
		return false, err
	}
	if found {
		_, err = w.f.state.Update(ctx, loginKey(target), b, rev)
	} else {
		_, err = w.f.state.Create(ctx, loginKey(target), b)
	}
	return err == nil, nil // else whoever was faster shows in what is known
}

// loggedIn shares how it went.
func (w *Worker) loggedIn(ctx context.Context, target string, err error) {
	ctx = context.WithoutCancel(ctx)
	kind := ftpx.KindOf(err)
	switch {
	case err == nil:
		w.loginWorked(ctx, target)
	case w.refused(ctx, target, err):
	case errors.Is(err, errLost), kind == transport.KindCanceled:
		_ = w.f.state.Purge(ctx, loginKey(target)) // nothing was found out
	default:
		w.down(ctx, target, err)
	}
}

// loginWorked is written now and then: each write is synced.
func (w *Worker) loginWorked(ctx context.Context, target string) {
	var l login
	if _, found, _ := w.know.get(loginKey(target), &l); !found || !l.OK || w.know.age(loginKey(target)) > w.f.time.proven/3 {
		w.f.share(ctx, loginKey(target), login{At: time.Now().UTC(), Worker: w.o.Name, OK: true})
	}
	if _, found, _ := w.know.get(downKey(target), nil); found {
		_ = w.f.state.Purge(ctx, downKey(target))
	}
}

// refused pauses a target whose server has refused the login, or is not the one that is
// known: to go on trying locks accounts, or tells a stranger the password. It returns false
// for other errors.
func (w *Worker) refused(ctx context.Context, target string, err error) bool {
	if !isRefusal(err) {
		return false
	}
	w.count(func(s *Stats) { s.Refused++ })
	if perr := w.f.Pause(ctx, target, Pause{Reason: cut(err), By: w.o.Name}); perr != nil {
		w.event(Event{What: "error", Target: target, Err: perr})
	}
	w.event(Event{What: "paused", Target: target, Err: err})
	return true
}

// down tells the others to leave a target alone for a while.
func (w *Worker) down(ctx context.Context, target string, err error) {
	var d Down
	w.know.get(downKey(target), &d)
	if time.Now().Before(d.Until) && w.know.age(downKey(target)) < mostDown {
		return // somebody has just said so
	}
	d.Failures++
	d.Reason = cut(err)
	d.Until = time.Now().Add(downFor(d.Failures, chance())).UTC()
	w.f.share(ctx, downKey(target), d)
	_ = w.f.state.Purge(ctx, loginKey(target))
	w.event(Event{What: "down", Target: target, Err: err})
}

// shareLearned gives what a client has found out about a server to those that connect later.
func (w *Worker) shareLearned(target string, c ftpx.Client) {
	b, err := c.Learned()
	if err != nil || len(b) == 0 || string(b) == string(w.know.bytes(learnedKey(target))) || len(b) > MaxJob {
		return
	}
	if old := w.know.bytes(learnedKey(target)); len(old) > 0 && sameLength(len(old), len(b)) {
		return // counters have moved; a new fact makes it longer
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.work), 5*time.Second)
	defer cancel()
	_, _ = w.f.state.Put(ctx, learnedKey(target), b)
}

// sameLength allows for counters that have gained some digits.
func sameLength(a, b int) bool { return max(a, b)-min(a, b) < 8 }
