package sftpdriver

import (
	"crypto/rand"
	"path"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Attributes may lack the permissions, or the type in them (section 5: all of them are
// optional), so that a folder looks like a file with its size. What OPENDIR opens is a
// folder.

// described takes the answer to a Stat.
func (s *step) described(q *transport.Stat) error {
	a, err := s.attrs()
	if st := statusOf(err); st != nil && st.code == fxOpUnsupported && q.NoFollow {
		s.at("STAT", q.Path)
		err = s.c.pipe.send(fxpStat, putString(nil, q.Path)).parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	}
	if err != nil {
		return err
	}
	e := a.entry(path.Base(q.Path), "")
	if err = s.findType(q.Path, &e); err == nil {
		q.Entry = e
	}
	return err
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
