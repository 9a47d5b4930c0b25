package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/textproto"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

var (
	errLost = &transport.Error{Op: "STOR", Protocol: transport.FTP, Addr: "h:21", Kind: transport.KindLost, Err: io.EOF}
	errDown = &transport.Error{Op: "dial", Protocol: transport.FTP, Addr: "h:21", Kind: transport.KindUnreachable, Err: errors.New("connection refused")}
	errBusy = &transport.Error{Op: "login", Protocol: transport.FTP, Addr: "h:21", Kind: transport.KindBusy, Code: 421, Err: &textproto.Error{Code: 421, Msg: "full"}}
	errGone = &transport.Error{Op: "RETR", Protocol: transport.FTP, Addr: "h:21", Kind: transport.KindNotExist, Code: 550, Err: &textproto.Error{Code: 550, Msg: "no such file"}}
)

// run carries out a policy in simulated time. Each attempt takes one second.
func run(t *testing.T, p retry.Policy, f func(a *retry.Attempt) error) (events []retry.Event, gaps []time.Duration, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var ended time.Time
		err = p.Do(t.Context(), func(_ context.Context, a *retry.Attempt) error {
			if !ended.IsZero() {
				gaps = append(gaps, time.Since(ended))
			}
			time.Sleep(time.Second)
			ended = time.Now()
			return f(a)
		}, func(e retry.Event) { events = append(events, e) })
		took = time.Since(begin)
	})
	return events, gaps, took, err
}

func always(err error) func(*retry.Attempt) error { return func(*retry.Attempt) error { return err } }

func TestSuccess(t *testing.T) {
	events, _, took, err := run(t, retry.Policy{}, func(a *retry.Attempt) error {
		if a.Number == 1 && a.Previous != nil {
			t.Errorf("the first attempt has a past: %v", a.Previous)
		}
		if a.Number < 3 {
			return errLost
		}
		if a.Previous != error(errLost) {
			t.Errorf("previous error %v", a.Previous)
		}
		return nil
	})
	if err != nil || len(events) != 2 || events[0].Attempt != 1 || events[1].Attempt != 2 || events[0].Err != error(errLost) || events[0].Class != retry.Transient {
		t.Errorf("%v, %+v", err, events)
	}
	if took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestNilNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		err := retry.Policy{}.Do(t.Context(), func(context.Context, *retry.Attempt) error {
			if n++; n < 3 {
				return errLost
			}
			return nil
		}, nil)
		if err != nil {
			t.Error(err)
		}
	})
}

func TestLineThatMovesNothing(t *testing.T) {
	for range 20 { // the jitter is random
		attempts := 0
		events, gaps, took, err := run(t, retry.Policy{}, func(*retry.Attempt) error { attempts++; return errDown })
		if attempts != 10 || len(events) != 9 {
			t.Fatalf("%d attempts, %d events", attempts, len(events))
		}
		nominal := 200 * time.Millisecond
		for i, gap := range gaps {
			low, high := nominal*7/10, min(nominal*13/10, retry.DefaultMaxDelay)
			if gap < low || gap > high || gap != events[i].Delay {
				t.Errorf("pause %d is %v (told %v), want %v to %v", i+1, gap, events[i].Delay, low, high)
			}
			nominal = min(2*nominal, retry.DefaultMaxDelay*10/13) // so that jitter stays below MaxDelay
		}
		if took < 50*time.Second || took > 2*time.Minute {
			t.Errorf("gave up after %v", took)
		}
		var e *retry.Error
		if !errors.As(err, &e) || e.Reason != retry.ReasonAttempts || e.Count != 10 || e.Idle != 10 || len(e.Attempts) != 10 {
			t.Fatalf("%+v", err)
		}
		if e.Elapsed != took || e.Attempts[0].Number != 1 || e.Attempts[9].Number != 10 || e.Attempts[9].Delay != 0 ||
			e.Attempts[0].Delay != gaps[0] || e.Attempts[1].At.Sub(e.Attempts[0].At) != gaps[0]+time.Second {
			t.Errorf("%+v", e)
		}
		if transport.KindOf(err) != transport.KindUnreachable {
			t.Errorf("kind %v", transport.KindOf(err))
		}
	}
}

