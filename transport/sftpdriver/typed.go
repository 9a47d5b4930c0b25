package sftpdriver

import (
	"crypto/rand"
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Attributes may lack the permissions, or the type in them (section 5: all of them are
// optional), so that a folder looks like a file with its size. What OPENDIR opens is a
// folder.

// described takes the answer to a Stat. What the server leaves out, or does not say to
// this kind of question, it may say to the other.
func (s *step) described(q *transport.Stat) error {
	a, err := s.attrs()
	more := another(q, a, err)
	if more {
		s.c.asksOn(a, err)
	}
	switch {
	case s.overtaken():
		// Too late for more: it would be answered of what has come since. Where that is a
		// guess, it is asked when the guess has been judged.
		if more || err == nil && a.entry("", "").Type == transport.TypeUnknown {
			s.told = &told{a, err}
		}
	case more:
		a, err = s.askAgain(q, a, err)
	}
	return s.entered(q, a, err)
}

// told is the answer to a Stat that may be worth another question.
type told struct {
	attrs attrs
	err   error
}

// another reports whether an answer is worth another question.
func another(q *transport.Stat, a attrs, err error) bool {
	if err == nil {
		return !a.hasSize && a.perm == 0
	}
	st := statusOf(err)
	switch {
	case st == nil:
		return false
	case q.NoFollow: // whose other question follows links
		return st.code == fxOpUnsupported
	}
	return st.code == fxOpUnsupported || st.code == fxPermissionDenied || st.code == fxFailure
}

// askAgain asks SSH_FXP_LSTAT in place of STAT, or the reverse. Where that says nothing
// either, the first answer counts. A link that cannot be followed is not described.
func (s *step) askAgain(q *transport.Stat, a attrs, err error) (attrs, error) {
	typ, name := byte(fxpLstat), "LSTAT"
	if q.NoFollow {
		typ, name = fxpStat, "STAT"
	}
	first := s.name
	s.instead(err, name, q.Path)
	var b attrs
	berr := s.c.pipe.send(typ, putString(nil, q.Path)).parse(fxpAttrs, func(r *reader) { b = r.attrs() })
	st := statusOf(berr)
	switch {
	case berr != nil && (st == nil || st.code == fxNoSuchFile && err != nil):
		return b, berr
	case berr == nil && !another(q, b, nil) && (q.NoFollow || b.entry("", "").Type != transport.TypeLink):
		return b, nil
	}
	s.name = first
	return a, err
}

// entered gives a Stat its result, and finds out the type.
func (s *step) entered(q *transport.Stat, a attrs, err error) error {
	if err != nil {
		return err
	}
	e := a.entry(path.Base(q.Path), "")
	if e.Type == transport.TypeUnknown {
		s.c.asksOn(a, nil)
	}
	if !s.overtaken() {
		err = s.findType(q.Path, &e)
	}
	if err == nil {
		q.Entry = e
	}
	return err
}

// overtaken reports whether what has left behind the step may have changed what a further
// question about it would be answered. A guess changes no other name than its own.
func (s *step) overtaken() bool {
	for j := s.i + 1; j < s.sent; j++ {
		if e := &s.steps[j]; e.acts && e.bad == nil && !(e.guessed && !sameName(e.path(), s.path())) {
			return true
		}
	}
	return false
}

// sameName reports whether two paths may be of one file, to a server that does not tell
// upper from lower case too.
func sameName(a, b string) bool { return strings.EqualFold(path.Clean(a), path.Clean(b)) }

// asksOn takes note of a server of which a Stat may take more than one question. From then
// on nothing that acts leaves behind one before it has its answer, but a guess, with which
// the rest is asked.
func (c *Conn) asksOn(a attrs, err error) {
	if st := statusOf(err); st == nil || st.code == fxOpUnsupported {
		c.asksMore.Store(true)
	}
}

// findType finds out what the attributes have left open. An error is one of the
// connection.
func (s *step) findType(p string, e *transport.Entry) error {
	if e.Type != transport.TypeUnknown {
		return nil
	}
	// A name that cannot be there is opened as well: where that succeeds (object stores,
	// of which every name may be the beginning of others), OPENDIR shows nothing.
	b := &burst{p: s.c.pipe}
	answers := [2]*reply{b.add(fxpOpendir, putString(nil, p)), b.add(fxpOpendir, putString(nil, path.Join(p, "X"+rand.Text()[:7])))}
	b.send()
	var opened [2]bool
	var refusal *statusError
	for i, answer := range answers {
		handle, err := answer.handle()
		if err == nil {
			opened[i] = true
			s.c.pipe.send(fxpClose, putString(nil, handle)).drop()
			continue
		}
		status := statusOf(err)
		if status == nil {
			return err
		}
		if i == 0 {
			refusal = status
		}
	}
	switch {
	case opened[0] && !opened[1]:
		e.Type, e.Size = transport.TypeDir, -1
	case !opened[0] && refusal.code == fxPermissionDenied:
		// A folder that may not be read, or a file.
	case e.Size >= 0:
		e.Type = transport.TypeFile
	}
	return nil
}
