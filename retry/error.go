package retry

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Reason says why a loop ended without success. Zero is not known.
type Reason uint8

// The reasons.
const (
	// ReasonAttempts: [Policy.MaxAttempts] attempts without progress.
	ReasonAttempts Reason = iota + 1
	// ReasonElapsed: [Policy.MaxElapsed] without progress, or the server asked
	// for a wait beyond it.
	ReasonElapsed
	// ReasonPermanent: the last attempt failed in a way that no other can cure.
	ReasonPermanent
	// ReasonCanceled: the context ended.
	ReasonCanceled
)

// String returns a few words, such as "no progress in time".
func (r Reason) String() string {
	switch r {
	case ReasonAttempts:
		return "too many attempts without progress"
	case ReasonElapsed:
		return "no progress in time"
	case ReasonPermanent:
		return "failed for good"
	case ReasonCanceled:
		return "canceled"
	}
	return "unknown"
}

// MarshalText makes a Reason readable in JSON and logs.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Error is what [Policy.Do] returns when it gave up after more than one clear
// answer. It holds the cause of every attempt, the last one first for
// errors.Is and errors.As; to judge the last one alone, use [Error.Last].
type Error struct {
	// Reason says why the loop ended.
	Reason Reason
	// Attempts are the failed attempts, oldest first. Of many, only the first
	// 4 and the last 12 are kept.
	Attempts []AttemptError
	// Count is the number of failed attempts, those not kept included.
	Count int
	// Idle is the number of attempts since the last progress.
	Idle int
	// Elapsed is the time since Do was called.
	Elapsed time.Duration

	ctxErrs []error // the context's error and its cause, for ReasonCanceled
}

// AttemptError is one failed attempt.
type AttemptError struct {
	// Number counts attempts from 1.
	Number int
	// Err is what the attempt returned.
	Err error
	// Class is how it was judged.
	Class Class
	// Progress says that the attempt had confirmed that the work got further.
	Progress bool
	// Delay is the pause that followed, 0 after the last one.
	Delay time.Duration
	// At is when the attempt failed.
	At time.Time
}

const keepFirst, keepLast = 4, 12

func (e *Error) add(a AttemptError) {
	e.Count++
	if len(e.Attempts) == keepFirst+keepLast {
		copy(e.Attempts[keepFirst:], e.Attempts[keepFirst+1:])
		e.Attempts = e.Attempts[:len(e.Attempts)-1]
	}
	e.Attempts = append(e.Attempts, a)
}

// Last returns the error of the last attempt, nil if none was made because the
// context had ended before.
func (e *Error) Last() error {
	if len(e.Attempts) == 0 {
		return nil
	}
	return e.Attempts[len(e.Attempts)-1].Err
}

// FailureKind is for [transport.KindOf]: the kind of the last attempt's error, or
// KindCanceled.
func (e *Error) FailureKind() transport.Kind {
	if e.Reason == ReasonCanceled {
		return transport.KindCanceled
	}
	return transport.KindOf(e.Last())
}

// Unwrap returns the context's error if that ended the loop, then the causes,
// the last one first.
func (e *Error) Unwrap() []error {
	errs := make([]error, 0, len(e.ctxErrs)+len(e.Attempts))
	errs = append(errs, e.ctxErrs...)
	for i := len(e.Attempts) - 1; i >= 0; i-- {
		errs = append(errs, e.Attempts[i].Err)
	}
	return errs
}

// Error returns one line: why the loop ended, after how many attempts, the last
// cause, and briefly what else had gone wrong before.
func (e *Error) Error() string {
	var b strings.Builder
	took := e.Elapsed.Round(time.Millisecond)
	switch e.Reason {
	case ReasonAttempts:
		fmt.Fprintf(&b, "gave up after %s without progress (%s)", attempts(e.Idle), took)
	case ReasonElapsed:
		fmt.Fprintf(&b, "gave up after %s: no progress in time (%s)", attempts(e.Count), took)
	case ReasonPermanent:
		fmt.Fprintf(&b, "attempt %d failed for good", e.Count)
	case ReasonCanceled:
		fmt.Fprintf(&b, "canceled after %s", attempts(e.Count))
		if n := len(e.ctxErrs); n > 0 {
			b.WriteString(": " + oneLine(e.ctxErrs[n-1]))
		}
	default:
		fmt.Fprintf(&b, "failed after %s", attempts(e.Count))
	}
	if last := e.Last(); last != nil {
		if e.Reason == ReasonCanceled {
			b.WriteString("; last failure")
		}
		b.WriteString(": " + oneLine(last))
	}
	if s := e.earlier(); s != "" {
		b.WriteString(" [before: " + s + "]")
	}
	return b.String()
}

// earlier lists up to three other causes among the kept attempts.
func (e *Error) earlier() string {
	if len(e.Attempts) < 2 {
		return ""
	}
	seen := map[string]bool{brief(e.Last()): true}
	var texts []string
	for i := len(e.Attempts) - 2; i >= 0; i-- {
		s := brief(e.Attempts[i].Err)
		if seen[s] {
			continue
		}
		seen[s] = true
		if len(texts) == 3 {
			texts = append(texts, "and more")
			break
		}
		texts = append(texts, s)
	}
	return strings.Join(texts, "; ")
}

// brief is the gist of an error, without the ports that make two of the same
// look different.
func brief(err error) string {
	var te *transport.Error
	if errors.As(err, &te) {
		s := te.Kind.String()
		if te.Op != "" {
			s = te.Op + " " + s
		}
		if te.Code != 0 {
			s += fmt.Sprintf(" (%d)", te.Code)
		}
		return s
	}
	if k := transport.KindOf(err); k != transport.KindUnknown {
		return k.String()
	}
	s := []rune(oneLine(err))
	if len(s) > 80 {
		return string(s[:79]) + "…"
	}
	return string(s)
}

// oneLine joins the lines of errors.Join, and drops what could move a cursor.
func oneLine(err error) string {
	return transport.Printable(strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; "))
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

// Stop wraps err so that the loop ends with it whatever its class: it is for
// what only the operation can know, such as a source that cannot be read twice.
// Do returns err itself. Stop(nil) is nil.
func Stop(err error) error {
	if err == nil {
		return nil
	}
	return &stopped{err}
}

type stopped struct{ err error }

func (s *stopped) Error() string { return s.err.Error() }
func (s *stopped) Unwrap() error { return s.err }

// unstop takes the wrapper of Stop off if it is the outermost one.
func unstop(err error) error {
	if s, ok := err.(*stopped); ok {
		return s.err
	}
	return err
}