func TestExactDelays(t *testing.T) {
	p := retry.Policy{MaxAttempts: 6, InitialDelay: time.Second, MaxDelay: 20 * time.Second, Multiplier: 3, Jitter: -1}
	_, gaps, _, _ := run(t, p, always(errDown))
	if got := fmt.Sprint(gaps); got != "[1s 3s 9s 20s 20s]" {
		t.Errorf("pauses %v", got)
	}
	p.Multiplier, p.InitialDelay = 1, 40*time.Second
	_, gaps, _, _ = run(t, p, always(errDown))
	if got := fmt.Sprint(gaps); got != "[20s 20s 20s 20s 20s]" {
		t.Errorf("constant pauses %v", got)
	}
}

func TestJitterVaries(t *testing.T) {
	p := retry.Policy{MaxAttempts: 2000, InitialDelay: 10 * time.Second, MaxDelay: 10 * time.Second, Jitter: 0.5}
	_, gaps, _, _ := run(t, p, always(errDown))
	low, high := time.Hour, time.Duration(0)
	for _, g := range gaps {
		low, high = min(low, g), max(high, g)
	}
	// A third of MaxDelay up to all of it, and never more.
	if high > 10*time.Second || high < 9900*time.Millisecond || low < 3333*time.Millisecond || low > 3433*time.Millisecond {
		t.Errorf("pauses from %v to %v", low, high)
	}
}

// A 100 GiB file over a line that drops every 10 MiB.
func TestLargeFileOverABadLineFinishes(t *testing.T) {
	const size, step = 100 << 30, 10 << 20
	for name, confirmed := range map[string]bool{"confirmed in the attempt, as on SFTP and downloads": true, "confirmed by the next one, as on FTP": false} {
		var server, known int64
		attempts := 0
		events, gaps, _, err := run(t, retry.Policy{}, func(a *retry.Attempt) error {
			attempts++
			if server > known {
				a.Progress()
				known = server
			}
			n := min(step, size-server)
			a.Moved(n)
			server += n
			if confirmed {
				a.Progress()
				known = server
			}
			if server == size {
				return nil
			}
			return errLost
		})
		if err != nil || attempts != size/step {
			t.Errorf("%s: %d attempts, %v", name, attempts, err)
		}
		for i, g := range gaps {
			if g >= 100*time.Millisecond {
				t.Fatalf("%s: pause %d is %v", name, i+1, g)
			}
		}
		if last := events[len(events)-1]; !last.Progress {
			t.Errorf("%s: the last event does not tell of progress: %+v", name, last)
		}
	}
}

// TestAnsweredAttemptIsFollowedAtOnce if it got further, since there is nothing to
// connect again; else it is one like others.
func TestAnsweredAttemptIsFollowedAtOnce(t *testing.T) {
	for further, want := range map[bool]string{true: "[0s 0s 0s]", false: "[1s 2s 4s]"} {
		attempts := 0
		_, gaps, _, _ := run(t, retry.Policy{MaxAttempts: 4, InitialDelay: time.Second, Multiplier: 2, Jitter: -1}, func(a *retry.Attempt) error {
			a.Answered()
			if attempts++; further {
				a.Progress()
			}
			if attempts == 4 {
				return nil
			}
			return errLost
		})
		if got := fmt.Sprint(gaps); got != want {
			t.Errorf("further %v: pauses %v, want %v", further, got, want)
		}
	}
}

func TestProgressRestartsTheBudget(t *testing.T) {
	p := retry.Policy{MaxAttempts: 3, Jitter: -1, InitialDelay: time.Second}
	attempts := 0
	_, gaps, _, err := run(t, p, func(a *retry.Attempt) error {
		attempts++
		if a.Number == 3 || a.Number == 6 {
			a.Progress()
		}
		return errDown
	})
	var e *retry.Error
	if !errors.As(err, &e) || attempts != 9 || e.Count != 9 || e.Idle != 3 {
		t.Errorf("%d attempts: %+v", attempts, err)
	}
	if got := fmt.Sprint(gaps); got != "[1s 2s 20ms 1s 2s 20ms 1s 2s]" {
		t.Errorf("pauses %v", got)
	}
}

