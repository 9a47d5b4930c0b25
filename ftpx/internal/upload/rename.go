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

// move is one Rename across attempts. Servers that cannot replace in one step get
// it in three, as an upload does (commit.go): the file at the new name goes to a
// backup, the old name is renamed, the backup is removed. At each moment each
// content lies under a name. What a lost reply leaves open is looked up.
//
// Unlike an upload it has no source to compare with: what a name holds is told by
// which names are there. The backup's name is a random one, so that what lies
// under it was put there by this very call.
type move struct {
	from, to string

	spare   string // the backup's name, the same throughout
	backup  string // spare, once the file at the new name may lie there
	done    bool   // what was at from is at to; what is left is to clean up
	cleaned int
	cause   error // why the file at backup is to go back
}

// Rename moves a file or folder, replacing a file at the new name.
func Rename(ctx context.Context, s *session.Session, t session.Task, from, to string) error {
	m := &move{from: from, to: to}
	return m.failure(s.Run(ctx, t, m.once))
}

func (m *move) once(ctx context.Context, l *session.Lease) error {
	switch {
	case m.done:
		return m.cleanUp(ctx, l)
	case m.cause != nil:
		return m.restore(ctx, l)
	case m.backup != "":
		return m.goOn(ctx, l)
	}
	err := l.Rename(ctx, m.from, m.to, true)
	if err == nil || !l.Usable() {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		if l.Acted {
			return m.statted(ctx, l, err)
		}
		return err
	}
	if in, serr := m.inTheWay(ctx, l, err); serr != nil {
		return serr
	} else if !in {
		return err
	}
	if m.spare == "" {
		m.spare = backupName(m.to, RandomIdentity())
	}
	m.backup = m.spare
	return m.byBackup(ctx, l, err)
}

// looked is for a name that is gone after a request whose reply was lost: gone
// from the old name and there under the new one, it was done.
func (m *move) statted(ctx context.Context, l *session.Lease, cause error) error {
	from, err := there(ctx, l, m.from)
	if err != nil || from {
		return cause
	}
	to, err := there(ctx, l, m.to)
	switch {
	case err != nil:
		return err
	case to:
		return nil
	}
	return retry.Stop(&transport.Error{Op: "rename", Path: m.from, Kind: transport.KindLost, MayHaveActed: true,
		Err: errors.New("the reply was lost, and neither name is there now")})
}

// inTheWay reports whether a rename was refused because there is a file at the
// new name. Servers say no more than "failure", so that a look decides; at the old
// name too, for a folder does not take a file's place, and to make room for what
// is not there would be wrong. What may be a folder counts as one.
func (m *move) inTheWay(ctx context.Context, l *session.Lease, cause error) (bool, error) {
	switch transport.KindOf(cause) {
	case transport.KindExist, transport.KindTemporary, transport.KindRefused, transport.KindName, transport.KindPermission:
	default:
		return false, nil
	}
	if path.Clean(m.from) == path.Clean(m.to) {
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
	return true, nil
}

// byBackup makes room and renames. refused is what the rename in one step met.
func (m *move) byBackup(ctx context.Context, l *session.Lease, refused error) error {
	err := l.Rename(ctx, m.to, m.backup, false)
	if err != nil && !l.Usable() {
		return err
	}
	if err != nil {
		// Whatever it says: the file has its name, or it has not.
		at, serr := there(ctx, l, m.backup)
		if serr != nil {
			return serr
		}
		if !at {
			m.backup = ""
			return fmt.Errorf("%w (and what is there could not be moved aside: %w)", refused, err)
		}
	}
	return m.second(ctx, l)
}

// second renames to the name that has been made free.
func (m *move) second(ctx context.Context, l *session.Lease) error {
	err := l.Rename(ctx, m.from, m.to, false)
	if err == nil {
		m.done = true
		return m.cleanUp(ctx, l)
	}
	if !l.Usable() {
		return err
	}
	from, serr := there(ctx, l, m.from)
	if serr != nil {
		return serr
	}
	if !from {
		return m.gone(ctx, l, err)
	}
	m.cause = err
	return m.restore(ctx, l)
}

// goOn finds out what became of the requests whose replies were lost.
func (m *move) goOn(ctx context.Context, l *session.Lease) error {
	from, err := there(ctx, l, m.from)
	if err != nil {
		return err
	}
	if !from {
		return m.gone(ctx, l, &transport.Error{Op: "rename", Path: m.from, Kind: transport.KindNotExist, Err: fs.ErrNotExist})
	}
	aside, err := there(ctx, l, m.backup)
	if err != nil {
		return err
	}
	if aside {
		return m.second(ctx, l)
	}
	m.backup = "" // it was not moved, and may not be in the way any more
	return m.once(ctx, l)
}

// gone is for an old name that is not there any more after the way was cleared:
// it is at the new name, which is what was wanted, or somebody else took it.
func (m *move) gone(ctx context.Context, l *session.Lease, cause error) error {
	to, err := there(ctx, l, m.to)
	if err != nil {
		return err
	}
	aside, err := there(ctx, l, m.backup)
	if err != nil {
		return err
	}
	switch {
	case to && aside:
		m.done = true
		return m.cleanUp(ctx, l)
	case aside && strings.EqualFold(path.Clean(m.from), path.Clean(m.to)):
		// Two names of one file, to a server that does not tell a from A: it was
		// never in its own way. It gets the new one.
		if err := l.Rename(ctx, m.backup, m.to, false); err != nil {
			return err
		}
		m.backup = ""
		return nil
	case aside:
		m.cause = cause
		return m.restore(ctx, l)
	}
	m.backup = ""
	return retry.Stop(&transport.Error{Op: "rename", Path: m.from, Kind: transport.KindLost, MayHaveActed: true,
		Err: errors.New("a reply was lost, and meanwhile somebody else has changed what is under the old or the new name")})
}

// restore gives the file at the new name its name back, unless another has come
// there, and returns what stood in the way.
func (m *move) restore(ctx context.Context, l *session.Lease) error {
	to, err := there(ctx, l, m.to)
	if err != nil {
		return err
	}
	aside, err := there(ctx, l, m.backup)
	switch {
	case err != nil:
		return err
	case aside && to:
		return retry.Stop(fmt.Errorf("%w (another file has come to the new name meanwhile)", m.cause))
	case aside:
		if err := l.Rename(ctx, m.backup, m.to, false); err != nil {
			if !l.Usable() {
				return err
			}
			if at, serr := there(ctx, l, m.backup); serr != nil {
				return serr
			} else if at {
				return retry.Stop(errors.Join(m.cause, err))
			}
		}
	}
	// All is as it was, and another attempt may begin anew.
	cause := m.cause
	m.backup, m.cause = "", nil
	return cause
}

// cleanUp removes the backup, which is worth another connection and is no condition
// of success.
func (m *move) cleanUp(ctx context.Context, l *session.Lease) error {
	m.cleaned++
	if m.backup == "" {
		return nil
	}
	if err := l.Remove(ctx, m.backup); err != nil && !l.Usable() && m.cleaned < maxCleanUps {
		return err
	}
	return nil
}

// failure completes the error: it names the backup where one may be left.
func (m *move) failure(err error) error {
	if err == nil || m.done {
		return nil
	}
	if m.backup != "" {
		return &Failure{Unknown: true, Err: fmt.Errorf("%w; the file that was at the new name may be kept as %q: rename it back", err, m.backup)}
	}
	return err
}

// there reports whether a name is there. The error is one of a look that failed.
func there(ctx context.Context, l *session.Lease, name string) (bool, error) {
	_, err := l.Stat(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
