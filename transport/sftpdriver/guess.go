package sftpdriver

import (
	"context"
	"fmt"
	"time"

	"github.com/seed01fc2e40/go-ftpx/transport"
	"github.com/seed01fc2e40/go-ftpx/transport/internal/wire"
)

// A Store that begins a file behind a Stat of the same path is mostly one of a new file.
// The file is made and opened (SSH_FXF_EXCL) in the round trip in which the Stat goes
// out, ahead of the condition. Where the guess was wrong it is taken back.

// guess reports whether step j may be opened on a guess, in the turn of step i.
func (r *run) guess(i, j int) bool {
	s := &r.steps[j]
	store, ok := s.req.(*transport.Store)
	if !ok || store.Offset != 0 || store.Append || r.steps[j].keeps(store) || r.c.sole() {
		return false
	}
	for u := j - 1; u >= i; u-- {
		e := &r.steps[u]
		if e.bad != nil {
			continue
		}
		if e.acts || e.rounds || u > i && e.req.Common().If != nil {
			return false
		}
		if stat, ok := e.req.(*transport.Stat); ok && stat.Path == store.Path {
			s.stat = u
			return true
		}
	}
	return false
}

// judge waits for what the guess has brought, before the condition is asked. A guess
// that was wrong leaves the step as if it had not been sent.
func (s *step) judge() error {
	s.watched(wire.WatchOf(s.c.ep))
	handle, err := s.reply.handle()
	if err != nil && statusOf(err) == nil {
		s.guessed = false
		return err
	}
	free := false
	if handle != "" {
		if free, err = s.wasFree(&s.steps[s.stat], handle); err != nil {
			s.guessed = false
			return err
		}
	}
	if s.handle = handle; !free {
		if handle != "" {
			// The server does not know SSH_FXF_EXCL, or does not say whether the name was
			// there: what it opened may hold something, and stays.
			s.c.pipe.send(fxpClose, putString(nil, handle)).drop()
		}
		*s = step{run: s.run, i: s.i, req: s.req}
		s.sent = s.i
	}
	return s.settleStats()
}

// wasFree reports whether the name of a file that was made on a guess was not there
// before: because the Stat has said so, or because that was refused and the file is empty.
// Object stores whose login may not list say "permission denied" of a name that is not
// there, and others fail. An error is one of the connection.
func (s *step) wasFree(stat *step, handle string) (bool, error) {
	h := stat.req.Common()
	te, refused := h.Err.(*transport.Error)
	switch {
	case !refused:
		return false, nil
	case te.Kind == transport.KindNotExist:
		return true, nil
	}
	empty, err := s.isEmpty(handle, stat.path())
	if err != nil || !empty {
		return false, err
	}
	told := *te
	told.Kind, told.Err = transport.KindNotExist, fmt.Errorf("%w, and the name was free", te.Err)
	h.Err = &told
	return true, nil
}

// isEmpty reports whether a file that has just been opened is known to hold nothing.
func (s *step) isEmpty(handle, name string) (bool, error) {
	for _, ask := range []struct {
		typ byte
		of  string
	}{{fxpFstat, handle}, {fxpStat, name}, {fxpLstat, name}} {
		var a attrs
		err := s.c.pipe.send(ask.typ, putString(nil, ask.of)).parse(fxpAttrs, func(r *reader) { a = r.attrs() })
		switch {
		case err == nil && a.hasSize:
			return a.size == 0, nil
		case err != nil && statusOf(err) == nil:
			return false, err
		}
	}
	return false, nil
}

// settleStats asks what could not be asked of the steps before the guess. What it made is
// none of their business, or is gone as far as it can be.
func (s *step) settleStats() error {
	for j := range s.i {
		t := &s.steps[j]
		if t.told == nil || transport.KindOf(t.req.Common().Err) == transport.KindNotExist {
			continue
		}
		q, a, err := t.req.(*transport.Stat), t.told.attrs, t.told.err
		if t.told = nil; another(q, a, err) {
			a, err = t.askAgain(q, a, err)
		}
		if err == nil || statusOf(err) != nil {
			err = t.entered(q, a, err)
		}
		if err != nil && statusOf(err) == nil {
			return err
		}
		_ = t.settle(err)
	}
	return nil
}

// takeBackTimeout bounds takeBack, which is nobody's aim.
const takeBackTimeout = 2 * time.Second

// takeBack removes a file that was made on a guess, unless somebody has begun to write
// to it. It works also when the context has ended: a handle would stay open otherwise.
func (s *step) takeBack() {
	s.guessed = false
	if s.handle == "" {
		// Its answer has not been waited for, so that the session has ended, or is left
		// to whoever made the condition fail to return.
		s.closeWhenOpen()
		return
	}
	if !s.c.Usable() {
		return
	}
	s.rest()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), takeBackTimeout)
	defer cancel()
	r := &run{c: s.c, ctx: ctx}
	r.steps = []step{{run: r, name: "CLOSE", paths: s.paths, acts: true, req: &transport.Remove{}}}
	t := &r.steps[0]
	t.trace()
	r.watched(wire.WatchOf(s.c.ep))
	b := &burst{p: s.c.pipe}
	stat := b.add(fxpFstat, putString(nil, s.handle))
	b.add(fxpClose, putString(nil, s.handle)).drop()
	b.send()
	s.handle = ""
	var a attrs
	err := stat.parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	if err == nil && a.hasSize && a.size == 0 {
		t.at("REMOVE", t.path())
		err = s.c.pipe.send(fxpRemove, putString(nil, t.path())).parse(fxpStatus, nil)
	}
	_ = t.settle(err)
	r.rest()
}

// closeWhenOpen closes what an SSH_FXP_OPEN under way brings, without waiting for it.
// The goroutine ends with the session at the latest.
func (s *step) closeWhenOpen() {
	if s.reply == nil {
		return
	}
	pipe, open := s.c.pipe, s.reply
	go func() {
		if handle, err := open.handle(); err == nil {
			pipe.send(fxpClose, putString(nil, handle)).drop()
		}
	}()
}