func TestBytesThatAreNeverConfirmed(t *testing.T) {
	attempts := 0
	p := retry.Policy{Jitter: -1}
	_, gaps, _, err := run(t, p, func(a *retry.Attempt) error { attempts++; a.Moved(1 << 20); return errLost })
	if attempts != 10 || err == nil {
		t.Errorf("%d attempts, %v", attempts, err)
	}
	// Believed once.
	if got := fmt.Sprint(gaps); got != "[20ms 200ms 400ms 800ms 1.6s 3.2s 6.4s 12.8s 25.6s]" {
		t.Errorf("pauses %v", got)
	}

	// An attempt without bytes in between earns no new belief, a confirmation does.
	_, gaps, _, _ = run(t, retry.Policy{Jitter: -1, MaxAttempts: 6}, func(a *retry.Attempt) error {
		switch a.Number {
		case 1, 3, 5:
			a.Moved(1)
		case 4:
			a.Progress()
		}
		return errLost
	})
	if got := fmt.Sprint(gaps[:6]); got != "[20ms 200ms 400ms 20ms 20ms 200ms]" {
		t.Errorf("pauses %v", got)
	}
	_, gaps, _, _ = run(t, retry.Policy{Jitter: -1, MaxAttempts: 2}, func(a *retry.Attempt) error { a.Moved(0); a.Moved(-5); return errLost })
	if got := fmt.Sprint(gaps); got != "[200ms]" {
		t.Errorf("no bytes are taken for some: %v", got)
	}
}

func TestBusy(t *testing.T) {
	p := retry.Policy{Jitter: -1, MaxAttempts: 7}
	events, gaps, _, err := run(t, p, always(errBusy))
	if got := fmt.Sprint(gaps); got != "[1s 2s 4s 8s 16s 30s]" {
		t.Errorf("pauses %v", got)
	}
	if events[0].Class != retry.Busy || transport.KindOf(err) != transport.KindBusy {
		t.Errorf("%v, %v", events[0].Class, err)
	}
	// A full server keeps out who has just made progress, too.
	_, gaps, _, _ = run(t, retry.Policy{Jitter: -1, MaxAttempts: 3, BusyDelay: 5 * time.Second}, func(a *retry.Attempt) error {
		if a.Number <= 2 {
			a.Progress()
		}
		return errBusy
	})
	if got := fmt.Sprint(gaps); got != "[5s 5s 10s 20s]" {
		t.Errorf("pauses after progress %v", got)
	}
	// The two sequences are separate.
	_, gaps, _, _ = run(t, retry.Policy{Jitter: -1, MaxAttempts: 6}, func(a *retry.Attempt) error {
		if a.Number%2 == 0 {
			return errBusy
		}
		return errDown
	})
	if got := fmt.Sprint(gaps); got != "[200ms 1s 400ms 2s 800ms]" {
		t.Errorf("mixed pauses %v", got)
	}
}

func TestRetryAfter(t *testing.T) {
	asks := func(d time.Duration) error {
		e := *errBusy
		e.RetryAfter = d
		return fmt.Errorf("wrapped: %w", &e)
	}
	for _, tt := range []struct {
		err  error
		want time.Duration
	}{
		{asks(17 * time.Second), 17 * time.Second},
		{asks(100 * time.Millisecond), time.Second}, // less than the own pause
		{asks(90 * time.Second), 90 * time.Second},  // more than MaxDelay
		{asks(time.Hour), retry.MaxRetryAfter},      // hostile
		{asks(-time.Hour), time.Second},
		{errors.Join(errBusy, asks(7*time.Second)), 7 * time.Second},
		{&textproto.Error{Code: 421, Msg: "try again in 12 seconds"}, 12 * time.Second},
	} {
		_, gaps, _, _ := run(t, retry.Policy{MaxAttempts: 2, Jitter: -1}, always(tt.err))
		if len(gaps) != 1 || gaps[0] != tt.want {
			t.Errorf("%v: pauses %v, want %v", tt.err, gaps, tt.want)
		}
	}
	// It holds after progress, too.
	_, gaps, _, _ := run(t, retry.Policy{MaxAttempts: 1}, func(a *retry.Attempt) error {
		if a.Number == 1 {
			a.Progress()
		}
		e := *errLost
		e.RetryAfter = 3 * time.Second
		return &e
	})
	if fmt.Sprint(gaps) != "[3s]" {
		t.Errorf("pauses after progress %v", gaps)
	}
}

