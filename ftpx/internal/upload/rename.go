package upload

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/seed01fc2e40/go-ftpx/ftpx/internal/session"
	"github.com/seed01fc2e40/go-ftpx/retry"
	"github.com/seed01fc2e40/go-ftpx/transport"
)

// move is one Rename across attempts: a commit without a source to compare with. What a
// name holds is told by which names are there. The backup's name is a random one, so that
// what lies under it was put there by this very call.
type move struct {
	from, to, backup string
	commit           commit
}

// Rename moves a file or folder, replacing a file at the new name.
func Rename(ctx context.Context, s *session.Session, t session.Task, from, to string) error {
	m := &move{from: from, to: to, backup: backupName(to, RandomIdentity())}
	err := s.Run(ctx, t, m.once)
	switch {
	case err == nil, m.commit.done:
		return nil
	case m.commit.backedUp:
		return &Failure{Unknown: true, Err: fmt.Errorf("%w; the file that was at the new name may be kept as %q: rename it back", err, m.backup)}
	}
	return err
}

func (m *move) once(ctx context.Context, l *session.Lease) error {
	c := &committing{commit: &m.commit, witness: m, l: l, from: m.from, to: m.to, backup: m.backup}
	if !m.commit.done && m.commit.backedUp {
		if _, err := m.reconcile(ctx, l); err != nil {
			return err
		}
	}
	if !m.commit.done {
		err := m.rename(ctx, l, !m.commit.backedUp)
		if errors.Is(err, errNotMoved) {
			return err
		}
		if err != nil && (!l.Usable() || errors.Is(err, fs.ErrNotExist) && !l.Acted && !m.commit.backedUp) {
			return err
		}
		if err != nil {
			err = c.after(ctx, err)
		}
		if err != nil {
			return err
		}
	}
	return c.cleanUp(ctx, nil)
}

// givesWay implements [witness]. A look decides, at the old name too: a folder does not take
// a file's place, and to make room for what is not there would be wrong. What may be a folder
// counts as one.
func (m *move) givesWay(ctx context.Context, l *session.Lease, refused error) (bool, error) {
	if !mayBeOccupied(refused) || path.Clean(m.from) == path.Clean(m.to) {
		return false, nil
	}
	for _, name := range []string{m.to, m.from} {
		st, err := l.Stat(ctx, name)
		if err != nil && !l.Usable() {
			return false, err
		}
		if err != nil || st.Type != transport.TypeFile {
			return false, nil
		}
	}
	if m.commit.backedUp { // by an attempt before: then this is another file
		aside, err := there(ctx, l, m.backup)
		return !aside, err
	}
	return true, nil
}

// reconcile implements [witness]. Gone from the old name and there under the new one, it
// was done; with a backup only where that is there too, for otherwise it may be the old file.
func (m *move) reconcile(ctx context.Context, l *session.Lease) (bool, error) {
	if !m.commit.backedUp && !l.Acted {
		return false, nil
	}
	if from, err := there(ctx, l, m.from); err != nil || from {
		return false, err
	}
	to, err := there(ctx, l, m.to)
	if err != nil {
		return false, err
	}
	aside := false
	if m.commit.backedUp {
		if aside, err = there(ctx, l, m.backup); err != nil {
			return false, err
		}
	}
	switch {
	case to && aside == m.commit.backedUp:
		m.commit.done = true
	case aside && sameName(m.from, m.to):
		// Two names of one file, to a server that does not tell a from A: it was
		// never in its own way. It gets the new one.
		if err := l.Rename(ctx, m.backup, m.to, false); err != nil {
			return false, err
		}
		m.commit.backedUp, m.commit.done = false, true
	case aside:
		return false, nil // somebody else took it; the old file gets its name back
	default:
		m.commit.backedUp = false
		return false, retry.Stop(&transport.Error{Op: "rename", Path: m.from, Kind: transport.KindLost, MayHaveActed: true,
			Err: errors.New("a reply was lost, and what was at the old name is under neither name now: somebody else has changed them meanwhile")})
	}
	return m.commit.done, nil
}

// explain implements [witness].
func (m *move) explain(_ context.Context, _ *session.Lease, cause, look error) error {
	if look != nil {
		return look
	}
	return cause
}

// there reports whether a name is there. The error is one of a look that failed.
func there(ctx context.Context, l *session.Lease, name string) (bool, error) {
	_, err := l.Stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// rename asks for the rename and, in the same turn, what is under both names then, where a
// host has not been seen yet to mean what it says.
func (m *move) rename(ctx context.Context, l *session.Lease, replace bool) error {
	q := &transport.Rename{From: m.from, To: m.to, Replace: replace}
	from, to := &transport.Stat{Path: m.from}, &transport.Stat{Path: m.to}
	moves := l.Host.Moves(l.Proto)
	if l.Proto.IsFTP() && moves.Load() || sameName(m.from, m.to) {
		return l.Rename(ctx, m.from, m.to, replace)
	}
	lost := l.Do(ctx, &transport.Batch{Requests: []transport.Request{q, from, to}})
	switch {
	case q.Err == transport.ErrUnsent:
		return lost
	case q.Err != nil:
		return q.Err
	case errors.Is(from.Err, fs.ErrNotExist) && to.Err == nil:
		moves.Store(true)
		return nil
	case !l.Usable():
		return nil // the answer to the rename has come
	case from.Err == nil && errors.Is(to.Err, fs.ErrNotExist):
		return m.renamed(ctx, l)
	}
	return nil
}

// renamed implements [witness]. What is at the old name may be new, as where a log is moved
// away; so it is the new name that tells.
func (m *move) renamed(ctx context.Context, l *session.Lease) error {
	if sameName(m.from, m.to) {
		return nil
	}
	at, err := keepsName(ctx, l, m.from, takenLast)
	if err != nil || at != nameThere {
		return nil // the answer to the rename has come
	}
	if _, err := l.Stat(ctx, m.to); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	l.Host.Moves(l.Proto).Store(false)
	return notMoved(l, m.to)
}

// sameName reports whether two names are one to a server that does not tell a from A.
func sameName(a, b string) bool { return strings.EqualFold(path.Clean(a), path.Clean(b)) }
