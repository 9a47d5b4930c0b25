package ftpx_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/seed01fc2e40/go-ftpx/ftpx"
)

// span is a scope that a hook was told of.
type span struct {
	kind     string
	id       uint64 // the operation
	parent   *span
	ended    int
	children int // that have not ended
}

type spanKey struct{}

// recorder are hooks that check what they are told: that scopes nest, that each is ended
// once and after all that is in it, and that numbers agree.
type recorder struct {
	mu       sync.Mutex // guards what follows
	spans    []*span
	seen     map[string]int  // what was told, by its name
	raised   map[string]bool // alarms
	open     map[uint64]bool
	closed   map[uint64]bool
	commands map[[2]uint64]bool // by connection and Seq
	problems []string
	// panics is asked whether a hook is to panic.
	panics func(what string) bool
	// connPanics: also at the end of a connection, of which nobody knows who has caused it.
	connPanics bool
}

// made is what a hook of the recorder panics with.
type made struct{ what string }

func newRecorder() *recorder {
	return &recorder{seen: map[string]int{}, raised: map[string]bool{}, open: map[uint64]bool{}, closed: map[uint64]bool{}, commands: map[[2]uint64]bool{}}
}

func (r *recorder) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

// called is the key of what a caller of the client has put into the context. What a client
// does by itself has none, and nobody would see a panic of it.
type called struct{}

// mayPanic is called at the end of a hook, without the lock.
func (r *recorder) mayPanic(ctx context.Context, what string) {
	r.mu.Lock()
	r.seen[what]++
	f := r.panics
	r.mu.Unlock()
	if f != nil && ctx.Value(called{}) != nil && f(what) {
		panic(made{what})
	}
}

// begin records a scope. Those of an operation begin with its number, the others agree with
// the one around them.
func (r *recorder) begin(ctx context.Context, kind string, id uint64) (context.Context, *span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &span{kind: kind, id: id}
	s.parent, _ = ctx.Value(spanKey{}).(*span)
	if p := s.parent; p != nil {
		p.children++
		if p.ended > 0 {
			r.problem("%s %d begins in %s %d, which has ended", kind, id, p.kind, p.id)
		}
		if kind != "operation" && p.id != id {
			r.problem("%s of operation %d in %s of operation %d", kind, id, p.kind, p.id)
		}
	} else if kind != "operation" && (kind != "dial" || id != 0) {
		r.problem("%s %d without an operation around it", kind, id)
	}
	r.spans = append(r.spans, s)
	return context.WithValue(ctx, spanKey{}, s), s
}

func (r *recorder) end(s *span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.ended++; s.ended > 1 {
		r.problem("%s %d has ended %d times", s.kind, s.id, s.ended)
	}
	if s.children > 0 {
		r.problem("%s %d has ended before %d scopes in it", s.kind, s.id, s.children)
	}
	if p := s.parent; p != nil {
		p.children--
		if p.ended > 0 {
			r.problem("%s %d ends after %s %d around it", s.kind, s.id, p.kind, p.id)
		}
	}
}

// event checks the number of something that has happened.
func (r *recorder) event(ctx context.Context, what string, id uint64) {
	r.mu.Lock()
	s, _ := ctx.Value(spanKey{}).(*span)
	if s == nil && id != 0 || s != nil && s.id != id {
		r.problem("%s of operation %d in the context of %+v", what, id, s)
	}
	r.mu.Unlock()
	r.mayPanic(ctx, what)
}

func (r *recorder) conn(what string, conn uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if conn == 0 {
		r.problem("%s without a connection", what)
	}
}