func TestMaxElapsed(t *testing.T) {
	p := retry.Policy{MaxElapsed: time.Minute}
	attempts := 0
	_, _, took, err := run(t, p, func(*retry.Attempt) error { attempts++; return errDown })
	var e *retry.Error
	if !errors.As(err, &e) || e.Reason != retry.ReasonElapsed {
		t.Fatal(err)
	}
	// The last attempt starts no later than when the minute is over, and takes its second.
	if took < time.Minute || took > 61*time.Second {
		t.Errorf("gave up after %v", took)
	}
	// A bound by time alone is not one by count.
	attempts = 0
	_, _, took, err = run(t, retry.Policy{MaxElapsed: time.Hour}, func(*retry.Attempt) error { attempts++; return errDown })
	if attempts < 50 || took < time.Hour || took > time.Hour+time.Second {
		t.Errorf("%d attempts in %v: %v", attempts, took, err)
	}
	// Both bounds hold.
	_, _, _, err = run(t, retry.Policy{MaxElapsed: time.Hour, MaxAttempts: 4}, always(errDown))
	if !errors.As(err, &e) || e.Reason != retry.ReasonAttempts || e.Count != 4 {
		t.Error(err)
	}
	// A wait that the server asks for beyond the bound is not begun.
	slow := *errBusy
	slow.RetryAfter = 2 * time.Minute
	_, _, took, err = run(t, p, always(&slow))
	if !errors.As(err, &e) || e.Reason != retry.ReasonElapsed || e.Count != 1 || took != time.Second {
		t.Errorf("after %v: %v", took, err)
	}
}

func TestMaxElapsedRestarts(t *testing.T) {
	hours := func(a *retry.Attempt, moved, confirmed bool) error {
		time.Sleep(3 * time.Hour)
		if moved {
			a.Moved(1)
		}
		if confirmed {
			a.Progress()
		}
		return errLost
	}
	p := retry.Policy{MaxElapsed: time.Minute}
	// An attempt may take as long as it likes; what counts is the time since.
	attempts := 0
	_, _, took, _ := run(t, p, func(a *retry.Attempt) error {
		if attempts++; attempts <= 5 {
			return hours(a, true, true)
		}
		return errDown
	})
	if want := 5*(3*time.Hour+time.Second) + time.Minute; took < want || took > want+2*time.Second {
		t.Errorf("confirmed: gave up after %v, want about %v", took, want)
	}
	// Bytes on trust restart the clock once.
	attempts = 0
	_, _, _, err := run(t, p, func(a *retry.Attempt) error { attempts++; return hours(a, true, false) })
	if attempts != 2 || err == nil {
		t.Errorf("unconfirmed: %d attempts, %v", attempts, err)
	}
	// Silence does not.
	attempts = 0
	_, _, _, err = run(t, p, func(a *retry.Attempt) error { attempts++; return hours(a, false, false) })
	if attempts != 1 || err == nil {
		t.Errorf("silent: %d attempts, %v", attempts, err)
	}
}

func TestUnbounded(t *testing.T) {
	attempts := 0
	_, gaps, _, err := run(t, retry.Policy{MaxAttempts: -1}, func(*retry.Attempt) error {
		if attempts++; attempts == 5000 {
			return nil
		}
		return errDown
	})
	if err != nil || attempts != 5000 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
	for _, g := range gaps {
		if g > retry.DefaultMaxDelay {
			t.Fatalf("a pause of %v", g)
		}
	}
}

func TestPermanent(t *testing.T) {
	_, _, took, err := run(t, retry.Policy{}, always(errGone))
	if err != error(errGone) || took != time.Second {
		t.Errorf("at once: %v after %v", err, took)
	}
	_, _, _, err = run(t, retry.Policy{}, func(a *retry.Attempt) error {
		if a.Number < 3 {
			return errLost
		}
		return errGone
	})
	var e *retry.Error
	if !errors.As(err, &e) || e.Reason != retry.ReasonPermanent || e.Count != 3 || e.Last() != error(errGone) {
		t.Fatal(err)
	}
	if !errors.Is(err, fs.ErrNotExist) || transport.KindOf(err) != transport.KindNotExist {
		t.Errorf("what ended it is hidden: %v", err)
	}
	var te *transport.Error
	if !errors.As(err, &te) || te != errGone {
		t.Errorf("errors.As finds %v", te)
	}
	if !errors.Is(err, io.EOF) {
		t.Error("the earlier cause is hidden")
	}
}

