package ftpx

import (
	"context"
	"sync"
	"time"
)

// operation is a call of a client whose hooks want to know of it. A nil one is one that
// nobody wants to know of.
type operation struct {
	c      *client
	id     uint64
	begin  time.Time
	finish func(OperationEnd)

	mu   sync.Mutex // guards what follows
	last AttemptEnd
	// attempts counts those of the operation itself, not of what it consists of.
	attempts int
}

// operationKey is the key of an operation of one client in a context.
type operationKey struct{ c *client }

// operationOf returns the innermost operation that a context belongs to, nil for none.
func (c *client) operationOf(ctx context.Context) *operation {
	if !c.numbered {
		return nil
	}
	o, _ := ctx.Value(operationKey{c}).(*operation)
	return o
}

// idOf is the number of that operation.
func (c *client) idOf(ctx context.Context) uint64 {
	if o := c.operationOf(ctx); o != nil {
		return o.id
	}
	return 0
}

// numbered reports whether any hook is told of operations.
func (h *Hooks) numbered() bool {
	return h != nil && (h.Operation != nil || h.Attempt != nil || h.Acquire != nil || h.Dial != nil || h.Protocol != nil || h.Host != nil ||
		h.Retry != nil || h.Resume != nil || h.Verify != nil || h.Breaker != nil || h.Limit != nil || h.Progress != nil || h.Command != nil || h.Reply != nil)
}

// begin begins an operation.
func (c *client) begin(ctx context.Context, i OperationInfo) (context.Context, *operation) {
	if !c.numbered {
		return ctx, nil
	}
	o := &operation{c: c, id: c.operations.Add(1), begin: time.Now()}
	if f := c.hooks.Operation; f != nil {
		i.ID, i.Parent, i.Host = o.id, c.idOf(ctx), c.cfg.Host
		inside, finish := f(ctx, i)
		if inside != nil {
			ctx = inside
		}
		o.finish = finish
	}
	return context.WithValue(ctx, operationKey{c}, o), o
}

// attempted takes note of an attempt.
func (o *operation) attempted(e AttemptEnd) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attempts++
	o.last = e
}

// end ends an operation that is no transfer. It is deferred, with the error that the call
// returns, which is [ErrNoReturn] until it does.
func (o *operation) end(err *error) {
	if o != nil && o.finish != nil {
		o.endWith(o.result(*err), *err)
	}
}

// result is that of what is no transfer.
func (o *operation) result(err error) Result {
	r := Result{Outcome: Done, Duration: time.Since(o.begin)}
	if err != nil {
		r.Outcome = outcomeOfCall(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	r.Attempts, r.Protocol, r.Addr = o.attempts, o.last.Protocol, o.last.Addr
	return r
}

// endTransfer is end for a transfer.
func (o *operation) endTransfer(r *Result, err *error) {
	if o == nil || o.finish == nil {
		return
	}
	if *err == ErrNoReturn {
		*r = Result{Size: -1, Outcome: Unknown, Duration: time.Since(o.begin)}
	}
	o.endWith(*r, *err)
}

func (o *operation) endWith(r Result, err error) {
	o.mu.Lock()
	e := OperationEnd{Result: r, Conn: o.last.Conn, Host: o.last.Host, Err: err}
	o.mu.Unlock()
	o.finish(e)
}

// outcomeOfCall is that of an error as callers see it.
func outcomeOfCall(err error) Outcome {
	if err == ErrNoReturn {
		return Unknown
	}
	if e, ok := err.(*Error); ok {
		return e.Outcome
	}
	return NotDone
}

// Begin implements [Client].
func (c *client) Begin(ctx context.Context, i OperationInfo) (context.Context, func(OperationEnd)) {
	ctx, o := c.begin(ctx, i)
	return ctx, func(e OperationEnd) {
		if o == nil || o.finish == nil {
			return
		}
		if e.Result.Duration == 0 {
			e.Result.Duration = time.Since(o.begin)
		}
		o.finish(e)
	}
}
