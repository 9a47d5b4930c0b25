package sftpdriver

import (
	"context"
	"crypto/rand"
	"path"

	"github.com/seed01fc2e40/go-ftpx/transport"
)

// Attributes may lack the permissions, or the type in them (section 5: all of them are
// optional), so that a folder looks like a file with its size. What OPENDIR opens is a
// folder.

// findType finds out what the attributes have left open. An error is one of the
// connection.
func (k *call) findType(p string, e *transport.Entry) error {
	if e.Type != transport.TypeUnknown {
		return nil
	}
	// A name that cannot be there is opened as well: where that succeeds (object stores,
	// of which every name may be the beginning of others), OPENDIR shows nothing.
	b := &burst{p: k.c.pipe}
	answers := [2]*reply{b.add(fxpOpendir, putString(nil, p)), b.add(fxpOpendir, putString(nil, path.Join(p, "X"+rand.Text()[:7])))}
	b.send()
	var opened [2]bool
	var refusal *statusError
	for i, answer := range answers {
		handle, err := answer.handle()
		if err == nil {
			opened[i] = true
			k.c.pipe.send(fxpClose, putString(nil, handle)).drop()
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

// Lstat implements [transport.Lstater] (SSH_FXP_LSTAT).
func (c *Conn) Lstat(ctx context.Context, p string) (transport.Entry, error) {
	k, err := c.begin(ctx, "LSTAT", false, p)
	if err != nil {
		return transport.Entry{}, err
	}
	var a attrs
	err = c.pipe.send(fxpLstat, putString(nil, p)).parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	if s := statusOf(err); s != nil && s.code == fxOpUnsupported {
		k.at("STAT", p)
		err = c.pipe.send(fxpStat, putString(nil, p)).parse(fxpAttrs, func(r *reader) { a = r.attrs() })
	}
	e := a.entry(path.Base(p), "")
	if err == nil {
		err = k.findType(p, &e)
	}
	if err := k.end(err); err != nil {
		return transport.Entry{}, err
	}
	return e, nil
}