func TestStop(t *testing.T) {
	if retry.Stop(nil) != nil {
		t.Error("Stop(nil) is an error")
	}
	own := errors.New("the source cannot be read twice")
	_, _, _, err := run(t, retry.Policy{}, always(retry.Stop(own)))
	if err != own {
		t.Errorf("%v (%T)", err, err)
	}
	_, _, _, err = run(t, retry.Policy{Classify: func(error) retry.Class { return retry.Transient }}, always(retry.Stop(errLost)))
	if err != error(errLost) {
		t.Errorf("a classifier overrules Stop: %v", err)
	}
	_, _, _, err = run(t, retry.Policy{}, always(fmt.Errorf("wrapped: %w", retry.Stop(errLost))))
	if err == nil || err.Error() != "wrapped: "+errLost.Error() {
		t.Errorf("wrapped: %v", err)
	}
	_, _, _, err = run(t, retry.Policy{}, func(a *retry.Attempt) error {
		if a.Number == 1 {
			return errLost
		}
		return retry.Stop(own)
	})
	var e *retry.Error
	if !errors.As(err, &e) || e.Last() != own || e.Attempts[1].Class != retry.Permanent {
		t.Errorf("%+v", err)
	}
}

func TestOwnClassifier(t *testing.T) {
	full := &transport.Error{Kind: transport.KindNoSpace}
	p := retry.Policy{Jitter: -1, MaxAttempts: 3, Classify: func(err error) retry.Class {
		if transport.KindOf(err) == transport.KindNoSpace {
			return retry.Busy
		}
		return retry.Classify(err)
	}}
	_, gaps, _, _ := run(t, p, always(full))
	if fmt.Sprint(gaps) != "[1s 2s]" {
		t.Errorf("pauses %v", gaps)
	}
}

func TestCanceledWhileWaiting(t *testing.T) {
	why := errors.New("the program ends")
	for name, cause := range map[string]error{"plain": nil, "cause": why} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			begin := time.Now()
			err := retry.Policy{Jitter: -1, BusyDelay: 20 * time.Second}.Do(ctx, func(context.Context, *retry.Attempt) error { return errBusy },
				func(retry.Event) { time.AfterFunc(5*time.Second, func() { cancel(cause) }) })
			if d := time.Since(begin); d != 5*time.Second {
				t.Errorf("%s: ended after %v", name, d)
			}
			var e *retry.Error
			if !errors.As(err, &e) || e.Reason != retry.ReasonCanceled || e.Last() != error(errBusy) || e.Count != 1 {
				t.Fatalf("%s: %+v", name, err)
			}
			var reply *textproto.Error
			if !errors.Is(err, context.Canceled) || cause != nil && !errors.Is(err, cause) || !errors.As(err, &reply) || reply.Code != 421 {
				t.Errorf("%s: %v", name, err)
			}
			if transport.KindOf(err) != transport.KindCanceled || retry.Classify(err) != retry.Canceled {
				t.Errorf("%s: kind %v, class %v", name, transport.KindOf(err), retry.Classify(err))
			}
		})
	}
}

func TestCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		err := retry.Policy{MaxAttempts: -1}.Do(ctx, func(ctx context.Context, _ *retry.Attempt) error {
			time.Sleep(time.Second)
			return errDown
		}, nil)
		if d := time.Since(begin); d < time.Minute || d > time.Minute+time.Second {
			t.Errorf("ended after %v", d)
		}
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || transport.KindOf(err) != transport.KindCanceled {
			t.Error(err)
		}
	})
}

func TestEndedContextMakesNoAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := retry.Policy{}.Do(ctx, func(context.Context, *retry.Attempt) error {
		t.Error("an attempt was made")
		return nil
	}, nil)
	var e *retry.Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &e) || e.Last() != nil || e.Count != 0 {
		t.Errorf("%+v", err)
	}
	if err.Error() != "canceled after 0 attempts: context canceled" {
		t.Error(err)
	}
}

func TestCanceledInAnAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := retry.Policy{}.Do(ctx, func(context.Context, *retry.Attempt) error { cancel(); return errLost }, nil)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, io.EOF) {
		t.Errorf("line trouble of one's own making: %v", err)
	}
	// A clear answer that came first is kept.
	ctx, cancel = context.WithCancel(t.Context())
	err = retry.Policy{}.Do(ctx, func(context.Context, *retry.Attempt) error { cancel(); return errGone }, nil)
	if err != error(errGone) {
		t.Errorf("clear answer: %v", err)
	}
	// So is success.
	ctx, cancel = context.WithCancel(t.Context())
	if err := (retry.Policy{}).Do(ctx, func(context.Context, *retry.Attempt) error { cancel(); return nil }, nil); err != nil {
		t.Errorf("success: %v", err)
	}
}

func TestADeadlineThatIsNotTheCallers(t *testing.T) {
	own := fmt.Errorf("asking for the size: %w", context.DeadlineExceeded)
	attempts := 0
	_, _, _, err := run(t, retry.Policy{MaxAttempts: 3}, func(*retry.Attempt) error { attempts++; return own })
	var e *retry.Error
	if attempts != 3 || !errors.As(err, &e) || e.Attempts[0].Class != retry.Transient {
		t.Errorf("%d attempts, %v", attempts, err)
	}
	attempts = 0
	_, _, _, err = run(t, retry.Policy{}, func(*retry.Attempt) error { attempts++; return context.Canceled })
	if attempts != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled from within: %d attempts, %v", attempts, err)
	}
}

func TestErrorText(t *testing.T) {
	_, _, _, err := run(t, retry.Policy{Jitter: -1, MaxAttempts: 4}, func(a *retry.Attempt) error {
		switch a.Number {
		case 1:
			return errors.Join(errors.New("first\x1b[2J"), errors.New("second"))
		case 2:
			return errBusy
		}
		return errLost
	})
	want := "gave up after 4 attempts without progress (5.6s): ftp h:21: STOR connection lost: EOF " +
		"[before: login server busy (421); first\uFFFD[2J; second]"
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	_, _, _, err = run(t, retry.Policy{Jitter: -1}, func(a *retry.Attempt) error {
		if a.Number == 1 {
			return errLost
		}
		return errGone
	})
	want = `attempt 2 failed for good: ftp h:21: RETR not found: 550 "no such file" [before: STOR connection lost]`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	// Many different causes stay one short line.
	_, _, _, err = run(t, retry.Policy{MaxAttempts: 9}, func(a *retry.Attempt) error {
		return fmt.Errorf("%d %s", a.Number, strings.Repeat("long ", 100))
	})
	if s := err.Error(); strings.Contains(s, "\n") || len(s) > 1000 || !strings.HasSuffix(s, "; and more]") {
		t.Errorf("%d bytes: %s", len(s), s)
	}
}

func TestErrorKeepsFirstAndLast(t *testing.T) {
	first, last := errors.New("first"), errors.New("last")
	_, _, _, err := run(t, retry.Policy{MaxAttempts: 1000, MaxDelay: time.Second}, func(a *retry.Attempt) error {
		switch a.Number {
		case 1:
			return first
		case 1000:
			return last
		}
		return errLost
	})
	var e *retry.Error
	if !errors.As(err, &e) || e.Count != 1000 || len(e.Attempts) != 16 {
		t.Fatalf("%v", err)
	}
	var numbers []int
	for _, a := range e.Attempts {
		numbers = append(numbers, a.Number)
	}
	if got := fmt.Sprint(numbers); got != "[1 2 3 4 989 990 991 992 993 994 995 996 997 998 999 1000]" {
		t.Error(got)
	}
	if !errors.Is(err, first) || !errors.Is(err, last) || e.Unwrap()[0] != last {
		t.Errorf("%v", e.Unwrap())
	}
}

func TestPolicyIsReusable(t *testing.T) {
	p := retry.Policy{MaxAttempts: 2}
	before := fmt.Sprintf("%+v", p)
	for range 3 {
		n := 0
		_, _, _, err := run(t, p, func(*retry.Attempt) error { n++; return errDown })
		if n != 2 || err == nil {
			t.Errorf("%d attempts, %v", n, err)
		}
	}
	if after := fmt.Sprintf("%+v", p); after != before {
		t.Errorf("%s became %s", before, after)
	}
}
