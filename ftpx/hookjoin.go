package ftpx

import (
	"context"
	"slices"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
)

// ErrNoReturn is what hooks are told of an operation, attempt or dial that did not return:
// code of the caller's, or a hook, panicked or ended its goroutine.
var ErrNoReturn = session.ErrNoReturn

// JoinHooks returns hooks that are all of the given ones. Each thing that happens is told to
// the first one first; scopes are ended in reverse, and each gets the context that those
// before it have returned. Nil ones are left out; of none it returns nil. The given hooks
// are not to be changed afterwards.
func JoinHooks(hooks ...*Hooks) *Hooks {
	hooks = slices.DeleteFunc(slices.Clone(hooks), func(h *Hooks) bool { return h == nil })
	switch len(hooks) {
	case 0:
		return nil
	case 1:
		return hooks[0]
	}
	return &Hooks{
		Operation: joinScopes(hooks, func(h *Hooks) scope[OperationInfo, OperationEnd] { return h.Operation }, OperationEnd{Result: Result{Outcome: Unknown}, Err: ErrNoReturn}),
		Attempt:   joinScopes(hooks, func(h *Hooks) scope[AttemptInfo, AttemptEnd] { return h.Attempt }, AttemptEnd{Err: ErrNoReturn}),
		Acquire:   joinScopes(hooks, func(h *Hooks) scope[AcquireInfo, AcquireEnd] { return h.Acquire }, AcquireEnd{Err: ErrNoReturn}),
		Dial:      joinScopes(hooks, func(h *Hooks) scope[DialInfo, DialEnd] { return h.Dial }, DialEnd{Err: ErrNoReturn}),
		Protocol:  joinEvents(hooks, func(h *Hooks) event[ProtocolInfo] { return h.Protocol }),
		Host:      joinEvents(hooks, func(h *Hooks) event[HostInfo] { return h.Host }),
		Retry:     joinEvents(hooks, func(h *Hooks) event[RetryInfo] { return h.Retry }),
		Resume:    joinEvents(hooks, func(h *Hooks) event[ResumeInfo] { return h.Resume }),
		Verify:    joinEvents(hooks, func(h *Hooks) event[VerifyInfo] { return h.Verify }),
		Breaker:   joinEvents(hooks, func(h *Hooks) event[BreakerInfo] { return h.Breaker }),
		Limit:     joinEvents(hooks, func(h *Hooks) event[LimitInfo] { return h.Limit }),
		Progress:  joinEvents(hooks, func(h *Hooks) event[ProgressInfo] { return h.Progress }),
		Command:   joinEvents(hooks, func(h *Hooks) event[CommandInfo] { return h.Command }),
		Reply:     joinEvents(hooks, func(h *Hooks) event[ReplyInfo] { return h.Reply }),
		Conn:      joinCalls(hooks, func(h *Hooks) func(ConnInfo) { return h.Conn }),
		Alarm:     joinCalls(hooks, func(h *Hooks) func(AlarmInfo) { return h.Alarm }),
	}
}

type (
	scope[I, E any] = func(context.Context, I) (context.Context, func(E))
	event[I any]    = func(context.Context, I)
)

// joinScopes joins one scope of all hooks, nil where none has it. aborted is what those are
// told that have begun when another one's beginning panics.
func joinScopes[I, E any](hooks []*Hooks, of func(*Hooks) scope[I, E], aborted E) scope[I, E] {
	var fs []scope[I, E]
	for _, h := range hooks {
		if f := of(h); f != nil {
			fs = append(fs, f)
		}
	}
	if len(fs) < 2 {
		return first(fs)
	}
	return func(ctx context.Context, i I) (context.Context, func(E)) {
		ends, begun := make([]func(E), 0, len(fs)), false
		defer func() {
			if !begun {
				endAll(ends, aborted)
			}
		}()
		for _, f := range fs {
			next, end := f(ctx, i)
			if next != nil {
				ctx = next
			}
			if end != nil {
				ends = append(ends, end)
			}
		}
		begun = true
		return ctx, func(e E) { endAll(ends, e) }
	}
}

// endAll calls the functions in reverse, all of them also where some panic.
func endAll[E any](ends []func(E), e E) {
	if len(ends) == 0 {
		return
	}
	last := len(ends) - 1
	defer endAll(ends[:last], e)
	ends[last](e)
}

func joinEvents[I any](hooks []*Hooks, of func(*Hooks) event[I]) event[I] {
	var fs []event[I]
	for _, h := range hooks {
		if f := of(h); f != nil {
			fs = append(fs, f)
		}
	}
	if len(fs) < 2 {
		return first(fs)
	}
	return func(ctx context.Context, i I) {
		for _, f := range fs {
			f(ctx, i)
		}
	}
}

func joinCalls[I any](hooks []*Hooks, of func(*Hooks) func(I)) func(I) {
	var fs []func(I)
	for _, h := range hooks {
		if f := of(h); f != nil {
			fs = append(fs, f)
		}
	}
	if len(fs) < 2 {
		return first(fs)
	}
	return func(i I) {
		for _, f := range fs {
			f(i)
		}
	}
}

func first[F any](fs []F) (none F) {
	if len(fs) == 0 {
		return none
	}
	return fs[0]
}