func (r *recorder) hooks() *ftpx.Hooks {
	return &ftpx.Hooks{
		Operation: func(ctx context.Context, i ftpx.OperationInfo) (context.Context, func(ftpx.OperationEnd)) {
			r.mayPanic(ctx, "operation begins")
			if i.Op == "" || i.ID == 0 || i.Host == "" {
				r.mu.Lock()
				r.problem("%+v", i)
				r.mu.Unlock()
			}
			ctx, s := r.begin(ctx, "operation", i.ID)
			return ctx, func(e ftpx.OperationEnd) {
				r.end(s)
				r.mu.Lock()
				if (e.Err == nil) != (e.Result.Outcome == ftpx.Done) {
					r.problem("%s is %v with %v", i.Op, e.Result.Outcome, e.Err)
				}
				r.mu.Unlock()
				if i.Op != "read" { // its end may be that of a context, which nobody waits for
					r.mayPanic(ctx, "operation ends")
				}
			}
		},
		Attempt: func(ctx context.Context, i ftpx.AttemptInfo) (context.Context, func(ftpx.AttemptEnd)) {
			r.mayPanic(ctx, "attempt begins")
			ctx, s := r.begin(ctx, "attempt", i.ID)
			return ctx, func(e ftpx.AttemptEnd) {
				r.end(s)
				if e.Err == nil {
					r.conn("an attempt that succeeded", e.Conn)
				}
				r.mayPanic(ctx, "attempt ends")
			}
		},
		Acquire: func(ctx context.Context, i ftpx.AcquireInfo) (context.Context, func(ftpx.AcquireEnd)) {
			r.mayPanic(ctx, "acquire begins")
			ctx, s := r.begin(ctx, "acquire", i.ID)
			return ctx, func(ftpx.AcquireEnd) {
				r.end(s)
				r.mayPanic(ctx, "acquire "+string(i.Wait)+" ends")
			}
		},
		Dial: func(ctx context.Context, i ftpx.DialInfo) (context.Context, func(ftpx.DialEnd)) {
			r.mayPanic(ctx, "dial begins")
			ctx, s := r.begin(ctx, "dial", i.ID)
			return ctx, func(e ftpx.DialEnd) {
				r.end(s)
				if e.Err == nil {
					r.mu.Lock()
					r.open[i.Conn] = true
					r.mu.Unlock()
				}
				r.mayPanic(ctx, "dial ends")
			}
		},
		Protocol: func(ctx context.Context, i ftpx.ProtocolInfo) { r.event(ctx, "protocol", i.ID) },
		Host:     func(ctx context.Context, i ftpx.HostInfo) { r.event(ctx, "host", i.ID) },
		Retry:    func(ctx context.Context, i ftpx.RetryInfo) { r.event(ctx, "retry", i.ID) },
		Resume:   func(ctx context.Context, i ftpx.ResumeInfo) { r.conn("resume", i.Conn); r.event(ctx, "resume", i.ID) },
		Verify:   func(ctx context.Context, i ftpx.VerifyInfo) { r.conn("verify", i.Conn); r.event(ctx, "verify", i.ID) },
		Breaker:  func(ctx context.Context, i ftpx.BreakerInfo) { r.event(ctx, "breaker", i.ID) },
		Limit:    func(ctx context.Context, i ftpx.LimitInfo) { r.event(ctx, "limit", i.ID) },
		Progress: func(ctx context.Context, i ftpx.ProgressInfo) {
			r.conn("progress", i.Conn)
			r.event(ctx, "progress", i.ID)
		},
		Command: func(ctx context.Context, i ftpx.CommandInfo) {
			r.conn("command", i.Conn)
			r.mu.Lock()
			key := [2]uint64{i.Conn, i.Seq} // batches overlap, so that they may come out of order
			if i.Seq == 0 || r.commands[key] {
				r.problem("command %d of connection %d was told before", i.Seq, i.Conn)
			}
			r.commands[key] = true
			r.mu.Unlock()
			r.event(ctx, "command", i.ID)
		},
		Reply: func(ctx context.Context, i ftpx.ReplyInfo) {
			r.conn("reply", i.Conn)
			r.mu.Lock()
			if i.Seq > 0 && !r.commands[[2]uint64{i.Conn, i.Seq}] {
				r.problem("a reply to command %d of connection %d, which was not told", i.Seq, i.Conn)
			}
			r.mu.Unlock()
			r.event(ctx, "reply", i.ID)
		},
		Conn: func(i ftpx.ConnInfo) {
			r.mu.Lock()
			if !r.open[i.Conn] || r.closed[i.Conn] {
				r.problem("connection %d ends, open %v, ended %v", i.Conn, r.open[i.Conn], r.closed[i.Conn])
			}
			if i.Cause == "" || i.Age < 0 || i.InUse && i.Idle != 0 {
				r.problem("%+v", i)
			}
			r.closed[i.Conn] = true
			r.mu.Unlock()
			ctx := context.Background()
			if r.connPanics && i.Cause != ftpx.CauseIdle && i.Cause != ftpx.CauseReplaced { // nobody waits for a timer, or for a look
				ctx = context.WithValue(ctx, called{}, true)
			}
			r.mayPanic(ctx, "connection ends")
		},
		Alarm: func(i ftpx.AlarmInfo) { // without a context, and from a timer too
			r.mu.Lock()
			defer r.mu.Unlock()
			which := fmt.Sprint(i.Alarm, i.Host, i.Protocol)
			if r.raised[which] == i.Raised {
				r.problem("the alarm %s is raised: %v, as it was before", which, i.Raised)
			}
			r.raised[which] = i.Raised
			r.seen["alarm"]++
		},
	}
}

// settled checks that nothing is left.
func (r *recorder) settled() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans {
		if s.ended != 1 {
			r.problem("%s %d has ended %d times", s.kind, s.id, s.ended)
		}
	}
	for conn := range r.open {
		if !r.closed[conn] && r.panics == nil {
			r.problem("connection %d has not ended", conn)
		}
	}
	return r.problems
}

// sometimes makes hooks panic, once in so many times.
func sometimes(rnd *rand.Rand, mu *sync.Mutex, in int) func(string) bool {
	return func(string) bool {
		mu.Lock()
		defer mu.Unlock()
		return rnd.IntN(in) == 0
	}
}
